import { expect, test } from 'vitest';
import { scanView } from '../../../functions/api/views.ts';
import { scanResponse } from '../../../shared/contract/responses.ts';
import { scanId } from '../../../shared/domain/scan.ts';
import { NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

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
