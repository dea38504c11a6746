import { expect, test } from 'vitest';
import { hostView, owedScanView, scanSummaryView, scanView } from '../../../functions/api/views.ts';
import { hostResponse, owedScanResponse, scanResponse } from '../../../shared/contract/responses.ts';
import { REASONS, untested } from '../../../shared/domain/reason.ts';
import { type LegEvidence, type OwedScan, scanId } from '../../../shared/domain/scan.ts';
import { BEGUN, NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const SCAN = sampleScan(sampleHost(), scanId(NOON, 'first'), NOON, { ...SUSPECTED, verdict: 'open', reason: 'canary-arrived' });

test('a scan that shows a hole names it, with what closes it on that server; another has none', () => {
  const leg = { ...sampleLeg('accepted'), software: { mta: 'opensmtpd', from: 'greeting' } as const };
  const view = scanView({ ...SCAN, openLegs: ['192.0.2.1:25'], arrivals: [sampleArrival(sampleCanary(SCAN, 'c'))] }, [leg]);
  expect(scanResponse.parse(view).hole).toEqual({
    cause: 'anyone',
    otherWays: 0,
    sentence: 'It accepts mail to anywhere from anyone.',
    remedies: ['smtpd.conf: have no "match from any for any action" that relays; let only "match auth from any for any" do so.'],
  });
  expect(scanView(SCAN, [sampleLeg()]).hole).toBeUndefined();
});

test('an owed scan says what it waits for, why, until when, and how far it has come', () => {
  const until = NOON + 3_600_000;
  const first: OwedScan = { accountId: 'account1', hostId: SCAN.hostId, scanId: SCAN.id, dueAt: NOON, tries: 0 };
  const unfinished: OwedScan = { ...first, begun: BEGUN };
  const left = { reason: 'awaiting-messages', completed: 74, planned: 74 } as const;
  const awaiting: OwedScan = { ...first, begun: { ...BEGUN, left, awaits: { since: NOON, until } } };
  const shown = (owed: OwedScan) => owedScanResponse.parse(owedScanView(owed));
  expect(shown(first).waitsFor).toBeUndefined();
  expect(shown(unfinished)).toMatchObject({
    sittings: 1,
    testsCompleted: 50,
    testsPlanned: 74,
    waitsFor: { what: 'sitting', why: REASONS.greylisted.sentence, until: '2026-06-01T12:00:00.000Z' },
  });
  expect(shown(awaiting).waitsFor).toEqual({
    what: 'messages',
    why: REASONS['awaiting-messages'].sentence,
    until: '2026-06-01T13:00:00.000Z',
  });
});

test('a catch-all is explained with the time that its messages were waited for', () => {
  const scan = { ...SCAN, judgement: untested('catch-all'), waitedMs: 3_600_000 };
  expect(scanSummaryView(scan).explanation).toMatch(/none of the messages that we sent that way came back within an hour\.$/);
});

test('broken TLS is told of the leg, with why, and of the host, by its ports', () => {
  const leg: LegEvidence = {
    ...sampleLeg(),
    transport: 'starttls',
    contact: 'tls-failed',
    brokenTls: { sittings: 2, why: 'no shared cipher' },
  };
  const explanation = 'STARTTLS at port 25 is broken: no shared cipher.';
  const [shown, plain] = scanResponse.parse(scanView(SCAN, [leg, sampleLeg()])).legs;
  expect(shown?.brokenTls).toEqual({ explanation, why: 'no shared cipher', sittings: 2 });
  expect(plain?.brokenTls).toBeUndefined();
  expect(hostResponse.parse(hostView(sampleHost({}, { brokenTls: [25] }), NOON)).brokenTls).toEqual([25]);
});

test('a host says which of its addresses its last scan found paused', () => {
  const last = { id: SCAN.id, startedAt: NOON, verdict: 'closed' } as const;
  const shown = (paused?: string[]) => hostResponse.parse(hostView(sampleHost({}, { last: { ...last, paused } }), NOON)).lastScan;
  expect(shown(['192.0.2.2'])?.paused).toEqual(['192.0.2.2']);
  expect(shown()).not.toHaveProperty('paused');
});
