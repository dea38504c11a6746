import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createdKeyResponse, keysResponse } from '../../../shared/contract/accounts.ts';
import { mintApiKey } from '../../../shared/runtime/api-key.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const create = (key: string, body: object) => api.call('POST', '/v1/keys', { key, body });

describe('API keys', () => {
  test('one takes the place of the other: create, use it, revoke the old one', async () => {
    const { key } = await api.account();
    const created = await create(key, { scope: 'write', label: 'Überwachung' });
    expect(created).toMatchObject({
      status: 201,
      headers: { 'cache-control': 'no-store' },
      body: { scope: 'write', label: 'Überwachung' },
    });
    const { apiKey, prefix } = createdKeyResponse.parse(created.body);
    expect(apiKey.startsWith(`ra1_${prefix}_`)).toBe(true);
    const listed = keysResponse.parse((await api.call('GET', '/v1/keys', { key: apiKey })).body);
    expect(listed.items.map((each) => each.prefix)).toHaveLength(2);
    const old = listed.items.find((each) => each.prefix !== prefix)?.prefix;
    expect((await api.call('DELETE', `/v1/keys/${old}`, { key: apiKey })).status).toBe(204);
    expect((await api.call('GET', '/v1/keys', { key })).status).toBe(401);
    expect((await api.call('GET', '/v1/keys', { key: apiKey })).body.items).toMatchObject([{ prefix }]);
  });

  test('are two at most; for a third one is to be revoked first', async () => {
    const { key } = await api.account();
    expect((await create(key, { scope: 'read' })).status).toBe(201);
    expect(await create(key, { scope: 'read' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('Revoke one first') },
    });
  });

  test('show their secret once, and nothing of it in any later answer', async () => {
    const { key } = await api.account();
    const { apiKey } = (await create(key, { scope: 'read' })).body;
    const listed = JSON.stringify((await api.call('GET', '/v1/keys', { key })).body);
    for (const text of [key, apiKey]) expect(listed).not.toContain(text.slice(17, 60));
  });

  test('tell when they were last used, to the hour, with one write an hour', async () => {
    const { key } = await api.account();
    const lastUsed = async () => (await api.call('GET', '/v1/keys', { key })).body.items[0].lastUsedAt;
    expect(await lastUsed()).toBe(new Date(NOON).toISOString());
    api.now = NOON + HOUR - 1;
    expect(await lastUsed()).toBe(new Date(NOON).toISOString());
    api.table.meter.reset();
    await lastUsed();
    expect(api.table.meter.writeUnits).toBe(1); // its budget
    api.now = NOON + HOUR;
    expect(await lastUsed()).toBe(new Date(NOON + HOUR).toISOString());
    api.now = NOON;
  });

  test('open although their use could not be noted', async () => {
    const { key } = await api.account();
    const { touchKey } = api.services.store;
    Object.assign(api.services.store, { touchKey: () => Promise.reject(new Error('throttled')) });
    expect((await api.call('GET', '/v1/keys', { key })).status).toBe(200);
    Object.assign(api.services.store, { touchKey });
    expect(api.logged).toMatchObject([{ message: 'the use of a key could not be noted', fields: { error: { message: 'throttled' } } }]);
  });

  test.each([
    [{}, 'scope'],
    [{ scope: 'admin' }, 'scope'],
    [{ scope: 'read', label: '' }, 'label'],
    [{ scope: 'read', label: 'a'.repeat(61) }, 'label'],
    [{ scope: 'read', label: 'a\nb' }, 'label'],
    [{ scope: 'read', accountId: 'x' }, 'accountId'],
  ])('%j is refused at the field', async (body, field) => {
    const { key } = await api.account();
    expect(await create(key, body)).toMatchObject({ status: 422, body: { errors: [{ field }] } });
  });

  test('of another account are as absent as those that never were', async () => {
    const [mine, other] = [await api.account(), await api.account()];
    const [{ prefix }] = (await api.call('GET', '/v1/keys', { key: other.key })).body.items;
    const foreign = await api.call('DELETE', `/v1/keys/${prefix}`, { key: mine.key });
    const missing = await api.call('DELETE', '/v1/keys/ffffffffffff', { key: mine.key });
    expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
    expect((await api.call('DELETE', '/v1/keys/x', { key: mine.key })).body).toEqual(missing.body);
    expect((await api.call('GET', '/v1/keys', { key: other.key })).status).toBe(200);
  });
});

describe('a key that may only read', () => {
  const HOST = `/v1/hosts/${'0'.repeat(20)}`;

  test.each([
    ['POST', '/v1/keys', { scope: 'write' }],
    ['DELETE', '/v1/keys/000000000000', undefined],
    ['DELETE', '/v1/account', { confirm: 'x' }],
    ['POST', '/v1/hosts', { name: 'mail.example.org' }],
    ['PATCH', HOST, { period: 'week' }],
    ['DELETE', HOST, undefined],
    ['POST', `${HOST}/scans`, undefined],
    ['POST', `${HOST}/consent/check`, undefined],
    ['POST', `${HOST}/consent/reaffirm`, undefined],
  ])('changes nothing: %s %s', async (method, path, body) => {
    const key = await api.keyOf((await api.account()).accountId, 'read');
    expect(await api.call(method, path, { key, body })).toMatchObject({ status: 403, body: { title: 'Not allowed' } });
  });

  test('reads what there is', async () => {
    const { accountId, key } = await api.account();
    const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org' } })).body;
    const reader = await api.keyOf(accountId, 'read');
    for (const path of ['/v1/account', '/v1/keys', '/v1/hosts', `/v1/hosts/${id}`, `/v1/hosts/${id}/scans`, `/v1/hosts/${id}/changes`])
      expect((await api.call('GET', path, { key: reader })).status, path).toBe(200);
  });
});

describe('a request without a good key', () => {
  test('costs no read as long as its checksum is wrong, and one write for the budget of its address', async () => {
    const { key } = await api.account();
    for (const forged of [undefined, 'x', `${key}x`, key.slice(0, -1)]) {
      api.table.meter.reset();
      const asked = forged === undefined ? {} : { key: forged };
      expect((await api.call('GET', '/v1/hosts', asked)).status).toBe(401);
      expect(api.table.meter).toMatchObject({ readUnits: 0, writeUnits: 1, requests: 1 });
    }
  });

  test('is answered 120 times a minute to one address, which holds up no good key behind it', async () => {
    const sourceIp = '203.0.113.77';
    const { key } = await api.account();
    const unknown = mintApiKey(api.services.secrets).text; // its checksum is right, and it is stored nowhere
    const wrong = [undefined, 'ra1_x', unknown];
    const tries = Array.from({ length: 123 }, (_, index) => {
      const tried = wrong[index % 3];
      return api.call('GET', '/v1/hosts', { sourceIp, ...(tried === undefined ? {} : { key: tried }) });
    });
    const answers = await Promise.all(tries);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(120);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
    expect((await api.call('GET', '/v1/hosts', { key, sourceIp })).status).toBe(200);
    api.now = NOON + MINUTE;
    expect((await api.call('GET', '/v1/hosts', { sourceIp })).status).toBe(401);
    api.now = NOON;
  });
});
