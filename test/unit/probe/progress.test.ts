import { expect, test } from 'vitest';
import { progressOf } from '../../../functions/probe/progress.ts';
import type { OwedScan } from '../../../shared/domain/scan.ts';

const REF = { accountId: 'a', hostId: 'h', scanId: '20260601T120000Z-first' };

function noting(write: () => Promise<void> = async () => {}) {
  const noted: NonNullable<OwedScan['underWay']>[] = [];
  let now = 0;
  const notes = progressOf(
    REF,
    {
      noteProgress: async (_ref, underWay) => {
        noted.push(underWay);
        await write();
      },
    },
    () => now,
  );
  const tell = async (leg: string, answered: number, afterMs: number) => {
    now += afterMs;
    notes.note({ leg, answered, planned: 55 });
    await Promise.resolve();
    await new Promise((done) => setImmediate(done));
  };
  return { noted, notes, tell };
}

test('a scan is noted as under way at once, and then its legs, once a second at most', async () => {
  const { noted, tell } = noting();
  expect(noted).toEqual([{ since: 0, legs: [] }]);
  await tell('a', 1, 100);
  await tell('a', 9, 900);
  await tell('b', 5, 999);
  await tell('b', 7, 1);
  expect(noted.slice(1).map(({ legs }) => legs.map(({ leg, answered }) => `${leg}${answered}`))).toEqual([['a9'], ['a9', 'b7']]);
});

test('a scan is noted sixty times and no more', async () => {
  const { noted, tell } = noting();
  for (let each = 0; each < 100; each++) await tell('a', each, 1_000);
  expect(noted).toHaveLength(60);
});

test('a note that cannot be written is told at the end, and holds nothing up', async () => {
  const { notes, tell } = noting(async () => {
    throw new Error('the table is away');
  });
  await tell('a', 1, 1_000);
  await expect(notes.end()).rejects.toThrow('the table is away');
});

test('the end waits for the note that is being written', async () => {
  let finish = () => {};
  const { notes } = noting(() => new Promise((done) => (finish = done)));
  let ended = false;
  const ending = notes.end().then(() => {
    ended = true;
  });
  await new Promise((done) => setImmediate(done));
  expect(ended).toBe(false);
  finish();
  await ending;
});
