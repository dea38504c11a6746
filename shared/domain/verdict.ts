import type { Arrival } from './canary.ts';
import { type Judgement, judged, type Reason, untested, type Verdict } from './reason.ts';
import type { Contact, LegEvidence, TestResult } from './scan.ts';

/**
 * Judges one leg by itself, with the canaries that came back. A 250 proves only "accepted", and only an arrival that it
 * relays; what was not completed is never read as a refusal, and what was accepted is not judged before it was carried through.
 */
export function judgeLeg(leg: LegEvidence, arrivals: readonly Arrival[] = []): Judgement {
  const heard = tellsControlApart(leg);
  const planned = leg.tests.length;
  const completed = leg.tests.filter((test) => isComplete(test, heard)).length;
  const because = (reason: Reason): Judgement => judged(reason, { completed, planned });
  if (arrivals.some((arrival) => arrival.leg === legName(leg))) return because('canary-arrived');
  if (leg.contact !== 'answered') return because(silenceOf(leg.contact, leg));
  return because(suspicionIn(leg) ?? doubtIn(leg, heard) ?? (completed === planned ? closureOf(leg) : undoneIn(leg)));
}

// What speaks for a relay, or may yet.
function suspicionIn(leg: LegEvidence): Reason | undefined {
  const accepted = leg.tests.filter(isAccepted);
  // Where an invented user is taken in the same form, a local part proves nothing; where none is, only routing explains it.
  const explained = ({ negative }: TestResult) => negative !== undefined && negativeOf(leg, negative)?.outcome === 'accepted';
  const unasked = ({ negative }: TestResult) => negative !== undefined && !isSettled(negativeOf(leg, negative));
  const suspicious = accepted.filter((test) => !explained(test) && !unasked(test));
  if ((leg.toCarry ?? 0) > 0 || (suspicious.length === 0 && accepted.some(unasked))) {
    if (leg.ended === undefined || leg.ended === 'waited') return 'not-carried-through';
    if (suspicious.length === 0) return leg.tests.every(({ outcome }) => outcome !== 'not-run') ? 'any-local-part' : undoneIn(leg);
    // Where it was not our time that ran out, it was the server that kept every message back.
    const slow = leg.limited !== true && leg.stopped === 'out-of-time';
    if (suspicious.every(({ stage }) => stage !== 'message')) return slow ? 'accepted-then-slow' : 'accepted-then-limited';
  }
  if (suspicious.length === 0)
    return (leg.ended === 'sittings-used-up' || leg.ended === 'given-up') && leg.tests.some(isMessagePutOff)
      ? 'accepted-then-limited'
      : undefined;
  const foreign = suspicious.some(({ negative }) => negative === undefined);
  if (foreign && leg.controls.some((control) => isNegative(control) && isAccepted(control))) return 'accepts-everything';
  return suspicious.some(({ stage }) => stage === 'message') ? 'message-accepted' : 'recipient-accepted';
}

// Its recipient was accepted, in the last sitting too.
function isMessagePutOff(test: TestResult): boolean {
  return isPutOff(test) && (test.stage === 'data' || test.stage === 'message') && test.negative === undefined;
}

// What makes refusals say nothing of relaying. What is left to be asked may be accepted: until it was, or the sittings are used up, a
// doubt of the refusals ends nothing.
function doubtIn(leg: LegEvidence, heard: boolean): Reason | undefined {
  const everything = [...leg.tests, ...leg.controls];
  if (askedIn(leg) === 'authentication-required') return 'authentication-required';
  const control = positiveIn(leg);
  const waitsForControl = control !== undefined && !isSettled(control) && control.outcome !== 'about-us' && leg.ended === undefined;
  const left = leg.ended === undefined && leg.tests.some((test) => test.outcome === 'not-run' || isPutOff(test));
  // Whoever refuses us in words is asked on only for what our time, a limit or greylisting left.
  const waits = left && (leg.stopped === 'out-of-time' || leg.limited === true || leg.tests.some(isPutOff));
  if (!waits && everything.some((test) => test.outcome === 'about-us' && !isComplete(test, heard)))
    return waitsForControl ? 'deferred' : 'policy-against-us';
  if (leg.stopped === 'silent-after-refusals') return isBan(leg) ? 'probably-banned' : 'fell-silent';
  return !left && control?.outcome === 'refused' && !heard && !(control.says === 'unknown-user' && foreignRefusals(leg).length === 0)
    ? 'control-refused'
    : undefined;
}

function askedIn({ tests, controls }: LegEvidence) {
  return tests.some(({ outcome }) => outcome === 'not-run') ? undefined : askedOfEveryone([...tests, ...controls]);
}

function isPutOff({ outcome }: TestResult): boolean {
  return outcome === 'greylisted' || outcome === 'deferred';
}

const BAN_SITTINGS = 2; // silence that lasts into another connection and another sitting

function isBan({ silentSittings = BAN_SITTINGS }: LegEvidence): boolean {
  return silentSittings >= BAN_SITTINGS;
}

// Every test is complete, and nothing speaks for a relay.
function closureOf(leg: LegEvidence): Reason {
  const local = leg.tests.filter(isAccepted);
  if (local.length === 0) return leg.tests.some(reachedRecipient) ? 'all-refused' : 'no-recipient-reached';
  if (leg.noMailbox === true) return 'any-local-part';
  const sent = local.some(({ canary }) => canary !== undefined);
  return sent && leg.ended !== 'waited' ? 'awaiting-messages' : 'catch-all';
}

// Why tests are without an answer that counts.
function undoneIn(leg: LegEvidence): Reason {
  if (isAlwaysDeferred(leg)) return leg.tests.some(isAccepted) ? closureOf(leg) : 'always-deferred';
  if (askedIn(leg) === 'starttls-first' && leg.offersStarttls) return 'starttls-required';
  for (const outcome of ['starttls-first', 'greylisted', 'deferred'] as const)
    if (leg.tests.some((test) => test.outcome === outcome)) return outcome;
  if (leg.limited === true) return 'deferred';
  return leg.stopped === 'out-of-time' ? 'out-of-time' : 'dropped';
}

// A sender who tries again for hours with the same envelope, and is put off each time, gets nothing through: a recipient at RCPT, or a
// message to what the server takes for a local part of its own.
function isAlwaysDeferred(leg: LegEvidence): boolean {
  const local = ({ negative }: TestResult) => negative !== undefined && negativeOf(leg, negative)?.outcome === 'accepted';
  const isDeferred = (test: TestResult) => isPutOff(test) && (test.stage === 'rcpt' || local(test));
  const control = positiveIn(leg)?.outcome === 'accepted';
  return (
    (leg.ended === 'sittings-used-up' || leg.ended === 'waited') &&
    control &&
    leg.tests.every((test) => isDeferred(test) || isAccepted(test) || test.outcome === 'refused')
  );
}

/**
 * Whether the positive control shows that the server's refusals are about what was asked and not about us: it was accepted, or
 * refused as an unknown user where every refusal of a foreign recipient says something else.
 */
function tellsControlApart(leg: LegEvidence): boolean {
  const control = positiveIn(leg);
  if (control?.outcome === 'accepted') return true;
  if (control?.outcome !== 'refused' || control.says !== 'unknown-user') return false;
  const foreign = foreignRefusals(leg);
  return foreign.length > 0 && foreign.every((test) => isToldApart(control, test));
}

function isToldApart(control: TestResult, test: TestResult): boolean {
  if (test.says === 'unknown-user') return false;
  return test.says === 'no-relaying' || classOf(control.reply) !== classOf(test.reply);
}

// The enhanced status code (RFC 3463) behind the reply's own, where there is one.
function classOf(reply = ''): string {
  return /^\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3}\b)?/.exec(reply)?.[0] ?? '';
}

function foreignRefusals({ tests }: LegEvidence): TestResult[] {
  return tests.filter(
    ({ outcome, stage, negative }) => (outcome === 'refused' || outcome === 'about-us') && stage === 'rcpt' && negative === undefined,
  );
}

function positiveIn({ controls }: LegEvidence): TestResult | undefined {
  return controls.find(({ test }) => test === POSITIVE_CONTROL);
}

function negativeOf({ controls }: LegEvidence, id: string): TestResult | undefined {
  return controls.find(({ test }) => test === id);
}

function isAccepted({ outcome }: TestResult): boolean {
  return outcome === 'accepted';
}

function isSettled(control: TestResult | undefined): boolean {
  return control?.outcome === 'accepted' || control?.outcome === 'refused' || control?.outcome === 'authentication-required';
}

function isNegative({ test }: TestResult): boolean {
  return test.startsWith(NEGATIVE_CONTROL);
}

// What kept us from the leg, whatever it has answered before.
const OWN_REASONS: readonly Contact[] = ['out-of-time', 'tls-failed', 'no-ipv6-here', 'too-many-lookups', 'vetoed'];

// A port that falls silent after our own refused tests has not gone, and neither has one that just offered STARTTLS.
function silenceOf(contact: Exclude<Contact, 'answered'>, leg: LegEvidence): Reason {
  if (contact === 'unproven') return 'no-consent';
  if (OWN_REASONS.includes(contact)) return contact;
  if (leg.stopped === 'silent-after-refusals') return isBan(leg) ? 'probably-banned' : 'fell-silent';
  return leg.transport === 'starttls' ? 'dropped' : contact;
}

/** Name of the control that shows the server talks to us at all: postmaster at a served domain. */
export const POSITIVE_CONTROL = 'control-postmaster';

/** Prefix of the controls that unmask a server which accepts everything: a random user at a served domain, in a test's own form. */
export const NEGATIVE_CONTROL = 'control-random-user:';

/**
 * What a server asks of everybody before it takes a sender, if it does: no recipient was reached, and whoever was not told so was
 * refused. Some servers ask only senders who claim a local address, which says nothing of others.
 */
export function askedOfEveryone(results: readonly TestResult[]): 'authentication-required' | 'starttls-first' | undefined {
  // What was put off behind a sender, and is asked again, has shown that sender taken.
  if (results.some((test) => test.outcome === 'not-run' && reachedRecipient(test))) return undefined;
  const senders = results.filter(({ outcome, stage }) => outcome !== 'not-run' && !(outcome === 'refused' && stage === 'ehlo'));
  for (const wanted of ['authentication-required', 'starttls-first'] as const) {
    const told = senders.some(({ outcome }) => outcome === wanted);
    if (told && senders.every(({ outcome, stage }) => stage === 'mail' && (outcome === wanted || outcome === 'refused'))) return wanted;
  }
  return undefined;
}

function reachedRecipient({ stage }: TestResult): boolean {
  return stage === 'rcpt' || stage === 'data' || stage === 'message';
}

// What is said about us is a refusal like any other once the control has shown that it is not us.
function isComplete({ outcome, stage }: Pick<TestResult, 'outcome' | 'stage'>, heard: boolean): boolean {
  if (outcome === 'about-us') return heard && stage !== 'greeting' && stage !== 'ehlo';
  return outcome === 'accepted' || outcome === 'refused' || outcome === 'authentication-required';
}

// The strongest statement first: one open leg makes the host open; closed needs every answering leg.
const STRENGTH: readonly Verdict[] = ['open', 'suspected', 'untestable', 'inconclusive', 'closed', 'unreachable'];

/**
 * Judges the host by its legs. `openLegs` are those whose last proven state was not closed: none of them may go without
 * an answer, or without having been asked, and the host still read as closed.
 */
export function judgeHost(legs: readonly LegEvidence[], openLegs: readonly string[], arrivals: readonly Arrival[] = []): Judgement {
  const all = legs.map((leg) => ({ leg, judgement: besideOthers(leg, legs, arrivals) }));
  // An address that we have no way out to speaks neither for nor against the others.
  const told = all.filter(({ leg }) => leg.contact !== 'no-ipv6-here');
  const strongest = (told.length > 0 ? told : all).toSorted(
    (a, b) =>
      STRENGTH.indexOf(a.judgement.verdict) - STRENGTH.indexOf(b.judgement.verdict) ||
      Number(b.judgement.reason === 'catch-all') - Number(a.judgement.reason === 'catch-all'),
  )[0];
  if (strongest === undefined) return untested('no-address');
  const answering = told.filter(({ judgement }) => judgement.verdict !== 'unreachable');
  const sum = (key: 'completed' | 'planned') => answering.reduce((total, { judgement }) => total + judgement[key], 0);
  const judgement = { ...strongest.judgement, completed: sum('completed'), planned: sum('planned') };
  const closed = closedLegs(legs);
  if (judgement.verdict === 'closed' && openLegs.some((name) => !closed.includes(name))) return judged('open-leg-silent', judgement);
  return judgement;
}

// "STARTTLS first" closes a leg only beside the one inside, to which it leaves its tests; and TLS that nobody can set up
// lets nobody in beside a leg of the same port, or else of the same address, that is closed.
function besideOthers(leg: LegEvidence, legs: readonly LegEvidence[], arrivals: readonly Arrival[]): Judgement {
  const judgement = judgeLeg(leg, arrivals);
  const beside = legs.filter((each) => each !== leg && each.address === leg.address);
  const inside = beside.some(({ port, transport, contact }) => port === leg.port && transport === 'starttls' && contact === 'answered');
  if (judgement.reason === 'starttls-required' && !inside) return judged('starttls-first', judgement);
  const closed = beside.some(
    (each) =>
      (leg.transport === 'tls' || each.port === leg.port) &&
      judgeLeg(each, arrivals).reason !== 'starttls-required' &&
      judgeLeg(each, arrivals).verdict === 'closed',
  );
  return hasBrokenTls(leg) && closed ? judged('tls-broken', judgement) : judgement;
}

const BROKEN_TLS_SITTINGS = 2;

/** Whether no TLS could be set up with a leg, however permissive, in as many sittings as it takes to believe it. */
export function hasBrokenTls({ contact, brokenTls }: LegEvidence): boolean {
  return contact === 'tls-failed' && (brokenTls?.sittings ?? 0) >= BROKEN_TLS_SITTINGS;
}

/** Names of the legs that are proven closed. */
export function closedLegs(legs: readonly LegEvidence[]): string[] {
  return legs.filter((leg) => besideOthers(leg, legs, []).verdict === 'closed').map(legName);
}

/** The name of a leg: address and port, and `/starttls` or `/tls` when it is not plain. */
export function legName(leg: Pick<LegEvidence, 'address' | 'port' | 'transport'>): string {
  const address = leg.address.includes(':') ? `[${leg.address}]` : leg.address;
  return `${address}:${leg.port}${leg.transport === 'plain' ? '' : `/${leg.transport}`}`;
}
