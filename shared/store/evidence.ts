import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LegEvidence } from '../domain/scan.ts';
import { normalise } from '../domain/transcript.ts';
import { readLegs } from './items.ts';

const BODY_LIMIT = 8 * 1024 * 1024; // of unpacked evidence: 8 addresses × 4 ports × 64 KiB is 2 MiB; more is not ours

/** Packs evidence for storage. */
export function packEvidence(legs: readonly LegEvidence[]): Uint8Array {
  return gzipSync(JSON.stringify(legs));
}

/** Unpacks what `packEvidence` made. */
export function unpackEvidence(body: Uint8Array): LegEvidence[] {
  return readLegs(JSON.parse(gunzipSync(body, { maxOutputLength: BODY_LIMIT }).toString('utf8')));
}

/**
 * The hash under which evidence is kept. Ids, dates and times that change from session to session are left out by
 * `normalise`, so that an unchanged server costs no further item. The month is in it: evidence expires, and what later
 * scans still refer to is written anew each month.
 */
export function evidenceHash(legs: readonly LegEvidence[], now: number): string {
  const behaviour = legs.map((leg) => [
    leg.address,
    leg.port,
    leg.contact,
    leg.silentAfterRefusals,
    [...leg.tests, ...leg.controls].map((test) => [test.test, test.outcome, test.stage]),
    normalise(leg.transcript),
  ]);
  const month = new Date(now).toISOString().slice(0, 7);
  return createHash('sha256')
    .update(JSON.stringify([month, behaviour]))
    .digest('base64url')
    .slice(0, 22);
}
