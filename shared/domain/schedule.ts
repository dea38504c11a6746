/** How often a host is scanned, in minutes: the length of its timing wheel. */
export const PERIOD_MINUTES = { hour: 60, '6h': 360, day: 1440, week: 10_080 } as const;

export type Period = keyof typeof PERIOD_MINUTES;

export const PERIODS = Object.keys(PERIOD_MINUTES) as Period[];

export const LONGEST_PERIOD: Period = PERIODS.reduce((one, other) => (PERIOD_MINUTES[other] > PERIOD_MINUTES[one] ? other : one));

const MINUTE_MS = 60_000;

/** A minute of the schedule, counted from the epoch. */
export function tickOf(epochMs: number): number {
  return Math.floor(epochMs / MINUTE_MS);
}

/** When a tick begins; epoch milliseconds. */
export function tickStart(tick: number): number {
  return tick * MINUTE_MS;
}

/** The slot of the wheel that a host sits in: it spreads hosts evenly and never moves while the period stays. */
export function slotOf(hostId: string, period: Period): number {
  return fnv1a(hostId) % PERIOD_MINUTES[period];
}

/** One slot of one wheel that has come round at `tick`. */
export type DueSlot = { readonly period: Period; readonly slot: number; readonly tick: number };

/**
 * The slots to run at `tick`, one of the ticks after the cursor up to `now`. After an outage a slot may have come round
 * many times; only its last time is run, so that every host gets one scan however long the outage was.
 */
export function dueSlots(tick: number, now: number): DueSlot[] {
  return PERIODS.filter((period) => tick > now - PERIOD_MINUTES[period]).map((period) => ({
    period,
    slot: tick % PERIOD_MINUTES[period],
    tick,
  }));
}

/** The first tick worth looking at: what lies further back than the longest period has come round again since. */
export function firstDueTick(cursor: number, now: number): number {
  return Math.max(cursor + 1, now - PERIOD_MINUTES[LONGEST_PERIOD] + 1);
}

/** FNV-1a, 32 bits: an even spread, the same in every run. Not for secrets. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** When the host's slot comes round next; epoch milliseconds. */
export function nextDue(hostId: string, period: Period, now: number): number {
  const length = PERIOD_MINUTES[period];
  const tick = tickOf(now);
  const wait = (((slotOf(hostId, period) - tick) % length) + length) % length || length;
  return tickStart(tick + wait);
}
