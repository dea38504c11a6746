import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scanId } from '../../shared/domain/scan.ts';
import { call, eventually, type RunningService, runToEnd, startLocalService, temporaryFolder } from '../support/local-service.ts';

const ACCOUNT = fileURLToPath(new URL('../../infra/local/commands/account.ts', import.meta.url));
const data = join(temporaryFolder(), 'data');
let service: RunningService;

beforeAll(async () => {
  service = await startLocalService(['--port', '0', '--data', data, '--no-demo']);
});
afterAll(async () => {
  await service.stop();
});

const post = (body: unknown) => service.call('POST', '/v1/hosts', body);
const hostCount = async () => (await service.call('GET', '/v1/hosts')).body.items.length;
const valid = { name: 'mail.example.org', alertRecipients: ['a@example.org'] };

describe('a registration with bad input is refused at the field, and nothing is stored', () => {
  const names = [
    'mail.example.org.',
    'mail',
    '',
    'mail..example.org',
    '-mail.example.org',
    'mail_x.example.org',
    'bücher.example',
    'mail.example.org:25',
    'http://mail.example.org',
    '0x7f.1',
    '0x7f000001',
    '127.1',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.01',
    '①②⑦.⓪.⓪.①',
    '１２７.0.0.1',
    '127。0。0。1',
    '256.1.1.1',
    '1.2.3',
    'a.1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}org`,
    ' mail.example.org',
    'mail.example.org\n',
    '[127.0.0.1]',
    'fe80::1%eth0',
    '*.example.org',
    'mail.example.org/24',
  ];
  test.each(names)('the name %j', async (name) => {
    const before = await hostCount();
    const answer = await post({ ...valid, name });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.errors[0]).toMatchObject({ field: 'name' });
    expect(answer.body.errors[0].message.length).toBeGreaterThan(10);
    expect(await hostCount()).toBe(before);
  });

  const bodies: [why: string, body: object, field: string][] = [
    ['an unknown field', { ...valid, prot: 25 }, 'prot'],
    ['no name', { alertRecipients: ['a@example.org'] }, 'name'],
    ['a number for a name', { ...valid, name: 1 }, 'name'],
    ['a port that is not probed here', { ...valid, ports: [25, 8080] }, 'ports[1]'],
    ['port 0', { ...valid, ports: [0] }, 'ports[0]'],
    ['port 65536', { ...valid, ports: [65_536] }, 'ports[0]'],
    ['a port in words', { ...valid, ports: ['smtp'] }, 'ports[0]'],
    ['no ports', { ...valid, ports: [] }, 'ports'],
    ['a port twice', { ...valid, ports: [25, 25] }, 'ports'],
    ['an unknown period', { ...valid, period: 'minute' }, 'period'],
    ['a recipient that is no address', { ...valid, alertRecipients: ['a@example.org', 'nobody'] }, 'alertRecipients[1]'],
    ['a recipient with a line break', { ...valid, alertRecipients: ['a@example.org\r\nBcc: b@example.org'] }, 'alertRecipients[0]'],
    ['six recipients', { ...valid, alertRecipients: Array.from({ length: 6 }, (_, i) => `a${i}@example.org`) }, 'alertRecipients'],
    [
      'a hundred and one served domains',
      { ...valid, servedDomains: Array.from({ length: 101 }, (_, i) => `d${i}.example`) },
      'servedDomains',
    ],
    ['a served domain that is an address', { ...valid, servedDomains: ['127.0.0.1'] }, 'servedDomains[0]'],
  ];
  test.each(bodies)('%s', async (_why, body, field) => {
    const before = await hostCount();
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 422, body: { status: 422, errors: [{ field }] } });
    expect(await hostCount()).toBe(before);
  });

  test('two faults are told at once', async () => {
    const { body } = await post({ ...valid, name: 'x', ports: [0] });
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual(['name', 'ports[0]']);
  });

  test('broken JSON, wrong types of body and bodies over 64 KiB have codes of their own', async () => {
    expect((await post('{"name":')).status).toBe(400);
    expect((await post('')).status).toBe(400);
    expect((await post('null')).status).toBe(422);
    expect((await post([valid])).status).toBe(422);
    expect((await post({ ...valid, name: 'a'.repeat(64 * 1024) })).status).toBe(413);
    const headers = { authorization: `Bearer ${service.apiKey}`, 'content-type': 'text/plain' };
    expect((await fetch(`${service.baseUrl}/v1/hosts`, { method: 'POST', headers, body: '{}' })).status).toBe(415);
  });
});

describe('requests for what is not there', () => {
  test('forged keys are refused, with the way to do it right', async () => {
    for (const key of [
      '',
      'x',
      `${service.apiKey}x`,
      service.apiKey.replace(/.$/, '!'),
      service.apiKey.replace('ra1_', 'ra1_0').slice(0, -1),
    ]) {
      const answer = await call(`${service.baseUrl}/v1/hosts`, 'GET', key);
      expect(answer).toMatchObject({ status: 401, body: { title: 'Not authenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await fetch(`${service.baseUrl}/v1/hosts`)).status).toBe(401);
  });

  test('unknown paths, methods, hosts, scans, query fields and cursors are precise errors', async () => {
    const host = (await post(valid)).body;
    const path = `/v1/hosts/${host.id}`;
    expect((await service.call('GET', '/v1/nothing')).status).toBe(404);
    expect((await fetch(`${service.baseUrl}/v2`)).status).toBe(404);
    const put = await service.call('PUT', path, {});
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, PATCH, DELETE']);
    for (const missing of ['/v1/hosts/x', `/v1/hosts/${'f'.repeat(20)}`, `${path}/scans/nothing`, `${path}/scans/20260101T000000Z-first`])
      expect((await service.call('GET', missing)).status).toBe(404);
    const queries: [query: string, field: string][] = [
      ['limit=0', 'limit'],
      ['limit=51', 'limit'],
      ['limit=x', 'limit'],
      ['verdict=bad', 'verdict'],
      ['verdict=closed,', 'verdict'],
      ['from=yesterday', 'from'],
      ['from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z', 'from'],
      ['to=0000-01-01T00:00:00Z', 'to'],
      ['limit=1e1', 'limit'],
      ['to=2026-13-01T00:00:00Z', 'to'],
      ['cursor=forged', 'cursor'],
      ['cursor=Zm9v.AAAA', 'cursor'],
      ['page=2', 'page'],
    ];
    for (const [query, field] of queries)
      expect(await service.call('GET', `${path}/scans?${query}`), query).toMatchObject({ status: 422, body: { errors: [{ field }] } });
    expect((await service.call('GET', `${path}/scans?to=2020-01-01T00:00:00Z`)).body).toEqual({ items: [] });
    expect(await service.call('GET', `${path}?page=2`)).toMatchObject({ status: 422, body: { errors: [{ field: 'page' }] } });
    expect((await fetch(`${service.baseUrl}//v1/hosts`)).status).toBe(404);
    const wrong = await service.call('POST', '/v1/openapi.json', {});
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
    for (const body of [{}, { name: 'other.example.org' }, { period: 'never' }, { ports: [26] }])
      expect((await service.call('PATCH', path, body)).status).toBe(422);
    expect((await service.call('GET', path)).body.revision).toBe(1);
    expect((await service.call('DELETE', path)).status).toBe(204);
    expect((await service.call('DELETE', path)).status).toBe(404);
  });

  test('P6: another account’s ids answer as ids that never were, on every route', async () => {
    const host = (await post(valid)).body;
    const { output } = await runToEnd(['create', '--email', 'other@example.org', '--data', data], ACCOUNT);
    const key = /ra1_\S+/.exec(output)?.[0] ?? '';
    const routes: [method: string, tail: string, body?: object][] = [
      ['GET', ''],
      ['PATCH', '', { period: 'week' }],
      ['DELETE', ''],
      ['POST', '/scans'],
      ['GET', '/scans'],
      ['GET', '/scans/20260101T000000Z-first'],
      ['GET', '/changes'],
    ];
    for (const [method, tail, body] of routes) {
      const foreign = await call(`${service.baseUrl}/v1/hosts/${host.id}${tail}`, method, key, body);
      const missing = await call(`${service.baseUrl}/v1/hosts/${'f'.repeat(20)}${tail}`, method, key, body);
      expect(foreign.status, `${method} ${tail}`).toBe(404);
      expect(foreign.body).toEqual(missing.body);
    }
    expect((await service.call('GET', `/v1/hosts/${host.id}`)).body.revision).toBe(1);
  });
});

test('a scan is asked for with nothing in the request, and anything in it is refused', async () => {
  const path = `/v1/hosts/${(await post({ ...valid, name: '127.88.0.9' })).body.id}`;
  const before = await eventually(async () => (await service.call('GET', `${path}/scans`)).body.items[0], 'the first scan');
  for (const [body, status] of [
    ['{bad', 400],
    [{ foo: 1 }, 422],
    ['x'.repeat(70_000), 413],
  ] as const)
    expect((await service.call('POST', `${path}/scans`, body)).status).toBe(status);
  expect((await service.call('POST', `${path}/scans?x=1`)).status).toBe(422);
  expect((await service.call('GET', `${path}/scans`)).body.items).toHaveLength(1);
  expect(before.kind).toBe('first');
  expect((await service.call('POST', `${path}/scans`, {})).status).toBe(202);
});

describe('a host that cannot be audited gives its verdict with the reason', () => {
  const listeners: { close(): unknown }[] = [];
  afterAll(() => {
    for (const listener of listeners) listener.close();
  });

  async function verdictOf(name: string): Promise<{ verdict: string; reason: string }> {
    const { headers } = await post({ ...valid, name, ports: [2525] });
    const path = headers.get('location') ?? '';
    return eventually(async () => (await service.call('GET', `${path}/scans`)).body.items[0], `a scan of ${name}`, 25_000);
  }

  async function listening(address: string, onConnection: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(onConnection as () => void);
    await new Promise<void>((done) => server.listen(2525, address, done));
    listeners.push(server);
    return address;
  }

  test('refuses the connection', async () => {
    expect(await verdictOf('127.88.0.1')).toMatchObject({ verdict: 'unreachable', reason: 'connection-refused' });
  });

  test('closes at once', async () => {
    const address = await listening('127.88.0.2', (socket) => socket.end());
    expect(await verdictOf(address)).toMatchObject({ verdict: 'unreachable', reason: 'closed-early' });
  });

  test('closes in the middle of the dialogue, every time', async () => {
    const address = await listening('127.88.0.3', (socket) => {
      socket.on('error', () => {});
      socket.write('220 mx.example ESMTP\r\n');
      socket.once('data', () => socket.end('250 mx.example\r\n'));
    });
    const { headers, body: host } = await post({ ...valid, name: address, ports: [2525] });
    const path = headers.get('location') ?? '';
    const first = `${path}/scans/${scanId(Date.parse(host.createdAt), 'first')}`;
    // Not told in one sitting: it is asked again later, which the owed scan says.
    const scan = await eventually(async () => {
      const { body } = await service.call('GET', first);
      return body.sittings >= 1 ? body : undefined;
    }, 'a sitting');
    expect(scan).toMatchObject({ status: 'owed', sittings: 1 });
    expect((await service.call('GET', `${path}/scans`)).body.items).toEqual([]);
  });

  test('speaks HTTP', async () => {
    const server = createHttpServer((_request, response) => response.end('hello'));
    // It gives up waiting for a request, as web servers do, and says so in HTTP.
    server.headersTimeout = server.requestTimeout = 1_000;
    server.on('connection', (socket) => setTimeout(() => socket.end('HTTP/1.1 408 Request Timeout\r\n\r\n'), 500));
    await new Promise<void>((done) => server.listen(2525, '127.88.0.4', done));
    listeners.push(server);
    expect(await verdictOf('127.88.0.4')).toMatchObject({ verdict: 'unreachable', reason: 'not-smtp' });
  });

  test('lies outside the operator’s networks: no consent, and no packet, but another look; and whoever asks is told so', async () => {
    const { headers, body: host } = await post({ ...valid, name: '192.88.98.1', ports: [2525] });
    const path = headers.get('location') ?? '';
    const first = `${path}/scans/${scanId(Date.parse(host.createdAt), 'first')}`;
    const waits = await eventually(async () => (await service.call('GET', first)).body.waitsFor, 'the look of the first scan');
    expect(waits).toMatchObject({ what: 'dns', why: expect.stringContaining('No consent') });
    const { body: asked } = await service.call('POST', `${path}/scans`);
    const finished = async () => {
      const { body: scan } = await service.call('GET', `${path}/scans/${asked.id}`);
      return scan.status === 'finished' ? scan : undefined;
    };
    expect(await eventually(finished, 'the scan that was asked for')).toMatchObject({ verdict: 'untestable', reason: 'no-consent' });
    expect((await service.call('GET', first)).body.waitsFor).toMatchObject({ what: 'dns' });
    const { status, body } = await post({ ...valid, name: '10.0.0.1', ports: [2525] });
    expect([status, body.detail]).toEqual([422, expect.stringMatching(/^10\.0\.0\.1 is never probed: /)]);
  });
});

describe('the OpenAPI document', () => {
  test('is served without a key', async () => {
    const response = await fetch(`${service.baseUrl}/v1/openapi.json`);
    expect(response.status).toBe(200);
    expect(Object.keys(((await response.json()) as { paths: object }).paths)).toContain('/v1/hosts/{id}/scans');
  });
});
