import type { MtaCase } from './case.ts';
import { type OpenSmtpdSettings, relayFrom, startOpenSmtpd } from './opensmtpd.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

const starting =
  (settings: OpenSmtpdSettings = {}): MtaCase['start'] =>
  (namespace, n) =>
    startOpenSmtpd(namespace, n, settings);

const THROW_AWAY = 'action "away" mda "cat >/dev/null" virtual { "@" = mail }';

const CLOSED: readonly MtaCase[] = [
  { rule: 'serves its domain with Debian’s configuration', truth: 'closed', start: starting() },
  {
    rule: 'accepts everything and throws it away',
    truth: 'closed',
    told: ['suspected'],
    start: starting({ declarations: [THROW_AWAY], rules: ['match from any for any action "away"'] }),
  },
  {
    rule: 'has a catch-all for the served domain, and takes an address without a domain, u%x too, for its own',
    truth: 'closed',
    start: starting({
      declarations: [THROW_AWAY],
      rules: ['match from any for domain { "served.example", "mx.served.example" } action "away"'],
    }),
  },
  {
    rule: 'relays everything, and refuses each message after its end',
    truth: 'closed',
    start: starting({
      listen: ['$ipv4 filter "late"'],
      declarations: ['filter "late" phase commit match ! auth reject "550 5.7.1 not for strangers"'],
      rules: relayFrom('from any'),
    }),
  },
  {
    rule: 'relays everything, and refuses each message after its end, and hangs up',
    truth: 'closed',
    start: starting({
      listen: ['$ipv4 filter "late"'],
      declarations: ['filter "late" phase commit match ! auth disconnect "550 5.7.1 not for strangers"'],
      rules: relayFrom('from any'),
    }),
  },
  {
    rule: 'relays everything, and refuses every sender',
    truth: 'closed',
    told: ['untestable'],
    start: starting({
      listen: ['$ipv4 filter "early"'],
      declarations: ['filter "early" phase mail-from match ! auth reject "550 5.7.1 who are you"'],
      rules: relayFrom('from any'),
    }),
  },
  {
    rule: 'relays for its IPv6 network only, and is not reached over IPv6',
    truth: 'closed',
    start: starting({ rules: relayFrom('from src fd98::/16') }),
  },
  {
    // 6.8 cannot decide such a rule: `ruleset_match_smtp_starttls` in its ruleset.c.
    rule: 'has a rule about TLS, and answers every recipient with a temporary failure',
    truth: 'closed',
    told: ['inconclusive'],
    start: starting({ listen: ['$ipv4 tls pki mx.served.example'], rules: relayFrom('from any tls') }),
  },
  {
    // Debian builds it with OpenSSL 3, with which it cannot sign: https://github.com/OpenSMTPD/OpenSMTPD/issues/1171
    rule: 'relays everything after STARTTLS, and fails at every handshake',
    truth: 'closed',
    told: ['inconclusive'],
    start: starting({ listen: ['$ipv4 tls-require pki mx.served.example'], rules: relayFrom('from any') }),
  },
];

const OPEN: readonly MtaCase[] = [
  { rule: 'relays for everyone', truth: 'open', proof: PLAIN, start: starting({ rules: relayFrom('from any') }) },
  {
    rule: 'relays for everyone, and has a catch-all for the served domain',
    truth: 'open',
    proof: PLAIN,
    start: starting({
      declarations: [THROW_AWAY],
      rules: ['match from any for domain { "served.example", "mx.served.example" } action "away"', ...relayFrom('from any')],
    }),
  },
  {
    rule: 'relays for senders at the served domain only',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example>' },
    start: starting({ rules: relayFrom('from any mail-from "@served.example"') }),
  },
  {
    rule: 'relays for senders at the host’s own name only',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@mx.served.example>' },
    start: starting({ rules: relayFrom('from any mail-from "@mx.served.example"') }),
  },
  {
    rule: 'relays for senders at localhost only',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@localhost>' },
    start: starting({ rules: relayFrom('from any mail-from "@localhost"') }),
  },
  {
    rule: 'relays for the null sender only',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: starting({ rules: relayFrom('from any mail-from regex "^@?$"') }),
  },
  {
    rule: 'relays for whoever says EHLO with the host’s own name',
    truth: 'open',
    proof: { ...PLAIN, ehlo: 'mx.served.example' },
    start: starting({ rules: relayFrom('from any helo "mx.served.example"') }),
  },
  {
    rule: 'relays on port 587 only',
    truth: 'open',
    proof: { ...PLAIN, port: 587 },
    start: starting({ listen: ['$ipv4', '$ipv4 port 587 tag submission'], rules: relayFrom('from any tag submission') }),
  },
  {
    rule: 'relays over IPv6 only',
    truth: 'open',
    proof: PLAIN,
    start: starting({ ipv6: true, listen: ['$ipv4', '$ipv6'], rules: relayFrom('from src fd98::/16') }),
  },
];

// A filter that speaks smtpd-filters(7): it lets all pass, and what `late` names after some seconds.
const pausing = (late: string, seconds: number) => `#!/bin/sh
while read -r line; do
  case "$line" in
    'config|ready') printf 'register|filter|smtp-in|${late}\\nregister|ready\\n';;
    filter\\|*)
      rest=\${line#*|*|*|*|*|}; session=\${rest%%|*}; rest=\${rest#*|}; token=\${rest%%|*}
      (sleep ${seconds}; printf 'filter-result|%s|%s|proceed\\n' "$session" "$token") &;;
  esac
done
`;

const PAUSES = 'filter "pauses" proc-exec "$bin/pauses"';
const tarpit = { listen: ['$ipv4 filter "pauses"'], programs: { pauses: pausing('rcpt-to', 5) } };
const greetingLate = { listen: ['$ipv4 filter "pauses"'], programs: { pauses: pausing('connect', 35) }, greetsLate: true };

const AWAY_FROM_ANY = 'match from any for domain { "served.example", "mx.served.example" } action "away"';
// What the delivery program says of each: EX_NOUSER of sysexits.h.
const NOBODY_THERE = 'action "nobody" mda "exit 67" virtual { "@" = mail }';
const filtering = (filter: string, more: OpenSmtpdSettings = {}): OpenSmtpdSettings => ({
  ...more,
  listen: ['$ipv4 filter "own"'],
  declarations: [...(more.declarations ?? []), `filter "own" ${filter}`],
});

// Those that take longest come first, so that the others run beside them.
const SLOW: readonly MtaCase[] = [
  { rule: 'greets after 35 seconds, and relays nothing', truth: 'closed', start: starting({ ...greetingLate, declarations: [PAUSES] }) },
  {
    rule: 'greets after 35 seconds, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: starting({ ...greetingLate, declarations: [PAUSES], rules: relayFrom('from any') }),
  },
  {
    rule: 'waits five seconds at every recipient, and relays nothing',
    truth: 'closed',
    start: starting({ ...tarpit, declarations: [PAUSES] }),
  },
  {
    rule: 'waits five seconds at every recipient, takes any local part, and relays nothing',
    truth: 'closed',
    start: starting({ ...tarpit, declarations: [PAUSES, THROW_AWAY], rules: [AWAY_FROM_ANY] }),
  },
  {
    rule: 'waits five seconds at every recipient, takes any local part, and relays for senders at localhost',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@localhost>' },
    start: starting({
      ...tarpit,
      declarations: [PAUSES, THROW_AWAY],
      rules: [AWAY_FROM_ANY, ...relayFrom('from any mail-from "@localhost"')],
    }),
  },
];

const MORE: readonly MtaCase[] = [
  {
    rule: 'has a catch-all for the served domain, and bounces later what nobody is there for',
    truth: 'closed',
    start: starting({
      declarations: [NOBODY_THERE],
      rules: ['match from any for domain { "served.example", "mx.served.example" } action "nobody"'],
    }),
  },
  {
    rule: 'has a catch-all for the served domain, and relays for whoever says EHLO with the host’s own name',
    truth: 'open',
    proof: { ...PLAIN, ehlo: 'mx.served.example' },
    start: starting({ declarations: [THROW_AWAY], rules: [AWAY_FROM_ANY, ...relayFrom('from any helo "mx.served.example"')] }),
  },
  {
    rule: 'has a catch-all for the served domain, and relays for the null sender',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: starting({ declarations: [THROW_AWAY], rules: [AWAY_FROM_ANY, ...relayFrom('from any mail-from regex "^@?$"')] }),
  },
  {
    rule: 'has a pattern for its own domain in recipients that is anchored nowhere',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@xserved.example.canary.example>' },
    start: starting({ rules: ['match from any for rcpt-to regex "served.example" action "relay"'] }),
  },
  {
    rule: 'has a pattern for its own domain in recipients that is not anchored at the end',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: starting({ rules: ['match from any for rcpt-to regex "@served.example" action "relay"'] }),
  },
  {
    rule: 'has a pattern for names below its own domain in senders that is not anchored at the end',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example.canary.example>' },
    start: starting({ rules: relayFrom('from any mail-from regex "@served.example[.]"') }),
  },
  {
    rule: 'relays everything, and refuses DATA',
    truth: 'closed',
    start: starting(filtering('phase data match ! auth reject "550 5.7.1 not for strangers"', { rules: relayFrom('from any') })),
  },
  {
    // It says the same of what it will not relay and of whom it does not know.
    rule: 'has no postmaster, and relays nothing',
    truth: 'closed',
    told: ['untestable'],
    start: starting({ rules: ['match from any for any rcpt-to "postmaster@served.example" reject'] }),
  },
  {
    rule: 'takes one recipient in a message, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: starting({ declarations: ['smtp limit max-rcpt 1'], rules: relayFrom('from any') }),
  },
  {
    rule: 'takes one message in a session, and relays for the null sender only',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: starting({ declarations: ['smtp limit max-mails 1'], rules: relayFrom('from any mail-from regex "^@?$"') }),
  },
  {
    rule: 'offers STARTTLS, fails at every handshake, and relays nothing',
    truth: 'closed',
    start: starting({ listen: ['$ipv4 tls pki mx.served.example'] }),
  },
  {
    rule: 'offers STARTTLS, fails at every handshake, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: starting({ listen: ['$ipv4 tls pki mx.served.example'], rules: relayFrom('from any') }),
  },
];

/** OpenSMTPD under each configuration that decides otherwise about relaying. */
export const OPENSMTPD_CASES: readonly MtaCase[] = [...SLOW, ...MORE, ...CLOSED, ...OPEN];
