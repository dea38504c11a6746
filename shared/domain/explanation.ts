import { REASONS } from './reason.ts';
import type { Scan } from './scan.ts';

/** Why a scan has its verdict, in a sentence; with the time that its messages were waited for, where that decided. */
export function explanationOf({ judgement: { reason }, waitedMs }: Pick<Scan, 'judgement' | 'waitedMs'>): string {
  const { sentence } = REASONS[reason];
  return reason !== 'catch-all' || waitedMs === undefined ? sentence : `${sentence.slice(0, -1)} within ${timeWords(waitedMs)}.`;
}

const UNITS = [
  [3_600_000, 'an hour', 'hours'],
  [60_000, 'a minute', 'minutes'],
  [1_000, 'a second', 'seconds'],
] as const;

function timeWords(ms: number): string {
  const [unit, one, many] = UNITS.find(([each]) => ms >= each && ms % each === 0) ?? UNITS[2];
  const count = Math.round(ms / unit);
  return count === 1 ? one : `${count} ${many}`;
}
