import type { Bug } from './bugs.ts';
import { type Fault, randomOf } from './scheduler.ts';
import type { News, Phase } from './server.ts';
import { type Deed, NO_LUCK, type Plan } from './world.ts';

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

/** A server that takes any local part. A message comes back while it is waited for; another, twice, when the host has long been open. */
export function arrivedPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  const messages: News[][] = [[{ what: 'arrival', after: 20, copies: 1 }], [{ what: 'arrival', after: 90, copies: 2 }], []];
  return {
    ...waitingPlan(faultAt),
    phases: [{ from: 0, does: 'takesAnyLocalPart', messages }],
    scans: [30],
    owner: [{ at: 10, does: 'edits' }],
  };
}

/** One that was known to be closed. Its owner asks for a scan, which the schedule overtakes before a message comes back. */
export function overtakenPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  const messages: News[][] = [[{ what: 'arrival', after: 30, copies: 1 }], [{ what: 'bounce', after: 1, copies: 1 }]];
  return {
    ...waitingPlan(faultAt),
    phases: [
      { from: 0, does: 'refuses' },
      { from: 5, does: 'takesAnyLocalPart', messages },
    ],
    scans: [25],
    owner: [{ at: 10, does: 'asks' }],
  };
}

/** One that takes two sittings, and of which nothing comes back within the hour but a bounce; then, late, a message. */
export function latePlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  const messages: News[][] = [[{ what: 'bounce', after: 3, copies: 2 }], [{ what: 'arrival', after: 100, copies: 1 }]];
  return { ...waitingPlan(faultAt), phases: [{ from: 0, does: 'takesAnyLocalPart', twoSittings: true, messages }] };
}

/** One that bounces all that it took, which ends the wait; some of it twice, and again when the wait is over. */
export function bouncedPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  const bounce = (after: number, copies: number): News => ({ what: 'bounce', after, copies });
  const messages: News[][] = [[bounce(1, 1)], [bounce(7, 2), bounce(80, 1)]];
  return { ...waitingPlan(faultAt), phases: [{ from: 0, does: 'takesAnyLocalPart', messages }], owner: [{ at: 3, does: 'edits' }] };
}

/** One whose owner removes it while it is waited for. */
export function removedPlan(faultAt: Plan['faultAt'] = () => undefined): Plan {
  const messages: News[][] = [[{ what: 'arrival', after: 40, copies: 1 }], []];
  return { ...waitingPlan(faultAt), phases: [{ from: 0, does: 'takesAnyLocalPart', messages }], owner: [{ at: 30, does: 'removes' }] };
}

/** The straight way of an alert, whose host is removed before some step of it. */
export function removedBeforePlan(removedBefore: number, bug?: Bug): Plan {
  return { ...acceptingPlan(), removedBefore, bug };
}

function waitingPlan(faultAt: Plan['faultAt']): Omit<Plan, 'phases'> {
  return { scans: [], choose: () => 0, faultAt, luck: NO_LUCK };
}

/** Anything at all: what the server does and when, the order of steps, what its owner does, what fails, what is lost, doubled or late. */
export function randomPlan(seed: number, bug?: Bug): Plan {
  const random = randomOf(seed);
  const below = (count: number) => Math.floor(random() * count);
  const phases: Phase[] = [{ from: 0, does: 'refuses' }];
  for (let from = 5 + below(20); from < 120; from += 15 + below(40)) {
    const does = (['refuses', 'accepts', 'relays', 'wavers', 'takesAnyLocalPart'] as const)[below(5)] ?? 'refuses';
    phases.push({ from, does, canaryAfter: random() < 0.7 ? below(3) : below(60), ...anyNews(random) });
  }
  // Some come in pairs, seconds apart, as when an owner asks for one beside the schedule.
  const scans = Array.from({ length: 5 }, (_, index) => 10 + index * 25 + below(10)).flatMap((at) =>
    random() < 0.4 ? [at, at + 1 / 60] : [at],
  );
  return { phases, scans, owner: anyDeeds(random, 180), bug, ...anyChance(random) };
}

/** The same of a server that takes any local part, with few scans beside the one that waits. */
export function randomWaitingPlan(seed: number, bug?: Bug): Plan {
  const random = randomOf(seed);
  const below = (count: number) => Math.floor(random() * count);
  const takes: Phase = { from: 0, does: 'takesAnyLocalPart', ...anyNews(random) };
  const known = random() < 0.4; // to be closed, before it takes them
  const phases: Phase[] = known
    ? [
        { from: 0, does: 'refuses' },
        { ...takes, from: 5 },
      ]
    : [takes];
  const scans = Array.from({ length: below(3) }, () => 8 + below(100)).toSorted((a, b) => a - b);
  const asked: Deed[] = known ? [{ at: 6, does: 'asks' }] : [];
  return { phases, scans, owner: [...asked, ...anyDeeds(random, 90)], bug, ...anyChance(random) };
}

type Random = () => number;

function anyChance(random: Random): Pick<Plan, 'choose' | 'faultAt' | 'luck'> {
  const below = (count: number) => Math.floor(random() * count);
  const faults = random() < 0.3 ? 0 : 0.05 * random();
  const lossy = random() < 0.3 ? 0.3 : 0;
  return {
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

// Of some servers every message bounces, of some none comes back; of others anything may happen to each, or to several at once.
function anyNews(random: Random): Pick<Phase, 'messages' | 'twoSittings'> {
  const below = (count: number) => Math.floor(random() * count);
  const [bounces, arrives] = [random() < 0.4, random() < 0.5];
  const together = whenAny(random);
  const when = () => (random() < 0.5 ? together : whenAny(random));
  const messages = Array.from({ length: 1 + below(3) }, () => {
    const news: News[] = [];
    if (random() < (bounces ? 0.9 : 0.2)) news.push({ what: 'bounce', after: when(), copies: 1 + below(2) });
    if (arrives && random() < 0.5) news.push({ what: 'arrival', after: when(), copies: 1 + below(2) });
    return news;
  });
  return { messages, twoSittings: random() < 0.2 };
}

// At once, before long, while it is waited for, about the end of the wait to the second, or after it.
function whenAny(random: Random): number {
  const way = Math.floor(random() * 5);
  const seconds = [0, random() * 120, random() * 3_600, 3_540 + random() * 180, 3_600 + random() * 7_200][way] ?? 0;
  return Math.floor(seconds) / 60;
}

function anyDeeds(random: Random, minutes: number): Deed[] {
  const deeds = Array.from({ length: Math.floor(random() * 4) }, (): Deed => {
    const does = random() < 0.5 ? 'asks' : random() < 0.8 ? 'edits' : 'removes';
    return { at: 7 + Math.floor(random() * minutes), does };
  });
  return deeds.toSorted((a, b) => a.at - b.at);
}
