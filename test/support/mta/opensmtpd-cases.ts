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
    told: ['suspected'],
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

/** OpenSMTPD under each configuration that decides otherwise about relaying. */
export const OPENSMTPD_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
