import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { StoredKey } from '../../shared/store/audit-store.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const HOUR = 60 * 60_000;
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

function keyOf(accountId: string, rest: Partial<StoredKey> = {}): StoredKey {
  return { prefix: `key-${++count}`, mac: 'mac', accountId, createdAt: NOON, scope: 'write', ...rest };
}

// Gives the first key of a new account.
async function created(): Promise<StoredKey> {
  const key = keyOf(`account-${++count}`);
  await table.store.createAccount({ id: key.accountId, email: `${key.accountId}@example.org`, createdAt: NOON }, key);
  return key;
}

const prefixesOf = async (accountId: string) => (await table.store.listKeys(accountId)).map(({ prefix }) => prefix);

test('a key is found as it was stored', async () => {
  const first = await created();
  const second = keyOf(first.accountId, { scope: 'read', label: 'the dashboard', createdAt: NOON + 1 });
  expect(await table.store.addKey(second, 5)).toBe(true);
  expect(await table.store.findKey(first.prefix)).toEqual(first);
  expect(await table.store.findKey(second.prefix)).toEqual(second);
});

test('the keys of an account are listed oldest first, and no others', async () => {
  const first = await created();
  await created();
  const late = keyOf(first.accountId, { createdAt: NOON + 2 });
  const early = keyOf(first.accountId, { createdAt: NOON + 1 });
  await table.store.addKey(late, 5);
  await table.store.addKey(early, 5);
  expect(await table.store.listKeys(first.accountId)).toEqual([first, early, late]);
});

test('keys of one moment are listed by their prefixes', async () => {
  const { accountId } = await created();
  for (const prefix of ['same-b', 'same-a', 'same-d', 'same-c'])
    await table.store.addKey(keyOf(accountId, { prefix, createdAt: NOON + 1 }), 9);
  expect((await prefixesOf(accountId)).slice(1)).toEqual(['same-a', 'same-b', 'same-c', 'same-d']);
});

test('an account has no more keys than it may, however many are asked for at once', async () => {
  const { accountId } = await created();
  const answers = await Promise.all(Array.from({ length: 8 }, () => table.store.addKey(keyOf(accountId), 4)));
  expect(answers.filter(Boolean)).toHaveLength(3);
  expect(await prefixesOf(accountId)).toHaveLength(4);
});

test('an account that is not there has no key', async () => {
  expect(await table.store.listKeys('nobody')).toEqual([]);
});

test('an account that is not there gets no key', async () => {
  const key = keyOf('nobody');
  expect(await table.store.addKey(key, 5)).toBe(false);
  expect(await table.store.findKey(key.prefix)).toBeUndefined();
});

test('a key that is added twice is our defect, not an account without room', async () => {
  const first = await created();
  await expect(table.store.addKey(first, 5)).rejects.toThrow('ConditionalCheckFailed');
});

test('a revoked key is gone and makes room for another', async () => {
  const first = await created();
  expect(await table.store.addKey(keyOf(first.accountId), 1)).toBe(false);
  expect(await table.store.revokeKey(first.accountId, first.prefix)).toBe(true);
  expect(await table.store.revokeKey(first.accountId, first.prefix)).toBe(false);
  expect(await table.store.findKey(first.prefix)).toBeUndefined();
  expect(await prefixesOf(first.accountId)).toEqual([]);
  expect(await table.store.addKey(keyOf(first.accountId), 1)).toBe(true);
});

test('an account cannot revoke the key of another', async () => {
  const [mine, theirs] = [await created(), await created()];
  expect(await table.store.revokeKey(mine.accountId, theirs.prefix)).toBe(false);
  expect(await table.store.findKey(theirs.prefix)).toEqual(theirs);
  expect(await prefixesOf(theirs.accountId)).toEqual([theirs.prefix]);
});

test('a key shows when it was last used, and an earlier use that is noted late does not set that back', async () => {
  const { accountId, prefix } = await created();
  await table.store.touchKey(prefix, NOON + 2 * HOUR);
  await table.store.touchKey(prefix, NOON + HOUR);
  expect(await table.store.listKeys(accountId)).toMatchObject([{ prefix, lastUsedAt: NOON + 2 * HOUR }]);
});

test('the use of a revoked key brings nothing of it back', async () => {
  const { accountId, prefix } = await created();
  await table.store.revokeKey(accountId, prefix);
  await table.store.touchKey(prefix, NOON);
  expect(await table.store.findKey(prefix)).toBeUndefined();
});

test('a key from before there were scopes can do everything', async () => {
  const Item = {
    ...{ pk: { S: 'KEY#old' }, sk: { S: 'KEY' } },
    ...{ mac: { S: 'mac' }, accountId: { S: 'account' }, createdAt: { N: String(NOON) } },
  };
  await table.client.send(new PutItemCommand({ TableName: table.name, Item }));
  expect(await table.store.findKey('old')).toMatchObject({ prefix: 'old', scope: 'write' });
});
