import type { Verdict } from '../../../shared/domain/reason.ts';
import type { MtaCase } from './case.ts';
import { type EximSettings, expansion, startExim } from './exim.ts';
import type { Letter } from './stranger.ts';

const STRANGER = '<stranger@stranger.example>';
const CANARY = '<someone@canary.example>';
const PERCENT = '<someone%canary.example@served.example>';

// What an administrator sets who finds Debian's check of the characters in a local part in the way.
const NO_LOCAL_PART_CHECKS = 'CHECK_RCPT_LOCAL_LOCALPARTS =\nCHECK_RCPT_REMOTE_LOCALPARTS =\n';

const TRIPLET = '$sender_host_address-$sender_address-$local_part@$domain';

const PERCENT_HACK = firstRouter(
  'percent',
  'redirect',
  'domains = +local_domains',
  `condition = ${expansion('if match{$local_part}{\\N^[^%]+%[^%]+$\\N}')}`,
  `data = ${expansion('sg{$local_part}{%}{@}')}`,
);
const CATCH_ALL = firstRouter('catch_all', 'redirect', 'domains = +local_domains', 'data = :blackhole:');
// It is asked when a recipient is checked, and not when there is mail to be delivered.
const TAKES_ANY_AT_FIRST = firstRouter('any', 'accept', 'domains = +local_domains', 'verify_only');

const EVERYONE = '0.0.0.0/0';
const BY_THE_MINUTE = 20_000;
const NOT_OURS = 'domains = ! +local_domains';
const SRS = '<SRS0=abcd=TT=canary.example=someone@served.example>';
const RECIPIENT_LIMIT = firstRule(
  'acl_check_rcpt',
  'defer',
  'ratelimit = 3 / 1m / per_rcpt / leaky',
  'message = too many recipients, try again later',
);
const TARPIT = firstRule('acl_check_rcpt', 'warn', 'domains = ! +local_domains', 'delay = 5s');
const NO_POSTMASTER = firstRule(
  'acl_check_rcpt',
  'deny',
  'domains = +local_domains',
  'local_parts = postmaster',
  'message = 550 5.1.1 User unknown',
);
// With an RSA key, these need another one.
const NO_SHARED_CIPHER = 'tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA\n';

// Those that take longest come first, so that the others run beside them.
const SLOW: readonly MtaCase[] = [
  limited(closed('takes four connections a minute, and relays nothing', connectionLimit())),
  limited(open('takes four connections a minute, and relays for the whole world', connectionLimit({ relayNets: EVERYONE }))),
  // Ten sittings of three recipients a minute are fewer than the table has: nothing wrong may be said, and little can be.
  {
    ...closed('takes three recipients a minute, and relays nothing', { edit: RECIPIENT_LIMIT }),
    told: ['closed', 'inconclusive'],
    betweenMs: BY_THE_MINUTE,
  },
  limited(open('takes three recipients a minute, and relays for the whole world', { edit: RECIPIENT_LIMIT, relayNets: EVERYONE })),
  closed('greets after 35 seconds, and relays nothing', greetingLate()),
  open('greets after 35 seconds, and relays for the whole world', greetingLate({ relayNets: EVERYONE })),
  closed('waits five seconds before it refuses, and relays nothing', { edit: TARPIT }),
  closed('waits five seconds before it refuses, takes any local part, and relays nothing', {
    main: NO_LOCAL_PART_CHECKS,
    edit: both(TARPIT, CATCH_ALL),
  }),
  open(
    'waits five seconds before it refuses, and relays for the null sender only',
    { edit: both(TARPIT, relayIf('senders = :')) },
    { from: '<>', to: CANARY },
  ),
  closed('takes every foreign recipient, and refuses every message at DATA after three seconds', {
    relayNets: EVERYONE,
    main: 'acl_smtp_predata = acl_check_predata',
    edit: inFront(/^begin acl\n/m, ['acl_check_predata:', '  deny', '    delay = 3s', '    message = not today']),
  }),
  closed('takes every foreign recipient, and refuses every message after the dot and three seconds', {
    relayNets: EVERYONE,
    edit: firstRule('acl_check_data', 'deny', 'delay = 3s', 'message = 550 5.7.1 looks like spam'),
  }),
  closed('puts every foreign recipient off, always', {
    edit: firstRule('acl_check_rcpt', 'defer', NOT_OURS, 'message = temporarily unable to verify the recipient'),
  }),
];

const CATCH_ALLS: readonly MtaCase[] = [
  closed('takes any local part, u%x among them, and bounces later what nobody is there for', {
    main: NO_LOCAL_PART_CHECKS,
    edit: TAKES_ANY_AT_FIRST,
    bounces: true,
  }),
  open(
    'takes any local part, and relays for clients that claim its own name in HELO',
    {
      main: NO_LOCAL_PART_CHECKS,
      edit: both(CATCH_ALL, relayIf(`condition = ${expansion('if eqi{$sender_helo_name}{$primary_hostname}')}`)),
    },
    { from: STRANGER, to: CANARY, ehlo: 'mx.served.example' },
  ),
  open(
    'takes any local part, and relays u%x at its own domain to u@x',
    { main: NO_LOCAL_PART_CHECKS, edit: both(CATCH_ALL, PERCENT_HACK) },
    { from: STRANGER, to: PERCENT },
  ),
  open(
    'takes any local part, and relays for senders below its own domain by a pattern that is not anchored at the end',
    {
      main: NO_LOCAL_PART_CHECKS,
      edit: both(CATCH_ALL, relayIf('senders = ^.*@news\\\\.served\\\\.example : ^.*@served\\\\.example\\\\.')),
    },
    { from: '<someone@served.example.canary.example>', to: CANARY },
  ),
];

const HOLES: readonly MtaCase[] = [
  open('has a router for SRS with an empty secret', { edit: srs('') }, { from: STRANGER, to: SRS }),
  open(
    'has a router for SRS with an empty secret, for the null sender only, as documented',
    { edit: srs('', 'senders = :') },
    { from: '<>', to: SRS },
  ),
  closed('has a router for SRS with a secret', { edit: srs('not to be guessed') }),
  open(
    'has a pattern for its own domain in recipients that is not anchored at the end',
    { edit: firstRule('acl_check_rcpt', 'accept', 'domains = ^served\\\\.example') },
    { from: STRANGER, to: '<someone@served.example.canary.example>' },
  ),
  open(
    'has a pattern for its own domain in recipients that is anchored nowhere',
    { edit: firstRule('acl_check_rcpt', 'accept', 'domains = ^.*served\\\\.example') },
    { from: STRANGER, to: '<someone@xserved.example.canary.example>' },
  ),
  open(
    'looks at the first recipient of a transaction only',
    { edit: relayIf(`condition = ${expansion('if >{$rcpt_count}{1}')}`) },
    { from: STRANGER, to: CANARY, before: '<postmaster@served.example>' },
  ),
  open('takes one connection from a host at a time, and relays for the whole world', {
    main: 'smtp_accept_max_per_host = 1',
    relayNets: EVERYONE,
  }),
  open(
    'takes three commands beside mail in a connection, and relays for the null sender only',
    { main: 'smtp_accept_max_nonmail = 3', edit: relayIf('senders = :') },
    { from: '<>', to: CANARY },
  ),
];

const WORDS: readonly MtaCase[] = [
  closed('has no postmaster, and relays nothing', { edit: NO_POSTMASTER }),
  open(
    'has no postmaster, and relays for the null sender only',
    { edit: both(NO_POSTMASTER, relayIf('senders = :')) },
    { from: '<>', to: CANARY },
  ),
  closed('refuses relaying as if it were about the client: your host is not allowed to send', {
    edit: firstRule('acl_check_rcpt', 'deny', NOT_OURS, 'message = your host is not allowed to send to that domain through us'),
  }),
  closed('offers STARTTLS with no cipher that its key can serve, and relays nothing', { tls: true, main: NO_SHARED_CIPHER }),
  open('offers STARTTLS with no cipher that its key can serve, and relays for the whole world', {
    tls: true,
    main: NO_SHARED_CIPHER,
    relayNets: EVERYONE,
  }),
];

const PLAIN: readonly MtaCase[] = [
  closed('relays nothing: Debian’s defaults', {}),
  closed('takes every recipient, and refuses foreign ones after the dot', {
    edit: both(
      firstRule('acl_check_rcpt', 'accept'),
      firstRule(
        'acl_check_data',
        'deny',
        `condition = ${expansion(`if forany{<, $recipients}{!match_domain{${expansion('domain:$item')}}{+local_domains}}`)}`,
        'message = relay not permitted',
      ),
    ),
  }),
  closed(
    'takes every recipient, and throws foreign mail away',
    {
      edit: firstRule('acl_check_rcpt', 'accept'),
      foreignMail: 'discarded',
    },
    'suspected',
  ),
  closed('takes any local part, u%x among them, and throws away what nobody is there for', {
    main: `${NO_LOCAL_PART_CHECKS}recipient_unqualified_hosts = *`,
    edit: CATCH_ALL,
  }),
  closed('reads u%x at its own domain as u@x, before it decides on relaying', {
    main: `${NO_LOCAL_PART_CHECKS}percent_hack_domains = *`,
  }),
  closed('asks for authentication at MAIL', {
    edit: firstRule('acl_check_mail', 'require', 'message = authentication required', 'authenticated = *'),
  }),
  closed('refuses every sender at MAIL', { edit: firstRule('acl_check_mail', 'deny', 'message = no mail from you') }, 'untestable'),
  closed('takes one connection from a host at a time', { main: 'smtp_accept_max_per_host = 1' }),
  open('relays for the whole world', { relayNets: '0.0.0.0/0' }),
  open(
    'relays for senders at the served domain only',
    { edit: relayIf('senders = *@served.example') },
    { from: '<someone@served.example>', to: CANARY },
  ),
  open('relays for the null sender only', { edit: relayIf('senders = :') }, { from: '<>', to: CANARY }),
  open('relays for senders at localhost only', { edit: relayIf('senders = *@localhost') }, { from: '<someone@localhost>', to: CANARY }),
  open(
    'relays for clients that claim its own name in HELO only',
    { edit: relayIf(`condition = ${expansion('if eqi{$sender_helo_name}{$primary_hostname}')}`) },
    { from: STRANGER, to: CANARY, ehlo: 'mx.served.example' },
  ),
  open(
    'relays u%x at its own domain to u@x only',
    {
      main: NO_LOCAL_PART_CHECKS,
      edit: PERCENT_HACK,
    },
    { from: STRANGER, to: PERCENT },
  ),
  open('relays after STARTTLS only', { tls: true, edit: relayIf('encrypted = *') }, { from: STRANGER, to: CANARY, transport: 'starttls' }),
  open('relays for the whole world, for who comes again after 2 seconds', {
    relayNets: '0.0.0.0/0',
    edit: firstRule('acl_check_rcpt', 'defer', `!seen = -2s / key=${TRIPLET}`, 'message = greylisted, come again in 2 seconds'),
  }),
];

/** Debian's Exim under many configurations, closed and open. */
export const EXIM_CASES: readonly MtaCase[] = [...SLOW, ...CATCH_ALLS, ...HOLES, ...WORDS, ...PLAIN];

function limited(each: MtaCase): MtaCase {
  return { ...each, betweenMs: BY_THE_MINUTE };
}

function connectionLimit(settings: EximSettings = {}): EximSettings {
  return connecting(
    ['  defer', '    ratelimit = 4 / 1m / per_conn / leaky', '    message = too many connections, try again later'],
    settings,
  );
}

function greetingLate(settings: EximSettings = {}): EximSettings {
  return { ...connecting(['  warn', '    delay = 35s'], settings), greetsLate: true };
}

/** What is done with who connects, before the greeting. */
function connecting(rules: readonly string[], settings: EximSettings): EximSettings {
  return {
    ...settings,
    main: 'acl_smtp_connect = acl_check_caller\nrfc1413_query_timeout = 0s',
    edit: inFront(/^begin acl\n/m, ['acl_check_caller:', ...rules, '  accept']),
  };
}

/** The router of Exim's specification, chapter 49.1: it turns an SRS address back into the one that it was made of. */
function srs(secret: string, ...conditions: readonly string[]): Edit {
  return firstRouter(
    'inbound_srs',
    'redirect',
    ...conditions,
    'domains = +local_domains',
    `condition = ${expansion(`if inbound_srs {$local_part} {${secret}}`)}`,
    'data = $srs_recipient',
  );
}

function closed(rule: string, settings: EximSettings, told?: Verdict): MtaCase {
  return {
    rule,
    truth: 'closed',
    ...(told === undefined ? {} : { told: [told] }),
    start: (namespace, n) => startExim(namespace, n, { foreignMail: 'canary-delivered', ...settings }),
  };
}

function open(rule: string, settings: EximSettings, proof: Letter = { from: STRANGER, to: CANARY }): MtaCase {
  return { rule, truth: 'open', proof, start: (namespace, n) => startExim(namespace, n, { foreignMail: 'canary-delivered', ...settings }) };
}

type Edit = (configuration: string) => string;

function both(one: Edit, other: Edit): Edit {
  return (configuration) => other(one(configuration));
}

function relayIf(condition: string): Edit {
  return firstRule('acl_check_rcpt', 'accept', condition, 'domains = ! +local_domains');
}

function firstRule(acl: string, verb: string, ...conditions: readonly string[]): Edit {
  return inFront(new RegExp(`^${acl}:\n`, 'm'), [`  ${verb}`, ...conditions.map((each) => `    ${each}`)]);
}

function firstRouter(name: string, driver: string, ...options: readonly string[]): Edit {
  return inFront(/^begin routers\n/m, [`${name}:`, `  driver = ${driver}`, ...options.map((each) => `  ${each}`)]);
}

function inFront(place: RegExp, lines: readonly string[]): Edit {
  return (configuration) => configuration.replace(place, (found) => `${found}\n${lines.join('\n')}\n\n`);
}
