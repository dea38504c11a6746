import { expect, test } from 'vitest';
import { lookForMessages } from '../../../functions/probe/await-messages.ts';
import { memoryStore } from '../../simulation/memory-store.ts';
import { AMPLE, BEGUN, NOON, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const MINUTE = 60_000;

test('a message that comes back while a waiting scan looks for others has it look again at once', async () => {
  const now = NOON + MINUTE;
  const { store } = memoryStore(() => now);
  const host = sampleHost();
  const scan = sampleScan(host, '20260601T120000Z-first', NOON);
  const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  await store.expectCanary(sampleCanary(scan, 'canary'));
  const [first, ...rest] = sampleLeg('refused').tests;
  if (first === undefined) throw new Error('no test');
  const tests = [{ ...first, outcome: 'accepted', stage: 'message', canary: 'canary' } as const, ...rest];
  const legs = [{ ...sampleLeg('refused'), tests, canaries: ['canary'] }];
  const until = NOON + 60 * MINUTE;
  const meanwhile: typeof store = {
    ...store,
    // As `canary` does: it marks, then wakes the scan that it finds waiting, which is then put to sleep again.
    async continueScan(...of) {
      await store.markCanary('canary', { at: now, path: [] });
      await store.leaseScan(ref, now);
      return store.continueScan(...of);
    },
  };
  const awaits = { since: NOON, until };
  const owed = { ...ref, dueAt: NOON, tries: 0, begun: { ...BEGUN, awaits } };
  expect(await lookForMessages(host, owed, awaits, legs, { store: meanwhile, clock: () => now })).toBeUndefined();
  expect(await store.findOwed(host.id, scan.id)).toMatchObject({ dueAt: now, begun: { awaits } });
});
