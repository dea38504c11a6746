import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSes } from '../../../infra/local/engines/ses.ts';
import { startSqs } from '../../../infra/local/engines/sqs.ts';
import { startHttpFront } from '../../../infra/local/service/http-front.ts';
import { isKnownHost } from '../../../infra/local/service/known-hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-audit-hosts-'));
const stops: (() => Promise<unknown>)[] = [() => Promise.resolve(rmSync(folder, { recursive: true }))];
let invoked = 0;
const ports: Record<string, number> = {};
const portOf = (endpoint: string) => Number(new URL(endpoint).port);

beforeAll(async () => {
  const front = await startHttpFront(0, async () => ({ statusCode: 200, body: String(++invoked) }), ['https://audit.example.org']);
  stops.unshift(() => new Promise((done) => front.close(done)));
  const [ses, sqs] = await Promise.all([startSes(folder, 0), startSqs(folder)]);
  stops.unshift(ses.stop, sqs.stop);
  const address = front.address();
  ports.pages = typeof address === 'object' && address !== null ? address.port : 0;
  ports.mails = portOf(ses.endpoint);
  ports.queues = portOf(sqs.endpoint);
});
afterAll(async () => {
  for (const stop of stops) await stop();
});

function statusOf(at: string, host: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    const asked = request({ port: ports[at], host: '127.0.0.1', path: '/', headers: { host } }, (response: IncomingMessage) => {
      response.resume();
      done(response.statusCode);
    });
    asked.on('error', fail).end();
  });
}

describe.each(['pages', 'mails', 'queues'])('a web page whose name is made to lead to this machine: %s', (at) => {
  test.each(['rebound.example', 'rebound.example:8025', '127.0.0.1.example', 'localhost.example'])(
    'is answered nothing at %s',
    async (host) => {
      const before = invoked;
      expect(await statusOf(at, host)).toBe(421);
      expect(invoked).toBe(before);
    },
  );

  test('does not keep who names this machine from an answer', async () => {
    for (const host of ['127.0.0.1', `127.0.0.1:${ports[at]}`, 'localhost:1234', '[::1]:80', 'LOCALHOST'])
      expect(await statusOf(at, host)).not.toBe(421);
  });
});

test('the pages answer to the public address that they are configured with, and the mails do not', async () => {
  expect(await statusOf('pages', 'audit.example.org')).toBe(200);
  expect(await statusOf('mails', 'audit.example.org')).toBe(421);
});

test.each([
  undefined,
  '',
  'a.example',
  '127.0.0.1@a.example',
  'a.example@127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '0x7f000001',
  '2130706433',
  '10.0.0.1',
  '0.0.0.0',
  '[::]',
  '[::2]',
  '127.0.0.1:80:80',
  '127.0.0.1 a.example',
])('%j does not name this machine', (host) => {
  expect(isKnownHost(host, [])).toBe(false);
});
