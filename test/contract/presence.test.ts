import { afterAll, beforeAll, expect, test } from 'vitest';
import { scanId } from '../../shared/domain/scan.ts';
import { NOON, registerSample, sampleHost } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());

const ASKED = scanId(NOON, 'on-demand');
const presenceOf = (hostId: string) => ({ hostId, scanId: ASKED, address: '185.1.1.1', until: NOON + DAY });

test('what an address has asked for is found by its scan alone, until its time is over', async () => {
  const { id } = sampleHost();
  await table.store.notePresence(presenceOf(id));
  expect(await table.store.findPresence(id, ASKED)).toEqual(presenceOf(id));
  expect(await table.store.findPresence(id, scanId(NOON, 'scheduled'))).toBeUndefined();
  expect(await table.store.findPresence(sampleHost().id, ASKED)).toBeUndefined();
  now = NOON + DAY;
  expect(await table.store.findPresence(id, ASKED)).toBeUndefined();
  now = NOON;
});

test('it is erased with its host', async () => {
  const host = sampleHost();
  const first = { accountId: host.accountId, hostId: host.id, scanId: ASKED, dueAt: NOON, tries: 0 };
  await registerSample(table.store, host, first);
  await table.store.notePresence(presenceOf(host.id));
  expect(await table.store.removeHost(host)).toBe(true);
  expect(await table.store.eraseSome(host.id, 100)).toBe(true);
  expect(await table.store.findPresence(host.id, ASKED)).toBeUndefined();
});

test('a turn by being there makes no owner of the address, who would be told of pauses; a proven one of the same host later does', async () => {
  const address = '185.7.7.7';
  const turn = (attempt: string, at: number, unlisted: boolean) => ({
    address,
    ref: { accountId: 'account1', hostId: 'here', scanId: scanId(at, 'on-demand') },
    attempt,
    fresh: true,
    now: at,
    leaseMs: 1_000,
    spacingMs: 1_000,
    unlisted,
  });
  expect(await table.store.takeTurn(turn('a', NOON, true))).toEqual({ granted: true });
  expect(await table.store.hostsAt(address)).toEqual([]);
  expect(await table.store.takeTurn(turn('b', NOON + 500, true))).toMatchObject({ granted: false });
  expect(await table.store.takeTurn(turn('c', NOON + 2_000, true))).toEqual({ granted: true });
  expect(await table.store.hostsAt(address)).toEqual([]);
  expect(await table.store.takeTurn(turn('d', NOON + 4_000, false))).toEqual({ granted: true });
  expect(await table.store.hostsAt(address)).toEqual([{ accountId: 'account1', hostId: 'here' }]);
});
