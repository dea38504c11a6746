import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { deleteItems, queryItems, readItems } from '../../../shared/store/dynamodb/batches.ts';
import type { Table } from '../../../shared/store/dynamodb/table.ts';

type Asked = { RequestItems: { table: { Keys: object[] } & object[] }; Limit?: number; ExclusiveStartKey?: object };

/** A table whose answers are these, one after the other; the last one goes on. What was asked is noted, with the time. */
function answering(...answers: ((asked: Asked) => object)[]) {
  const asked: Asked[] = [];
  const at: number[] = [];
  const client = {
    async send({ input }: { input: Asked }) {
      asked.push(input);
      at.push(Date.now());
      return answers[Math.min(asked.length, answers.length) - 1]?.(input) ?? {};
    },
  };
  return { asked, at, table: { name: 'table', client, retentionMs: 0, clock: Date.now } as unknown as Table };
}

const keysOf = (many: number) => Array.from({ length: many }, (_, n) => ({ pk: `p${n}`, sk: 's' }));
const found = ({ RequestItems }: Asked) => ({ Responses: { table: RequestItems.table.Keys } });
const givesBackAll = ({ RequestItems }: Asked) => ({ Responses: { table: [] }, UnprocessedKeys: RequestItems });
const givesBackWrites = ({ RequestItems }: Asked) => ({ UnprocessedItems: RequestItems });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets the time pass that the work waits for. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  void work.catch(() => {});
  await vi.advanceTimersByTimeAsync(60_000);
  return work;
}

describe('a batch', () => {
  test('has a hundred reads or twenty-five writes at most, and nothing is asked for nothing', async () => {
    const reading = answering(found);
    expect(await inTime(readItems(reading.table, keysOf(150)))).toEqual(keysOf(150));
    expect(reading.asked.map(({ RequestItems }) => RequestItems.table.Keys.length)).toEqual([100, 50]);
    const writing = answering(() => ({}));
    await inTime(deleteItems(writing.table, keysOf(60)));
    expect(writing.asked.map(({ RequestItems }) => RequestItems.table.length)).toEqual([25, 25, 10]);
    const idle = answering(found);
    expect(await inTime(readItems(idle.table, []))).toEqual([]);
    expect(idle.asked).toEqual([]);
  });

  test('of which a part is given back is asked for at once for the rest', async () => {
    const half = ({ RequestItems }: Asked) => {
      const { Keys } = RequestItems.table;
      return {
        Responses: { table: Keys.slice(0, 2) },
        ...(Keys.length > 2 ? { UnprocessedKeys: { table: { Keys: Keys.slice(2) } } } : {}),
      };
    };
    const { table, at } = answering(half);
    expect(await inTime(readItems(table, keysOf(5)))).toEqual(keysOf(5));
    expect(new Set(at).size).toBe(1);
  });

  test.each<[string, (asked: Asked) => object, (table: Table) => Promise<unknown>]>([
    ['read', givesBackAll, (table) => readItems(table, keysOf(3))],
    ['write', givesBackWrites, (table) => deleteItems(table, keysOf(3))],
  ])('of which nothing was done is tried eight times, after waits that double: a %s', async (_, answer, work) => {
    const { table, at } = answering(answer);
    await expect(inTime(work(table))).rejects.toThrow();
    const waits = at.slice(1).map((each, n) => each - (at[n] ?? 0));
    expect(waits).toHaveLength(7);
    for (const [n, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(10 * 2 ** n);
      expect(wait).toBeLessThanOrEqual(20 * 2 ** n);
    }
  });

  test('of which something was done has its eight tries anew', async () => {
    const some = ({ RequestItems }: Asked) => ({
      Responses: { table: RequestItems.table.Keys.slice(0, 1) },
      UnprocessedKeys: { table: { Keys: RequestItems.table.Keys.slice(1) } },
    });
    const seven = Array.from({ length: 7 }, () => givesBackAll);
    const { table, asked } = answering(...seven, some, ...seven, found);
    expect(await inTime(readItems(table, keysOf(3)))).toEqual(keysOf(3));
    expect(asked).toHaveLength(16);
  });
});

describe('a query', () => {
  const page = (items: number, next?: string) => () => ({
    Items: keysOf(items),
    ...(next === undefined ? {} : { LastEvaluatedKey: { pk: next, sk: 's' } }),
  });

  test('goes on page by page, each from where the last one ended', async () => {
    const { table, asked } = answering(page(2, 'a'), page(0, 'b'), page(1));
    expect(await inTime(queryItems(table, {}))).toHaveLength(3);
    expect(asked.map(({ ExclusiveStartKey, Limit }) => [ExclusiveStartKey, Limit])).toEqual([
      [undefined, undefined],
      [{ pk: 'a', sk: 's' }, undefined],
      [{ pk: 'b', sk: 's' }, undefined],
    ]);
  });

  test('ends when it has as many as are wanted, and asks for no more than those', async () => {
    const { table, asked } = answering(page(2, 'a'), page(1, 'b'));
    expect(await inTime(queryItems(table, {}, 3))).toHaveLength(3);
    expect(asked.map(({ Limit }) => Limit)).toEqual([3, 1]);
  });
});
