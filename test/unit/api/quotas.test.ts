import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';

const DAY = 24 * 60 * 60_000;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const register = (key: string, name = 'mail.example.org') => api.call('POST', '/v1/hosts', { key, body: { name } });

/** An account that may have so many hosts. */
async function accountWith(quota: number) {
  const account = await api.account();
  expect(await api.table.store.setHostQuota(account.accountId, quota)).toBe(true);
  return account;
}

test('an account may have a hundred hosts unless its operator allows another number, and reads how many it has', async () => {
  const { accountId, key } = await api.account();
  expect((await api.call('GET', '/v1/account', { key })).body).toMatchObject({ hosts: 0, hostQuota: 100 });
  await register(key);
  await api.table.store.setHostQuota(accountId, 250);
  expect((await api.call('GET', '/v1/account', { key })).body).toMatchObject({ hosts: 1, hostQuota: 250 });
});

test('of hosts that are registered at once no more are taken than there is room for; who is refused hears what to do', async () => {
  const { accountId, key } = await accountWith(5);
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => register(key, `mail-${index}.example.org`)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([409]));
  expect(refused[0]?.body.detail).toMatch(/may have 5 hosts.*served domains.*remove a host.*operator/);
  expect((await api.table.store.listHosts(accountId, 100)).items).toHaveLength(5);
});

test('a host that is removed makes room for one, however often its removal is asked for', async () => {
  const { key } = await accountWith(2);
  const [first] = await Promise.all([register(key, 'a.example.org'), register(key, 'b.example.org')]);
  expect((await register(key, 'c.example.org')).status).toBe(409);
  const removals = Array.from({ length: 5 }, () => api.call('DELETE', `/v1/hosts/${first.body.id}`, { key }));
  expect((await Promise.all(removals)).filter(({ status }) => status === 204)).toHaveLength(1);
  expect((await api.call('GET', '/v1/account', { key })).body.hosts).toBe(1);
  const again = await Promise.all(['d', 'e'].map((name) => register(key, `${name}.example.org`)));
  expect(again.map(({ status }) => status).toSorted()).toEqual([201, 409]);
});

test('an account registers twice as many hosts a day as it may have, whatever it removes in between', async () => {
  const { accountId, key } = await accountWith(2);
  for (let count = 0; count < 4; count++) {
    const { status, body } = await register(key);
    expect(status).toBe(201);
    await api.call('DELETE', `/v1/hosts/${body.id}`, { key });
  }
  expect(await register(key)).toMatchObject({
    status: 429,
    headers: { 'retry-after': String(DAY / 2 / 1000) },
    body: { detail: expect.stringMatching(/registered 4 hosts today.*Come again in 12 hours/) },
  });
  expect((await api.table.store.findAccount(accountId))?.hosts).toBe(0);
  api.now = NOON + DAY;
  expect((await register(key)).status).toBe(201);
  api.now = NOON;
});

test('an account asks for twice as many scans a day as it may have hosts, over all of them', async () => {
  const { key } = await accountWith(2);
  const hosts = await Promise.all(['a', 'b'].map((name) => register(key, `${name}.example.org`)));
  const ask = (hostId: string) => api.call('POST', `/v1/hosts/${hostId}/scans`, { key });
  for (let round = 0; round < 2; round++) {
    api.now = NOON + round * 60_000;
    for (const { body } of hosts) {
      const asked = await ask(body.id);
      expect(asked.status).toBe(202);
      await api.table.store.dropOwed({ accountId: '', hostId: body.id, scanId: asked.body.id });
    }
  }
  expect(await ask(hosts[0]?.body.id)).toMatchObject({ status: 429, body: { detail: expect.stringMatching(/4 scans today.*scheduled/) } });
  api.now = NOON;
});

test('an account reads how many of its scans wait for a later minute', async () => {
  const { accountId, key } = await api.account();
  expect((await api.call('GET', '/v1/account', { key })).body.waitingScans).toBe(0);
  await api.table.store.noteWaiting(accountId, 37, api.now);
  expect((await api.call('GET', '/v1/account', { key })).body.waitingScans).toBe(37);
});

test('the quota of an account that is gone cannot be set', async () => {
  expect(await api.table.store.setHostQuota('gone', 5)).toBe(false);
});
