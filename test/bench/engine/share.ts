import type { Figure } from '../figure.ts';

/** Our figure as a share of nmap's from the same run: below 100 % we take less. */
export function share(what: string, ours: number, nmaps: number, unit: string, limit?: number): Figure {
  return {
    what: `${what}, ${[round(ours), unit].join(' ').trim()} of nmap’s ${[round(nmaps), unit].join(' ').trim()}`,
    value: (100 * ours) / nmaps,
    unit: '%',
    ...(limit === undefined ? {} : { limit }),
  };
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(value >= 10 ? 1 : 2)));
}
