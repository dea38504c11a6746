import { expect, test } from 'vitest';
import { inTurn } from '../../../shared/domain/shares.ts';

const of = (accountId: string, count: number) => Array.from({ length: count }, (_, index) => ({ accountId, name: `${accountId}${index}` }));
const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);

test('accounts take turns, each with what it has had longest', () => {
  const items = [...of('a', 4), ...of('b', 1), ...of('c', 2)];
  expect(names(inTurn(items, 50, 500).taken)).toEqual(['a0', 'b0', 'c0', 'a1', 'c1', 'a2', 'a3']);
});

test('no account takes more than its share, and what is left of each is told', () => {
  const { taken, left } = inTurn([...of('a', 120), ...of('b', 50), ...of('c', 3)], 50, 500);
  expect(taken).toHaveLength(103);
  expect([...left]).toEqual([['a', 70]]);
});

test('where there are more than may be taken, every account gets one before any gets two', () => {
  const { taken, left } = inTurn([...of('a', 40), ...of('b', 40), ...of('c', 1)], 50, 4);
  expect(names(taken)).toEqual(['a0', 'b0', 'c0', 'a1']);
  expect(Object.fromEntries(left)).toEqual({ a: 38, b: 39 });
});

test('of nothing nothing is taken', () => {
  expect(inTurn([], 50, 500)).toEqual({ taken: [], left: new Map() });
});

test('as many as may be taken by themselves are all taken, each once, in no time', () => {
  const items = [...of('a', 10_000), ...of('b', 10_000)];
  const { taken } = inTurn(items, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  expect(new Set(taken).size).toBe(20_000);
});
