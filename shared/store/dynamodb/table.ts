import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** The table and the client to reach it; `retentionMs` is how long history is kept, `clock` gives epoch milliseconds. */
export type Table = {
  readonly name: string;
  readonly client: DynamoDBDocumentClient;
  readonly retentionMs: number;
  readonly clock: () => number;
};

/** When an item written at `now` expires, as DynamoDB wants it: epoch seconds. */
export function expiry(now: number, keptMs: number): number {
  return Math.ceil((now + keptMs) / 1000);
}

/** A condition that did not hold, in a single write or in a transaction; anything else is thrown on. */
export function isConditionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ConditionalCheckFailedException') return true;
  return error.name === 'TransactionCanceledException' && failedConditions(error).some(Boolean);
}

// For each write of a cancelled transaction, whether its condition failed.
function failedConditions(error: Error): boolean[] {
  const reasons: unknown = 'CancellationReasons' in error ? error.CancellationReasons : [];
  return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason?.Code === 'ConditionalCheckFailed') : [];
}

/** Runs a conditional write: true when it was made, false when its condition did not hold. */
export async function ifHolds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConditionFailure(error)) return false;
    throw error;
  }
}
