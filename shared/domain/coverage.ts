import type { HostState } from './host.ts';
import type { Reason } from './reason.ts';
import type { ScanKind } from './scan.ts';
import { PERIOD_MINUTES, type Period } from './schedule.ts';

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

const UNFINISHED: readonly Reason[] = ['greylisted', 'deferred', 'dropped', 'out-of-time', 'tls-failed'];

/** Whether a server left tests undone by being slow, by greylisting or by its limits: then it is worth coming back. */
export function isUnfinished(reason: Reason): boolean {
  return UNFINISHED.includes(reason);
}

const SITTINGS_LIMIT = 10; // of one scan
const LONGEST_WAIT = 3; // steps between two sittings: with five minutes to a step 5, 10, then 15 each time

/** When the sitting after the `sittings`-th may begin, in milliseconds from now; undefined when there is none. */
export function nextSitting(sittings: number, stepMs: number): number | undefined {
  return sittings >= SITTINGS_LIMIT ? undefined : stepMs * Math.min(sittings, LONGEST_WAIT);
}
