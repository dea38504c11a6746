import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compactTime, kindOf, SCAN_KINDS, scanId } from '../../../shared/domain/scan.ts';

const MOMENT = fc.integer({ min: 0, max: Date.UTC(2999, 0, 1) });

test('a scan id is the due time to the second, then the kind', () => {
  expect(scanId(Date.UTC(2026, 10, 24, 10, 31, 0, 999), 'scheduled')).toBe('20261124T103100Z-scheduled');
});

test('the same due scan has the same id however often it is named', () => {
  const dueAt = Date.UTC(2026, 0, 1);
  expect(scanId(dueAt, 'first')).toBe(scanId(dueAt, 'first'));
  expect(scanId(dueAt, 'first')).not.toBe(scanId(dueAt, 'confirming'));
});

test('scan ids sort by time', () => {
  fc.assert(
    fc.property(MOMENT, MOMENT, (a, b) => {
      const second = (epochMs: number) => Math.floor(epochMs / 1_000);
      if (second(a) < second(b)) expect(compactTime(a) < compactTime(b)).toBe(true);
      if (second(a) === second(b)) expect(compactTime(a)).toBe(compactTime(b));
    }),
    { numRuns: 500 },
  );
});

test('a scan id gives back its kind', () => {
  fc.assert(
    fc.property(MOMENT, fc.constantFrom(...SCAN_KINDS), (dueAt, kind) => {
      expect(kindOf(scanId(dueAt, kind))).toBe(kind);
    }),
    { numRuns: 100 },
  );
});

test.each([
  '',
  'scheduled',
  '20261124T103100Z',
  '20261124T103100Z-',
  '20261124T103100Z-hourly',
  '20261124T103100Z-first\n',
  'x20261124T103100Z-first',
])('%j is no scan id', (text) => {
  expect(kindOf(text)).toBeUndefined();
});
