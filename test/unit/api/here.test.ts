import { setTimeout } from 'node:timers/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/api/routes.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { type Answered, type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { NOON } from '../../support/samples.ts';

const DAY = 24 * 60 * 60_000;
const OPERATORS = ['127.0.0.0/8'].flatMap((text) => parseNetwork(text) ?? []);
let api: ApiOnTable;
let account: { accountId: string; key: string };
let operator: string | undefined;
let count = 0;

beforeAll(async () => {
  api = await startApi({
    operatorNetworksOf: (accountId) => (accountId === operator ? OPERATORS : []),
    wait: (ms) => setTimeout(ms / 10),
  });
});
afterAll(() => api.stop());
beforeEach(async () => {
  api.now += 2 * DAY;
  api.now -= api.now % DAY;
  account = await api.account();
});

const newSource = () => `93.184.216.${++count}`;
const here = (sourceIp: string, headers: Record<string, string> = {}, key = account.key) =>
  api.call('POST', '/v1/scans/here', { key, sourceIp, headers });
const presenceOf = ({ body }: Answered) => api.table.store.findPresence(body.hostId, body.scan.id);
const hostsOf = async () => (await api.table.store.listHosts(account.accountId, 100)).items;
/** Ends the scan of an answer, as if it had been made. */
const made = ({ body }: Answered) => api.table.store.dropOwed({ accountId: account.accountId, hostId: body.hostId, scanId: body.scan.id });

describe('a request from an address', () => {
  test('owes one scan of it on demand, with its consent for a day, and leads there', async () => {
    const source = newSource();
    const answer = await here(source);
    const { hostId, scan } = answer.body;
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/v1/hosts/${hostId}/scans/${scan.id}` },
      body: {
        address: source,
        scan: { kind: 'on-demand', status: 'owed' },
        url: `https://audit.example/hosts/${hostId}/scans/${scan.id}`,
        consentUntil: new Date(api.now + DAY).toISOString(),
      },
    });
    expect(await presenceOf(answer)).toEqual({ hostId, scanId: scan.id, address: source, until: api.now + DAY });
    expect(await hostsOf()).toMatchObject([{ id: hostId, settings: { name: source, ports: [25, 465, 587], servedDomains: [] } }]);
    expect(await api.table.store.owedOf(hostId)).toHaveLength(1);
  });

  test('over IPv6 is of that address, in its one spelling', async () => {
    expect((await here('2A02:01:0::0025')).body.address).toBe('2a02:1::25');
  });

  test('is not moved by what headers say, nor by a body', async () => {
    const source = newSource();
    const forged = '185.9.9.9';
    const headers = { 'x-forwarded-for': forged, forwarded: `for=${forged}`, 'x-real-ip': forged, 'true-client-ip': forged, host: forged };
    expect((await here(source, headers)).body.address).toBe(source);
    const answer = await api.call('POST', '/v1/scans/here', { key: account.key, sourceIp: source, body: { address: forged } });
    expect(answer.status).toBe(422);
    expect((await hostsOf()).map(({ settings }) => settings.name)).toEqual([source]);
  });

  test.each(['10.0.0.5', '100.64.0.9', '192.168.1.1', '::1', 'fe80::1', '127.0.0.1', '::ffff:5db8:d809', 'nonsense'])(
    'that is not public is refused, and nothing is registered: %s',
    async (source) => {
      const { status, body } = await here(source);
      expect([status, body.detail]).toEqual([422, expect.stringContaining(`You come from ${source}`)]);
      expect(await hostsOf()).toEqual([]);
    },
  );

  test("in the operator's networks is taken for the operator's account alone", async () => {
    operator = account.accountId;
    expect((await here('127.0.0.1')).status).toBe(202);
    operator = undefined;
    expect((await here('127.0.0.1')).status).toBe(422);
  });

  test('that is a host of the account already is scanned as that host, whose settings stay', async () => {
    const source = newSource();
    const { body } = await api.call('POST', '/v1/hosts', { key: account.key, body: { name: source, ports: [25], period: 'hour' } });
    const answer = await here(source);
    expect(answer.body.hostId).toBe(body.id);
    expect(answer.body.scan.kind).toBe('on-demand');
    expect(await presenceOf(answer)).toMatchObject({ address: source });
    // The first scan, and every one of the schedule, has no such consent.
    const owed = await api.table.store.owedOf(body.id);
    const consented = await Promise.all(owed.map(({ scanId }) => api.table.store.findPresence(body.id, scanId)));
    expect(owed).toHaveLength(2);
    expect(consented.filter((each) => each !== undefined)).toHaveLength(1);
    expect((await hostsOf())[0]?.settings).toMatchObject({ ports: [25], period: 'hour' });
  });

  test.each(['2a02:0:0:0::77', '2A02::0077'])('that is a host of the account in another spelling is that host: %s', async (name) => {
    const registered = await api.call('POST', '/v1/hosts', { key: account.key, body: { name } });
    expect(registered.body.name).toBe('2a02::77');
    expect((await here('2a02::77')).body.hostId).toBe(registered.body.id);
    expect(await hostsOf()).toHaveLength(1);
  });

  test("never touches another account's host of the address", async () => {
    const source = newSource();
    const first = await here(source);
    const stranger = await api.account();
    const second = await here(source, {}, stranger.key);
    expect(second.body.hostId).not.toBe(first.body.hostId);
    expect(await api.table.store.findPresence(first.body.hostId, second.body.scan.id)).toEqual(await presenceOf(first));
  });

  test('needs a key that may change things', async () => {
    const key = await api.keyOf(account.accountId, 'read');
    expect((await here(newSource(), {}, key)).status).toBe(403);
    expect((await api.call('POST', '/v1/scans/here', { sourceIp: newSource() })).status).toBe(401);
    expect(await hostsOf()).toEqual([]);
  });

  test('is told what it does not allow', async () => {
    expect((await here(newSource())).body.next).toMatch(/this one scan.*schedule.*DNS.*consent/);
  });
});

describe('scans that addresses ask for are few', () => {
  test('what is asked for again before it is made is given back, and costs nothing', async () => {
    const source = newSource();
    const first = await here(source);
    for (let again = 0; again < 5; again++) expect((await here(source)).body).toEqual(first.body);
    expect(await hostsOf()).toHaveLength(1);
  });

  test('three in a day for one address, whichever accounts ask', async () => {
    const source = newSource();
    for (let asked = 0; asked < 3; asked++) {
      const answer = await here(source);
      expect(answer.status).toBe(202);
      await made(answer);
      api.now += 1_000;
    }
    expect(await here(source)).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
    expect((await here(source, {}, (await api.account()).key)).status).toBe(429);
    api.now += DAY;
    expect((await here(source)).status).toBe(202);
  });

  test('ten in a day for one account, and what is refused takes nothing from its address', async () => {
    for (let asked = 0; asked < 10; asked++) expect((await here(newSource())).status).toBe(202);
    const source = newSource();
    for (let asked = 0; asked < 5; asked++) expect((await here(source)).status).toBe(429);
    expect((await here(source, {}, (await api.account()).key)).status).toBe(202);
  });

  test('what the quota of hosts refuses is not counted', async () => {
    await api.table.store.setHostQuota(account.accountId, 0);
    const source = newSource();
    for (let asked = 0; asked < 12; asked++) {
      expect((await here(source)).status).toBe(409);
      api.now += 11_000;
    }
    await api.table.store.setHostQuota(account.accountId, 5);
    expect((await here(source)).status).toBe(202);
  });

  test.each([
    ['is registered by it', false],
    ['is a host already', true],
  ])('of twelve requests in the same moment all lead to one scan, and take one of three, where the address %s', async (_, known) => {
    const source = newSource();
    if (known) await api.call('POST', '/v1/hosts', { key: account.key, body: { name: source } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => here(source)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.scan?.id}`)).size).toBe(1);
    expect(await hostsOf()).toHaveLength(1);
    for (const status of [202, 202, 429]) {
      const [scan] = (await api.table.store.owedOf(answers[0]?.body.hostId)).filter(({ scanId }) => scanId.endsWith('-on-demand'));
      await api.table.store.dropOwed(scan ?? expect.fail());
      api.now += 1_000;
      expect((await here(source)).status).toBe(status);
    }
  });

  test('who asks while another request is stuck hears that, and not that the day is over', async () => {
    const source = newSource();
    const until = api.now + 30_000;
    await api.table.store.claimRequest({ accountId: account.accountId, key: `here ${source}`, fingerprint: 'here' }, api.now, until, until);
    const { status, headers, body } = await here(source);
    expect([status, headers['retry-after'], body.detail]).toEqual([409, '5', expect.stringContaining('being asked for already')]);
    api.now = until;
    expect((await here(source)).status).toBe(202);
  });
});

test('the source is what API Gateway puts into the context of its event, beside a header that a client has forged', async () => {
  const source = newSource();
  const forged = '185.9.9.9';
  // As an HTTP API sends it (payload format 2.0): the gateway adds the real source behind whatever a client has put into the header.
  const event = {
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath: '/v1/scans/here',
    rawQueryString: '',
    headers: {
      accept: '*/*',
      authorization: `Bearer ${account.key}`,
      'content-length': '0',
      forwarded: `for=${forged};proto=https`,
      host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
      'user-agent': 'curl/8.14.1',
      'x-amzn-trace-id': 'Root=1-6928f3c1-0123456789abcdef01234567',
      'x-forwarded-for': `${forged}, ${source}`,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'a1b2c3d4e5',
      http: { method: 'POST', path: '/v1/scans/here', protocol: 'HTTP/1.1', sourceIp: source, userAgent: 'curl/8.14.1' },
      requestId: 'UJ3hXgQFliAEMGA=',
      routeKey: 'ANY /v1/{proxy+}',
      stage: '$default',
      time: '28/Nov/2026:01:00:00 +0000',
      timeEpoch: NOON,
    },
    pathParameters: { proxy: 'scans/here' },
    isBase64Encoded: false,
  } satisfies APIGatewayProxyEventV2;
  const route = routes(api.services).find(({ method, path }) => method === 'POST' && path === '/v1/scans/here') ?? expect.fail();
  const answer = await (route.handler as (event: APIGatewayProxyEventV2) => Promise<{ body: string }>)(event);
  expect(JSON.parse(answer.body)).toMatchObject({ address: source });
  expect((await hostsOf()).map(({ settings }) => settings.name)).toEqual([source]);
});
