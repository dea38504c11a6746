import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { createSampleAccount, NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable(() => NOON, 1_000_000_000_000);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());

const REF = { accountId: 'account1', hostId: 'host1', scanId: '20260601T120000Z-first' };

// What is only shown, such as a page of history, may be a moment old.
test.each<[keyof AuditStore, (store: AuditStore) => Promise<unknown>]>([
  ['findAccount', (store) => store.findAccount('account1')],
  ['findAccountByEmail', (store) => store.findAccountByEmail('owner@example.org')],
  ['findSession', (store) => store.findSession('account1', 'session', NOON)],
  ['linksEndedAt', (store) => store.linksEndedAt('owner@example.org')],
  ['findKey', (store) => store.findKey('0123456789ab')],
  ['listKeys', (store) => store.listKeys('account1')],
  ['confirmedRecipients', (store) => store.confirmedRecipients('account1', ['a@example.org'])],
  ['mailStops', (store) => store.mailStops('account1', ['a@example.org'])],
  ['neverList', (store) => store.neverList()],
  ['isNever', (store) => store.isNever('example.org')],
  ['pausesOf', (store) => store.pausesOf(['192.0.2.1'], NOON)],
  ['hostsAt', (store) => store.hostsAt('192.0.2.1')],
  ['findHost', (store) => store.findHost('account1', 'host1')],
  ['listHosts', (store) => store.listHosts('account1', 10)],
  ['readCursor', (store) => store.readCursor()],
  ['hostsInSlot', (store) => store.hostsInSlot('hour', 1)],
  ['findOwed', (store) => store.findOwed('host1', REF.scanId)],
  ['owedOf', (store) => store.owedOf('host1')],
  ['findPresence', (store) => store.findPresence('host1', REF.scanId)],
  ['findScan', (store) => store.findScan('host1', REF.scanId)],
  ['findCanary', (store) => store.findCanary('canary')],
  ['readReturns', (store) => store.readReturns(REF, ['canary'])],
  ['findNotice', (store) => store.findNotice('notice')],
])('%s, by which something is decided, reads what was written last', async (_, read) => {
  const reads: boolean[] = [];
  table.client.middlewareStack.add(
    (next) => async (args) => {
      const input = args.input as { ConsistentRead?: boolean; RequestItems?: Record<string, { ConsistentRead?: boolean }> };
      reads.push((input.RequestItems?.[table.name] ?? input).ConsistentRead === true);
      return next(args);
    },
    { step: 'initialize', name: 'reads' },
  );
  await read(table.store).finally(() => table.client.middlewareStack.remove('reads'));
  expect(new Set(reads)).toEqual(new Set([true]));
});
