import type { MtaCase } from './case.ts';
import { type HarakaSettings, startHaraka } from './haraka.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

const starting =
  (settings: HarakaSettings = {}): MtaCase['start'] =>
  (namespace, n) =>
    startHaraka(namespace, n, settings);

/** Its domain, and a plugin of the administrator's that relays for some, seen at a hook. */
const relayingFor = (hook: 'connect' | 'mail', condition: string, more: Omit<HarakaSettings, 'own'> = {}): MtaCase['start'] => {
  const code = `
exports.hook_${hook} = (next, connection, params) => {
  if (${condition}) connection.relaying = true;
  next();
};
`;
  return starting({ ...more, plugins: [...(more.plugins ?? []), 'relay_for', 'rcpt_to.in_host_list'], own: { relay_for: code } });
};

const refusing = (hook: 'mail' | 'data_post', verdict: string): HarakaSettings['own'] => ({
  relay_for: 'exports.hook_connect = (next, connection) => { connection.relaying = true; next(); };\n',
  refuse: `const DSN = require('haraka-dsn');\nexports.hook_${hook} = (next) => next(${verdict});\n`,
});

const ANY_RECIPIENT = { any_recipient: 'exports.hook_rcpt = (next) => next(OK);\n' };

const CLOSED: readonly MtaCase[] = [
  { rule: 'serves any local part of its domain with Haraka’s configuration', truth: 'closed', start: starting() },
  {
    rule: 'relays everything, and refuses each message after its end',
    truth: 'closed',
    start: starting({
      plugins: ['relay_for', 'refuse', 'rcpt_to.in_host_list'],
      own: refusing('data_post', `DENY, DSN.create(550, 'Not for strangers', 7, 1)`),
    }),
  },
  {
    rule: 'accepts everything and throws it away',
    truth: 'closed',
    told: ['suspected'],
    start: starting({ plugins: ['any_recipient', 'queue/discard'], own: ANY_RECIPIENT, env: { YES_REALLY_DO_DISCARD: '1' } }),
  },
  {
    rule: 'relays everything, and refuses every sender before STARTTLS and authentication',
    truth: 'closed',
    start: starting({
      plugins: ['tls', 'relay_for', 'refuse', 'rcpt_to.in_host_list'],
      own: refusing('mail', `DENY, DSN.create(530, 'Authentication required', 7, 0)`),
    }),
  },
  {
    // haraka-plugin-relay 1.0 reads a prefix length of 0 as the longest.
    rule: 'relays for 0.0.0.0/0, which it reads as one address, and serves any local part of its domain',
    truth: 'closed',
    start: starting({ plugins: ['relay', 'rcpt_to.in_host_list'], config: { relay_acl_allow: '0.0.0.0/0\n' } }),
  },
  {
    rule: 'refuses XCLIENT to strangers and serves any local part of its domain',
    truth: 'closed',
    start: relayingFor('connect', 'connection.remote.is_local', { plugins: ['xclient'] }),
  },
];

// The same sender, recipient and address again, later than two seconds, is let through.
const GREYLIST = `
const seen = new Map();
exports.hook_rcpt = (next, connection, [recipient]) => {
  const triplet = [connection.remote.ip, connection.transaction.mail_from, recipient].join(' ');
  if (!seen.has(triplet)) seen.set(triplet, Date.now());
  if (Date.now() - seen.get(triplet) < 2000) return next(DENYSOFT, 'greylisted, try again later');
  connection.relaying = true;
  next(OK);
};
`;

const OPEN: readonly MtaCase[] = [
  { rule: 'relays for everyone', truth: 'open', proof: PLAIN, start: relayingFor('connect', 'true') },
  {
    rule: 'offers strangers XCLIENT, and relays for whoever claims 127.0.0.1',
    truth: 'open',
    proof: { ...PLAIN, xclient: 'ADDR=127.0.0.1' },
    start: relayingFor('connect', 'connection.remote.is_local', { plugins: ['xclient'], config: { 'xclient.hosts': '$sink\n' } }),
  },
  {
    rule: 'takes every recipient, and forwards all to another server',
    truth: 'open',
    proof: PLAIN,
    start: starting({
      plugins: ['any_recipient', 'keep_own', 'queue/smtp_forward'],
      config: { 'smtp_forward.ini': 'host=$sink\nport=25\n' },
      own: {
        ...ANY_RECIPIENT,
        keep_own: `exports.hook_queue = (next, { transaction }) => transaction.rcpt_to.every(({ host }) => host === 'canary.example') ? next() : next(OK);\n`,
      },
    }),
  },
  {
    rule: 'relays for a list of networks that has the whole world in it, as two halves',
    truth: 'open',
    proof: PLAIN,
    start: starting({ plugins: ['relay', 'rcpt_to.in_host_list'], config: { relay_acl_allow: '0.0.0.0/1\n128.0.0.0/1\n' } }),
  },
  {
    rule: 'relays for everyone by a switch of its relay plugin',
    truth: 'open',
    proof: PLAIN,
    start: starting({ plugins: ['relay', 'rcpt_to.in_host_list'], config: { 'relay.ini': '[relay]\nacl=false\nall=true\n' } }),
  },
  {
    rule: 'relays for senders at the served domain only',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example>' },
    start: relayingFor('mail', `params[0].host === 'served.example'`),
  },
  {
    rule: 'relays for the null sender only',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: relayingFor('mail', `params[0].isNull()`),
  },
  {
    rule: 'relays for whoever says EHLO with the host’s own name',
    truth: 'open',
    proof: { ...PLAIN, ehlo: 'mx.served.example' },
    start: relayingFor('mail', `connection.hello.host === connection.local.host`),
  },
  {
    rule: 'relays after STARTTLS only',
    truth: 'open',
    proof: { ...PLAIN, transport: 'starttls' },
    start: relayingFor('mail', 'connection.tls.enabled', { plugins: ['tls'] }),
  },
  {
    rule: 'relays on port 587 only',
    truth: 'open',
    proof: { ...PLAIN, port: 587 },
    start: relayingFor('connect', 'connection.local.port === 587', { ports: [25, 587] }),
  },
  {
    rule: 'relays on port 465 only',
    truth: 'open',
    proof: { ...PLAIN, port: 465, transport: 'tls' },
    start: relayingFor('connect', 'connection.local.port === 465', { plugins: ['tls'], ports: [25, 465] }),
  },
  {
    rule: 'relays over IPv6 only',
    truth: 'open',
    proof: PLAIN,
    start: relayingFor('connect', `connection.remote.ip.includes(':')`, { ipv6: true }),
  },
  {
    rule: 'greylists strangers, and then relays for them',
    truth: 'open',
    proof: PLAIN,
    start: starting({ plugins: ['greylist_all'], own: { greylist_all: GREYLIST } }),
  },
];

// What tarpit waits five seconds before, by a note that a plugin leaves.
const TARPIT: HarakaSettings = {
  plugins: ['slow_down', 'tarpit', 'rcpt_to.in_host_list'],
  own: {
    slow_down:
      'exports.hook_rcpt = (next, connection, [{ host }]) => { connection.notes.tarpit = host === "served.example" ? 0 : 5; next(); };\n',
  },
  config: { 'tarpit.timeout': '0\n' },
};

// Counts what comes from an address since a minute began.
const perMinute = (hook: 'connect' | 'rcpt', most: number, refusal: string) => `
const counts = new Map();
exports.hook_${hook} = (next, connection) => {
  const minute = Math.floor(Date.now() / 60000);
  const key = connection.remote.ip + ' ' + minute;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  if (counts.get(key) > ${most}) return next(${refusal}, 'rate limit exceeded, try again later');
  next();
};
`;

const limited = (code: string, relaying: boolean): HarakaSettings => ({
  plugins: ['limit_rate', ...(relaying ? ['relay_for'] : []), 'rcpt_to.in_host_list'],
  own: { limit_rate: code, relay_for: RELAY_FOR_ALL },
});
const RELAY_FOR_ALL = 'exports.hook_mail = (next, connection) => { connection.relaying = true; next(); };\n';

const greetingLate = (more: HarakaSettings): HarakaSettings => ({
  ...more,
  plugins: ['greet_late', ...(more.plugins ?? [])],
  own: {
    ...more.own,
    greet_late: 'exports.hook_connect_init = (next) => setTimeout(next, 35000);\nexports.hook_connect_init.timeout = 60;\n',
  },
  config: { ...more.config, 'greet_late.timeout': '0\n' },
  greetsLate: true,
});

/** A plugin of the administrator's at RCPT, before the domains are looked at. */
const askedFirst = (body: string, more: HarakaSettings = {}): MtaCase['start'] =>
  starting({
    ...more,
    plugins: ['ask_first', ...(more.plugins ?? ['rcpt_to.in_host_list'])],
    own: {
      ...more.own,
      ask_first: `const DSN = require('haraka-dsn');\nexports.hook_rcpt = (next, connection, [recipient]) => {\n${body}\n  next();\n};\n`,
    },
  });

const NO_SHARED_CIPHER = 'ciphers=ECDHE-RSA-AES128-GCM-SHA256\nminVersion=TLSv1.2\nmaxVersion=TLSv1.2\n';
const NOT_OURS = `recipient.host !== 'served.example'`;

const SLOW: readonly MtaCase[] = [
  {
    rule: 'takes four connections a minute, and relays nothing',
    truth: 'closed',
    betweenMs: 20_000,
    start: starting(limited(perMinute('connect', 4, 'DENYSOFTDISCONNECT'), false)),
  },
  {
    rule: 'takes four connections a minute, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    betweenMs: 20_000,
    start: starting(limited(perMinute('connect', 4, 'DENYSOFTDISCONNECT'), true)),
  },
  {
    rule: 'takes three recipients a minute, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    betweenMs: 20_000,
    start: starting(limited(perMinute('rcpt', 3, 'DENYSOFT'), true)),
  },
  {
    rule: 'greets after 35 seconds, and relays nothing',
    truth: 'closed',
    start: starting(greetingLate({ plugins: ['rcpt_to.in_host_list'] })),
  },
  {
    rule: 'greets after 35 seconds, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: starting(greetingLate({ plugins: ['relay_for', 'rcpt_to.in_host_list'], own: { relay_for: RELAY_FOR_ALL } })),
  },
  { rule: 'waits five seconds before it refuses, and takes any local part of its domain', truth: 'closed', start: starting(TARPIT) },
  {
    rule: 'waits five seconds before it refuses, and relays for the null sender only',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: starting({
      ...TARPIT,
      plugins: ['relay_for', ...(TARPIT.plugins ?? [])],
      own: {
        ...TARPIT.own,
        relay_for: 'exports.hook_mail = (next, connection, [sender]) => { connection.relaying = sender.isNull(); next(); };\n',
      },
    }),
  },
  {
    rule: 'puts every foreign recipient off, always',
    truth: 'closed',
    start: askedFirst(`  if (${NOT_OURS}) return next(DENYSOFT, 'I cannot look that up just now');`),
  },
];

const MORE_CLOSED: readonly MtaCase[] = [
  {
    rule: 'takes any local part of its domain, and bounces later what nobody is there for',
    truth: 'closed',
    start: starting({
      bounces: true,
      plugins: ['rcpt_to.in_host_list', 'forward'],
      own: {
        forward: `
exports.hook_data_post = (next, connection) => { connection.relaying = true; next(); };
exports.hook_get_mx = (next, item, domain) => domain === 'served.example' ? next(DENY, 'nobody is there') : next();
`,
      },
    }),
  },
  {
    rule: 'has no postmaster, and relays nothing',
    truth: 'closed',
    start: askedFirst(`  if (recipient.user === 'postmaster') return next(DENY, DSN.no_such_user());`),
  },
  {
    rule: 'knows nobody at its domain but its postmaster, and relays nothing',
    truth: 'closed',
    start: askedFirst(`  if (recipient.user !== 'postmaster' && !(${NOT_OURS})) return next(DENY, DSN.no_such_user());`),
  },
  {
    rule: 'refuses relaying as if it were about the client: your host is not allowed to send',
    truth: 'closed',
    start: askedFirst(`  if (${NOT_OURS}) return next(DENY, 'your host is not allowed to send to that domain through us');`),
  },
  {
    rule: 'offers STARTTLS with no cipher that its key can serve, and takes any local part of its domain',
    truth: 'closed',
    start: starting({ plugins: ['tls', 'rcpt_to.in_host_list'], config: { 'tls.ini': NO_SHARED_CIPHER } }),
  },
];

const MORE_OPEN: readonly MtaCase[] = [
  {
    rule: 'offers STARTTLS with no cipher that its key can serve, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: relayingFor('connect', 'true', { plugins: ['tls'], config: { 'tls.ini': NO_SHARED_CIPHER } }),
  },
  {
    rule: 'looks at the first recipient of a transaction only',
    truth: 'open',
    proof: { ...PLAIN, before: '<postmaster@served.example>' },
    start: askedFirst('  if (connection.transaction.rcpt_to.length > 1) { connection.relaying = true; return next(OK); }'),
  },
  {
    rule: 'looks at the last recipient of a transaction only',
    truth: 'open',
    proof: { ...PLAIN, after: '<postmaster@served.example>' },
    start: askedFirst('  return next(OK);', {
      plugins: ['at_data'],
      own: {
        at_data: `exports.hook_data = (next, connection) => {
  const recipients = connection.transaction.rcpt_to;
  if (recipients[recipients.length - 1].host !== 'served.example') return next(DENY, 'no relaying');
  connection.relaying = recipients.length > 1;
  next();
};
`,
      },
    }),
  },
  {
    rule: 'has a pattern for its own domain in recipients that is anchored nowhere',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@xserved.example.canary.example>' },
    start: askedFirst(
      '  if (/served.example/.test(recipient.host)) { connection.relaying = recipient.host !== "served.example"; return next(OK); }',
    ),
  },
  {
    rule: 'has a pattern for its own domain in senders that is not anchored at the end, and takes any local part of its domain',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example.canary.example>' },
    start: relayingFor('mail', '/^served.example[.]/.test(params[0].host)'),
  },
  {
    rule: 'takes any local part of its domain, and relays u%x at it to u@x',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof%canary.example@served.example>' },
    start: askedFirst(
      `  if (!/^[^%@!"]+%[^%]+$/.test(recipient.user)) return next();
  const { rcpt_to } = connection.transaction;
  rcpt_to.splice(rcpt_to.indexOf(recipient), 1, new recipient.constructor('<' + recipient.user.replace('%', '@') + '>'));
  connection.relaying = true;
  return next(OK);`,
    ),
  },
];

/** Haraka under each configuration that decides otherwise about relaying. */
export const HARAKA_CASES: readonly MtaCase[] = [...SLOW, ...MORE_CLOSED, ...MORE_OPEN, ...CLOSED, ...OPEN];
