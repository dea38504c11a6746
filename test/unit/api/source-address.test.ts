import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openAccount } from '../../../shared/accounts/account.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { formToken, sealSession } from '../../../shared/runtime/session-token.ts';
import { startTable, type TestTable } from '../../support/table.ts';

const SECRET = 'a secret of this deployment, long enough';
const DAY = 24 * 60 * 60_000;
const FORGED = '185.9.9.9';
const BAD_KEYS_A_MINUTE = 120;
const folder = mkdtempSync(join(tmpdir(), 'relay-audit-source-'));

type Answered = { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: string };
type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<Answered>;

let table: TestTable;
let api: Handler;
let pages: Handler;
let key: string;
let session: { readonly cookie: string; readonly form: string };

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // so that no minute of a budget ends in between
  table = await startTable(Date.now, 400 * DAY);
  const { hostname = '', port } = (await table.client.config.endpoint?.()) ?? {};
  writeFileSync(join(folder, 'secret'), SECRET);
  const environment = {
    TABLE_NAME: table.name,
    SECRET: `file:${join(folder, 'secret')}`,
    MAIL_FROM: 'audit@example.org',
    EHLO_NAME: 'probe.example',
    BASE_URL: 'https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
    DNS_SERVERS: '127.0.0.1:1', // where nobody listens
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL_DYNAMODB: `http://${hostname}:${port}`,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.resetModules(); // they read their settings once
  api = (await import('../../../functions/api/handler.ts')).handler as unknown as Handler;
  pages = (await import('../../../functions/pages/handler.ts')).handler as unknown as Handler;
  const secrets = secretsFrom(SECRET);
  const email = 'owner@example.org';
  const opened = (await openAccount(table.store, secrets, email, Date.now())) ?? expect.fail();
  key = opened.apiKey;
  const ref = { accountId: opened.accountId, sessionId: 'session1' };
  await table.store.startSession({ ...ref, id: ref.sessionId, email, startedAt: Date.now(), until: Date.now() + DAY });
  session = { cookie: `__Host-relay-audit=${sealSession(secrets, ref)}`, form: formToken(secrets, ref) };
});
afterAll(async () => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  await table.stop();
  rmSync(folder, { recursive: true });
});

// Every header by which a proxy tells, or a client pretends, where a request comes from. The gateway adds the last of the first.
const pretending = (sourceIp: string, pretended = FORGED) => ({
  'x-forwarded-for': `${pretended}, ${sourceIp}`,
  'x-forwarded-host': pretended,
  'x-forwarded-port': '443',
  'x-forwarded-proto': 'https',
  forwarded: `for=${pretended};proto=https;by=${pretended}`,
  via: `1.1 ${pretended}`,
  'x-real-ip': pretended,
  'x-client-ip': pretended,
  'x-cluster-client-ip': pretended,
  'cf-connecting-ip': pretended,
  'cf-connecting-ipv6': '2a02:9::9',
  'true-client-ip': pretended,
  'fastly-client-ip': pretended,
  'x-amzn-trace-id': 'Root=1-6928f3c1-0123456789abcdef01234567',
});

type Asked = { readonly headers?: Record<string, string>; readonly cookies?: string[]; readonly body?: string };

/** An event as an HTTP API sends it (payload format 2.0). */
function eventOf(method: string, path: string, sourceIp: string, { headers = {}, cookies = [], body }: Asked): APIGatewayProxyEventV2 {
  const domainName = 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    cookies,
    headers: { accept: '*/*', host: domainName, 'user-agent': 'curl/8.14.1', ...pretending(sourceIp), ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName,
      domainPrefix: 'a1b2c3d4e5',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: 'curl/8.14.1' },
      requestId: 'UJ3hXgQFliAEMGA=',
      routeKey: '$default',
      stage: '$default',
      time: '28/Nov/2026:01:00:00 +0000',
      timeEpoch: Date.now(),
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  };
}

const context = { functionName: 'api', awsRequestId: 'lambda-1' } as Context;
const askApi = (method: string, path: string, sourceIp: string, headers: Record<string, string>) =>
  api(eventOf(method, path, sourceIp, { headers }), context);
const askPages = (method: string, path: string, sourceIp: string, body?: string) => {
  const sent: Record<string, string> =
    body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  return pages(
    eventOf(method, path, sourceIp, { cookies: [session.cookie], headers: sent, ...(body === undefined ? {} : { body }) }),
    context,
  );
};

describe('the address of a request is that of the gateway’s context, whatever its headers say', () => {
  test.each(['93.184.216.9', '2a02:1::25'])('for a scan that %s asks for over the API', async (sourceIp) => {
    const answer = await askApi('POST', '/v1/scans/here', sourceIp, { authorization: `Bearer ${key}` });
    expect([answer.statusCode, JSON.parse(answer.body).address]).toEqual([202, sourceIp]);
  });

  test.each(['93.184.216.10', '2a02:1::26'])('for a scan that %s asks for on its page', async (sourceIp) => {
    const shown = await askPages('GET', '/here', sourceIp);
    expect(shown.body).toContain(`You come from <strong>${sourceIp}</strong>`);
    expect(shown.body).not.toContain(FORGED);
    const form = (address: string) => new URLSearchParams({ form: session.form, address }).toString();
    expect((await askPages('POST', '/here', sourceIp, form(FORGED))).statusCode).toBe(409);
    expect((await askPages('POST', '/here', sourceIp, form(sourceIp))).statusCode).toBe(303);
  });

  test('for a scan: an IPv4 address in the form of an IPv6 one is refused by API and page, and shown as it came', async () => {
    const sourceIp = '::ffff:93.184.216.11';
    const answer = await askApi('POST', '/v1/scans/here', sourceIp, { authorization: `Bearer ${key}` });
    expect([answer.statusCode, JSON.parse(answer.body).detail]).toEqual([422, expect.stringContaining('not a public address')]);
    expect((await askPages('GET', '/here', sourceIp)).body).not.toContain('action="/here"');
  });

  test.each([
    ['an IPv4 address', '198.51.100.7', '198.51.100.7', '198.51.100.8'],
    ['a /64', '2a02:2:0:1::1', '2a02:2:0:1::ffff', '2a02:2:1:1::1'],
    ['an IPv4 address in the form of an IPv6 one', '::ffff:198.51.100.17', '198.51.100.17', '::ffff:198.51.100.18'],
  ])('for what strangers may ask: %s has one budget, and its neighbour another', async (_, source, same, other) => {
    const ask = async (sourceIp: string, pretended: string) =>
      (await askApi('GET', '/v1/account', sourceIp, { authorization: 'Bearer none', ...pretending(sourceIp, pretended) })).statusCode;
    const statuses: number[] = [];
    for (let asked = 0; asked <= BAD_KEYS_A_MINUTE; asked++) statuses.push(await ask(source, `185.9.${asked >> 8}.${asked & 255}`));
    expect([statuses.indexOf(429), statuses[0]]).toEqual([BAD_KEYS_A_MINUTE, 401]);
    expect(await ask(same, FORGED)).toBe(429);
    expect(await ask(other, FORGED)).toBe(401);
  });
});
