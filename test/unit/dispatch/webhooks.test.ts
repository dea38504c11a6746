import { afterAll, beforeAll, expect, test } from 'vitest';
import { noticesOf } from '../../../shared/domain/notice.ts';
import { tickOn } from '../../support/dispatching.ts';
import { NOON, registerSample, sampleHost, sampleScan } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const MINUTE = 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * 24 * 60 * MINUTE);
});
afterAll(() => table.stop());

/** Owes the webhook of a new host of the account a call; gives the notice's id. */
async function owe(accountId: string): Promise<string> {
  const host = { ...sampleHost({ alertRecipients: [], webhook: 'https://hooks.example.org/' }), accountId };
  await registerSample(table.store, host, { accountId, hostId: host.id, scanId: '20260601T120000Z-first', dueAt: now, tries: 0 });
  const state = { ...host.state, version: 1, relay: 'suspected', since: now } as const;
  const notices = noticesOf(host, state, { kind: 'change', from: 'closed', to: 'suspected' }, now);
  const scan = sampleScan(host, '20260601T120000Z-scheduled', now);
  expect(await table.store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices, wasOwed: false })).toBe('stored');
  return notices[0]?.id ?? expect.fail('no notice');
}

/** What one dispatch wakes. */
const wakes = () => tickOn(table.store, now);

test('a call of a webhook waits for none of those that another account has due, however many and how long', async () => {
  for (let count = 0; count < 60; count++) await owe('stranger');
  now += 1_000;
  const ids = [await owe('owner'), await owe('neighbour')];
  const woken = await wakes();
  expect(woken).toHaveLength(40);
  expect(woken).toEqual(expect.arrayContaining(ids));
}, 30_000);

test('where more accounts have calls due than are woken in a minute, each has its turn within minutes', async () => {
  now += MINUTE;
  const ids: string[] = [];
  for (let account = 0; account < 70; account++) ids.push(await owe(`account-${account}`));
  const woken = new Set(await wakes());
  now += MINUTE;
  for (const id of await wakes()) woken.add(id);
  expect(ids.filter((id) => !woken.has(id))).toEqual([]);
}, 30_000);
