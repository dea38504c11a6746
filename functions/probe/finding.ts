import type { Arrival } from '../../shared/domain/canary.ts';
import type { Judgement } from '../../shared/domain/reason.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';

/** What an audit found: the judgement, and the legs when packets were sent. */
export type Finding = {
  readonly judgement: Judgement;
  readonly legs: readonly LegEvidence[];
  /** When an address may be free that was taken. */
  readonly retryAt?: number | undefined;
  /** The addresses that an opt-out pauses, of those that the account has proven. */
  readonly paused?: readonly string[] | undefined;
  /** The messages that came back before the judgement, when they were waited for. */
  readonly arrivals?: readonly Arrival[] | undefined;
};
