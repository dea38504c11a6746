import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registeredHostResponse } from '../../../shared/contract/responses.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';
import { startTable } from '../../support/table.ts';

const DAY = 24 * 60 * 60_000;
const MINUTE = 60_000;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi({}, startTable); // the engine lists all that it holds
});
afterAll(() => api.stop());

let count = 0;
const newHeader = () => ({ 'idempotency-key': `key-${++count}` });
const HOST = { name: 'mail.example.org' };
const hostsOf = async (key: string) => (await api.call('GET', '/v1/hosts', { key })).body.items;

describe('a request that is repeated with its Idempotency-Key', () => {
  test('registers one host, and is given the first answer again, with the headers that go with it', async () => {
    const { key } = await api.account();
    const asked = { key, body: HOST, headers: newHeader() };
    const first = await api.call('POST', '/v1/hosts', asked);
    const second = await api.call('POST', '/v1/hosts', asked);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect([second.status, second.body]).toEqual([201, first.body]);
    for (const name of ['location', 'etag', 'content-type']) expect(second.headers[name]).toBe(first.headers[name]);
    registeredHostResponse.parse(second.body);
    expect(await hostsOf(key)).toHaveLength(1);
  });

  test('owes one scan', async () => {
    const { key } = await api.account();
    const { id } = (await api.call('POST', '/v1/hosts', { key, body: HOST })).body;
    const asked = { key, headers: newHeader() };
    const first = await api.call('POST', `/v1/hosts/${id}/scans`, asked);
    await api.table.store.dropOwed({ accountId: '', hostId: id, scanId: first.body.id });
    const second = await api.call('POST', `/v1/hosts/${id}/scans`, asked);
    expect([second.status, second.body, second.headers['idempotency-replayed']]).toEqual([202, first.body, 'true']);
    expect(await api.table.store.findOwed(id, first.body.id)).toBeUndefined();
  });

  test('makes one API key, which is shown in the first answer and stands nowhere in the table', async () => {
    const { key } = await api.account();
    const asked = { key, body: { scope: 'read' }, headers: newHeader() };
    const first = await api.call('POST', '/v1/keys', asked);
    expect(first.status).toBe(201);
    const second = await api.call('POST', '/v1/keys', asked);
    expect(second).toMatchObject({ status: 409, body: { detail: expect.stringContaining('was shown once') } });
    expect(second.headers['idempotency-replayed']).toBeUndefined();
    expect((await api.call('GET', '/v1/keys', { key })).body.items).toHaveLength(2);
    const { Items } = await api.table.client.send(new ScanCommand({ TableName: api.table.name }));
    expect(JSON.stringify(Items)).toContain(first.body.prefix);
    expect(JSON.stringify(Items)).not.toContain(first.body.apiKey.slice(17, 60));
  });

  test('is told to wait while the first is being made, and ten at once make one', async () => {
    const { key } = await api.account();
    const asked = { key, body: HOST, headers: newHeader() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.call('POST', '/v1/hosts', asked)));
    expect(await hostsOf(key)).toHaveLength(1);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10 - waiting.length);
    for (const each of waiting) expect(each.headers['retry-after']).toBe('5');
  });

  test('is made again a day later', async () => {
    const { key } = await api.account();
    const asked = { key, body: HOST, headers: newHeader() };
    const { id } = (await api.call('POST', '/v1/hosts', asked)).body;
    api.now = NOON + DAY;
    await api.call('DELETE', `/v1/hosts/${id}`, { key });
    expect((await api.call('POST', '/v1/hosts', asked)).headers['idempotency-replayed']).toBeUndefined();
    expect(await hostsOf(key)).toHaveLength(1);
    api.now = NOON;
  });

  test('is made when the first has failed, be it the caller’s doing or ours', async () => {
    const { key } = await api.account();
    const asked = { key, body: { name: 'x' }, headers: newHeader() };
    expect((await api.call('POST', '/v1/hosts', asked)).status).toBe(422);
    expect((await api.call('POST', '/v1/hosts', { ...asked, body: HOST })).status).toBe(201);
    const { registerHost } = api.services.store;
    const failing = { key, body: { name: 'other.example.org' }, headers: newHeader() };
    Object.assign(api.services.store, { registerHost: () => Promise.reject(new Error('throttled')) });
    expect((await api.call('POST', '/v1/hosts', failing)).status).toBe(500);
    Object.assign(api.services.store, { registerHost });
    expect((await api.call('POST', '/v1/hosts', failing)).status).toBe(201);
    expect(api.logged.splice(0)).toMatchObject([{ message: 'a request failed', fields: { error: { message: 'throttled' } } }]);
  });

  test('waits a minute at most for one whose maker is gone', async () => {
    const { key } = await api.account();
    const asked = { key, body: HOST, headers: newHeader() };
    const { registerHost } = api.services.store;
    const gone = new Promise<void>((reached) => {
      Object.assign(api.services.store, {
        registerHost: () => {
          reached();
          return new Promise(() => {});
        },
      });
    });
    void api.call('POST', '/v1/hosts', asked);
    await gone;
    Object.assign(api.services.store, { registerHost });
    api.now = NOON + MINUTE - 1;
    expect((await api.call('POST', '/v1/hosts', asked)).status).toBe(409);
    api.now = NOON + MINUTE;
    expect((await api.call('POST', '/v1/hosts', asked)).status).toBe(201);
    api.now = NOON;
  });
});

describe('an Idempotency-Key', () => {
  test('is good for one request: another body, path or query with it is refused', async () => {
    const { key } = await api.account();
    const headers = newHeader();
    const { id } = (await api.call('POST', '/v1/hosts', { key, body: HOST, headers })).body;
    for (const [path, body] of [
      ['/v1/hosts', { name: 'other.example.org' }],
      ['/v1/hosts?x=1', HOST],
      [`/v1/hosts/${id}/scans`, undefined],
      ['/v1/keys', { scope: 'read' }],
    ] as const)
      expect(await api.call('POST', path, { key, body, headers })).toMatchObject({ status: 422, body: { title: 'Invalid input' } });
  });

  test('of one account is not that of another', async () => {
    const headers = newHeader();
    const [mine, theirs] = [await api.account(), await api.account()];
    const first = await api.call('POST', '/v1/hosts', { key: mine.key, body: HOST, headers });
    const second = await api.call('POST', '/v1/hosts', { key: theirs.key, body: HOST, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test.each(['', ' ', 'with space', 'ü', 'a'.repeat(256), 'a\u0000'])('is 1 to 255 visible ASCII characters, not %j', async (text) => {
    const { key } = await api.account();
    const asked = { key, body: HOST, headers: { 'idempotency-key': text } };
    expect(await api.call('POST', '/v1/hosts', asked)).toMatchObject({ status: 422, body: { errors: [{ field: 'Idempotency-Key' }] } });
  });
});
