import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Session } from '../../shared/store/audit-store.ts';
import { createSampleAccount, NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => NOON, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());

const session = (id: string, accountId = 'account1'): Session => ({
  id,
  accountId,
  email: 'owner@example.org',
  startedAt: NOON,
  until: NOON + DAY,
});
const idsOf = async (...ids: string[]) => {
  const found = await Promise.all(ids.map((id) => table.store.findSession('account1', id, NOON)));
  return found.flatMap((each) => each?.id ?? []);
};

describe('a session', () => {
  test('is found by its account and id alone, until its time is over', async () => {
    expect(await table.store.startSession(session('one'))).toBe(true);
    expect(await table.store.findSession('account1', 'one', NOON)).toEqual(session('one'));
    expect(await table.store.findSession('account1', 'one', NOON + DAY - 1)).toEqual(session('one'));
    expect(await table.store.findSession('account1', 'one', NOON + DAY)).toBeUndefined();
    expect(await table.store.findSession('account2', 'one', NOON)).toBeUndefined();
  });

  test('ends by itself, and the others of the account go on', async () => {
    await table.store.startSession(session('two'));
    await table.store.endSession('account1', 'one');
    expect(await idsOf('one', 'two')).toEqual(['two']);
    await table.store.endSession('account1', 'one');
  });

  test('ends with all others of its account, and none of another account', async () => {
    await table.store.createAccount({ id: 'account3', email: 'third@example.org', createdAt: NOON });
    await table.store.startSession(session('theirs', 'account3'));
    await table.store.startSession(session('three'));
    await table.store.endSessions('account1');
    expect(await idsOf('two', 'three')).toEqual([]);
    expect(await table.store.findSession('account3', 'theirs', NOON)).toBeDefined();
  });

  test('is not begun of an account that is gone, and goes with its account', async () => {
    expect(await table.store.startSession(session('early', 'nobody'))).toBe(false);
    await table.store.removeAccount({ id: 'account3', email: 'third@example.org', createdAt: NOON });
    expect(await table.store.findSession('account3', 'theirs', NOON)).toBeUndefined();
    expect(await table.store.startSession(session('late', 'account3'))).toBe(false);
  });
});

test('an account that begins without an API key has none, and may be given one', async () => {
  expect(await table.store.createAccount({ id: 'account4', email: 'fourth@example.org', createdAt: NOON })).toBe(true);
  expect(await table.store.listKeys('account4')).toEqual([]);
  expect(await table.store.confirmedRecipients('account4', ['fourth@example.org'])).toEqual(['fourth@example.org']);
  const key = { prefix: 'aaaaaaaaaaaa', mac: 'mac', accountId: 'account4', createdAt: NOON, scope: 'write' } as const;
  expect(await table.store.addKey(key, 2)).toBe(true);
  expect((await table.store.listKeys('account4')).map(({ prefix }) => prefix)).toEqual(['aaaaaaaaaaaa']);
});

test('links to an address are ended by who signs out everywhere, and by the removal of the account', async () => {
  const account = { id: 'account5', email: 'fifth@example.org', createdAt: NOON };
  await table.store.createAccount(account);
  expect(await table.store.linksEndedAt(account.email)).toBeUndefined();
  await table.store.endLinks(account.email, NOON - 1);
  expect(await table.store.linksEndedAt('FIFTH@example.org')).toBe(NOON - 1);
  await table.store.removeAccount(account);
  expect(await table.store.linksEndedAt(account.email)).toBe(NOON);
});
