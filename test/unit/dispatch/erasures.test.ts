import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../../shared/domain/host.ts';
import { tickOn } from '../../support/dispatching.ts';
import { NOON, registerSample, sampleHost } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const MINUTE = 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * 24 * 60 * MINUTE);
});
afterAll(() => table.stop());

async function removed(accountId: string): Promise<Host> {
  const host = { ...sampleHost(), accountId };
  await registerSample(table.store, host, { accountId, hostId: host.id, scanId: '20260601T120000Z-first', dueAt: now, tries: 0 });
  expect(await table.store.removeHost(host)).toBe(true);
  return host;
}

const tick = () => tickOn(table.store, now);

test('what a removed host left is erased half an hour later, however many hosts a stranger has removed before it', async () => {
  for (let count = 0; count < 50; count++) await removed('stranger');
  now += 1_000;
  const last = await removed('owner');
  now += 30 * MINUTE - 1;
  await tick();
  expect(await table.store.owedOf(last.id)).toHaveLength(1);
  now += 1;
  await tick();
  expect(await table.store.owedOf(last.id)).toEqual([]);
  for (let minutes = 0; minutes < 2; minutes++) await tick();
  expect(await table.store.dueErasures(now, 100)).toEqual([]);
}, 30_000);

test('what a removed host left is erased within minutes, however many accounts have removed hosts before it', async () => {
  for (let account = 0; account < 30; account++) for (let count = 0; count < 3; count++) await removed(`stranger-${account}`);
  now += 1_000;
  const last = await removed('another owner');
  now += 30 * MINUTE;
  for (let minutes = 0; minutes < 2; minutes++) {
    await tick();
    now += MINUTE;
  }
  expect(await table.store.owedOf(last.id)).toEqual([]);
}, 30_000);
