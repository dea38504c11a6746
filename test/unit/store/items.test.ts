import { expect, test } from 'vitest';
import { readOwed } from '../../../shared/store/items.ts';

test('an owed scan whose booked time is of the former shape is read without it: it joins the line anew', () => {
  const owed = { pk: 'HOST#h', sk: 'OWED#20260601T120000Z-first', accountId: 'a', dueAt: 1, tries: 0 };
  expect(readOwed({ ...owed, booked: { '192.0.2.1': 1_780_000_000_000 } }).booked).toBeUndefined();
  expect(readOwed({ ...owed, booked: { '192.0.2.1': { round: 3, at: 2 } } }).booked).toEqual({ '192.0.2.1': { round: 3, at: 2 } });
});
