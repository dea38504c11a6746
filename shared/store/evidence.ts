import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LegEvidence, TestResult } from '../domain/scan.ts';
import { normalise } from '../domain/transcript.ts';
import { readLegs } from './items.ts';

const BODY_LIMIT = 32 * 1024 * 1024; // of unpacked evidence: 8 addresses × 4 ports × 64 KiB, each byte escaped; more is not ours

const ITEM_BYTES = 350 * 1024; // DynamoDB takes items of 400 KiB, names and keys included

/**
 * Packs evidence for storage. Text that does not compress is left out when an item could not hold it, transcripts first:
 * a server that talks much must not keep its own result from being stored.
 */
export function packEvidence(legs: readonly LegEvidence[]): Uint8Array {
  const full = gzipSync(JSON.stringify(legs));
  if (full.length <= ITEM_BYTES) return full;
  const withoutTranscripts = legs.map((leg) => ({ ...leg, transcript: ['-- too long to be kept'] }));
  const bare = gzipSync(JSON.stringify(withoutTranscripts));
  if (bare.length <= ITEM_BYTES) return bare;
  const unanswered = ({ test, outcome, stage, canary }: TestResult) => ({ test, outcome, stage, canary });
  return gzipSync(
    JSON.stringify(withoutTranscripts.map((leg) => ({ ...leg, tests: leg.tests.map(unanswered), controls: leg.controls.map(unanswered) }))),
  );
}

/** Unpacks what `packEvidence` made. */
export function unpackEvidence(body: Uint8Array): LegEvidence[] {
  return readLegs(JSON.parse(gunzipSync(body, { maxOutputLength: BODY_LIMIT }).toString('utf8')));
}

/** The hash of packed evidence as it is, to the last byte. It cannot be taken for one of `evidenceHash`. */
export function exactHash(body: Uint8Array): string {
  return `=${createHash('sha256').update(body).digest('base64url').slice(0, 22)}`;
}

/**
 * The hash under which evidence is kept. Ids, dates, times and tokens that change from session to session are left out
 * by `normalise`, what the scan cost and its canaries' ids by themselves, so that an unchanged server costs no further item. The month is
 * in it: evidence expires, and what later scans still refer to is written anew each month.
 */
export function evidenceHash(legs: readonly LegEvidence[], now: number): string {
  const behaviour = legs.map((leg) => [
    leg.address,
    leg.port,
    leg.transport,
    leg.contact,
    leg.stopped,
    leg.offersStarttls,
    leg.tls,
    normalise(leg.injected === undefined ? [] : [leg.injected]),
    leg.seesUsAs,
    [...leg.tests, ...leg.controls].map((test) => [test.test, test.outcome, test.stage]),
    normalise(leg.transcript),
  ]);
  const month = new Date(now).toISOString().slice(0, 7);
  return createHash('sha256')
    .update(JSON.stringify([month, behaviour]))
    .digest('base64url')
    .slice(0, 22);
}
