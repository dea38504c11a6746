import { playSequences } from '../support/adversary.ts';
import type { Figure } from './figure.ts';

const SEQUENCES = 100_000;
const FIRST_SEED = 1_000_000; // others than the test's

/** Sequences of an adversary's moves, with scans among them: every dial is judged by what owners had said at that moment. */
export async function measureAdversary(): Promise<Figure[]> {
  const began = performance.now();
  const { sequences, scans, dials, rights, breaches } = await playSequences(FIRST_SEED, SEQUENCES);
  for (const each of breaches.slice(0, 5)) console.error(each);
  return [
    { what: 'sequences', value: sequences, unit: '' },
    { what: 'scans in them', value: scans, unit: '' },
    { what: 'dials', value: dials, unit: '' },
    { what: 'of them with everything proven', value: rights.proven, unit: '' },
    { what: 'of them asked for by the address itself, and by nothing else', value: rights.there, unit: '' },
    { what: 'dials without live consent, and words that it does not cover', value: breaches.length, unit: '', limit: 0 },
    { what: 'time', value: (performance.now() - began) / 1000, unit: 's' },
  ];
}
