const DAY_MS = 24 * 60 * 60_000;

/** The time from the beginning of one day to the end of another, in UTC; `undefined` on a side that is open. */
export type Days = { readonly fromMs: number | undefined; readonly toMs: number | undefined };

/** Reads two days such as `2026-11-24`; empty is open. Otherwise what is wrong with them. */
export function readDays(from: string, to: string): Days | { readonly wrong: string } {
  const [first, last] = [dayAt(from), dayAt(to)];
  if (first === 'wrong' || last === 'wrong') return { wrong: 'A day is written as 2026-11-24.' };
  if (first !== undefined && last !== undefined && first > last) return { wrong: 'The first day lies behind the last.' };
  return { fromMs: first, toMs: last === undefined ? undefined : last + DAY_MS - 1 };
}

function dayAt(text: string): number | undefined | 'wrong' {
  if (text === '') return undefined;
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(epochMs) || epochMs < 0 || new Date(epochMs).toISOString().slice(0, 10) !== text ? 'wrong' : epochMs;
}
