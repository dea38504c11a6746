import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountResponse, askedResponse, confirmedResponse, givenKeyResponse } from '../../../shared/contract/accounts.ts';
import type { Registration } from '../../../shared/runtime/config.ts';
import type { Account } from '../../../shared/store/audit-store.ts';
import { type Answered, type ApiOnTable, startApi, tokenIn } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';

const DAY = 24 * 60 * 60_000;
const HOUR = 60 * 60_000;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

let count = 0;
const someone = () => `person-${++count}@example.org`;
const somewhere = () => ({ sourceIp: `203.0.113.${++count}` });
const ask = (email: string, from = somewhere()) => api.call('POST', '/v1/accounts', { body: { email }, ...from });
const confirm = (token: string) => api.call('POST', '/v1/confirmations', { body: { token }, ...somewhere() });
const mailsTo = (email: string) => api.mails.filter(({ recipient }) => recipient === email).map(({ mail }) => mail);

describe('asking for an account', () => {
  test('mails a link, and the link’s token gives account and key, once', async () => {
    const email = someone();
    const asked = await ask(email);
    expect(asked).toMatchObject({ status: 202, body: askedResponse.parse(asked.body) });
    expect(mailsTo(email)[0]?.text).toContain('https://audit.example/confirm?token=ra1.');
    const token = tokenIn(mailsTo(email)[0]);
    const confirmed = await confirm(token);
    expect(confirmed).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' }, body: { email, scope: 'write' } });
    const { accountId, apiKey } = givenKeyResponse.parse(confirmed.body);
    const account = await api.call('GET', '/v1/account', { key: apiKey });
    const given = { id: accountId, email, createdAt: new Date(api.now).toISOString(), hosts: 0, hostQuota: 100, waitingScans: 0 };
    expect(accountResponse.parse(account.body)).toEqual(given);
    const again = await confirm(token);
    expect(again).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/used already\. .*POST \/v1\/accounts/) } });
  });

  test('is answered alike whether the address has an account, has none, or has had its mail today', async () => {
    const { email } = await api.account();
    const answers = [await ask(email), await ask(someone()), await ask(email)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => JSON.stringify(headers))).size).toBe(1);
    expect(mailsTo(email)).toHaveLength(1);
  });

  test('mails the same words to whoever has an account and whoever has none', async () => {
    const { email } = await api.account();
    const stranger = someone();
    await ask(email);
    await ask(stranger);
    const words = [email, stranger].map((each) => JSON.stringify(mailsTo(each)).replaceAll(/token=[\w.-]+/g, ''));
    expect(words[0]).toBe(words[1]);
  });

  test('mails an address once a day and three times in thirty days, however it is spelled', async () => {
    const email = someone();
    api.now = Math.ceil(NOON / (30 * DAY)) * 30 * DAY;
    const sent: number[] = [];
    for (let day = 0; day <= 30; day++, api.now += DAY) {
      await ask(day % 2 === 0 ? email : email.toUpperCase());
      await ask(email);
      sent.push(mailsTo(email).length + mailsTo(email.toUpperCase()).length);
    }
    expect(sent.slice(0, 4)).toEqual([1, 2, 3, 3]);
    expect(sent.slice(29)).toEqual([3, 4]);
    api.now = NOON;
  });

  test('is granted ten times an hour to one address, and to one /64 of IPv6', async () => {
    for (const [first, second, stranger] of [
      ['198.51.100.9', '198.51.100.9', '198.51.100.10'],
      ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
    ]) {
      for (let i = 0; i < 10; i++) expect((await ask(someone(), { sourceIp: first ?? '' })).status).toBe(202);
      const email = someone();
      const refused = await ask(email, { sourceIp: second ?? '' });
      expect(refused).toMatchObject({
        status: 429,
        headers: { 'retry-after': '3600', 'ratelimit-policy': '"accounts";q=10;w=3600', ratelimit: '"accounts";r=0;t=3600' },
      });
      expect(mailsTo(email)).toEqual([]);
      expect((await ask(someone(), { sourceIp: stranger ?? '' })).status).toBe(202);
    }
  });

  test('is told that the mail could not be sent, and may try again at once', async () => {
    for (const trouble of [new Error('no answer from SES'), { kind: 'refused', why: 'paused' } as const]) {
      const email = someone();
      api.handover = trouble;
      expect(await ask(email)).toMatchObject({ status: 503 });
      api.handover = { kind: 'accepted', messageId: 'message' };
      expect(await ask(email)).toMatchObject({ status: 202 });
      expect(mailsTo(email)).toHaveLength(1);
    }
    expect(JSON.stringify(api.logged.splice(0))).not.toMatch(/token=/);
  });

  test.each([
    [{}, 'email'],
    [{ email: 'nobody' }, 'email'],
    [{ email: 'a@example.org\r\nBcc: b@example.org' }, 'email'],
    [{ email: `${'a'.repeat(250)}@example.org` }, 'email'],
    [{ email: 'a@example.org', name: 'Me' }, 'name'],
  ])('%j is refused at the field, and nothing is mailed', async (body, field) => {
    const before = api.mails.length;
    expect(await api.call('POST', '/v1/accounts', { body })).toMatchObject({ status: 422, body: { errors: [{ field }] } });
    expect(api.mails).toHaveLength(before);
  });

  test('links lead to where the request was sent to, when the deployment does not say where it is', async () => {
    const other = await startApi({ baseUrl: '' });
    await other.call('POST', '/v1/accounts', { body: { email: 'you@example.org' } });
    expect(other.mails[0]?.mail.text).toContain('https://gateway.example/confirm?token=');
    await other.stop();
  });
});

describe('an operator', () => {
  async function answersOf(registration: Registration) {
    const other = await startApi({ registration });
    const { email } = await other.account('owner@elsewhere.example');
    const emails = [email, 'new@elsewhere.example', 'new@Example.org', 'new@sub.example.org'];
    const answers = await Promise.all(emails.map((each) => other.call('POST', '/v1/accounts', { body: { email: each } })));
    await other.stop();
    return { answers, mails: other.mails.map(({ recipient }) => recipient) };
  }

  test('can close registration, for everybody alike', async () => {
    const { answers, mails } = await answersOf({ kind: 'closed' });
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]?.body.detail).toContain('Registration is closed here.');
    expect(mails).toEqual([]);
  });

  test('can limit it to domains, of which others are told, whether or not they have an account', async () => {
    const { answers, mails } = await answersOf({ kind: 'domains', domains: ['example.org', 'example.net'] });
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 202, 403]);
    expect(answers[0]?.body.detail).toContain('example.org, example.net');
    expect(mails).toEqual(['new@Example.org']);
  });
});

describe('a confirmation', () => {
  test('of a recipient says so, and gives no key', async () => {
    const { key } = await api.account();
    const email = someone();
    const body = { name: 'mail.example.org', alertRecipients: [email] };
    const host = await api.call('POST', '/v1/hosts', { key, body });
    expect(host.body.unconfirmedRecipients).toEqual([email]);
    const confirmed = await confirm(tokenIn(mailsTo(email)[0]));
    expect(confirmed).toMatchObject({ status: 200, body: { email, confirmed: true } });
    confirmedResponse.parse(confirmed.body);
    expect((await api.call('GET', `/v1/hosts/${host.body.id}`, { key })).body.unconfirmedRecipients).toEqual([]);
  });

  test('that is forged or old is told how to get another', async () => {
    const email = someone();
    await ask(email);
    const token = tokenIn(mailsTo(email)[0]);
    expect(await confirm(token.slice(0, -1))).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('not the whole token') },
    });
    api.now = NOON + DAY;
    expect(await confirm(token)).toMatchObject({ status: 422, body: { detail: expect.stringContaining('older than 24 hours') } });
    api.now = NOON;
  });

  test('is tried two times a second at most from one address', async () => {
    const from = somewhere();
    const tries = Array.from({ length: 125 }, () => api.call('POST', '/v1/confirmations', { body: { token: 'ra1.x.y' }, ...from }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(120);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  });
});

describe('deleting an account', () => {
  test('takes everything along: hosts, recipients, keys, and the address is free again', async () => {
    const { accountId, email, key } = await api.account();
    const names = Array.from({ length: 60 }, (_, index) => `mail-${index}.example.org`);
    const hosts: Answered[] = [];
    for (const name of names) hosts.push(await api.call('POST', '/v1/hosts', { key, body: { name } }));
    await api.table.store.confirmRecipient(accountId, 'friend@example.org', NOON);
    const second = await api.keyOf(accountId, 'read');
    expect((await api.call('DELETE', '/v1/account', { key, body: { confirm: email.toUpperCase() } })).status).toBe(204);
    for (const gone of [key, second]) expect((await api.call('GET', '/v1/account', { key: gone })).status).toBe(401);
    for (const { body } of hosts) expect(await api.table.store.findHost(accountId, body.id)).toBeUndefined();
    expect(await api.table.store.confirmedRecipients(accountId, ['friend@example.org', email])).toEqual([]);
    expect(await api.table.store.findAccountByEmail(email)).toBeUndefined();
    expect(await api.table.store.dueErasures(api.now + HOUR, 100)).toHaveLength(60);
    await api.account(email);
  });

  test('that broke off may be asked for again with the same key, and takes along what was registered meanwhile', async () => {
    const { accountId, email, key } = await api.account();
    const { removeAccount } = api.services.store;
    Object.assign(api.services.store, { removeAccount: () => Promise.reject(new Error('throttled')) });
    const remove = () => api.call('DELETE', '/v1/account', { key, body: { confirm: email } });
    const { body: before } = await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org' } });
    expect((await remove()).status).toBe(500);
    expect(await api.table.store.findHost(accountId, before.id)).toBeUndefined();
    let late = '';
    Object.assign(api.services.store, {
      async removeAccount(account: Account) {
        late = (await api.call('POST', '/v1/hosts', { key, body: { name: 'late.example.org' } })).body.id;
        await removeAccount(account);
      },
    });
    expect((await remove()).status).toBe(204);
    Object.assign(api.services.store, { removeAccount });
    expect(late).not.toBe('');
    expect(await api.table.store.findHost(accountId, late)).toBeUndefined();
  });

  test('that overtakes a registration leaves no host behind: whoever registers is told that the account is gone', async () => {
    const { accountId, email, key } = await api.account();
    const { registerHost } = api.services.store;
    let removed: Answered | undefined;
    let late = '';
    Object.assign(api.services.store, {
      async registerHost(...args: Parameters<typeof registerHost>) {
        late = args[0].id;
        removed = await api.call('DELETE', '/v1/account', { key, body: { confirm: email } });
        return registerHost(...args);
      },
    });
    const registered = await api.call('POST', '/v1/hosts', { key, body: { name: 'late.example.org' } });
    Object.assign(api.services.store, { registerHost });
    expect(removed?.status).toBe(204);
    expect(await api.table.store.findHost(accountId, late)).toBeUndefined();
    expect(await api.table.store.owedOf(late)).toEqual([]);
    expect(registered).toMatchObject({ status: 401, body: { detail: expect.stringContaining('account is gone') } });
  });

  test('asks for its mail address, and does nothing without', async () => {
    const { email, key } = await api.account();
    for (const body of [{}, { confirm: 'yes' }, { confirm: 'other@example.org' }, { confirm: true }])
      expect(await api.call('DELETE', '/v1/account', { key, body })).toMatchObject({
        status: 422,
        body: { errors: [{ field: 'confirm' }] },
      });
    expect((await api.call('GET', '/v1/account', { key })).body.email).toBe(email);
  });
});
