import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answered, type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';

const HOUR = 60 * 60_000;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const register = async (key: string, name = 'mail.example.org') => (await api.call('POST', '/v1/hosts', { key, body: { name } })).body.id;

describe('the budget of a key', () => {
  test('is told with every answer, be it a good one or a problem', async () => {
    const { key } = await api.account();
    api.now = NOON + 18_000;
    const policy = { 'ratelimit-policy': '"key";q=600;w=60' };
    expect((await api.call('GET', '/v1/hosts', { key })).headers).toMatchObject({ ...policy, ratelimit: '"key";r=599;t=42' });
    expect(await api.call('GET', '/v1/hosts/x', { key })).toMatchObject({
      status: 404,
      headers: { ...policy, ratelimit: '"key";r=598;t=42' },
    });
    expect(await api.call('GET', '/v1/hosts?x=1', { key })).toMatchObject({ status: 422, headers: { ratelimit: '"key";r=597;t=42' } });
    api.now = NOON;
  });

  test('is 600 requests a minute, then 429 until the minute is over; another key has its own', { timeout: 60_000 }, async () => {
    const { accountId, key } = await api.account();
    const other = await api.keyOf(accountId, 'read');
    api.now = NOON + 30_000;
    const answers: Answered[] = [];
    for (let batch = 0; batch < 61; batch++)
      answers.push(...(await Promise.all(Array.from({ length: 10 }, () => api.call('GET', '/v1/account', { key })))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(600);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    expect(refused[0]).toMatchObject({
      headers: { 'content-type': 'application/problem+json', 'retry-after': '30', ratelimit: '"key";r=0;t=30' },
      body: { title: 'Too many requests', detail: expect.stringContaining('Come again in 30 seconds.') },
    });
    expect((await api.call('GET', '/v1/account', { key: other })).status).toBe(200);
    api.now = NOON + 60_000;
    expect((await api.call('GET', '/v1/account', { key })).status).toBe(200);
    api.now = NOON;
  });
});

describe('scans on demand', () => {
  test('are six an hour for a host; asking for one that is owed already takes nothing', async () => {
    const { key } = await api.account();
    const hostId = await register(key);
    const ask = () => api.call('POST', `/v1/hosts/${hostId}/scans`, { key });
    for (let count = 0; count < 6; count++) {
      api.now = NOON + count * 60_000;
      const asked = await ask();
      expect(asked.status).toBe(202);
      expect((await ask()).body).toEqual(asked.body);
      await api.table.store.dropOwed({ accountId: '', hostId, scanId: asked.body.id });
    }
    const refused = await ask();
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '3300' } });
    expect(refused.headers.ratelimit).toMatch(/^"host-scans";r=0;t=3300, "key";r=\d+;t=60$/);
    expect(refused.headers['ratelimit-policy']).toBe('"host-scans";q=6;w=3600, "key";q=600;w=60');
    expect((await api.call('POST', `/v1/hosts/${await register(key, 'mx.example.org')}/scans`, { key })).status).toBe(202);
    api.now = NOON + HOUR;
    expect((await ask()).status).toBe(202);
    api.now = NOON;
  });
});

describe('confirmation mails to alert recipients', () => {
  test('are asked of those who have not confirmed, and not of the account’s own address', async () => {
    const { key, email } = await api.account();
    const body = { name: 'mail.example.org', alertRecipients: [email, 'budget-a@example.org'] };
    const host = (await api.call('POST', '/v1/hosts', { key, body })).body;
    expect(host.unconfirmedRecipients).toEqual(['budget-a@example.org']);
    const [mail, ...more] = api.mails.splice(0);
    expect(more).toEqual([]);
    expect(mail?.recipient).toBe('budget-a@example.org');
    expect(mail?.mail.text).toContain(`${email} has their mail servers audited`);
    const alertRecipients = ['budget-b@example.org', email];
    const changed = await api.call('PATCH', `/v1/hosts/${host.id}`, { key, body: { alertRecipients } });
    expect(changed.body.unconfirmedRecipients).toEqual(['budget-b@example.org']);
    expect(api.mails.splice(0).map(({ recipient }) => recipient)).toEqual(['budget-b@example.org']);
  });

  test('go out again when the recipients are named again, once a day; other changes of the host ask nobody', async () => {
    const { key } = await api.account();
    const body = { name: 'mail.example.org', alertRecipients: ['budget-c@example.org'] };
    const path = `/v1/hosts/${(await api.call('POST', '/v1/hosts', { key, body })).body.id}`;
    const again = () => api.call('PATCH', path, { key, body: { alertRecipients: body.alertRecipients } });
    await again();
    expect(api.mails.splice(0)).toHaveLength(1);
    api.now = NOON + 24 * HOUR;
    await api.call('PATCH', path, { key, body: { period: 'week' } });
    expect(api.mails.splice(0)).toHaveLength(0);
    await again();
    expect(api.mails.splice(0)).toHaveLength(1);
    api.now = NOON;
  });

  test('are twenty a day for one account, whomever it names; the hosts are registered all the same', async () => {
    const { key } = await api.account();
    for (let count = 0; count < 6; count++) {
      const alertRecipients = Array.from({ length: 5 }, (_, index) => `many-${count}-${index}@example.org`);
      expect((await api.call('POST', '/v1/hosts', { key, body: { name: `mail-${count}.example.org`, alertRecipients } })).status).toBe(201);
    }
    expect(api.mails.splice(0)).toHaveLength(20);
  });

  test('that cannot be sent fail no request, and are told to the operator', async () => {
    const { key } = await api.account();
    api.handover = new Error('no answer from SES');
    const body = { name: 'mail.example.org', alertRecipients: ['budget-d@example.org'] };
    expect((await api.call('POST', '/v1/hosts', { key, body })).status).toBe(201);
    expect(api.logged.splice(0)).toMatchObject([{ message: 'a confirmation mail could not be handed to SES' }]);
    api.handover = { kind: 'accepted', messageId: 'message' };
  });
});
