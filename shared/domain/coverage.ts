import type { Arrival } from './canary.ts';
import type { HostState } from './host.ts';
import type { Reason } from './reason.ts';
import type { LegEvidence, ScanKind } from './scan.ts';
import { PERIOD_MINUTES, type Period } from './schedule.ts';
import { hasBrokenTls, judgeHost, judgeLeg } from './verdict.ts';

const FULL_EVERY_MS = 7 * 24 * 60 * 60_000; // the full table is run weekly at least
const SLACK_MS = 60 * 60_000; // so that a weekly scan is not an hour too early for it

/**
 * Whether a scan runs the full table: every scan but the scheduled ones of a host that is closed, whose refusals would
 * trip its ban tools every hour, and of those one a week.
 */
export function isFull(kind: ScanKind, { relay, openLegs, pending, lastFull }: HostState, startedAt: number): boolean {
  if (kind !== 'scheduled' || relay !== 'closed' || openLegs.length > 0 || pending !== undefined) return true;
  return lastFull === undefined || startedAt - lastFull >= FULL_EVERY_MS - SLACK_MS;
}

/** Which turn of the rotating part a scheduled scan has: one more with each period. */
export function rotationOf(period: Period, startedAt: number): number {
  return Math.floor(startedAt / (PERIOD_MINUTES[period] * 60_000));
}

const UNFINISHED: readonly Reason[] = [
  'not-carried-through',
  'greylisted',
  'deferred',
  'dropped',
  'out-of-time',
  'tls-failed',
  'fell-silent',
];

/** Whether a server left tests undone by being slow, by greylisting or by its limits: then it is worth coming back. */
export function isUnfinished(reason: Reason): boolean {
  return UNFINISHED.includes(reason);
}

/** What a scan needs before it has a result: to ask its server again, or to wait for the messages that it sent. */
export type Rest = 'another-sitting' | 'its-messages' | 'nothing';

/**
 * What a scan still needs, after a sitting that showed these legs. An owner hears of what was proven at once, so nothing is waited for
 * once a host is open or suspected, or bans us.
 */
export function restOf(legs: readonly LegEvidence[], arrivals: readonly Arrival[] = []): Rest {
  const { verdict, reason } = judgeHost(legs, [], arrivals);
  if (verdict === 'open' || verdict === 'suspected' || reason === 'probably-banned') return 'nothing';
  const left = leftIn(legs);
  if (left === undefined) return 'nothing';
  return left === 'awaiting-messages' ? 'its-messages' : 'another-sitting';
}

/** What is left of a scan, after a sitting that showed these legs: the reason of a leg that is not done, what its server left undone first. */
export function leftIn(legs: readonly LegEvidence[]): Reason | undefined {
  const reasons = legs.filter((leg) => !hasBrokenTls(leg)).map((leg) => judgeLeg(leg).reason);
  return [...UNFINISHED, 'awaiting-messages' as const].find((reason) => reasons.includes(reason));
}

/** The legs of a scan that has no further sitting: those that it had something left of say why nothing more is done about it. */
export function ended(legs: readonly LegEvidence[], why: NonNullable<LegEvidence['ended']>): LegEvidence[] {
  return legs.map((leg) => {
    const { reason } = judgeLeg(leg);
    return (why === 'waited' ? reason === 'awaiting-messages' : isUnfinished(reason)) ? { ...leg, ended: why } : leg;
  });
}

const SITTINGS_LIMIT = 10; // of one scan
const LONGEST_WAIT = 3; // steps between two sittings: with five minutes to a step 5, 10, then 15 each time, two hours in all

/** When the sitting after the `sittings`-th may begin, in milliseconds from now; undefined when there is none. */
export function nextSitting(sittings: number, stepMs: number): number | undefined {
  return sittings >= SITTINGS_LIMIT ? undefined : stepMs * Math.min(sittings, LONGEST_WAIT);
}

/** What a sitting has shown: the `sittings`-th of a scan of the full table or of the core. */
export type Sat = {
  readonly legs: readonly LegEvidence[];
  readonly arrivals?: readonly Arrival[] | undefined;
  readonly full: boolean;
  readonly sittings: number;
};

/** What follows a sitting: another one, or the wait for its messages or the result, of the legs as they then are. */
export type Following =
  | { readonly kind: 'sitting'; readonly inMs: number }
  | { readonly kind: 'messages' | 'result'; readonly legs: readonly LegEvidence[] };

/**
 * Decides what follows a sitting. A scan goes on until its server has answered all there is, or its sittings are used up, which its legs
 * then say as `end`; then its messages are waited for. `stepMs` is the least time between two sittings.
 */
export function following(
  { legs, arrivals, full, sittings }: Sat,
  stepMs: number,
  end: NonNullable<LegEvidence['ended']> = 'sittings-used-up',
): Following {
  const rest = restOf(legs, arrivals);
  const inMs = rest === 'another-sitting' ? nextSitting(sittings, stepMs) : undefined;
  // A core keeps its ten minutes between refusals.
  if (inMs !== undefined) return { kind: 'sitting', inMs: full ? inMs : Math.max(inMs, CORE_STEPS * stepMs) };
  const done = rest === 'another-sitting' ? ended(legs, end) : legs;
  return { kind: restOf(done, arrivals) === 'its-messages' || awaitsMessages(done, arrivals) ? 'messages' : 'result', legs: done };
}

function awaitsMessages(legs: readonly LegEvidence[], arrivals: readonly Arrival[] | undefined): boolean {
  const { verdict } = judgeHost(legs, [], arrivals);
  return verdict === 'inconclusive' && legs.some((leg) => judgeLeg(leg).reason === 'awaiting-messages');
}

const CORE_STEPS = 2; // between two sittings of a core, at least

/** Of a host that is known to take any local part: which round of the few messages that its weekly full table sends it is. */
export function roundOf(kind: ScanKind, { catchAll }: HostState, startedAt: number): number | undefined {
  return kind === 'scheduled' && catchAll === true ? Math.floor(startedAt / FULL_EVERY_MS) : undefined;
}
