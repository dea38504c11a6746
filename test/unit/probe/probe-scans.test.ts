import { expect, test, vi } from 'vitest';
import { probeScans, type Services } from '../../../functions/probe/probe-scans.ts';
import type { Host } from '../../../shared/domain/host.ts';
import { type LegEvidence, scanId } from '../../../shared/domain/scan.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { memoryStore } from '../../simulation/memory-store.ts';
import { ANY_TURN } from '../../support/gate.ts';
import { AMPLE, NOON, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

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
    audit: async () => ({ legs: [{ ...sampleLeg('accepted'), canaries }] }),
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
    return { legs: [] };
  };
  expect(await probeScans([ref], servicesOn(orphaned, { audit }))).toEqual([]);
  expect(audits).toBe(0);
  expect(await store.findHost(host.accountId, host.id)).toBeUndefined();
  expect(await store.findOwed(host.id, ref.scanId)).toBeUndefined();
});

test.each(['the host', 'the account'])('a scan that ends because %s was removed stores nothing, and is owed no more', async (what) => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost();
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-first' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  let gone = false;
  const kept: string[] = [];
  const watched = {
    ...store,
    findHost: async (...of: Parameters<AuditStore['findHost']>) => (gone && what === 'the host' ? undefined : store.findHost(...of)),
    findAccount: async (id: string) => (gone ? undefined : store.findAccount(id)),
    keepEvidence: async () => kept.push('evidence') && 'hash',
    keepSoFar: async () => kept.push('so far') && '=hash',
    storeResult: async () => kept.push('result') && 'stored',
  } as unknown as AuditStore;
  const audit = async () => {
    gone = true;
    return { legs: [sampleLeg(), { ...sampleLeg(), port: 587, contact: 'vetoed' } as const] };
  };
  expect(await probeScans([ref], servicesOn(watched, { audit }))).toEqual([]);
  expect(kept).toEqual([]);
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
      return { legs: [] };
    },
  });
  expect(await probeScans([ref], services)).toEqual([]);
  expect(told).toEqual([ref.scanId]);
});

test('the addresses that a scan found paused are noted of it and its host, until another scan finds none', async () => {
  let now = NOON;
  const { store } = memoryStore(() => now);
  const host = sampleHost();
  const refAt = (at: number) => ({ accountId: host.accountId, hostId: host.id, scanId: scanId(at, 'on-demand') });
  await store.registerHost(host, { ...refAt(NOON), dueAt: NOON, tries: 0 }, AMPLE);
  const last = async () => (await store.findHost(host.accountId, host.id))?.state.last;
  for (const paused of [['192.0.2.2'], undefined]) {
    const audit = async () => ({ legs: [sampleLeg()], paused });
    expect(await probeScans([refAt(now)], servicesOn(store as AuditStore, { audit, clock: () => now }))).toEqual([]);
    expect((await store.findScan(host.id, refAt(now).scanId))?.paused).toEqual(paused);
    expect((await last())?.paused).toEqual(paused);
    now += 60_000;
  }
});

test('a scan of a host with very many served domains uses ten of them, and notes which', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost({ servedDomains: Array.from({ length: 100 }, (_, n) => `domain-${n}.example`) });
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-on-demand' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const used: (readonly string[])[] = [];
  const services = servicesOn(store as AuditStore, {
    audit: async ({ settings }) => {
      used.push(settings.servedDomains);
      return { legs: [sampleLeg('accepted')] };
    },
  });
  expect(await probeScans([ref], services)).toEqual([]);
  expect(used.map(({ length }) => length)).toEqual([10]);
  expect((await store.findScan(host.id, ref.scanId))?.servedDomains).toEqual(used[0]);
  const after = await store.findHost(host.accountId, host.id);
  expect([after?.settings.servedDomains.length, after?.state.heldDomains]).toEqual([100, used[0]]);
});

test('a scan of a port from which nothing came is stored at once where our own way out is clear, and waits for no other scan of its message', async () => {
  const { store } = memoryStore(() => NOON);
  const [mute, slow] = [sampleHost({ name: 'mute.example.org' }), { ...sampleHost({ name: 'slow.example.org' }), id: 'f'.repeat(20) }];
  const refOf = ({ accountId, id: hostId }: Host) => ({ accountId, hostId, scanId: '20260601T120000Z-first' });
  for (const host of [mute, slow]) await store.registerHost(host, { ...refOf(host), dueAt: NOON, tries: 0 }, AMPLE);
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  const services = servicesOn(store as AuditStore, {
    audit: async ({ id }) => {
      if (id === mute.id) return { legs: [{ ...sampleLeg(), tests: [], contact: 'connection-timed-out' }] };
      await held;
      return { legs: [sampleLeg()] };
    },
  });
  const done = probeScans([refOf(mute), refOf(slow)], services);
  await vi.waitFor(async () => expect(await store.findScan(mute.id, refOf(mute).scanId)).toBeDefined());
  expect(await store.findScan(slow.id, refOf(slow).scanId)).toBeUndefined();
  release();
  expect(await done).toEqual([]);
});

test('a scan of the full table stays one when its first sitting came to none of its tests', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost({}, { relay: 'closed', since: NOON, lastFull: NOON });
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-on-demand' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const untouched: LegEvidence = { ...sampleLeg(), contact: 'out-of-time', tests: [], controls: [] };
  const scopes: unknown[] = [];
  const services = servicesOn(store as AuditStore, {
    audit: async (_, { scope }) => {
      scopes.push(scope);
      return { legs: [untouched] };
    },
  });
  for (let sitting = 0; sitting < 2; sitting++) expect(await probeScans([ref], services)).toEqual([]);
  expect(scopes).toEqual(['full', 'full']);
});

test('a scan that was asked for and that nobody consented to is stored at once as just that, with no evidence, and is owed no more', async () => {
  const { store } = memoryStore(() => NOON);
  const host = sampleHost();
  const ref = { accountId: host.accountId, hostId: host.id, scanId: '20260601T120000Z-on-demand' };
  await store.registerHost(host, { ...ref, dueAt: NOON, tries: 0 }, AMPLE);
  const audit = async () => ({ untested: 'no-consent', legs: [] }) as const;
  expect(await probeScans([ref], servicesOn(store as AuditStore, { audit }))).toEqual([]);
  const stored = await store.findScan(host.id, ref.scanId);
  expect(stored).toMatchObject({ judgement: { verdict: 'untestable', reason: 'no-consent' }, openLegs: [], closedLegs: [] });
  expect(stored?.evidence).toBeUndefined();
  expect(await store.findOwed(host.id, ref.scanId)).toBeUndefined();
});

function servicesOn(store: AuditStore, others: Pick<Services, 'audit'> & Partial<Services>): Services {
  return {
    store,
    turns: () => ({ take: ANY_TURN, end: async () => {}, booked: () => ({}) }),
    canaries: () => async () => undefined,
    raise: async () => {},
    egressBlocked: async () => false,
    dnsAnswers: async () => true,
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
