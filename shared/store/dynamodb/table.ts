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

const CONFLICT_TRIES = 5; // for items that other writers are at: two transactions on one item at once make DynamoDB refuse one
const CONFLICT_WAIT_MS = 20; // doubled with each try

/** A condition that did not hold, in a single write or in a transaction; anything else is thrown on. */
export function isConditionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ConditionalCheckFailedException') return true;
  return error.name === 'TransactionCanceledException' && cancellations(error).includes('ConditionalCheckFailed');
}

/** For each write of a cancelled transaction, in order, whether its own condition did not hold; none of anything else. */
export function refusedWrites(error: unknown): boolean[] {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return [];
  return cancellations(error).map((code) => code === 'ConditionalCheckFailed');
}

// Why each write of a cancelled transaction was not made; `None` for those that only went down with the others.
function cancellations(error: Error): string[] {
  const reasons: unknown = 'CancellationReasons' in error ? error.CancellationReasons : [];
  return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason?.Code ?? 'None') : [];
}

/**
 * Runs a conditional write: true when it was made, false when its condition did not hold. A write that met another in
 * the same moment (TransactionConflict) is made again: it says nothing about the condition.
 */
export async function ifHolds(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await withoutConflict(write);
    return true;
  } catch (error) {
    if (isConditionFailure(error)) return false;
    throw error;
  }
}

/** Runs a write, again when another write of the same item was under way. */
export async function withoutConflict<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries >= CONFLICT_TRIES || !isConflict(error)) throw error;
      await new Promise((done) => setTimeout(done, CONFLICT_WAIT_MS * 2 ** tries * (0.5 + Math.random() / 2)));
    }
  }
}

/** Whether a write was not made because others were at the same item, again and again. */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof Error) || isConditionFailure(error)) return false;
  return error.name === 'TransactionConflictException' || cancellations(error).includes('TransactionConflict');
}
