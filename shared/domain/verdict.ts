import { type Judgement, REASONS, type Reason, untested, type Verdict } from './reason.ts';
import type { LegEvidence, TestResult } from './scan.ts';

/** Judges one leg by itself. A 250 proves only "accepted"; what was not completed is never read as a refusal. */
export function judgeLeg(leg: LegEvidence): Judgement {
  const planned = leg.tests.length;
  const completed = leg.tests.filter(isComplete).length;
  const because = (reason: Reason): Judgement => ({ verdict: REASONS[reason].verdict, reason, completed, planned });
  if (leg.contact !== 'answered') return because(leg.contact);
  if (leg.tests.some((test) => test.outcome === 'accepted'))
    return because(leg.controls.some(isAcceptedNegative) ? 'accepts-everything' : 'recipient-accepted');
  const said = (outcome: TestResult['outcome']) => [...leg.tests, ...leg.controls].some((test) => test.outcome === outcome);
  if (asksEveryoneToAuthenticate(leg.tests)) return because('authentication-required');
  if (said('about-us')) return because('policy-against-us');
  if (leg.stopped === 'silent-after-refusals') return because('probably-banned');
  if (leg.controls.some((control) => control.test === POSITIVE_CONTROL && control.outcome === 'refused')) return because('control-refused');
  if (completed === planned) return because(leg.tests.some((test) => test.stage === 'rcpt') ? 'all-refused' : 'no-recipient-reached');
  for (const outcome of ['starttls-first', 'greylisted', 'deferred'] as const)
    if (leg.tests.some((test) => test.outcome === outcome)) return because(outcome);
  return because(leg.stopped === 'out-of-time' ? 'out-of-time' : 'dropped');
}

/** Name of the control that shows the server talks to us at all: postmaster at a served domain. */
export const POSITIVE_CONTROL = 'control-postmaster';

/** Prefix of the controls that unmask a server which accepts everything: a random user at a served domain, in a test's own form. */
export const NEGATIVE_CONTROL = 'control-random-user:';

function isAcceptedNegative(control: TestResult): boolean {
  return control.test.startsWith(NEGATIVE_CONTROL) && control.outcome === 'accepted';
}

// Some servers ask only senders who claim a local address to authenticate; that alone completes nothing but that test.
function asksEveryoneToAuthenticate(tests: readonly TestResult[]): boolean {
  const run = tests.filter((test) => test.outcome !== 'not-run');
  return run.length > 0 && run.every((test) => test.outcome === 'authentication-required' && test.stage !== 'rcpt');
}

function isComplete(test: TestResult): boolean {
  return test.outcome === 'accepted' || test.outcome === 'refused' || test.outcome === 'authentication-required';
}

// The strongest statement first: one open leg makes the host open; closed needs every answering leg.
const STRENGTH: readonly Verdict[] = ['open', 'suspected', 'untestable', 'inconclusive', 'closed', 'unreachable'];

/**
 * Judges the host by its legs. `openLegs` are those whose last proven state was not closed: none of them may go without
 * an answer, or without having been asked, and the host still read as closed.
 */
export function judgeHost(legs: readonly LegEvidence[], openLegs: readonly string[]): Judgement {
  const judged = legs.map((leg) => ({ leg, judgement: judgeLeg(leg) }));
  const strongest = judged.toSorted((a, b) => STRENGTH.indexOf(a.judgement.verdict) - STRENGTH.indexOf(b.judgement.verdict))[0];
  if (strongest === undefined) return untested('no-address');
  const answering = judged.filter(({ judgement }) => judgement.verdict !== 'unreachable');
  const sum = (key: 'completed' | 'planned') => answering.reduce((total, { judgement }) => total + judgement[key], 0);
  const judgement = { ...strongest.judgement, completed: sum('completed'), planned: sum('planned') };
  const closed = closedLegs(legs);
  if (judgement.verdict === 'closed' && openLegs.some((name) => !closed.includes(name)))
    return { ...judgement, verdict: 'inconclusive', reason: 'open-leg-silent' };
  return judgement;
}

/** Names of the legs that are proven closed. */
export function closedLegs(legs: readonly LegEvidence[]): string[] {
  return legs.filter((leg) => judgeLeg(leg).verdict === 'closed').map(legName);
}

/** The name of a leg: address and port. */
export function legName(leg: { readonly address: string; readonly port: number }): string {
  return leg.address.includes(':') ? `[${leg.address}]:${leg.port}` : `${leg.address}:${leg.port}`;
}
