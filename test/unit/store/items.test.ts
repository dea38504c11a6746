import { expect, test } from 'vitest';
import { readNoticeRecord, readOwed } from '../../../shared/store/items.ts';
import { hostNotice } from '../../support/notices.ts';
import { BEGUN, NOON } from '../../support/samples.ts';

test('an owed scan whose booked time is of the former shape is read without it: it joins the line anew', () => {
  const owed = { pk: 'HOST#h', sk: 'OWED#20260601T120000Z-first', accountId: 'a', dueAt: 1, tries: 0 };
  expect(readOwed({ ...owed, booked: { '192.0.2.1': 1_780_000_000_000 } }).booked).toBeUndefined();
  expect(readOwed({ ...owed, booked: { '192.0.2.1': { round: 3, at: 2 } } }).booked).toEqual({ '192.0.2.1': { round: 3, at: 2 } });
});

test('a notice is read as owed or as settled, whatever else its item holds, and as nothing else', () => {
  const notice = hostNotice({ kind: 'reminder', count: 1 }, 'open');
  const owed = { notice, tries: 2, dueAt: NOON, why: 'throttled' };
  const settled = { notice, tries: 2, outcome: 'sent', settledAt: NOON, messageId: 'm' };
  expect(readNoticeRecord({ ...owed, pk: 'NOTICES#h', dueQueue: 'NOTICE' })).toEqual(owed);
  expect(readNoticeRecord({ ...settled, pk: 'NOTICES#h', expiresAt: 1 })).toEqual(settled);
  expect(() => readNoticeRecord({ notice, tries: 2, outcome: 'sent' })).toThrow();
  expect(() => readNoticeRecord({ notice: { ...notice, channel: 'pigeon' }, tries: 0, dueAt: NOON })).toThrow();
});

test('an owed scan that was written before scans kept their scope is of the full table, and one that was cut short has had no sitting', () => {
  const owed = { pk: 'HOST#h', sk: 'OWED#20260601T120000Z-first', accountId: 'a', dueAt: 1, tries: 0 };
  expect(readOwed(owed).begun).toBeUndefined();
  expect(readOwed({ ...owed, soFar: '=hash', startedAt: NOON }).begun).toEqual({
    soFar: '=hash',
    startedAt: NOON,
    full: true,
    sittings: 0,
  });
  expect(readOwed({ ...owed, ...BEGUN, full: false }).begun).toEqual({ ...BEGUN, full: false });
  expect(() => readOwed({ ...owed, soFar: '=hash' })).toThrow();
});
