import { expect, test } from 'vitest';
import { playFairness } from '../support/fairness.ts';
import { runs } from '../support/searches.ts';

const GAMES = Number(process.env.FAIRNESS_GAMES ?? runs(80, 300));
const FIRST_SEED = Number(process.env.FAIRNESS_SEED ?? 1);

test('P4: whatever an adversary registers, asks for and removes, an owner’s due scans begin at most a minute later than without it', {
  timeout: 60_000 + GAMES * 1_000,
}, async () => {
  const { games, breaches, compared, latestMs, adversarysTurns, adversarysScans } = await playFairness(FIRST_SEED, GAMES);
  if (games > 1_000) console.log({ games, compared, latestMs, adversarysScans, adversarysTurns, breaches: breaches.length });
  expect(breaches.slice(0, 2)).toEqual([]);
  // An owner who is never scanned, or an adversary who never is, would prove nothing.
  expect(compared).toBeGreaterThan(GAMES);
  expect(adversarysScans).toBeGreaterThan(100 * GAMES);
  expect(adversarysTurns).toBeGreaterThan(50 * GAMES);
});
