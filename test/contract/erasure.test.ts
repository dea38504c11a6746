import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { effectOf } from '../../shared/domain/change.ts';
import type { Host } from '../../shared/domain/host.ts';
import { scanId } from '../../shared/domain/scan.ts';
import { NOON, registerSample, SUSPECTED, sampleHost, sampleLeg, sampleScan } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const MINUTE = 60_000;
const LATER = NOON + 30 * MINUTE; // when what was under way has ended
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

// A host with an owed scan, `scans` stored ones and the evidence of one.
async function withHistory(scans: number): Promise<{ host: Host; hash: string }> {
  const host = sampleHost();
  await registerSample(table.store, host, {
    accountId: host.accountId,
    hostId: host.id,
    scanId: scanId(NOON, 'first'),
    dueAt: NOON,
    tries: 0,
  });
  for (let i = 0; i < scans; i++) {
    const before = (await table.store.findHost(host.accountId, host.id)) ?? expect.fail('the host is gone');
    const scan = sampleScan(before, scanId(NOON + i * MINUTE, 'scheduled'), NOON + i * MINUTE, SUSPECTED);
    await table.store.storeResult({
      host: before,
      scan,
      effect: effectOf(before, scan, { confirmDelayMs: 0 }),
      notices: [],
      wasOwed: false,
    });
  }
  return { host, hash: await table.store.keepEvidence(host, [sampleLeg()]) };
}

const due = async (at: number) => (await table.store.dueErasures(at, 100)).map(({ hostId }) => hostId);

async function erased(hostId: string, most: number): Promise<number> {
  for (let rounds = 1; rounds < 20; rounds++) if (await table.store.eraseSome(hostId, most)) return rounds;
  return expect.fail('the erasure does not end');
}

test('a host that is removed owes an erasure, and one that is not removed after all owes none', async () => {
  const { host } = await withHistory(0);
  const edited = (await table.store.changeSettings(host, { ...host.settings, ports: [26] })) ?? expect.fail('not changed');
  expect(await table.store.removeHost(host)).toBe(false);
  expect(await due(LATER)).not.toContain(host.id);
  expect(await table.store.removeHost(edited)).toBe(true);
  expect(await due(LATER - 1)).not.toContain(host.id);
  expect(await due(LATER)).toContain(host.id);
});

test('an erasure leaves nothing of the host: no scan, no owed scan, no change, no evidence', async () => {
  const { host, hash } = await withHistory(4);
  expect(await table.store.listChanges(host.id, 10)).toMatchObject({ items: [{ to: 'suspected' }] });
  await table.store.removeHost(host);
  await erased(host.id, 100);
  expect((await table.store.listScans(host.id, { limit: 10 })).items).toEqual([]);
  expect((await table.store.listChanges(host.id, 10)).items).toEqual([]);
  expect(await table.store.owedOf(host.id)).toEqual([]);
  expect(await table.store.readEvidence(host.id, hash)).toBeUndefined();
  expect(await due(LATER)).not.toContain(host.id);
});

test('a long history is erased a part at a time, and the erasure is owed until nothing is left', async () => {
  const { host, hash } = await withHistory(30);
  await table.store.removeHost(host);
  expect(await table.store.eraseSome(host.id, 10)).toBe(false);
  expect(await due(LATER)).toContain(host.id);
  expect(await table.store.readEvidence(host.id, hash)).toBeDefined();
  await erased(host.id, 10);
  expect(await table.store.readEvidence(host.id, hash)).toBeUndefined();
  expect(await due(LATER)).not.toContain(host.id);
});

test('an erasure that takes away the last says so', async () => {
  const { host } = await withHistory(0);
  await table.store.removeHost(host);
  expect(await table.store.eraseSome(host.id, 1)).toBe(false); // its owed scan
  expect(await table.store.eraseSome(host.id, 1)).toBe(true); // its evidence
});

test('the erasure of one host takes nothing from another', async () => {
  const [gone, stays] = [await withHistory(2), await withHistory(2)];
  await table.store.removeHost(gone.host);
  await erased(gone.host.id, 100);
  expect((await table.store.listScans(stays.host.id, { limit: 10 })).items).toHaveLength(2);
  expect(await table.store.readEvidence(stays.host.id, stays.hash)).toBeDefined();
});

test('an erasure that is tried again after it was done does nothing', async () => {
  const { host } = await withHistory(1);
  await table.store.removeHost(host);
  await erased(host.id, 100);
  expect(await table.store.eraseSome(host.id, 100)).toBe(true);
});

test('what a busy DynamoDB gives back of a batch is erased as well', async () => {
  const { host } = await withHistory(30);
  await table.store.removeHost(host);
  // The engine is never busy: this takes writes off each batch and gives them back, as DynamoDB does.
  table.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'BatchWriteItemCommand') return next(args);
      const input = args.input as { RequestItems?: Record<string, unknown[]> };
      const all = input.RequestItems?.[table.name] ?? [];
      const result = await next({ ...args, input: { ...input, RequestItems: { [table.name]: all.slice(0, 2) } } as typeof args.input });
      if (all.length > 2) Object.assign(result.output, { UnprocessedItems: { [table.name]: all.slice(2) } });
      return result;
    },
    { step: 'initialize', name: 'busy' },
  );
  try {
    expect(await table.store.eraseSome(host.id, 100)).toBe(true);
  } finally {
    table.client.middlewareStack.remove('busy');
  }
  expect((await table.store.listScans(host.id, { limit: 50 })).items).toEqual([]);
});
