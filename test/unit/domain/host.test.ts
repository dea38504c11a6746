import { expect, test } from 'vitest';
import { addRecent, letterOf, recentVerdicts, verdictOf } from '../../../shared/domain/host.ts';
import { VERDICTS } from '../../../shared/domain/reason.ts';

test('each verdict has a letter of its own, by which it is found again', () => {
  expect(VERDICTS.map((verdict) => verdictOf(letterOf(verdict)))).toEqual(VERDICTS);
  expect(verdictOf('?')).toBeUndefined();
});

test('the recent verdicts are the last thirty, the newest first', () => {
  let recent = '';
  for (const verdict of ['open', ...Array(29).fill('closed'), 'suspected'] as const) recent = addRecent(recent, verdict);
  expect(recentVerdicts(recent)).toEqual(['suspected', ...Array(29).fill('closed')]);
});

test('a letter that is none of a verdict is passed over', () => expect(recentVerdicts('o?c')).toEqual(['open', 'closed']));
