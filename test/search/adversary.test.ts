import { expect, test } from 'vitest';
import { playSequences } from '../support/adversary.ts';
import { runs } from '../support/searches.ts';

const SEQUENCES = runs(1_000, 5_000);

test('whatever an adversary does, nothing is dialled without live consent of the owner of the address', { timeout: 120_000 }, async () => {
  const { breaches, sequences, rights } = await playSequences(1, SEQUENCES);
  expect(breaches.slice(0, 3)).toEqual([]);
  expect(sequences).toBe(SEQUENCES);
  // A game in which nobody is ever dialled would prove nothing.
  for (const each of Object.values(rights)) expect(each).toBeGreaterThan(SEQUENCES / 50);
});
