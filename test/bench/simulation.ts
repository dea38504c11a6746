import { faultsIn } from '../simulation/judge.ts';
import { randomPlan, randomWaitingPlan } from '../simulation/plans.ts';
import { simulate } from '../simulation/world.ts';
import type { Figure } from './figure.ts';

const SEEDS = 100_000;
const FIRST = 1_001; // the tests run those before

/** The way of an alert, and every other time that of a scan that waits for its messages, under anything that may happen. Takes up to ten minutes. */
export async function measureSimulation(): Promise<Figure[]> {
  const began = performance.now();
  let [calls, changes, mails, waits, bad] = [0, 0, 0, 0, 0];
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const run = await simulate(seed % 2 === 0 ? randomPlan(seed) : randomWaitingPlan(seed));
    const faults = faultsIn(run);
    calls += run.calls;
    changes += run.all.changes.length;
    mails += run.sent.length;
    waits += run.ledger.waits.size;
    if (faults.length === 0) continue;
    bad++;
    console.log(`seed ${seed}: ${faults.join('; ')}. SEED=${seed} npx vitest run test/simulation`);
  }
  const seconds = (performance.now() - began) / 1000;
  return [
    { what: `alerts lost, repeated or wrong in ${SEEDS} runs`, value: bad, unit: 'runs', limit: 0 },
    { what: 'changes in them', value: changes, unit: '' },
    { what: 'mails in them', value: mails, unit: '' },
    { what: 'scans in them that waited for their messages', value: waits, unit: '' },
    { what: 'steps in them', value: calls, unit: '' },
    { what: 'runs per second', value: SEEDS / seconds, unit: '/s' },
  ];
}
