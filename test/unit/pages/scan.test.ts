import { describe, expect, test } from 'vitest';
import { type LegEvidence, type Scan, scanId, type TestResult } from '../../../shared/domain/scan.ts';
import { scanPage } from '../../../shared/pages/scan.ts';
import { NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';
import { elementsOf } from './well-formed.ts';

const KIB = 1024;
const VISITOR = { email: 'owner@example.org', formToken: 'token' };
const HOST = sampleHost();
const SCAN: Scan = sampleScan(HOST, scanId(NOON, 'first'), NOON, SUSPECTED);

function shown(legs: readonly LegEvidence[], more: { scan?: Scan; leg?: string } = {}): string {
  const page = scanPage({ visitor: VISITOR, host: HOST, scan: SCAN, legs, leg: undefined, provesOf: (id) => `It proves ${id}.`, now: NOON, ...more });
  elementsOf(page);
  return page;
}

// A leg that is as long as a server can make it, in characters that grow most when they are escaped.
function longest(port: number): LegEvidence {
  const text = '"'.repeat(2_000);
  const each: TestResult = { test: 'x'.repeat(20), outcome: 'accepted', stage: 'message', from: text, to: text, reply: text };
  return {
    ...sampleLeg('accepted'),
    port,
    software: { mta: 'postfix', version: text, from: 'greeting' },
    tls: { version: text, cipher: text, subject: text, issuer: text, distrust: text },
    injected: text,
    tests: Array.from({ length: 70 }, () => each),
    controls: Array.from({ length: 10 }, () => ({ ...each, test: 'control-postmaster' })),
    transcript: Array.from({ length: 2_000 }, () => `S: ${text}`),
  };
}

describe('the page of a scan', () => {
  test('stays under 100 KiB, whatever a server says and at however many legs', () => {
    const path = Array.from({ length: 10 }, () => ({ from: '"'.repeat(300), address: '"'.repeat(300), by: '"'.repeat(300) }));
    const scan = { ...SCAN, arrivals: [{ ...sampleArrival(sampleCanary(SCAN, 'c')), path }] };
    const legs = Array.from({ length: 56 }, (_, index) => longest(1_000 + index));
    for (const count of [1, 2, 56]) {
      const page = shown(legs.slice(0, count), { scan });
      expect([count, Buffer.byteLength(page) < 100 * KIB]).toEqual([count, true]);
    }
  });
});
