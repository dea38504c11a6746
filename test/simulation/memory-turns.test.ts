import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Booking } from '../../shared/domain/scan.ts';
import type { Turn } from '../../shared/domain/turn-line.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { memoryTurns } from './memory-turns.ts';

const RUNS = 60;
const MINUTE = 60_000;
let table: TestTable;
let count = 0;

beforeAll(async () => {
  table = await startTable(() => NOON, 1_000_000_000_000);
});
afterAll(() => table.stop());

const asked = fc.record({
  who: fc.nat(6),
  after: fc.constantFrom(0, 30_000, MINUTE, 10 * MINUTE, 12 * MINUTE),
  fresh: fc.boolean(),
  books: fc.boolean(),
  ends: fc.nat(4).map((number) => number === 0),
});

test('turns in memory are given, refused and booked as those on DynamoDB', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 2, maxLength: 15 }), async (all) => {
      const address = `185.${++count}`;
      const model = memoryTurns();
      const booked = new Map<number, Booking>();
      let now = NOON;
      for (const [index, { who, after, fresh, books, ends }] of all.entries()) {
        now += after;
        const ref = { accountId: `account${who % 3}`, hostId: `host${who}`, scanId: 'scan' };
        const attempt = `attempt ${index}`;
        const turn: Turn = {
          address,
          ref,
          attempt,
          fresh,
          books,
          now,
          leaseMs: 2 * MINUTE,
          spacingMs: 10 * MINUTE,
          booked: booked.get(who),
        };
        const given = await table.store.takeTurn(turn);
        expect(await model.takeTurn(turn)).toEqual(given);
        if (given.granted) booked.delete(who);
        else if (given.booked !== undefined) booked.set(who, given.booked);
        if (!ends) continue;
        await table.store.endTurn(address, attempt, now + 1);
        await model.endTurn(address, attempt, now + 1);
      }
    }),
    { numRuns: RUNS },
  );
});
