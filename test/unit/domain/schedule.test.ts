import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DueSlot,
  dueSlots,
  firstDueTick,
  nextDue,
  PERIOD_MINUTES,
  PERIODS,
  slotOf,
  tickOf,
  tickStart,
} from '../../../shared/domain/schedule.ts';

const DAY = PERIOD_MINUTES.day;
const START = tickOf(Date.UTC(2026, 0, 1));

/** Everything that a dispatcher runs which wakes at `now` with its cursor at `cursor`. */
function runs(cursor: number, now: number): DueSlot[] {
  const due: DueSlot[] = [];
  for (let tick = firstDueTick(cursor, now); tick <= now; tick++) due.push(...dueSlots(tick, now));
  return due;
}

const nameOf = ({ period, slot }: DueSlot) => `${period}#${slot}`;

describe('after an outage of any length', () => {
  const outage = fc.oneof(
    fc.integer({ min: 1, max: 3 * DAY }),
    fc.integer({ min: 1, max: 3 * PERIOD_MINUTES.week }),
    fc.constantFrom(...PERIODS.flatMap((period) => [PERIOD_MINUTES[period] - 1, PERIOD_MINUTES[period], PERIOD_MINUTES[period] + 1])),
  );

  test('each slot that came round is run once, and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * PERIOD_MINUTES.week }), outage, (offset, minutes) => {
        const cursor = START + offset;
        const now = cursor + minutes;
        const cameRound = new Set<string>();
        for (const period of PERIODS) {
          const length = PERIOD_MINUTES[period];
          for (let tick = cursor + 1; tick <= Math.min(now, cursor + length); tick++) cameRound.add(`${period}#${tick % length}`);
        }
        const run = runs(cursor, now).map(nameOf);
        expect(new Set(run)).toEqual(cameRound);
        expect(run).toHaveLength(cameRound.size);
      }),
      { numRuns: 40 },
    );
  });

  test('a slot is run for the last time that it came round', () => {
    fc.assert(
      fc.property(outage, (minutes) => {
        const now = START + minutes;
        for (const { period, slot, tick } of runs(START, now)) {
          expect(tick % PERIOD_MINUTES[period]).toBe(slot);
          expect(tick + PERIOD_MINUTES[period]).toBeGreaterThan(now);
          expect(tick).toBeGreaterThan(START);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('a catch-up that is made in pieces, while time goes on, leaves no slot out and hurries none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 * DAY }), fc.integer({ min: 30, max: 400 }), (minutes, perWake) => {
        const last = new Map<string, number>();
        let now = START + minutes;
        let cursor = START;
        for (let wake = 0; cursor < now && wake < 500; wake++, now++) {
          const first = firstDueTick(cursor, now);
          const end = Math.min(now, first + perWake - 1);
          for (let tick = first; tick <= end; tick++) {
            for (const due of dueSlots(tick, now)) {
              const before = last.get(nameOf(due));
              if (before !== undefined) expect(tick - before).toBe(PERIOD_MINUTES[due.period]);
              last.set(nameOf(due), tick);
            }
          }
          cursor = end;
        }
        expect([...last.keys()].filter((name) => name.startsWith('hour#'))).toHaveLength(Math.min(60, now - 1 - START));
      }),
      { numRuns: 20 },
    );
  });
});

test.each(PERIODS)('woken every minute, a host of every slot is run once in each period of a %s', (period) => {
  const length = PERIOD_MINUTES[period];
  const times = new Map<number, number>();
  for (let now = START + 1; now <= START + 2 * length; now++)
    for (const due of runs(now - 1, now)) if (due.period === period) times.set(due.slot, (times.get(due.slot) ?? 0) + 1);
  expect(times.size).toBe(length);
  expect(new Set(times.values())).toEqual(new Set([2]));
});

test('a cursor that is up to date has nothing to run', () => {
  expect(runs(START, START)).toEqual([]);
});

test.each(PERIODS)('hosts spread evenly over the slots of a %s', (period) => {
  const length = PERIOD_MINUTES[period];
  const buckets = Math.min(length, 60);
  const hosts = 6_000;
  const counts = Array<number>(buckets).fill(0);
  for (let index = 0; index < hosts; index++) {
    const slot = slotOf((index * 2_654_435_761).toString(16).padStart(20, '0'), period);
    expect(slot).toBeLessThan(length);
    const bucket = Math.floor((slot * buckets) / length);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const mean = hosts / buckets;
  // Six standard deviations of a fair spread: chance does not fail this, a lopsided hash does.
  expect(Math.max(...counts)).toBeLessThan(mean + 6 * Math.sqrt(mean));
  expect(Math.min(...counts)).toBeGreaterThan(mean - 6 * Math.sqrt(mean));
});

test('the next due time is the first future tick of the host’s slot', () => {
  const hostId = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(hostId, fc.constantFrom(...PERIODS), fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), (id, period, now) => {
      const tick = tickOf(nextDue(id, period, now));
      expect(tick % PERIOD_MINUTES[period]).toBe(slotOf(id, period));
      expect(tick).toBeGreaterThan(tickOf(now));
      expect(tick - tickOf(now)).toBeLessThanOrEqual(PERIOD_MINUTES[period]);
      expect(dueSlots(tick, tick)).toContainEqual({ period, slot: slotOf(id, period), tick });
    }),
    { numRuns: 300 },
  );
});

test('a tick is a minute from the epoch', () => {
  expect(tickOf(59_999)).toBe(0);
  expect(tickOf(60_000)).toBe(1);
  expect(tickStart(tickOf(Date.UTC(2026, 0, 1, 10, 31, 59)))).toBe(Date.UTC(2026, 0, 1, 10, 31));
});
