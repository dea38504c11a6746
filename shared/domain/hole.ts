import type { Arrival } from './canary.ts';
import { CAUSES, type Cause } from './cause.ts';
import type { LegEvidence, TestResult } from './scan.ts';
import { judgeLeg, legName } from './verdict.ts';

export const WHERES = ['over-ipv6', 'inside-tls', 'on-port'] as const;

/** Where alone a hole is: the other legs of that kind answered and are closed. */
export type Where = (typeof WHERES)[number];

export const SENDER_CLAIMS = ['null-sender', 'claimed-sender', 'localhost-sender'] as const;

/** What the sender had to be, beside something else that let a message through. */
export type SenderClaim = (typeof SENDER_CLAIMS)[number];

/** The one cause of what a server was shown to let through, to be told and closed before anything else. */
export type Hole = {
  readonly cause: Cause;
  /** The name that was claimed: a domain, a name or address of the server's, or the whole address where only its postmaster will do. */
  readonly name?: string | undefined;
  /** What the sender was too: whether any other would do is not known. */
  readonly sender?: SenderClaim | undefined;
  readonly where?: Where | undefined;
  /** The port, of a hole that is at that port alone. */
  readonly port?: number | undefined;
  /** The private address that it took us for, of a hole that this explains. */
  readonly seesUsAs?: string | undefined;
  /** How many other ways in there are that this one does not explain. */
  readonly others: number;
};

/** Something that an envelope pretended, and whose name for it. */
type Claim = { readonly cause: Cause; readonly name: string | undefined };

/** One accepted test as far as it matters here. `claims` are all that its envelope pretended; those of the plain test are none. */
type Proof = {
  readonly leg: LegEvidence;
  readonly test: TestResult;
  readonly cause: Cause;
  readonly name: string | undefined;
  readonly sender: SenderClaim | undefined;
  readonly claims: readonly Claim[];
  readonly arrived: boolean;
};

/**
 * Names the hole behind what a scan has shown: the plainest of the accepted envelopes that explains a message that came back,
 * or, when none has, one that no plainer one explains. Undefined when nothing was shown, or nothing that tells a cause.
 */
export function holeIn(legs: readonly LegEvidence[], arrivals: readonly Arrival[] = []): Hole | undefined {
  const bad = legs.filter((leg) => isBad(leg, arrivals));
  const proofs = bad.flatMap((leg) => proofsOf(leg, arrivals));
  const roots = proofs.filter((proof) => !proofs.some((other) => explains(other, proof) && !isWithin(proof.claims, other.claims)));
  const ways = new Map<string, Proof[]>();
  for (const root of roots) ways.set(wayOf(root), [...(ways.get(wayOf(root)) ?? []), root]);
  const proven = (way: readonly Proof[]) => proofs.some((proof) => proof.arrived && way.some((root) => explains(root, proof)));
  const [worst] = [...ways.values()].toSorted((a, b) => Number(proven(b)) - Number(proven(a)) || rankOf(a) - rankOf(b));
  const [first] = worst ?? [];
  // Messages came back by envelopes whose cause is not known: then nothing else is to be named in its place.
  if (worst === undefined || first === undefined || (!proven(worst) && arrivals.some(isOf(bad)))) return undefined;
  return {
    cause: first.cause,
    name: nameOf(worst),
    sender: first.sender,
    ...whereOf(bad, legs),
    seesUsAs: first.cause === 'anyone' ? seenAs(worst) : undefined,
    others: ways.size - 1,
  };
}

function isBad(leg: LegEvidence, arrivals: readonly Arrival[]): boolean {
  const { verdict } = judgeLeg(leg, arrivals);
  return verdict === 'open' || verdict === 'suspected';
}

function isOf(legs: readonly LegEvidence[]) {
  return ({ leg }: Arrival) => legs.some((each) => legName(each) === leg);
}

// What only a catch-all explains too, for its negative control was accepted or is missing, shows nothing until it comes back.
function proofsOf(leg: LegEvidence, arrivals: readonly Arrival[]): Proof[] {
  const name = legName(leg);
  return leg.tests.flatMap((test) => {
    if (test.shows === undefined) return [];
    const arrived = arrivals.some((arrival) => arrival.leg === name && arrival.test === test.test);
    const isRouted = leg.controls.some((control) => control.test === test.negative && control.outcome === 'refused');
    const shown = test.outcome === 'accepted' && (test.negative === undefined || isRouted);
    if (!arrived && !shown) return [];
    const { cause } = test.shows;
    const claimed = claimedName(test);
    const sender = senderBeside(test.from, cause, claimed);
    const beside: Claim[] = sender === undefined ? [] : [claim(sender, claimed)];
    const own: Claim[] = cause === 'anyone' ? [] : [claim(cause, claimed)];
    return [{ leg, test, cause, name: claimed, sender, claims: [...own, ...beside], arrived }];
  });
}

// Whose name stands in a recipient makes no other hole of it; whose name is claimed may.
function claim(cause: Cause, name: string | undefined): Claim {
  return { cause, name: cause === 'claimed-sender' || cause === 'claimed-ehlo' ? name : undefined };
}

const SENDER_CAUSES: readonly Cause[] = [
  'anyone',
  'null-sender',
  'claimed-sender',
  'localhost-sender',
  'nonexistent-sender',
  'bare-sender',
  'bang-sender',
  'own-recipient',
  'unanchored-sender',
];

function senderBeside(from: string | undefined, cause: Cause, name: string | undefined): SenderClaim | undefined {
  if (from === undefined || SENDER_CAUSES.includes(cause)) return undefined;
  if (from === '<>') return 'null-sender';
  if (name !== undefined && from.endsWith(`@${name}>`)) return 'claimed-sender';
  return from.endsWith('@localhost>') ? 'localhost-sender' : undefined;
}

const POSTMASTER = '<postmaster@';

function claimedName({ shows, from }: TestResult): string | undefined {
  const asPostmaster = shows?.cause === 'claimed-sender' && from?.startsWith(POSTMASTER) === true && shows.name !== undefined;
  return asPostmaster ? `postmaster@${shows.name}` : shows?.name;
}

/** What else comes in by the same rule: a server adds a name of its own to a bare sender, counts localhost among them, and so on. */
const INCLUDED: Partial<Record<Cause, readonly Cause[]>> = {
  'claimed-sender': ['localhost-sender', 'bare-sender', 'bang-sender', 'unanchored-sender'],
  'localhost-sender': ['bare-sender', 'bang-sender'],
  'claimed-ehlo': ['localhost-ehlo'],
};

function isWithin(some: readonly Claim[], others: readonly Claim[]): boolean {
  const same = (one: Claim, other: Claim) =>
    one.cause === other.cause && (one.name === other.name || other.name === `postmaster@${one.name}`);
  return some.every((one) => others.some((other) => same(one, other) || INCLUDED[one.cause]?.includes(other.cause)));
}

// One that claims less explains one that claims more, unless it was refused where the other was let through.
function explains(one: Proof, other: Proof): boolean {
  const isRefused = other.leg.tests.some(({ test, outcome }) => test === one.test.test && outcome === 'refused');
  return isWithin(one.claims, other.claims) && (one.leg === other.leg || !isRefused);
}

function wayOf({ cause, sender }: Proof): string {
  return `${cause} ${sender ?? ''}`;
}

// The fewer claims the worse, then in the order of causes and of what the sender was besides.
function rankOf([first]: readonly Proof[]): number {
  if (first === undefined) return 0;
  const beside = first.sender === undefined ? 0 : SENDER_CLAIMS.indexOf(first.sender) + 1;
  return (first.claims.length * CAUSES.length + CAUSES.indexOf(first.cause)) * (SENDER_CLAIMS.length + 1) + beside;
}

// The name that says most: the server's own for EHLO, else the shortest, which is a domain rather than a host in it.
function nameOf(way: readonly Proof[]): string | undefined {
  const names = way.flatMap(({ name, leg }) => (name === undefined ? [] : [{ name, own: name === leg.greetingName }]));
  const byUse = (a: (typeof names)[number], b: (typeof names)[number]) =>
    Number(a.name.includes('[')) - Number(b.name.includes('[')) ||
    (way[0]?.cause === 'claimed-ehlo' ? Number(b.own) - Number(a.own) : 0) ||
    Number(a.name.includes('@')) - Number(b.name.includes('@')) ||
    a.name.length - b.name.length ||
    (a.name < b.name ? -1 : 1);
  return names.toSorted(byUse)[0]?.name;
}

function seenAs(way: readonly Proof[]): string | undefined {
  return way.flatMap(({ leg }) => leg.seesUsAs ?? []).toSorted()[0];
}

const MX_PORT = 25; // where strangers come in: a hole there alone is at no odd place

// Said only where legs that differ in nothing else are closed. Legs that are not there, or that we have no way to, do not count.
function whereOf(bad: readonly LegEvidence[], legs: readonly LegEvidence[]): Pick<Hole, 'where' | 'port'> {
  const others = legs.filter((leg) => !bad.includes(leg) && leg.contact !== 'no-ipv6-here' && judgeLeg(leg).verdict !== 'unreachable');
  const onlyBeside = (isOther: (leg: LegEvidence) => boolean, isTwin: (one: LegEvidence, other: LegEvidence) => boolean) => {
    const there = others.filter(isOther);
    return there.every(isClosed) && bad.every((one) => !isOther(one) && there.some((other) => isTwin(one, other)));
  };
  const isSameDoor = (a: LegEvidence, b: LegEvidence) => a.port === b.port && a.transport === b.transport;
  if (onlyBeside((leg) => !isIpv6(leg), isSameDoor)) return { where: 'over-ipv6' };
  if (bad.some(({ transport }) => transport === 'starttls') && onlyBeside(isPlain, isPlainOf)) return { where: 'inside-tls' };
  const port = bad[0]?.port;
  if (port === undefined || port === MX_PORT) return {};
  return onlyBeside(
    (leg) => leg.port !== port,
    (a, b) => a.address === b.address,
  )
    ? { where: 'on-port', port }
    : {};
}

function isPlain({ transport }: LegEvidence): boolean {
  return transport === 'plain';
}

// Implicit TLS has no plain leg at its port. One that only leads to the leg inside TLS is not closed in any other sense.
function isPlainOf(inside: LegEvidence, plain: LegEvidence): boolean {
  if (judgeLeg(plain).reason === 'starttls-required') return false;
  return inside.address === plain.address && (inside.port === plain.port || inside.transport === 'tls');
}

function isClosed(leg: LegEvidence): boolean {
  return judgeLeg(leg).verdict === 'closed';
}

function isIpv6({ address }: LegEvidence): boolean {
  return address.includes(':');
}

/** The hole in one sentence, no stronger than what was shown: what the server takes, and from whom. */
export function holeSentence(hole: Hole): string {
  const { cause, name, sender, seesUsAs, others } = hole;
  const how = `${HOW[cause](name)}${sender === undefined ? '' : ` with ${SENDERS[sender](name)}`}`;
  const more = others === 0 ? '' : `, and in ${others === 1 ? 'one other way' : `${others} other ways`}`;
  const why = seesUsAs === undefined ? '' : `: it took us for ${seesUsAs}, so a proxy or Docker in front of it hides who its clients are`;
  return `It accepts mail ${how}${more}${whereWords(hole)}${why}.`;
}

function whereWords({ where, port }: Hole): string {
  if (where === 'over-ipv6') return ', but only over IPv6';
  if (where === 'inside-tls') return ', but only inside TLS';
  return where === 'on-port' ? `, but only on port ${port}` : '';
}

const SENDERS: Readonly<Record<SenderClaim, (name: string | undefined) => string>> = {
  'null-sender': () => 'the empty sender',
  'claimed-sender': (name) => `a sender at ${name ?? 'a domain of its own'}`,
  'localhost-sender': () => 'a sender at localhost',
};

// `elsewhere` stands for any domain. A name is behind what it is claimed for.
const at = (name: string | undefined) => (name === undefined ? '' : `@${name}`);
const domain = (name: string | undefined) => name ?? 'one of its own domains';

const HOW: Readonly<Record<Cause, (name: string | undefined) => string>> = {
  anyone: () => 'to anywhere from anyone',
  'null-sender': () => 'to anywhere from whoever gives the empty sender of bounces (MAIL FROM:<>)',
  'claimed-sender': (name) => `to anywhere from whoever claims ${name?.includes('@') === true ? 'to be' : 'a sender at'} ${domain(name)}`,
  'localhost-sender': () => 'to anywhere from whoever claims a sender at localhost',
  'nonexistent-sender': () => 'to anywhere from whoever claims a sender at a domain that does not exist',
  'bare-sender': () => 'to anywhere from whoever gives a sender without a domain',
  'bang-sender': () => 'to anywhere from whoever gives a sender in UUCP form (host!user)',
  'own-recipient': () => 'to anywhere from whoever gives the recipient as the sender too',
  unbracketed: () => 'to anywhere when the recipient has no angle brackets',
  quoted: (name) => `to anywhere when the recipient is quoted (<"user@elsewhere"${at(name)}>)`,
  percent: (name) => `to anywhere by the percent hack (<user%elsewhere${at(name)}>)`,
  'double-at': (name) => `to anywhere when a second @ follows (<user@elsewhere@${name ?? ''}>)`,
  'source-route': (name) => `to anywhere by a source route (<${at(name ?? 'server')}:user@elsewhere>)`,
  bang: (name) => `to anywhere by a UUCP path (<elsewhere!user${at(name)}>)`,
  'claimed-ehlo': (name) => `to anywhere from whoever says EHLO as the server${name === undefined ? '' : ` (${name})`}`,
  'localhost-ehlo': () => 'to anywhere from whoever says EHLO as localhost',
  xclient: () => 'to anywhere from whoever uses XCLIENT to pose as a trusted client (127.0.0.1)',
  'unanchored-recipient': (name) => `to any address with ${domain(name)} in it (an unanchored pattern)`,
  'unanchored-sender': (name) =>
    `to anywhere from whoever claims a sender at a domain with ${domain(name)} in its name (an unanchored pattern)`,
  'first-recipient-only': () => 'to anywhere along with a recipient of its own (it does not check each one)',
  srs: (name) => `to anywhere by SRS addresses, whose hash it does not check (<SRS0=xxxx=xx=elsewhere=user${at(name)}>)`,
  'written-into-local-part': (name) =>
    `to anywhere by an address that is written into a local part${name === undefined ? '' : ` at ${name}`}`,
};
