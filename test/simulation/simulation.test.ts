import { describe, expect, test } from 'vitest';
import { faultsIn } from './judge.ts';
import { acceptingPlan, randomPlan, straightPlan } from './plans.ts';
import type { Fault } from './scheduler.ts';
import { type Bug, simulate } from './world.ts';

const CRASHES: readonly Fault[] = ['crash-before', 'crash-after'];
const SEEDS = 1_000;
const ONLY = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
const BUGS_SEEDS = 600; // within which each planted bug must show
const SECOND_BEHIND = 20; // calls beyond those of a run without faults, in which what a crash left is taken up

const BUGS: readonly Bug[] = ['mark before send', 'send before claim', 'no version check', 'canary read before store'];

/** What is wrong with a run, with how to see it again. */
async function wrongAt(seed: number, bug?: Bug): Promise<string[]> {
  const run = await simulate(randomPlan(seed, bug));
  const faults = faultsIn(run);
  return faults.length === 0 ? [] : [`seed ${seed}: SEED=${seed} npx vitest run test/simulation`, ...faults, ...run.trace];
}

describe('P3: no alert is lost, and none comes twice', () => {
  test.skipIf(ONLY !== undefined)(
    `in ${SEEDS} runs of which anything may happen at any time`,
    async () => {
      for (let seed = 1; seed <= SEEDS; seed++) expect(await wrongAt(seed)).toEqual([]);
    },
    120_000,
  );

  test.runIf(ONLY !== undefined)(`in the run of seed ${ONLY}`, async () => {
    expect(await wrongAt(ONLY ?? 0)).toEqual([]);
  });

  test.each([
    ['that is confirmed by a second scan', acceptingPlan],
    ['that is raised by a canary, and closed again', straightPlan],
  ])(
    'when a worker dies before or after any single step on the way of a change %s',
    async (_, planOf) => {
      const { calls } = await simulate(planOf());
      expect(calls).toBeGreaterThan(50);
      for (let at = 0; at < calls; at++)
        for (const fault of CRASHES) {
          const run = await simulate(planOf((call) => (call === at ? fault : undefined)));
          expect([fault, at, run.trace[at], ...faultsIn(run)]).toHaveLength(3);
        }
    },
    60_000,
  );

  test('when workers die at any two steps on the way of a change', async () => {
    const { calls } = await simulate(acceptingPlan());
    for (let first = 0; first < calls; first++)
      for (let second = first + 1; second < calls + SECOND_BEHIND; second++)
        for (const one of CRASHES)
          for (const other of CRASHES) {
            const run = await simulate(acceptingPlan((call) => (call === first ? one : call === second ? other : undefined)));
            const faults = faultsIn(run);
            if (faults.length > 0) expect.fail([`${one} at ${first}, ${other} at ${second}`, ...faults, ...run.trace].join('\n'));
          }
  }, 300_000);
});

describe('the simulation finds a defect that is planted', () => {
  test.each(BUGS)(
    '%s',
    async (bug) => {
      for (let seed = 1; seed <= BUGS_SEEDS; seed++) if ((await wrongAt(seed, bug)).length > 0) return;
      expect.fail(`not found in ${BUGS_SEEDS} runs`);
    },
    60_000,
  );
});

test('a run is the same in every step when it is run again', async () => {
  const traces = [(await simulate(randomPlan(7))).trace, (await simulate(randomPlan(7))).trace];
  expect(traces[0]).toEqual(traces[1]);
  expect(traces[0]?.length).toBeGreaterThan(50);
});
