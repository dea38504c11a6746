/** The names and numbers that the envelopes of one leg are made of. Nothing here is chosen freely by an account. */
export type Cast = {
  /** Our domain: the one we say EHLO with. */
  readonly ourDomain: string;
  /** Where foreign recipients live: a domain of ours, so that a message that gets through reaches nobody else. */
  readonly canaryDomain: string;
  /** The host's registered name, or undefined when it is registered by address. */
  readonly hostName: string | undefined;
  readonly addressLiteral: string;
  readonly servedDomains: readonly string[];
  /** The local part of recipients, the same for every scan of a host, so that greylisting sees the same triplet again. */
  readonly localPart: string;
};

/** The cast once the server has greeted: `server` is the name to put in place of the server's own. */
type Names = { readonly us: string; readonly server: string; readonly ip: string; readonly served: string };

export type TestKind = 'plain' | 'null-sender' | 'local-sender' | 'quoted' | 'percent' | 'double-at' | 'source-route' | 'bang';

/** MAIL FROM form × RCPT TO form with the reason it exists. `user` and `domain` are the recipient to be reached. */
export type RelayTest = {
  readonly id: string;
  readonly kind: TestKind;
  /** Strict parsers take it for a syntax error, and count those (Exim: smtp_max_synprot_errors, 3 by default). */
  readonly odd: boolean;
  readonly reason: string;
  readonly source: string;
  readonly from: (names: Names) => string;
  readonly to: (names: Names, user: string, domain: string) => string;
};

const SENDER = 'relay-audit'; // local part of every sender that is not the null one
const RFC2505 = 'RFC 2505 §2.1';
const local = (names: Names) => `<${SENDER}@${names.server}>`;

/** The relay tests at the RCPT stage: the classical envelope pairs that published testers agree on. */
export const RELAY_TESTS: readonly RelayTest[] = [
  test(
    'plain',
    'plain',
    false,
    'A stranger writes to a stranger: no restriction at all.',
    'RFC 5321 §3.6.2',
    (n) => `<${SENDER}@${n.us}>`,
    plain,
  ),
  test('null-sender', 'null-sender', false, 'Bounces are let through to anywhere.', 'RFC 5321 §4.5.5', () => '<>', plain),
  test('server-sender', 'local-sender', false, 'Whoever claims the server’s own name as sender may relay.', RFC2505, local, plain),
  test(
    'literal-sender',
    'local-sender',
    false,
    'Whoever claims the server’s address as sender may relay.',
    RFC2505,
    (n) => `<${SENDER}@${n.ip}>`,
    plain,
  ),
  test(
    'served-sender',
    'local-sender',
    false,
    'Whoever claims a served domain as sender may relay (sendmail relay_local_from).',
    'sendmail cf/README',
    (n) => `<${SENDER}@${n.served}>`,
    plain,
  ),
  test(
    'localhost-sender',
    'local-sender',
    false,
    'Whoever claims to be localhost may relay.',
    RFC2505,
    () => `<${SENDER}@localhost>`,
    plain,
  ),
  test(
    'bare-sender',
    'local-sender',
    true,
    'A sender without a domain is taken for a local user, who may relay.',
    RFC2505,
    () => `<${SENDER}>`,
    plain,
  ),
  test('quoted', 'quoted', true, 'The foreign address hides in a quoted local part.', RFC2505, local, (_, u, d) => `<"${u}@${d}">`),
  test('quoted-server', 'quoted', false, 'The same, at the server’s own name.', RFC2505, local, (n, u, d) => `<"${u}@${d}"@${n.server}>`),
  test('quoted-literal', 'quoted', false, 'The same, at the server’s address.', RFC2505, local, (n, u, d) => `<"${u}@${d}"@${n.ip}>`),
  test(
    'percent-server',
    'percent',
    false,
    'The percent hack: the server rewrites u%x@itself to u@x.',
    RFC2505,
    local,
    (n, u, d) => `<${u}%${d}@${n.server}>`,
  ),
  test(
    'percent-literal',
    'percent',
    false,
    'The percent hack at the server’s address.',
    RFC2505,
    local,
    (n, u, d) => `<${u}%${d}@${n.ip}>`,
  ),
  test(
    'percent-quoted',
    'percent',
    true,
    'The percent hack in a quoted local part without a domain.',
    RFC2505,
    local,
    (_, u, d) => `<"${u}%${d}">`,
  ),
  test(
    'double-at-server',
    'double-at',
    true,
    'Only the part behind the last @ is checked.',
    RFC2505,
    local,
    (n, u, d) => `<${u}@${d}@${n.server}>`,
  ),
  test(
    'double-at-literal',
    'double-at',
    true,
    'The same, with the server’s address behind the last @.',
    RFC2505,
    local,
    (n, u, d) => `<${u}@${d}@${n.ip}>`,
  ),
  test(
    'route-server',
    'source-route',
    false,
    'A source route by way of the server itself.',
    'RFC 5321 §4.1.1.3',
    local,
    (n, u, d) => `<@${n.server}:${u}@${d}>`,
  ),
  test(
    'route-literal',
    'source-route',
    false,
    'A source route by way of the server’s address.',
    'RFC 5321 §4.1.1.3',
    local,
    (n, u, d) => `<@${n.ip}:${u}@${d}>`,
  ),
  test('bang', 'bang', true, 'A UUCP path is rewritten to an Internet address.', RFC2505, local, (_, u, d) => `<${d}!${u}>`),
  test(
    'bang-server',
    'bang',
    false,
    'A UUCP path in front of the server’s own name.',
    RFC2505,
    local,
    (n, u, d) => `<${d}!${u}@${n.server}>`,
  ),
];

function test(
  id: string,
  kind: TestKind,
  odd: boolean,
  reason: string,
  source: string,
  from: RelayTest['from'],
  to: RelayTest['to'],
): RelayTest {
  return { id, kind, odd, reason, source, from, to };
}

function plain(_: Names, user: string, domain: string): string {
  return `<${user}@${domain}>`;
}

/** The tests that fit a host: a served sender needs a served domain. */
export function testsFor(cast: Cast): RelayTest[] {
  return RELAY_TESTS.filter((each) => each.id !== 'served-sender' || cast.servedDomains.length > 0);
}

export type Envelope = { readonly from: string; readonly to: string };

/** One envelope to try in a session: its name in the results, and how to write it once the server has greeted. */
export type Trial = { readonly id: string; readonly odd: boolean; readonly envelope: (greetingName: string | undefined) => Envelope };

/** The envelope of a relay test; `greetingName` stands in for the host's name when it has none. */
export function relayEnvelope(test: RelayTest, cast: Cast, greetingName: string | undefined): Envelope {
  const names = namesOf(cast, greetingName);
  return { from: test.from(names), to: test.to(names, `${cast.localPart}-${test.id}`, cast.canaryDomain) };
}

/** The negative control of a test: its own form, with an invented user of a served domain as the one to be reached. */
export function negativeEnvelope(test: RelayTest, cast: Cast, greetingName: string | undefined): Envelope {
  const names = namesOf(cast, greetingName);
  return { from: test.from(names), to: test.to(names, `${cast.localPart}-nobody`, shortest(cast.servedDomains)) };
}

/** The positive control: postmaster, whom every server must accept for a domain it serves (RFC 5321 §4.5.1). */
export function positiveEnvelope(cast: Cast): Envelope {
  return { from: `<${SENDER}@${cast.ourDomain}>`, to: `<postmaster@${cast.servedDomains[0] ?? ''}>` };
}

/** The shortest of some domains. */
export function shortest(domains: readonly string[]): string {
  return domains.toSorted((a, b) => a.length - b.length)[0] ?? '';
}

function namesOf(cast: Cast, greetingName: string | undefined): Names {
  const server = cast.hostName ?? greetingName ?? cast.servedDomains[0] ?? cast.addressLiteral;
  return { us: cast.ourDomain, server, ip: cast.addressLiteral, served: cast.servedDomains[0] ?? server };
}
