import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Account, StoredKey } from '../../shared/store/audit-store.ts';
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

function sample(email?: string): { account: Account; key: StoredKey } {
  const id = `account-${++count}`;
  return {
    account: { id, email: email ?? `owner-${count}@example.org`, createdAt: NOON },
    key: { prefix: `first-of-${count}`, mac: 'mac', accountId: id, createdAt: NOON, scope: 'write' },
  };
}

async function created(email?: string): Promise<Account> {
  const { account, key } = sample(email);
  expect(await table.store.createAccount(account, key)).toBe(true);
  return account;
}

test('an account is found by its id and by its mail address, however that is spelt in capitals', async () => {
  const account = await created('Owner@Example.ORG');
  expect(await table.store.findAccount(account.id)).toEqual(account);
  expect(await table.store.findAccountByEmail('owner@example.org')).toEqual(account);
  expect(await table.store.findAccountByEmail('OWNER@example.org')).toEqual(account);
  expect(await table.store.findAccountByEmail('other@example.org')).toBeUndefined();
});

test('a mail address has one account: a second one is not made, and neither is its key', async () => {
  await created('taken@example.org');
  const { account, key } = sample('Taken@example.org');
  expect(await table.store.createAccount(account, key)).toBe(false);
  expect(await table.store.findAccount(account.id)).toBeUndefined();
  expect(await table.store.findKey(key.prefix)).toBeUndefined();
});

test('of many who ask for an account of one mail address at once one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => {
      const { account, key } = sample('wanted@example.org');
      return table.store.createAccount(account, key);
    }),
  );
  expect(answers.filter(Boolean)).toHaveLength(1);
});

test('an account with the key of another is our defect, not a mail address that is taken', async () => {
  const first = sample();
  await table.store.createAccount(first.account, first.key);
  const { account } = sample();
  await expect(table.store.createAccount(account, first.key)).rejects.toThrow('ConditionalCheckFailed');
  expect(await table.store.findAccountByEmail(account.email)).toBeUndefined();
});

test('nothing of a removed account is left: not its keys, its recipients, the answers kept for it, and its mail address is free', async () => {
  const account = await created();
  await table.store.addKey({ prefix: 'second', mac: 'mac', accountId: account.id, createdAt: NOON, scope: 'read' }, 5);
  const emails = Array.from({ length: 30 }, (_, index) => `ops-${index}@example.org`);
  for (const email of emails) await table.store.confirmRecipient(account.id, email, NOON);
  const request = { accountId: account.id, key: 'request', fingerprint: 'of it' };
  await table.store.claimRequest(request, NOON, NOON + 1000, NOON + 1000);
  await table.store.unsubscribe(account.id, 'ops-1@example.org', NOON);
  await table.store.openAlertWindow({
    accountId: account.id,
    recipient: 'ops-1@example.org',
    hostId: 'host',
    now: NOON,
    until: NOON + 1000,
  });
  await table.store.removeAccount(account);
  expect(await table.store.mailStops(account.id, ['ops-1@example.org'])).toEqual([]);
  const window = { accountId: account.id, recipient: 'ops-1@example.org', hostId: 'another', now: NOON, until: NOON + 1000 };
  expect(await table.store.openAlertWindow(window)).toMatchObject({ hostId: 'another' });
  expect(await table.store.claimRequest(request, NOON, NOON + 1000, NOON + 1000)).toEqual({ kind: 'new' });
  expect(await table.store.findAccount(account.id)).toBeUndefined();
  expect(await table.store.findAccountByEmail(account.email)).toBeUndefined();
  expect(await table.store.findKey(`first-of-${count}`)).toBeUndefined();
  expect(await table.store.findKey('second')).toBeUndefined();
  expect(await table.store.confirmedRecipients(account.id, [account.email, ...emails])).toEqual([]);
  await created(account.email);
});

/** Does this right before each transaction of the store that is not its own. */
async function beforeTransactions(act: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  let own = false;
  table.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'TransactWriteItemsCommand' || own) return next(args);
      own = true;
      await act().finally(() => {
        own = false;
      });
      return next(args);
    },
    { step: 'initialize', name: 'in between' },
  );
  await work().finally(() => table.client.middlewareStack.remove('in between'));
}

const furtherKey = ({ id }: Account, prefix: string): StoredKey => ({ prefix, mac: 'mac', accountId: id, createdAt: NOON, scope: 'read' });

test.each([true, false])('an account goes with the key that was added while it was being removed; it had one before: %s', async (had) => {
  const { account, key } = sample();
  await table.store.createAccount(account, had ? key : undefined);
  const prefix = `in between ${had}`;
  let added = false;
  const addOnce = async () => {
    if (!added) expect(await table.store.addKey(furtherKey(account, prefix), 5)).toBe(true);
    added = true;
  };
  await beforeTransactions(addOnce, () => table.store.removeAccount(account));
  expect(await table.store.findAccount(account.id)).toBeUndefined();
  expect(await table.store.findKey(prefix)).toBeUndefined();
});

test('an account whose keys keep changing while it is to be removed stays, and its removal fails after five tries', async () => {
  const account = await created();
  let keys = 0;
  const add = async () => void (await table.store.addKey(furtherKey(account, `key ${account.id} ${++keys}`), 100));
  await expect(beforeTransactions(add, () => table.store.removeAccount(account))).rejects.toThrow();
  expect(keys).toBe(5);
  expect(await table.store.findAccount(account.id)).toMatchObject(account);
});

test('an account may be let have more hosts, as long as it is there', async () => {
  const account = await created();
  expect(await table.store.setHostQuota(account.id, 800)).toBe(true);
  expect(await table.store.findAccount(account.id)).toEqual({ ...account, hostQuota: 800 });
  await table.store.removeAccount(account);
  expect(await table.store.setHostQuota(account.id, 900)).toBe(false);
  expect(await table.store.findAccount(account.id)).toBeUndefined();
});

test('a removal that is asked for again leaves the new account of the mail address alone', async () => {
  const account = await created();
  await table.store.removeAccount(account);
  const successor = await created(account.email);
  await table.store.removeAccount(account);
  expect(await table.store.findAccountByEmail(account.email)).toEqual(successor);
});

test('an account from before keys were counted is read, gets keys and is removed', async () => {
  const Item = { pk: { S: 'ACCOUNT#old' }, sk: { S: 'ACCOUNT' }, email: { S: 'old@example.org' }, createdAt: { N: String(NOON) } };
  await table.client.send(new PutItemCommand({ TableName: table.name, Item }));
  const account = { id: 'old', email: 'old@example.org', createdAt: NOON };
  expect(await table.store.findAccount('old')).toEqual(account);
  expect(await table.store.listKeys('old')).toEqual([]);
  const key: StoredKey = { prefix: 'new-of-old', mac: 'mac', accountId: 'old', createdAt: NOON, scope: 'read' };
  expect(await table.store.addKey(key, 1)).toBe(true);
  await table.store.removeAccount(account);
  expect(await table.store.findAccount('old')).toBeUndefined();
});
