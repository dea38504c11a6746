import { expect, test } from 'vitest';
import { readNoticeRecord, readOwed, readScan } from '../../../shared/store/items.ts';
import { hostNotice, SEEN } from '../../support/notices.ts';
import { BEGUN, NOON, SUSPECTED, sampleHost, sampleScan } from '../../support/samples.ts';

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
  const awaits = { since: NOON, until: NOON + 1 };
  expect(readOwed({ ...owed, ...BEGUN, full: undefined, awaits }).begun, 'one that only waits for messages counts as none').toEqual({
    ...BEGUN,
    full: false,
    awaits,
  });
  expect(() => readOwed({ ...owed, soFar: '=hash' })).toThrow();
});

test('the verdict of a stored scan is that of its reason', () => {
  const { hostId, id, ...scan } = sampleScan(sampleHost(), '20260601T120000Z-first', NOON, SUSPECTED);
  const item = { pk: `HOST#${hostId}`, sk: `SCAN#${id}`, ...scan };
  expect(readScan(item).judgement).toEqual(SUSPECTED);
  expect(readScan({ ...item, judgement: { ...SUSPECTED, verdict: 'closed' } }).judgement).toEqual(SUSPECTED);
});

test('a notice that was written when notices held verdicts beside their reasons is read without them', () => {
  const notice = hostNotice({ kind: 'silent', reason: 'no-consent', scans: 3, since: NOON }, 'open', SEEN);
  const former = { ...notice, occasion: { ...notice.occasion, verdict: 'untestable' }, seen: { ...SEEN, verdict: 'suspected' } };
  expect(readNoticeRecord({ notice: former, tries: 0, dueAt: NOON })).toEqual({ notice, tries: 0, dueAt: NOON });
});
