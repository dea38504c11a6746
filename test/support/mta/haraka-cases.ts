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
  { rule: 'serves any local part of its domain with Haraka’s configuration', truth: 'closed', told: ['suspected'], start: starting() },
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
    told: ['suspected'],
    start: starting({ plugins: ['relay', 'rcpt_to.in_host_list'], config: { relay_acl_allow: '0.0.0.0/0\n' } }),
  },
  {
    rule: 'refuses XCLIENT to strangers and serves any local part of its domain',
    truth: 'closed',
    told: ['suspected'],
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

/** Haraka under each configuration that decides otherwise about relaying. */
export const HARAKA_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
