import type { Arrival } from './canary.ts';
import { type Judgement, judged, type Reason, untested, type Verdict } from './reason.ts';
import type { Contact, LegEvidence, TestResult } from './scan.ts';

/**
 * Judges one leg by itself. A 250 proves that something was accepted; only a canary that came back proves that it is relayed. A test that
 * was not completed never counts as refused, and an acceptance is not judged until a message was sent that way.
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

// Why it may be a relay, or may still turn out to be one.
function suspicionIn(leg: LegEvidence): Reason | undefined {
  const accepted = leg.tests.filter(isAccepted);
  // C: RCPT TO:<user%elsewhere.example@served.example>    S: 250   routed, or taken like any local part?
  // C: RCPT TO:<invented%served.example@served.example>   S: 250   like any local part: it proves nothing; S: 550   it was routed
  const explained = ({ negative }: TestResult) => negative !== undefined && negativeOf(leg, negative)?.outcome === 'accepted';
  const unasked = ({ negative }: TestResult) => negative !== undefined && !isSettled(negativeOf(leg, negative));
  const suspicious = accepted.filter((test) => !explained(test) && !unasked(test));
  if ((leg.toCarry ?? 0) > 0 || (suspicious.length === 0 && accepted.some(unasked))) {
    if (leg.ended === undefined || leg.ended === 'waited') return 'not-carried-through';
    if (suspicious.length === 0) return leg.tests.every(({ outcome }) => outcome !== 'not-run') ? 'any-local-part' : undoneIn(leg);
    // Either our time ran out, or the server put off every message.
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

// The recipient was accepted, in the last sitting too, but not the message.
function isMessagePutOff(test: TestResult): boolean {
  return isPutOff(test) && (test.stage === 'data' || test.stage === 'message') && test.negative === undefined;
}

// Why the refusals say nothing about relaying: the server refuses everybody, or refuses us. What is still to be asked may be accepted, so
// such a doubt counts only when nothing is left or the sittings are used up.
function doubtIn(leg: LegEvidence, heard: boolean): Reason | undefined {
  const everything = [...leg.tests, ...leg.controls];
  if (askedIn(leg) === 'authentication-required') return 'authentication-required';
  const control = positiveIn(leg);
  const waitsForControl = control !== undefined && !isSettled(control) && control.outcome !== 'about-us' && leg.ended === undefined;
  const left = leg.ended === undefined && leg.tests.some((test) => test.outcome === 'not-run' || isPutOff(test));
  // After words against us, we go on only where our own time, a limit or greylisting left tests undone.
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

// Every test is complete, and none suggests a relay.
function closureOf(leg: LegEvidence): Reason {
  const local = leg.tests.filter(isAccepted);
  if (local.length === 0) return leg.tests.some(reachedRecipient) ? 'all-refused' : 'no-recipient-reached';
  if (leg.noMailbox === true) return 'any-local-part';
  const sent = local.some(({ canary }) => canary !== undefined);
  return sent && leg.ended !== 'waited' ? 'awaiting-messages' : 'catch-all';
}

// Why some tests have no answer that counts.
function undoneIn(leg: LegEvidence): Reason {
  if (isAlwaysDeferred(leg)) return leg.tests.some(isAccepted) ? closureOf(leg) : 'always-deferred';
  if (askedIn(leg) === 'starttls-first' && leg.offersStarttls) return 'starttls-required';
  for (const outcome of ['starttls-first', 'greylisted', 'deferred'] as const)
    if (leg.tests.some((test) => test.outcome === outcome)) return outcome;
  if (leg.limited === true) return 'deferred';
  return leg.stopped === 'out-of-time' ? 'out-of-time' : 'dropped';
}

// Nothing gets through a server that puts off the same envelope for hours: at RCPT, or, for a recipient that it takes for a local user,
// at DATA or after the message.
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
 * Whether the positive control shows that the server refuses what we ask and not us. It does when it was accepted:
 *   RCPT TO:<postmaster@served.example>  250 ok           RCPT TO:<user@elsewhere.example>  550 relaying denied
 * or when it was refused as an unknown user, and every refusal of a foreign recipient says something else:
 *   RCPT TO:<postmaster@served.example>  550 no such user  RCPT TO:<user@elsewhere.example>  550 relaying denied
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

// The reply code, with the enhanced status code (RFC 3463) where there is one.
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

// Contacts that are a reason of their own, whatever the server answered before.
const OWN_REASONS: readonly Contact[] = ['out-of-time', 'tls-failed', 'no-ipv6-here', 'too-many-lookups', 'vetoed'];

// A port is not gone if it fell silent after refusing our tests, or if it has just offered STARTTLS.
function silenceOf(contact: Exclude<Contact, 'answered'>, leg: LegEvidence): Reason {
  if (contact === 'unproven') return 'no-consent';
  if (OWN_REASONS.includes(contact)) return contact;
  if (leg.stopped === 'silent-after-refusals') return isBan(leg) ? 'probably-banned' : 'fell-silent';
  return leg.transport === 'starttls' ? 'dropped' : contact;
}

/** The control that shows whether the server accepts mail from us at all: postmaster at a served domain. */
export const POSITIVE_CONTROL = 'control-postmaster';

/** Prefix of the controls that unmask a server which accepts everything: an invented user at a served domain, written as in the test. */
export const NEGATIVE_CONTROL = 'control-random-user:';

/**
 * What the server demands of every sender before it goes on: some were told so, all others refused, and none got as far as a recipient.
 * Some servers demand it only from senders who claim a local address. That says nothing about other senders.
 */
export function askedOfEveryone(results: readonly TestResult[]): 'authentication-required' | 'starttls-first' | undefined {
  // A recipient that is to be asked again shows that its sender was accepted.
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

// Words against us count as a refusal like any other once the control has shown that the server accepts mail from us.
function isComplete({ outcome, stage }: Pick<TestResult, 'outcome' | 'stage'>, heard: boolean): boolean {
  if (outcome === 'about-us') return heard && stage !== 'greeting' && stage !== 'ehlo';
  return outcome === 'accepted' || outcome === 'refused' || outcome === 'authentication-required';
}

// The strongest statement first: one open leg makes the host open; closed needs every answering leg.
const STRENGTH: readonly Verdict[] = ['open', 'suspected', 'untestable', 'inconclusive', 'closed', 'unreachable'];

/**
 * Judges the host by its legs. `openLegs` are those that were last seen open or suspected: while one of them has not been seen closed,
 * the host is not closed either.
 */
export function judgeHost(legs: readonly LegEvidence[], openLegs: readonly string[], arrivals: readonly Arrival[] = []): Judgement {
  const all = legs.map((leg) => ({ leg, judgement: besideOthers(leg, legs, arrivals) }));
  // An address that we cannot reach from here says nothing about the others.
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

// A leg that demands STARTTLS counts as closed only if the leg after STARTTLS was tested. And where nobody can set up TLS, nobody gets in
// that way: such a leg is harmless beside a closed leg at the same port, or for implicit TLS at the same address.
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

/** Whether TLS could not be set up, even by the most permissive settings, in enough sittings to believe it. */
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
