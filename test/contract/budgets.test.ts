import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Budget } from '../../shared/store/audit-store.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const HOUR = 60 * 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

let count = 0;

function budgetOf(limit: number, rest: Partial<Budget> = {}): Budget {
  return { what: 'requests', who: `caller-${++count}`, limit, windowMs: HOUR, ...rest };
}

describe('budgets', () => {
  test('of a thousand callers at once exactly as many as the limit get one', { timeout: 60_000 }, async () => {
    const budget = budgetOf(50);
    const taken = await Promise.all(Array.from({ length: 1000 }, () => table.store.takeFromBudget(budget, NOON)));
    expect(taken.filter(({ granted }) => granted)).toHaveLength(50);
    const left = taken.filter(({ granted }) => granted).map(({ remaining }) => remaining);
    expect(left.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test('what is left and when the window ends is told, also to who gets nothing', async () => {
    const budget = budgetOf(2);
    const resetAt = NOON + HOUR;
    expect(await table.store.takeFromBudget(budget, NOON + 1)).toEqual({ granted: true, remaining: 1, resetAt });
    expect(await table.store.takeFromBudget(budget, NOON + 2)).toEqual({ granted: true, remaining: 0, resetAt });
    expect(await table.store.takeFromBudget(budget, resetAt - 1)).toEqual({ granted: false, remaining: 0, resetAt });
  });

  test('a new window begins at a multiple of its length, with the whole budget', async () => {
    const budget = budgetOf(1);
    await table.store.takeFromBudget(budget, NOON + HOUR - 1);
    expect(await table.store.takeFromBudget(budget, NOON + HOUR)).toEqual({ granted: true, remaining: 0, resetAt: NOON + 2 * HOUR });
  });

  test('callers, purposes and windows have budgets of their own', async () => {
    const budget = budgetOf(1);
    await table.store.takeFromBudget(budget, NOON);
    for (const other of [{ who: 'somebody else' }, { what: 'mails' }, { windowMs: DAY / 2 }]) {
      expect(await table.store.takeFromBudget({ ...budget, ...other }, NOON)).toMatchObject({ granted: true });
    }
  });

  test('a budget of nothing grants nothing', async () => {
    expect(await table.store.takeFromBudget(budgetOf(0), NOON)).toMatchObject({ granted: false, remaining: 0 });
  });

  test('what is given back may be taken again, in the window that it was taken in', async () => {
    const budget = budgetOf(1);
    await table.store.takeFromBudget(budget, NOON);
    await table.store.takeFromBudget(budget, NOON + HOUR);
    await table.store.giveBack(budget, NOON + 1);
    expect(await table.store.takeFromBudget(budget, NOON + HOUR)).toMatchObject({ granted: false });
    expect(await table.store.takeFromBudget(budget, NOON)).toMatchObject({ granted: true, remaining: 0 });
  });

  test('no more can be given back than was taken', async () => {
    const budget = budgetOf(1);
    await table.store.giveBack(budget, NOON);
    await table.store.takeFromBudget(budget, NOON);
    for (let i = 0; i < 3; i++) await table.store.giveBack(budget, NOON);
    expect(await table.store.takeFromBudget(budget, NOON)).toMatchObject({ granted: true, remaining: 0 });
    expect(await table.store.takeFromBudget(budget, NOON)).toMatchObject({ granted: false });
  });

  test('taking one costs one write unit and no read', async () => {
    const budget = budgetOf(5);
    table.meter.reset();
    await table.store.takeFromBudget(budget, NOON);
    expect(table.meter).toMatchObject({ writeUnits: 1, readUnits: 0, requests: 1 });
  });
});

describe('what is good for one use', () => {
  test('of many callers at once one may use it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => table.store.useOnce('token-1', NOON + HOUR)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test('it may be used again only when its time is over, whether or not DynamoDB has deleted it', async () => {
    expect(await table.store.useOnce('token-2', NOON + 500)).toBe(true);
    now = NOON + 499;
    expect(await table.store.useOnce('token-2', NOON + HOUR)).toBe(false);
    now = NOON + 500;
    expect(await table.store.useOnce('token-2', NOON + HOUR)).toBe(true);
    expect(await table.store.useOnce('token-2', NOON + HOUR)).toBe(false);
  });

  test('the use of one is not the use of another', async () => {
    expect(await table.store.useOnce('token-3', NOON + HOUR)).toBe(true);
    expect(await table.store.useOnce('token-4', NOON + HOUR)).toBe(true);
  });
});
