import type { Arrival } from './canary.ts';
import { type Judgement, REASONS, type Reason, untested, type Verdict } from './reason.ts';
import type { Contact, LegEvidence, TestResult } from './scan.ts';

/**
 * Judges one leg by itself, with the canaries that came back. A 250 proves only "accepted", and only an arrival that it
 * relays; what was not completed is never read as a refusal.
 */
export function judgeLeg(leg: LegEvidence, arrivals: readonly Arrival[] = []): Judgement {
  const planned = leg.tests.length;
  const completed = leg.tests.filter(isComplete).length;
  const because = (reason: Reason): Judgement => ({ verdict: REASONS[reason].verdict, reason, completed, planned });
  if (arrivals.some((arrival) => arrival.leg === legName(leg))) return because('canary-arrived');
  if (leg.contact !== 'answered') return because(silenceOf(leg.contact, leg));
  const accepted = leg.tests.filter((test) => test.outcome === 'accepted');
  if (accepted.length > 0) {
    if (leg.controls.some(isAcceptedNegative)) return because('accepts-everything');
    return because(accepted.some((test) => test.stage === 'message') ? 'message-accepted' : 'recipient-accepted');
  }
  const said = (outcome: TestResult['outcome']) => [...leg.tests, ...leg.controls].some((test) => test.outcome === outcome);
  const asked = askedOfEveryone(leg.tests, leg.tests.some(({ outcome }) => outcome === 'not-run') ? SENDERS_ENOUGH : 1);
  if (asked === 'authentication-required') return because('authentication-required');
  if (said('about-us')) return because('policy-against-us');
  if (leg.stopped === 'silent-after-refusals') return because('probably-banned');
  if (leg.controls.some((control) => control.test === POSITIVE_CONTROL && control.outcome === 'refused')) return because('control-refused');
  if (completed === planned) return because(leg.tests.some(reachedRecipient) ? 'all-refused' : 'no-recipient-reached');
  if (asked === 'starttls-first' && leg.offersStarttls) return because('starttls-required');
  for (const outcome of ['starttls-first', 'greylisted', 'deferred'] as const)
    if (leg.tests.some((test) => test.outcome === outcome)) return because(outcome);
  return because(leg.stopped === 'out-of-time' ? 'out-of-time' : 'dropped');
}

// A port that falls silent after our own refused tests has not gone, and neither has one that just offered STARTTLS.
function silenceOf(contact: Exclude<Contact, 'answered'>, { stopped, transport }: LegEvidence): Reason {
  if (contact === 'out-of-time' || contact === 'tls-failed' || contact === 'no-ipv6-here' || contact === 'vetoed') return contact;
  if (contact === 'unproven') return 'no-consent';
  if (stopped === 'silent-after-refusals') return 'probably-banned';
  return transport === 'starttls' ? 'dropped' : contact;
}

/** Name of the control that shows the server talks to us at all: postmaster at a served domain. */
export const POSITIVE_CONTROL = 'control-postmaster';

/** Prefix of the controls that unmask a server which accepts everything: a random user at a served domain, in a test's own form. */
export const NEGATIVE_CONTROL = 'control-random-user:';

function isAcceptedNegative(control: TestResult): boolean {
  return control.test.startsWith(NEGATIVE_CONTROL) && control.outcome === 'accepted';
}

const SENDERS_ENOUGH = 4; // different senders, all told the same: the others would be too

/**
 * What a server asks of everybody before it takes a sender, if it does: enough senders were told so, no recipient was
 * reached, and whoever was not told so was refused. Some servers ask only senders who claim a local address, which says nothing of others.
 */
export function askedOfEveryone(
  results: readonly TestResult[],
  enough = SENDERS_ENOUGH,
): 'authentication-required' | 'starttls-first' | undefined {
  const senders = results.filter(({ outcome, stage }) => outcome !== 'not-run' && !(outcome === 'refused' && stage === 'ehlo'));
  for (const wanted of ['authentication-required', 'starttls-first'] as const) {
    const told = new Set(senders.filter(({ outcome }) => outcome === wanted).map(({ from }) => from));
    const all = senders.every(({ outcome, stage }) => stage === 'mail' && (outcome === wanted || outcome === 'refused'));
    if (all && told.size >= enough) return wanted;
  }
  return undefined;
}

function reachedRecipient({ stage }: TestResult): boolean {
  return stage === 'rcpt' || stage === 'data' || stage === 'message';
}

function isComplete(test: Pick<TestResult, 'outcome'>): boolean {
  return test.outcome === 'accepted' || test.outcome === 'refused' || test.outcome === 'authentication-required';
}

// The strongest statement first: one open leg makes the host open; closed needs every answering leg.
const STRENGTH: readonly Verdict[] = ['open', 'suspected', 'untestable', 'inconclusive', 'closed', 'unreachable'];

/**
 * Judges the host by its legs. `openLegs` are those whose last proven state was not closed: none of them may go without
 * an answer, or without having been asked, and the host still read as closed.
 */
export function judgeHost(legs: readonly LegEvidence[], openLegs: readonly string[], arrivals: readonly Arrival[] = []): Judgement {
  const judged = legs.map((leg) => ({ leg, judgement: besideOthers(leg, legs, arrivals) }));
  // An address that we have no way out to speaks neither for nor against the others.
  const told = judged.filter(({ leg }) => leg.contact !== 'no-ipv6-here');
  const strongest = (told.length > 0 ? told : judged).toSorted(
    (a, b) => STRENGTH.indexOf(a.judgement.verdict) - STRENGTH.indexOf(b.judgement.verdict),
  )[0];
  if (strongest === undefined) return untested('no-address');
  const answering = told.filter(({ judgement }) => judgement.verdict !== 'unreachable');
  const sum = (key: 'completed' | 'planned') => answering.reduce((total, { judgement }) => total + judgement[key], 0);
  const judgement = { ...strongest.judgement, completed: sum('completed'), planned: sum('planned') };
  const closed = closedLegs(legs);
  if (judgement.verdict === 'closed' && openLegs.some((name) => !closed.includes(name)))
    return { ...judgement, verdict: 'inconclusive', reason: 'open-leg-silent' };
  return judgement;
}

// "STARTTLS first" closes a leg only beside the one inside, to which it leaves its tests.
function besideOthers(leg: LegEvidence, legs: readonly LegEvidence[], arrivals: readonly Arrival[]): Judgement {
  const judgement = judgeLeg(leg, arrivals);
  const inside = legs.some(
    ({ address, port, transport, contact }) =>
      address === leg.address && port === leg.port && transport === 'starttls' && contact === 'answered',
  );
  return judgement.reason === 'starttls-required' && !inside
    ? { ...judgement, verdict: 'inconclusive', reason: 'starttls-first' }
    : judgement;
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
