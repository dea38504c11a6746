import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningService, startLocalService, temporaryFolder } from '../support/local-service.ts';

let service: RunningService;

beforeAll(async () => {
  service = await startLocalService(['--port', '0', '--data', join(temporaryFolder(), 'data'), '--no-demo']);
});
afterAll(async () => {
  await service.stop();
});

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(service.baseUrl + path, { method, headers, ...(body === undefined ? {} : { body }) });
const bearer = () => ({ authorization: `Bearer ${service.apiKey}` });
const json = { 'content-type': 'application/json' };

/** A request of every kind of end. */
const everyEnd = async (): Promise<readonly Response[]> => [
  await ask('GET', '/v1/openapi.json'),
  await ask('GET', '/v1/hosts', bearer()),
  await ask('GET', '/v1/hosts'),
  await ask('GET', '/v1/hosts?x=1', bearer()),
  await ask('GET', `/v1/hosts/${'f'.repeat(20)}`, bearer()),
  await ask('GET', '/v1/nothing'),
  await ask('PUT', '/v1/hosts', bearer()),
  await ask('OPTIONS', '/v1/hosts', { origin: 'https://evil.example', 'access-control-request-method': 'POST' }),
  await ask('POST', '/v1/hosts', { ...bearer(), ...json }, '{'),
  await ask('POST', '/v1/accounts', json, '{"email":"x"}'),
  await ask('POST', '/v1/confirmations', json, '{"token":"x"}'),
];

test('every answer has a request id of its own, and each refusal is problem+json', async () => {
  const answers = await everyEnd();
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 422, 404, 404, 405, 405, 400, 422, 422]);
  const ids = answers.map(({ headers }) => headers.get('x-request-id'));
  for (const id of ids) expect(id).toMatch(/^[\w-]{16,}$/);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { status, headers } of answers) if (status >= 400) expect(headers.get('content-type')).toBe('application/problem+json');
});

test('CORS is off: no answer names an origin, and a preflight is refused', async () => {
  for (const { headers } of await everyEnd()) expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
});
