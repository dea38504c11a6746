import { type DnsFailure, isOfDns } from './consent.ts';
import type { Reason } from './reason.ts';
import type { DnsWait, OwedScan, ScanKind } from './scan.ts';

// A record takes its time from its owner's hands to our resolver, and nobody is to press anything until it is there.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const FIRST_LOOKS_MS = [1, 2, 5, 10, 30].map((minutes) => minutes * MINUTE_MS); // while its owner sits before the form of their provider
const HOURLY_UNTIL_MS = 3 * DAY_MS; // a weekend, in which whoever may change the zone is not at work
const FIRST_ENDS_MS = HOURLY_UNTIL_MS + 14 * DAY_MS; // daily for two weeks more: what is not set by then is given up
const TROUBLE_ENDS_MS = 7 * DAY_MS; // a zone that fails for a week is not about to be mended
const TROUBLE_TOLD_MS = DAY_MS; // a name server that is down over night is mended without a word of ours

/**
 * When a scan that has waited for DNS since `since` looks again, by a timetable of fixed times: looks that were missed are made up for by
 * one. Undefined when `endsMs` are over.
 */
export function nextLook(since: number, now: number, endsMs: number): number | undefined {
  const passed = now - since;
  const stepMs = passed < HOURLY_UNTIL_MS ? HOUR_MS : DAY_MS;
  const next = FIRST_LOOKS_MS.find((each) => each > passed) ?? (Math.floor(passed / stepMs) + 1) * stepMs;
  return next > endsMs ? undefined : since + next;
}

/**
 * A scan as it looked at DNS. `begun`: it has asked its server something; `lookOnly`: nothing waits for DNS beside another scan that does,
 * or once a week was waited in vain.
 */
export type LookOfScan = {
  readonly kind: ScanKind;
  readonly begun: boolean;
  readonly lookOnly: boolean;
  readonly waits?: DnsWait | undefined;
};

/** How a scan goes on to wait, when it looks again, and whether its owner is to be told by now that DNS fails. */
export type WaitStep = { readonly waits: DnsWait; readonly dueAt: number; readonly tells: boolean };

/**
 * Decides whether a scan that DNS kept from everything waits and looks again; undefined: what DNS said is its result. A first scan waits for
 * all that its owner may mend there, any scan while DNS fails. A veto is an answer.
 */
export function waitAfter(look: LookOfScan, reason: Reason, now: number, failure?: DnsFailure): WaitStep | undefined {
  const fails = reason === 'dns-trouble';
  const isFirst = look.kind === 'first' && !look.begun;
  if (!isOfDns(reason) || reason === 'vetoed' || !(isFirst || (fails && !look.lookOnly))) return undefined;
  const since = look.waits?.since ?? now;
  const troubleSince = look.waits?.troubleSince ?? now;
  const dueAt = isFirst ? nextLook(since, now, FIRST_ENDS_MS) : nextLook(troubleSince, now, TROUBLE_ENDS_MS);
  if (dueAt === undefined) return undefined;
  if (!fails) return { waits: { since }, dueAt, tells: false };
  const waits = { since, troubleSince, ...(failure === undefined ? {} : { failure }) };
  return { waits, dueAt, tells: now - troubleSince >= TROUBLE_TOLD_MS };
}

/** What is left of a wait once DNS has answered, or is not what failed: when it began. */
export function withoutTrouble(waits: DnsWait | undefined): DnsWait | undefined {
  return waits && { since: waits.since };
}

/** Whether an owed scan waits for what DNS says. */
export function awaitsDns({ trouble }: Pick<OwedScan, 'trouble'>): boolean {
  return trouble !== undefined && isOfDns(trouble);
}
