import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../../../functions/api/call.ts';
import { mintApiKey } from '../../../shared/runtime/api-key.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRET = 'a secret of this deployment, long enough';
const folder = mkdtempSync(join(tmpdir(), 'relay-audit-handler-'));
const KEY = mintApiKey(secretsFrom(SECRET)).text; // its checksum is right, so the table is asked for it

let handler: (event: APIGatewayProxyEventV2, context: Context) => Promise<Answer>;

beforeAll(async () => {
  writeFileSync(join(folder, 'secret'), SECRET);
  const environment = {
    TABLE_NAME: 'relay-audit',
    SECRET: `file:${join(folder, 'secret')}`,
    MAIL_FROM: 'audit@example.org',
    EHLO_NAME: 'probe.example',
    BASE_URL: '', // Vite has set one of its own
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1', // where nobody listens
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.resetModules(); // it reads its settings once
  ({ handler } = await import('../../../functions/api/handler.ts'));
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function ask(method: string, path: string, requestId?: string) {
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    });
  const event = {
    version: '2.0',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    requestContext: { requestId, http: { method, path, sourceIp: '198.51.100.1' } },
    rawPath: path,
    rawQueryString: '',
    body: '{"name":"mail.example.org","note":"what the body says"}',
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
  const answer = await handler(event, { functionName: 'api', awsRequestId: 'lambda-1' } as Context);
  vi.restoreAllMocks();
  return {
    answer,
    lines: lines
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('{')),
  };
}

describe('a request that fails by our doing', () => {
  test('is answered with nothing of the inside, under the id that its log line has', async () => {
    const { answer, lines } = await ask('POST', '/v1/hosts', 'gateway-1');
    expect(answer).toMatchObject({ statusCode: 500, headers: { 'x-request-id': 'gateway-1', 'content-type': 'application/problem+json' } });
    expect(answer.body).not.toMatch(/ECONN|127\.0\.0\.1|at /);
    const entries = lines.map((line) => JSON.parse(line));
    expect(entries).toMatchObject([{ level: 'ERROR', message: 'a request failed', requestId: 'gateway-1' }]);
    expect(JSON.stringify(entries)).toContain('ECONNREFUSED');
  });

  test('leaves neither its authorization header nor its body in the log', async () => {
    const { lines } = await ask('POST', '/v1/hosts', 'gateway-2');
    expect(lines).toHaveLength(1);
    for (const secret of [KEY, KEY.slice(4, 16), KEY.slice(17, 40), 'Bearer', 'what the body says'])
      expect(lines.join()).not.toContain(secret);
  });
});

test('a request that no gateway has named is given a name here', async () => {
  const { answer } = await ask('GET', '/v1/openapi.json');
  expect(answer).toMatchObject({ statusCode: 200, headers: { 'x-request-id': expect.stringMatching(/^[0-9a-f]{20}$/) } });
});

test('an answer to a request that no route takes has its id too', async () => {
  const { answer, lines } = await ask('GET', '/v1/nothing', 'gateway-3');
  expect(answer).toMatchObject({ statusCode: 404, headers: { 'x-request-id': 'gateway-3' } });
  expect(lines).toEqual([]);
});
