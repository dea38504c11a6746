import type { Judgement } from '../../shared/domain/reason.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';

/** What an audit found: the judgement, and the legs when packets were sent. `retryAt`: when an address may be free that was taken. */
export type Finding = { readonly judgement: Judgement; readonly legs: readonly LegEvidence[]; readonly retryAt?: number | undefined };
