import { expect, test } from 'vitest';
import { inTurn, SCANS_A_MINUTE, shareOf, startingAt } from '../../../shared/domain/shares.ts';

const of = (accountId: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ accountId, hostId: `${accountId}-host${index}`, name: `${accountId}${index}` }));
const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);
const fifty = () => 50;

test('accounts take turns, each with what it has had longest', () => {
  const items = [...of('a', 4), ...of('b', 1), ...of('c', 2)];
  expect(names(inTurn(items, fifty, 500).taken)).toEqual(['a0', 'b0', 'c0', 'a1', 'c1', 'a2', 'a3']);
});

test('no account takes more than its share, and what is left for later is told in its order', () => {
  const { taken, left } = inTurn([...of('a', 120), ...of('b', 50), ...of('c', 3)], fifty, 500);
  expect(taken).toHaveLength(103);
  expect(names(left)).toEqual(names(of('a', 120).slice(50)));
});

test('of one host one scan goes at a time, whatever else its account has due', () => {
  const [first, second, third] = of('a', 3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few');
  const again = { ...second, hostId: first.hostId };
  for (const others of [[], of('b', 40)]) {
    const { taken, left } = inTurn([first, again, third, ...others], fifty, 500);
    expect(names(taken.filter(({ accountId }) => accountId === 'a'))).toEqual(['a0', 'a2']);
    expect(names(left)).toEqual(['a1']);
  }
});

test('the share of each account is its own', () => {
  const { taken, left } = inTurn([...of('a', 5), ...of('b', 5)], (accountId) => (accountId === 'a' ? 1 : 3), 500);
  expect(names(taken)).toEqual(['a0', 'b0', 'b1', 'b2']);
  expect(names(left)).toEqual(['a1', 'a2', 'a3', 'a4', 'b3', 'b4']);
});

test('where there are more than may be taken, every account gets one before any gets two', () => {
  const { taken, left } = inTurn([...of('a', 40), ...of('b', 40), ...of('c', 1)], fifty, 4);
  expect(names(taken)).toEqual(['a0', 'b0', 'c0', 'a1']);
  expect(left).toHaveLength(38 + 39);
});

test('of nothing nothing is taken', () => {
  expect(inTurn([], fifty, 500)).toEqual({ taken: [], left: [] });
});

test('of thousands each is either taken or left, in no time', () => {
  const items = [...of('a', 10_000), ...of('b', 10_000)];
  const { taken, left } = inTurn(items, () => 6_000, Number.POSITIVE_INFINITY);
  expect([taken.length, left.length, new Set([...taken, ...left]).size]).toEqual([12_000, 8_000, 20_000]);
});

const SLOWEST_MINUTES = 200 / 60; // 30 s of looking at DNS, 60 s in line, 90 s of sitting, 20 s for its end

test('ten workers can do the shares of ten accounts, or of eight and a ninth with 800 hosts, though every scan is as slow as can be', () => {
  for (const scans of [10 * SCANS_A_MINUTE, 8 * SCANS_A_MINUTE + shareOf(800)])
    expect(SLOWEST_MINUTES * Math.ceil(scans / 50)).toBeLessThanOrEqual(10);
});

test('an account’s share in a minute is what one worker can do of the slowest scans', () => {
  expect(SLOWEST_MINUTES * SCANS_A_MINUTE).toBeLessThanOrEqual(50);
  expect(shareOf(0)).toBe(SCANS_A_MINUTE);
  expect(shareOf(100)).toBe(SCANS_A_MINUTE);
});

test('an account with any number of hosts may have each of them scanned twice an hour, where no wheel asks for more than once', () => {
  for (const hosts of [1, 99, 451, 800, 10_000]) expect(60 * shareOf(hosts)).toBeGreaterThanOrEqual(2 * hosts);
  expect(shareOf(800)).toBe(27);
});

test('where there is room for fewer than there are accounts, each has one taken before any has a second, wherever it stands', () => {
  const items = [...of('d', 9), ...of('b', 9), ...of('e', 9), ...of('a', 9), ...of('c', 9)];
  const taken = [0, 1, 2].map((tick) => names(inTurn(startingAt(items, tick * 2), fifty, 2).taken));
  expect(taken).toEqual([
    ['a0', 'b0'],
    ['c0', 'd0'],
    ['e0', 'a0'],
  ]);
  expect(startingAt([], 7)).toEqual([]);
});
