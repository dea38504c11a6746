const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a time such as `25s`, `2m`, `1h` or `90` (seconds). Undefined when it is none, or longer than a day. */
export function readDuration(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d{1,5})([smh]?)$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const ms = Number(amount) * UNITS[(unit || 's') as keyof typeof UNITS];
  return ms <= 24 * UNITS.h ? ms : undefined;
}

/** A time as the command line takes it: `25s`, `2m`, `1h`, `90s`. */
export function inWords(ms: number): string {
  if (ms > 0 && ms % UNITS.h === 0) return `${ms / UNITS.h}h`;
  return ms > 0 && ms % UNITS.m === 0 ? `${ms / UNITS.m}m` : `${Math.ceil(ms / UNITS.s)}s`;
}
