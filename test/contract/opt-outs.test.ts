import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Pause } from '../../shared/store/audit-store.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

describe('the never-list', () => {
  test('an entry is listed as it was added until it is removed', async () => {
    const entry = { target: '192.0.2.0/24', since: NOON, why: 'asked by its owner' };
    expect(await table.store.isNever(entry.target)).toBe(false);
    await table.store.addNever(entry);
    expect(await table.store.isNever(entry.target)).toBe(true);
    expect(await table.store.neverList()).toContainEqual(entry);
    expect(await table.store.removeNever(entry.target)).toBe(true);
    expect(await table.store.removeNever(entry.target)).toBe(false);
    expect(await table.store.neverList()).not.toContainEqual(entry);
  });

  test('a target is on the list once, with what was said last', async () => {
    await table.store.addNever({ target: 'example.net', since: NOON, why: 'first' });
    await table.store.addNever({ target: 'example.net', since: NOON + 1, why: 'second' });
    const found = (await table.store.neverList()).filter(({ target }) => target === 'example.net');
    expect(found).toEqual([{ target: 'example.net', since: NOON + 1, why: 'second' }]);
  });

  test('a list that DynamoDB gives in pages is read to its end', async () => {
    const why = 'x'.repeat(100_000); // a page has 1 MB
    const targets = Array.from({ length: 12 }, (_, index) => `long-${String(index).padStart(2, '0')}.example`);
    for (const target of targets) await table.store.addNever({ target, since: NOON, why });
    const found = (await table.store.neverList()).map(({ target }) => target);
    expect(found.filter((target) => target.startsWith('long-'))).toEqual(targets);
  });
});

describe('pauses', () => {
  let count = 0;
  const pauseOf = (rest: Partial<Pause> = {}): Pause => ({ address: `2001:db8::${++count}`, since: NOON, until: NOON + DAY, ...rest });
  const pausedAt = async (address: string, at: number) => (await table.store.pausesOf([address], at)).length === 1;

  test('an address is paused until its time is over, and no other is', async () => {
    const pause = pauseOf();
    expect(await table.store.pause(pause)).toBe(true);
    expect(await table.store.pausesOf([pause.address, '192.0.2.9', pause.address], NOON + DAY - 1)).toEqual([pause]);
    expect(await table.store.pausesOf([pause.address], NOON + DAY)).toEqual([]);
    expect(await table.store.pausesOf([], NOON)).toEqual([]);
  });

  test('a pause that stands is not made longer by another', async () => {
    const pause = pauseOf();
    await table.store.pause(pause);
    expect(await table.store.pause({ ...pause, since: NOON + DAY - 1, until: NOON + 2 * DAY })).toBe(false);
    expect(await table.store.pausesOf([pause.address], NOON)).toEqual([pause]);
  });

  test('an address may be paused again when its pause is over', async () => {
    const pause = pauseOf();
    await table.store.pause(pause);
    expect(await table.store.pause({ ...pause, since: NOON + DAY, until: NOON + 2 * DAY })).toBe(true);
    expect(await pausedAt(pause.address, NOON + DAY)).toBe(true);
  });

  test('of many who pause an address at once one does', async () => {
    const pause = pauseOf();
    const answers = await Promise.all(Array.from({ length: 10 }, () => table.store.pause(pause)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test('a lifted pause is over at once, and no other is heeded before its time', async () => {
    const pause = pauseOf();
    await table.store.pause(pause);
    await table.store.liftPause(pause.address, NOON + 1, NOON + 30 * DAY);
    expect(await pausedAt(pause.address, NOON + 1)).toBe(false);
    const later = (since: number) => ({ ...pause, since, until: since + DAY });
    expect(await table.store.pause(later(NOON + 30 * DAY - 1))).toBe(false);
    expect(await table.store.pause(later(NOON + 30 * DAY))).toBe(true);
    expect(await table.store.pausesOf([pause.address], NOON + 30 * DAY)).toEqual([later(NOON + 30 * DAY)]);
  });

  test('a pause that is gone by itself can be lifted: no other is heeded either', async () => {
    const pause = pauseOf();
    await table.store.liftPause(pause.address, NOON, NOON + 30 * DAY);
    expect(await pausedAt(pause.address, NOON)).toBe(false);
    expect(await table.store.pause({ ...pause, since: NOON + DAY })).toBe(false);
  });
});
