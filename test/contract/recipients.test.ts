import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

let count = 0;

async function created(email = `owner-${count}@example.org`) {
  const account = { id: `account-${++count}`, email, createdAt: NOON };
  await table.store.createAccount(account, { prefix: `key-${count}`, mac: 'mac', accountId: account.id, createdAt: NOON, scope: 'write' });
  return account;
}

test('only mail addresses whose owners have confirmed are given, as they were asked for', async () => {
  const { id } = await created();
  await table.store.confirmRecipient(id, 'Ops@example.org', NOON);
  expect(await table.store.confirmedRecipients(id, ['stranger@example.net', 'ops@EXAMPLE.org'])).toEqual(['ops@EXAMPLE.org']);
  expect(await table.store.confirmedRecipients(id, [])).toEqual([]);
});

test('the account’s own address is confirmed without being asked', async () => {
  const { id } = await created('Own@example.org');
  expect(await table.store.confirmedRecipients(id, ['own@example.org', 'other@example.org'])).toEqual(['own@example.org']);
});

test('what was confirmed for one account is not confirmed for another', async () => {
  const [one, another] = [await created(), await created()];
  await table.store.confirmRecipient(one.id, 'ops@example.org', NOON);
  expect(await table.store.confirmedRecipients(another.id, ['ops@example.org', one.email])).toEqual([]);
});

test('more addresses than DynamoDB takes in one request are all looked up, twice given ones too', async () => {
  const { id } = await created();
  const emails = Array.from({ length: 120 }, (_, index) => `ops-${index}@example.org`);
  await table.store.confirmRecipient(id, 'ops-119@example.org', NOON);
  await table.store.confirmRecipient(id, 'ops-119@example.org', NOON + 1);
  expect(await table.store.confirmedRecipients(id, [...emails, 'ops-119@example.org'])).toEqual([
    'ops-119@example.org',
    'ops-119@example.org',
  ]);
});

test('a confirmation that comes after the account was removed brings nothing of it back', async () => {
  const account = await created();
  await table.store.removeAccount(account);
  await table.store.confirmRecipient(account.id, 'ops@example.org', NOON);
  expect(await table.store.confirmedRecipients(account.id, ['ops@example.org'])).toEqual([]);
});
