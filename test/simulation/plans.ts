import { type Fault, randomOf } from './scheduler.ts';
import { type Bug, NO_LUCK, type Phase, type Plan } from './world.ts';

const MINUTE = 60_000;
const FAULTS: readonly Fault[] = ['fail-before', 'fail-after', 'crash-before', 'crash-after'];

/** The straight way of an alert: closed, then a relay whose canary comes back, then closed again. */
export function straightPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  return {
    phases: [
      { from: 0, does: 'refuses' },
      { from: 20, does: 'relays', canaryAfter: 1 },
      { from: 60, does: 'refuses' },
    ],
    scans: [10, 30, 70],
    choose: () => 0,
    faultAt,
    luck: NO_LUCK,
  };
}

/** One that goes no further than to accept, which takes a second scan to confirm. */
export function acceptingPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  return {
    ...straightPlan(faultAt),
    phases: [
      { from: 0, does: 'refuses' },
      { from: 20, does: 'accepts' },
    ],
    scans: [10, 30],
  };
}

/** Anything at all: what the server does and when, the order of steps, what fails, what is lost, doubled or late. */
export function randomPlan(seed: number, bug?: Bug): Plan {
  const random = randomOf(seed);
  const below = (count: number) => Math.floor(random() * count);
  const phases: Phase[] = [{ from: 0, does: 'refuses' }];
  for (let from = 5 + below(20); from < 120; from += 15 + below(40)) {
    const does = (['refuses', 'accepts', 'relays', 'wavers'] as const)[below(4)] ?? 'refuses';
    phases.push({ from, does, canaryAfter: random() < 0.7 ? below(3) : below(60) });
  }
  // Some come in pairs, seconds apart, as when an owner asks for one beside the schedule.
  const scans = Array.from({ length: 5 }, (_, index) => 10 + index * 25 + below(10)).flatMap((at) =>
    random() < 0.4 ? [at, at + 1 / 60] : [at],
  );
  const faults = random() < 0.3 ? 0 : 0.05 * random();
  const lossy = random() < 0.3 ? 0.3 : 0;
  return {
    phases,
    scans,
    bug,
    choose: below,
    // Failures must end: after so many calls all goes well, or nothing would ever be told.
    faultAt: (call) => (call < 600 && random() < faults ? FAULTS[below(FAULTS.length)] : undefined),
    luck: {
      event: () => ({ copies: random() < lossy ? 0 : 1 + Number(random() < 0.2), delayMs: random() < 0.7 ? 0 : below(4 * MINUTE) }),
      message: () => ({ copies: random() < 0.1 ? 0 : 1 + Number(random() < 0.15), delayMs: random() < 0.8 ? 0 : below(2 * MINUTE) }),
      skewMs: () => below(4_000) - 2_000,
      refuses: () => random() < 0.05,
      lasts: () => (random() < 0.1 ? below(3_000) : 0),
    },
  };
}
