import type { Arrival } from '../../shared/domain/canary.ts';
import type { DnsFailure } from '../../shared/domain/consent.ts';
import { type Judgement, type Reason, untested } from '../../shared/domain/reason.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';
import { judgeHost } from '../../shared/domain/verdict.ts';

/** What an audit found: what legs have shown, or why nothing that was asked counts. */
export type Finding = Tested | Untested;

/** What the legs of an audit have shown; the judgement follows from it. */
export type Tested = {
  readonly legs: readonly LegEvidence[];
  /** The messages that came back, when they were waited for. */
  readonly arrivals?: readonly Arrival[] | undefined;
  /** The addresses that an opt-out pauses, of those that the account has proven. */
  readonly paused?: readonly string[] | undefined;
  readonly untested?: undefined;
  readonly retryAt?: undefined;
};

/** An audit that came to nothing, and why. */
export type Untested = {
  readonly untested: Reason;
  /** What had been shown before; it is not asked again. */
  readonly legs: readonly LegEvidence[];
  readonly arrivals?: undefined;
  /** The question to DNS that failed, when that was why. */
  readonly failure?: DnsFailure | undefined;
  /** When an address may be free that was taken. */
  readonly retryAt?: number | undefined;
  /** The addresses that an opt-out pauses, of those that the account has proven. */
  readonly paused?: readonly string[] | undefined;
};

/** What a finding proves of a host that had `openLegs`. */
export function judgementOf(finding: Finding, openLegs: readonly string[]): Judgement {
  return finding.untested === undefined ? judgeHost(finding.legs, openLegs, finding.arrivals) : untested(finding.untested);
}
