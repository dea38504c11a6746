import { expect, test } from 'vitest';
import { explanationOf } from '../../../shared/domain/explanation.ts';
import { REASONS, untested } from '../../../shared/domain/reason.ts';

const CATCH_ALL = REASONS['catch-all'].sentence;

test.each([
  [3_600_000, 'an hour'],
  [7_200_000, '2 hours'],
  [5_400_000, '90 minutes'],
  [20_000, '20 seconds'],
  [60_000, 'a minute'],
])('a catch-all whose messages were waited for %d ms says that none came back within %s', (waitedMs, words) => {
  expect(explanationOf({ judgement: untested('catch-all'), waitedMs })).toBe(CATCH_ALL.replace(/\.$/, ` within ${words}.`));
});

test('one whose messages were all bounced before the time was over names no time, nor does any other reason', () => {
  expect(explanationOf({ judgement: untested('catch-all') })).toBe(CATCH_ALL);
  expect(explanationOf({ judgement: untested('canary-arrived'), waitedMs: 1_000 })).toBe(REASONS['canary-arrived'].sentence);
});

test('a scan that found its host vetoed says that anybody may have asked for it, and not that they speak for the address', () => {
  const words = explanationOf({ judgement: untested('vetoed') });
  expect(words).toMatch(/opt-out, which anybody may ask for/);
  expect(words).not.toMatch(/speaks for|No packet/); // at the dial, packets may have been sent before it
});
