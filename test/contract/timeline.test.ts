import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { effectOf } from '../../shared/domain/change.ts';
import type { Host } from '../../shared/domain/host.ts';
import { scanId } from '../../shared/domain/scan.ts';
import { spanned } from '../../shared/domain/timeline.ts';
import { createSampleAccount, NOON, registerSample, SUSPECTED, sampleHost, sampleLeg, sampleScan } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());

async function registered(): Promise<Host> {
  const host = sampleHost();
  await registerSample(table.store, host, {
    accountId: host.accountId,
    hostId: host.id,
    scanId: scanId(now, 'first'),
    dueAt: now,
    tries: 0,
  });
  return host;
}

async function scanAt(at: number, { accountId, id }: Host, outcome: 'refused' | 'accepted' = 'refused'): Promise<void> {
  const host = (await table.store.findHost(accountId, id)) ?? expect.fail();
  const legs = [sampleLeg(outcome)];
  const scan = sampleScan(host, scanId(at, 'scheduled'), at, outcome === 'accepted' ? SUSPECTED : undefined);
  const { effect, span } = spanned(effectOf(host, scan, { confirmDelayMs: 300_000 }), host, scan, legs);
  expect(await table.store.storeResult({ host, scan, effect, notices: [], wasOwed: false, span })).toBe('stored');
}

describe('spans', () => {
  test('are stored with the scan that they begin with, newest first, and a scan that shows the same costs nothing more', async () => {
    const host = await registered();
    await scanAt(NOON - HOUR, host);
    table.meter.reset();
    await scanAt(NOON, host);
    expect(table.meter.writeUnits).toBeLessThanOrEqual(3);
    await scanAt(NOON + HOUR, host, 'accepted');
    const spans = await table.store.listSpans(host.id, 10);
    expect(spans.map(({ from, verdict }) => [from, verdict])).toEqual([
      [NOON + HOUR, 'suspected'],
      [NOON - HOUR, 'closed'],
    ]);
    expect(await table.store.listSpans(host.id, 1)).toEqual(spans.slice(0, 1));
  });

  test('go with their host', async () => {
    const host = await registered();
    await scanAt(NOON, host);
    await table.store.removeHost((await table.store.findHost(host.accountId, host.id)) ?? expect.fail());
    await table.store.eraseSome(host.id, 100);
    expect(await table.store.listSpans(host.id, 10)).toEqual([]);
  });
});

describe('the scans between two times', () => {
  test('are all of them and no others, newest first, and no more than are wanted', async () => {
    const host = await registered();
    for (let hour = 0; hour < 10; hour++) await scanAt(NOON + hour * HOUR, host);
    const between = async (from: number, to: number, most: number) => {
      const { scans, more } = await table.store.scansBetween(host.id, { fromMs: NOON + from * HOUR, toMs: NOON + to * HOUR, most });
      return [scans.map(({ startedAt }) => (startedAt - NOON) / HOUR), more];
    };
    expect(await between(2, 5, 100)).toEqual([[5, 4, 3, 2], false]);
    expect(await between(0, 9, 3)).toEqual([[9, 8, 7], true]);
    expect(await between(20, 30, 3)).toEqual([[], false]);
    expect(await between(5, 2, 3)).toEqual([[], false]);
  });
});

describe('the progress of a scan', () => {
  test('stands with the owed scan, and is not written when that is gone', async () => {
    const host = await registered();
    const ref = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'first') };
    const underWay = { since: now, legs: [{ leg: '192.0.2.1:25', answered: 3, planned: 55 }] };
    await table.store.noteProgress(ref, underWay);
    expect((await table.store.owedOf(host.id))[0]).toMatchObject({ scanId: ref.scanId, underWay });
    expect((await table.store.dueScans(now, 100)).find(({ hostId }) => hostId === host.id)).not.toHaveProperty('underWay');
    await table.store.dropOwed(ref);
    await table.store.noteProgress(ref, underWay);
    expect(await table.store.owedOf(host.id)).toEqual([]);
  });
});
