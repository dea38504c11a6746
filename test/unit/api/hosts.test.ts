import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PERIODS } from '../../../shared/domain/schedule.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { BEGUN } from '../../support/samples.ts';

let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

async function registered() {
  const { key } = await api.account();
  const created = await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org' } });
  const path = `/v1/hosts/${created.body.id}`;
  const change = (period: string, ifMatch?: string) =>
    api.call('PATCH', path, { key, body: { period }, ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }) });
  return { key, path, created, change, read: () => api.call('GET', path, { key }) };
}

test.each(PERIODS)('a host may be scanned every %s', async (period) => {
  const { change, read } = await registered();
  expect((await change(period)).status).toBe(200);
  expect((await read()).body.period).toBe(period);
});

describe('the ETag of a host', () => {
  test('is the revision of its settings, in every answer of one host', async () => {
    const { created, change, read } = await registered();
    expect([created.headers.etag, (await read()).headers.etag]).toEqual(['"1"', '"1"']);
    expect((await change('week')).headers.etag).toBe('"2"');
    expect((await read()).headers.etag).toBe('"2"');
  });

  test.each(['"1"', '*', '"7", "1"', '"1","7"'])('a change under If-Match: %s is made', async (ifMatch) => {
    const { change } = await registered();
    expect((await change('week', ifMatch)).status).toBe(200);
  });

  test.each(['"2"', '1', 'W/"1"', '', '"11"'])(
    'a change under If-Match: %s is not, and the answer has the ETag that there is',
    async (ifMatch) => {
      const { change, read } = await registered();
      const refused = await change('week', ifMatch);
      expect(refused).toMatchObject({ status: 412, headers: { 'content-type': 'application/problem+json' } });
      expect(refused.body.detail).toContain('"1"');
      expect((await read()).body).toMatchObject({ period: 'day', revision: 1 });
    },
  );

  test('of two changes to what both have read, one is made; without If-Match both are', async () => {
    const { change, read } = await registered();
    const guarded = await Promise.all([change('week', '"1"'), change('hour', '"1"')]);
    expect(guarded.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    const free = await Promise.all([change('week'), change('hour')]);
    expect(free.map(({ status }) => status)).toEqual([200, 200]);
    expect((await read()).body.revision).toBe(4);
  });
});

test('whether recipients have confirmed is told of a single host, not in lists', async () => {
  const { key, read } = await registered();
  expect((await read()).body.unconfirmedRecipients).toEqual([]);
  expect((await api.call('GET', '/v1/hosts', { key })).body.items[0]).not.toHaveProperty('unconfirmedRecipients');
});

test('scans that are not finished are told with a single host, with their ids and what they wait for', async () => {
  const { key, path, read } = await registered();
  const [first] = (await read()).body.owedScans;
  expect(first).toMatchObject({ kind: 'first', status: 'owed' });
  const { store } = api.table;
  const owed = await store.findOwed(path.slice('/v1/hosts/'.length), first.id);
  if (owed === undefined) throw new Error('the first scan is not owed');
  await store.dropOwed(owed);
  expect((await read()).body.owedScans).toEqual([]);
  await store.owe({ ...owed, begun: BEGUN });
  expect((await read()).body.owedScans).toMatchObject([{ id: first.id, waitsFor: { what: 'sitting' }, testsCompleted: 50 }]);
  expect((await api.call('GET', '/v1/hosts', { key })).body.items[0]).not.toHaveProperty('owedScans');
});

test('P6: that an address bounced another account’s mail is told to nobody whose mail it has not confirmed', async () => {
  const { key, path } = await registered();
  await api.table.store.stopMail('bounced@example.org', 'bounced', 0);
  await api.call('PATCH', path, { key, body: { alertRecipients: ['bounced@example.org'] } });
  const shown = async () => (await api.call('GET', path, { key })).body;
  expect(await shown()).toMatchObject({ unconfirmedRecipients: ['bounced@example.org'], stoppedRecipients: [] });
  const { id } = (await api.call('GET', '/v1/account', { key })).body;
  await api.table.store.confirmRecipient(id, 'bounced@example.org', 0);
  expect(await shown()).toMatchObject({ unconfirmedRecipients: [], stoppedRecipients: [{ email: 'bounced@example.org', why: 'bounced' }] });
});

describe('a control mailbox', () => {
  const CONTROL = 'Office@Example.ORG';
  const WITH = { name: 'mail.example.org', servedDomains: ['Example.org', 'example.net'], controlMailbox: CONTROL };

  async function withControl() {
    const { key } = await api.account();
    const created = await api.call('POST', '/v1/hosts', { key, body: WITH });
    const path = `/v1/hosts/${created.body.id}`;
    const change = (body: object, headers: Record<string, string> = {}) => api.call('PATCH', path, { key, body, headers });
    const shown = async () => (await api.call('GET', path, { key })).body;
    return { key, created, change, shown };
  }

  test('is registered with its domain in lower case, shown, and changed under the ETag', async () => {
    const { created, change, shown } = await withControl();
    expect([created.status, created.body.controlMailbox]).toEqual([201, 'Office@example.org']);
    expect((await change({ controlMailbox: 'desk@example.net' }, { 'if-match': '"1"' })).headers.etag).toBe('"2"');
    expect((await change({ controlMailbox: 'late@example.net' }, { 'if-match': '"1"' })).status).toBe(412);
    expect(await shown()).toMatchObject({ controlMailbox: 'desk@example.net', revision: 2 });
    await change({ period: 'week' });
    expect((await shown()).controlMailbox).toBe('desk@example.net');
  });

  test.each([null, ''])('is taken away by %j', async (controlMailbox) => {
    const { change, shown } = await withControl();
    expect((await change({ controlMailbox })).status).toBe(200);
    expect(await shown()).not.toHaveProperty('controlMailbox');
  });

  test.each([
    ['a foreign domain', 'office@victim.example', 'must be at a served domain of this host (example.org, example.net)'],
    ['a domain below a served one', 'office@sub.example.org', 'must be at a served domain'],
    ['a second domain before the @', 'office%victim.example@example.org', 'must have only letters, digits'],
    ['a line of its own', 'office\r\nDATA\r\n@example.org', 'must have only letters, digits'],
  ])('at %s is refused, when a host is registered and when it is changed', async (_, controlMailbox, message) => {
    const { key, change, shown } = await withControl();
    const errors = [{ field: 'controlMailbox', message: expect.stringContaining(message) }];
    expect(await api.call('POST', '/v1/hosts', { key, body: { ...WITH, controlMailbox } })).toMatchObject({
      status: 422,
      body: { errors },
    });
    expect(await change({ controlMailbox })).toMatchObject({ status: 422, body: { errors } });
    expect((await api.call('GET', '/v1/hosts', { key })).body.items.length).toBe(1);
    expect(await shown()).toMatchObject({ controlMailbox: 'Office@example.org', revision: 1 });
  });

  test('without a served domain is refused, and the answer says what to add', async () => {
    const { key } = await api.account();
    const { status, body } = await api.call('POST', '/v1/hosts', { key, body: { ...WITH, servedDomains: [] } });
    expect([status, body.errors[0].message]).toEqual([422, expect.stringContaining('name its domain there too')]);
  });

  test('keeps its domain served, until another or none is named in the same request', async () => {
    const { change, shown } = await withControl();
    const refused = await change({ servedDomains: ['example.net'] });
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'servedDomains', message: expect.stringContaining('must keep example.org') }] },
    });
    expect((await change({ servedDomains: ['example.net'], controlMailbox: 'office@example.net' })).status).toBe(200);
    expect((await change({ servedDomains: [], controlMailbox: null })).status).toBe(200);
    expect(await shown()).toMatchObject({ servedDomains: [], revision: 3 });
  });

  test('counts in what a host may hold', async () => {
    const { key } = await api.account();
    const domain = `${'a'.repeat(50)}.`.repeat(3);
    const long = { servedDomains: [`${domain}de`, `${domain}at`], alertRecipients: ['you@example.org'] };
    const body = { name: 'mail.example.org', ...long, controlMailbox: `office@${domain}de` };
    const tooMuch = { status: 422, body: { errors: [{ message: expect.stringContaining('controlMailbox and webhook together') }] } };
    expect(await api.call('POST', '/v1/hosts', { key, body: { ...body, controlMailbox: `${'o'.repeat(60)}@${domain}de` } })).toMatchObject(
      tooMuch,
    );
    const { status, body: host } = await api.call('POST', '/v1/hosts', { key, body });
    expect(status).toBe(201);
    const change = { controlMailbox: `${'o'.repeat(60)}@${domain}at` };
    const refused = await api.call('PATCH', `/v1/hosts/${host.id}`, { key, body: change });
    expect(refused).toMatchObject(tooMuch);
    expect(refused.body.errors[0].field).toBe('controlMailbox');
  });
});

describe('P6: another account’s host', () => {
  const ROUTES: readonly [method: string, tail: string, body: object | undefined][] = [
    ['GET', '', undefined],
    ['PATCH', '', { period: 'week' }],
    ['PATCH', '', { controlMailbox: 'office@victim.example' }],
    ['DELETE', '', undefined],
    ['POST', '/scans', undefined],
    ['GET', '/scans', undefined],
    ['GET', '/scans/20260601T120000Z-first', undefined],
    ['GET', '/changes', undefined],
    ['GET', '/consent', undefined],
    ['POST', '/consent/check', undefined],
    ['POST', '/consent/reaffirm', undefined],
  ];

  test.each(ROUTES)('is as absent as one that never was, by answer and by work: %s /v1/hosts/{id}%s', async (method, tail, body) => {
    const { created } = await registered();
    const { key } = await api.account();
    await api.call('GET', '/v1/account', { key }); // its first use is noted
    const costOf = async (id: string) => {
      api.table.meter.reset();
      const { status, headers, body: problem } = await api.call(method, `/v1/hosts/${id}${tail}`, { key, body });
      const { requests, readUnits, writeUnits } = api.table.meter;
      return { status, problem, headers: Object.keys(headers), requests, readUnits, writeUnits };
    };
    const foreign = await costOf(created.body.id);
    expect(foreign).toEqual(await costOf('f'.repeat(20)));
    expect(foreign).toMatchObject({ status: 404, requests: 3 }); // key, budget, host
  });
});
