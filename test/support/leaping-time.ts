import type { Socket } from 'node:net';
import { vi } from 'vitest';
import { NOON } from './samples.ts';

const LEAP_MS = 1_000;

/** Time that stands still while scripted servers talk and leaps while one is silent, so that no test waits for a limit to be over. */
export type LeapingTime = { readonly clock: () => number; readonly onSilence: (socket: Socket) => void };

/** Takes over the timers until `vi.useRealTimers`. */
export function startLeapingTime(): LeapingTime {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let now = NOON;
  // Whoever waits may be a moment behind the server, and so be leapt past once: it is silent for good.
  const leap = (socket: Socket) => {
    if (socket.destroyed) return;
    now += LEAP_MS;
    vi.advanceTimersByTime(LEAP_MS);
    setImmediate(leap, socket);
  };
  return { clock: () => now, onSilence: leap };
}
