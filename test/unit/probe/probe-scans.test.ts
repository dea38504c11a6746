import { expect, test } from 'vitest';
import { probeScans, type Services } from '../../../functions/probe/probe-scans.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { memoryStore } from '../../simulation/memory-store.ts';
import { ANY_TURN } from '../../support/gate.ts';
import { AMPLE, NOON, SUSPECTED, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const SENT = 50; // more than a scan keeps the ids of

test('of many messages the last counts too when it comes back before their scan is stored', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost();
  const scan = sampleScan(host, '20260601T120000Z-first', NOON);
  const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const canaries = Array.from({ length: SENT }, (_, index) => `canary-${index}`);
  for (const id of canaries) await store.expectCanary(sampleCanary(scan, id));
  await store.markCanary(`canary-${SENT - 1}`, { at: NOON, path: [] });
  const raised: string[] = [];
  const services = servicesOn(store as AuditStore, {
    audit: async () => ({ judgement: SUSPECTED, legs: [{ ...sampleLeg('accepted'), canaries }] }),
    raise: async (_, { arrivals }) => void raised.push(...arrivals.map(({ canary }) => canary)),
  });
  expect(await probeScans([ref], services)).toEqual([]);
  expect(raised).toEqual([`canary-${SENT - 1}`]);
});

test('a host whose account is gone is not scanned any more: it is removed, and its scan is owed no more', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost();
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-first' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const orphaned = { ...store, findAccount: async () => undefined } as unknown as AuditStore;
  let audits = 0;
  const audit = async () => {
    audits++;
    return { judgement: SUSPECTED, legs: [] };
  };
  expect(await probeScans([ref], servicesOn(orphaned, { audit }))).toEqual([]);
  expect(audits).toBe(0);
  expect(await store.findHost(host.accountId, host.id)).toBeUndefined();
  expect(await store.findOwed(host.id, ref.scanId)).toBeUndefined();
});

test('an audit is told which scan it is, by which an address may speak that has asked for it', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost();
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-on-demand' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const told: unknown[] = [];
  const services = servicesOn(store as AuditStore, {
    audit: async (_, { scanId }) => {
      told.push(scanId);
      return { judgement: SUSPECTED, legs: [] };
    },
  });
  expect(await probeScans([ref], services)).toEqual([]);
  expect(told).toEqual([ref.scanId]);
});

function servicesOn(store: AuditStore, others: Pick<Services, 'audit'> & Partial<Services>): Services {
  return {
    store,
    turns: () => ({ take: ANY_TURN, end: async () => {}, booked: () => ({}) }),
    canaries: () => async () => undefined,
    raise: async () => {},
    egressBlocked: async () => false,
    wakeNotices: async () => {},
    clock: () => NOON,
    count: () => {},
    log: { info: () => {}, error: () => {} },
    confirmDelayMs: 0,
    continueMs: 0,
    putOffMs: 0,
    awaitMs: 0,
    ...others,
  };
}
