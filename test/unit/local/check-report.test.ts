import { expect, test } from 'vitest';
import { asJson, asText, type Report } from '../../../infra/local/check-report.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const HOST = sampleHost();
const ARRIVAL = sampleArrival(sampleCanary(sampleScan(HOST, 'scan', NOON), 'c'));

function report(leg: LegEvidence, arrivals = [ARRIVAL]): Report {
  const judgement = { ...SUSPECTED, verdict: 'open', reason: 'canary-arrived' } as const;
  return { host: HOST, finding: { judgement, legs: [leg] } as unknown as Report['finding'], arrivals };
}

test('the terminal names the hole below the verdict, and what closes it before what closes any relay', () => {
  const leg: LegEvidence = { ...sampleLeg('accepted'), seesUsAs: '172.18.0.1' };
  const lines = asText(report(leg), false).split('\n');
  expect(lines[2]).toBe(
    'It accepts mail to anywhere from anyone: it took us for 172.18.0.1, so a proxy or Docker in front of it hides who its clients are.',
  );
  const end = lines.slice(lines.indexOf('What closes it'));
  expect(end[1]).toMatch(/^ {2}- With Docker: its userland proxy/);
  expect(end.indexOf('What closes any relay')).toBeGreaterThan(2);
  expect(end.join('\n')).not.toContain('It takes every client for a private address');
  expect(asJson(report(leg)).hole).toMatchObject({ cause: 'anyone', seesUsAs: '172.18.0.1', remedies: expect.any(Array) });
});

test('the terminal says that clients are lost where that is not the hole itself', () => {
  const tests = sampleLeg('accepted').tests.map((each) => ({ ...each, shows: undefined }));
  const text = asText(report({ ...sampleLeg('accepted'), tests, seesUsAs: '172.18.0.1' }), false);
  expect(text).toContain('What closes it\n');
  expect(text).toContain('It takes every client for a private address');
  expect(text).not.toContain('What closes any relay');
});
