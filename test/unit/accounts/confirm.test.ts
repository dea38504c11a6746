import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAccount } from '../../../shared/accounts/account.ts';
import { confirm } from '../../../shared/accounts/confirm.ts';
import { apiKeyMac, readApiKey } from '../../../shared/runtime/api-key.ts';
import { type Confirmation, sealConfirmation } from '../../../shared/runtime/confirmation-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { NOON } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const DAY = 24 * 60 * 60_000;
const secrets = secretsFrom('a secret of this deployment, long enough');
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
const someone = () => `person-${++count}@example.org`;
const services = () => ({ store: table.store, secrets, clock: () => now });
const tokenFor = (confirmation: Confirmation) => sealConfirmation(secrets, confirmation, NOON);

async function giveKey(email: string) {
  const confirmed = await confirm(tokenFor({ kind: 'account', email }), services());
  if (confirmed.kind !== 'account') throw new Error(confirmed.kind);
  return confirmed;
}

const prefixesOf = async (accountId: string) => (await table.store.listKeys(accountId)).map(({ prefix }) => prefix);
const prefixOf = (apiKey: string) => readApiKey(secrets, apiKey)?.prefix ?? '';

describe('a confirmed account', () => {
  test('is made with its first key, which is stored as a code and may change things', async () => {
    const email = someone();
    const given = await giveKey(email);
    expect(given).toMatchObject({ email, scope: 'write', how: 'opened' });
    expect(await table.store.findAccount(given.accountId)).toEqual({ id: given.accountId, email, createdAt: NOON });
    const key = readApiKey(secrets, given.apiKey);
    const stored = await table.store.findKey(key?.prefix ?? '');
    expect(stored).toMatchObject({ accountId: given.accountId, scope: 'write', createdAt: NOON });
    expect(stored?.mac).toBe(key === undefined ? '' : apiKeyMac(secrets, key));
    expect(JSON.stringify(stored)).not.toContain(given.apiKey.slice(17, 60));
  });

  test('that was there before gets a second key, beside the first', async () => {
    const email = someone();
    const first = await giveKey(email);
    const second = await giveKey(email.toUpperCase());
    expect(second).toMatchObject({ accountId: first.accountId, email, how: 'added' });
    expect((await prefixesOf(first.accountId)).toSorted()).toEqual([prefixOf(first.apiKey), prefixOf(second.apiKey)].toSorted());
  });

  test('that has two keys gets one in the place of the older: the way back for whoever has lost both', async () => {
    const email = someone();
    const first = await giveKey(email);
    now = NOON + 1;
    const second = await giveKey(email);
    now = NOON + 2;
    const third = await giveKey(email);
    expect(third).toMatchObject({ accountId: first.accountId, how: 'replaced' });
    expect(await prefixesOf(first.accountId)).toEqual([prefixOf(second.apiKey), prefixOf(third.apiKey)]);
    expect(await table.store.findKey(prefixOf(first.apiKey))).toBeUndefined();
  });

  test('is one account, however many mails are confirmed at once', async () => {
    const email = someone();
    const given = await Promise.all([giveKey(email), giveKey(email)]);
    expect(new Set(given.map(({ accountId }) => accountId)).size).toBe(1);
    expect(await prefixesOf(given[0].accountId)).toHaveLength(2);
  });
});

describe('a confirmed recipient', () => {
  test('gets the alerts of that account from now on, and of no other', async () => {
    const email = someone();
    const [mine, other] = await Promise.all(['a', 'b'].map((each) => openAccount(table.store, secrets, `${each}${someone()}`, NOON)));
    const accountId = mine?.accountId ?? '';
    expect(await confirm(tokenFor({ kind: 'recipient', email, accountId }), services())).toEqual({ kind: 'recipient', email });
    expect(await table.store.confirmedRecipients(accountId, [email])).toEqual([email]);
    expect(await table.store.confirmedRecipients(other?.accountId ?? '', [email])).toEqual([]);
  });

  test('gets no account and no key by it', async () => {
    const email = someone();
    const mine = await openAccount(table.store, secrets, someone(), NOON);
    await confirm(tokenFor({ kind: 'recipient', email, accountId: mine?.accountId ?? '' }), services());
    expect(await table.store.findAccountByEmail(email)).toBeUndefined();
  });
});

describe('a token', () => {
  test('works once, be it clicked ten times at once or later again', async () => {
    const email = someone();
    const token = tokenFor({ kind: 'account', email });
    const all = await Promise.all(Array.from({ length: 10 }, () => confirm(token, services())));
    expect(all.filter(({ kind }) => kind === 'account')).toHaveLength(1);
    now = NOON + DAY - 1;
    expect(await confirm(token, services())).toEqual({ kind: 'refused', why: 'used' });
    const account = await table.store.findAccountByEmail(email);
    expect(await prefixesOf(account?.id ?? '')).toHaveLength(1);
  });

  test('works for a day', async () => {
    const token = tokenFor({ kind: 'account', email: someone() });
    now = NOON + DAY;
    expect(await confirm(token, services())).toEqual({ kind: 'refused', why: 'expired' });
  });

  test('that is forged is refused without a look at the table', async () => {
    table.meter.reset();
    expect(await confirm('ra1.e30.AAAA', services())).toEqual({ kind: 'refused', why: 'unreadable' });
    expect(table.meter.requests).toBe(0);
  });
});
