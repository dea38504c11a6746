import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Budget, Budgets } from '../audit-store.ts';
import { readUsed } from '../items.ts';
import { keys } from '../keys.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

/** Budgets, one item for each window, and what is good for one use. */
export function budgets(table: Table): Budgets {
  return {
    async takeFromBudget(budget, now) {
      const { end } = windowOf(budget, now);
      const refused = { granted: false, remaining: 0, resetAt: end };
      if (budget.limit < 1) return refused; // the first of a window is granted without a look at the limit
      const update = new UpdateCommand({ ...budgetUpdate(table, budget, now), ReturnValues: 'UPDATED_NEW' });
      try {
        const { Attributes } = await withoutConflict(() => table.client.send(update));
        return { granted: true, remaining: budget.limit - readUsed(Attributes), resetAt: end };
      } catch (error) {
        if (isConditionFailure(error)) return refused;
        throw error;
      }
    },

    async giveBack(budget, takenAt) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keys.budget(budget.what, budget.who, budget.windowMs, windowOf(budget, takenAt).start),
        UpdateExpression: 'ADD used :minusOne',
        ConditionExpression: 'used > :none',
        ExpressionAttributeValues: { ':minusOne': -1, ':none': 0 },
      });
      // The window may be over, and its item deleted: then nobody misses it.
      await ifHolds(() => table.client.send(update));
    },

    async useOnce(id, until) {
      const put = new PutCommand({
        TableName: table.name,
        Item: { ...keys.once(id), usedUntil: until, expiresAt: expiry(until, 0) },
        ConditionExpression: 'attribute_not_exists(pk) OR usedUntil <= :now',
        ExpressionAttributeValues: { ':now': table.clock() },
      });
      return ifHolds(() => table.client.send(put));
    },
  };
}

/** The write that takes one from a budget of at least one, for transactions too. */
export function budgetUpdate(table: Table, budget: Budget, now: number) {
  const { start, end } = windowOf(budget, now);
  return {
    TableName: table.name,
    Key: keys.budget(budget.what, budget.who, budget.windowMs, start),
    UpdateExpression: 'SET expiresAt = :expiresAt ADD used :one',
    ConditionExpression: 'attribute_not_exists(used) OR used < :limit',
    ExpressionAttributeValues: { ':expiresAt': expiry(end, 0), ':one': 1, ':limit': budget.limit },
  };
}

function windowOf({ windowMs }: Budget, now: number): { start: number; end: number } {
  const start = now - (now % windowMs);
  return { start, end: start + windowMs };
}
