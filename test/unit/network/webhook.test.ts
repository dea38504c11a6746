import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import type { Found } from '../../../shared/network/lookups.ts';
import { postToWebhook, type WebhookDoor } from '../../../shared/network/webhook.ts';
import { lookupsTo } from '../../support/gate.ts';
import { startTlsServer, type TlsServer } from '../../support/tls-server.ts';
import { elapse } from '../../support/webhook-receiver.ts';

const LOOPBACK = parseNetwork('127.0.0.0/8') ?? expect.fail();
let server: TlsServer;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = await startTlsServer(['hooks.example.org', '127.0.0.1'], (_, response) => answer(response));
});
afterAll(() => server.stop());
beforeEach(() => {
  server.received.length = 0;
  answer = (response) => response.writeHead(204).end();
});

const door = (addresses: string[], more: Partial<WebhookDoor> = {}): WebhookDoor => ({
  lookups: lookupsTo(...addresses),
  operatorNetworks: [LOOPBACK],
  isVetoed: () => false,
  ca: server.ca,
  ...more,
});
const call = (to: string, through: WebhookDoor) => postToWebhook(to, { body: '{"a":1}', headers: { 'webhook-id': 'x' } }, through);
/** A call whose addresses have their turns at once. */
function callInTurns(to: string, through: WebhookDoor) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  return elapse(call(to, through));
}
const NOT_SECURE = 'no HTTPS session with a public address of it, under a certificate that is valid for it, came about';
const HOOK = () => `https://hooks.example.org:${server.port}/relay?to=me`;

describe('a webhook', () => {
  test('is called once, with the body, its headers and its own name, at the address that was checked', async () => {
    expect(await call(HOOK(), door(['127.0.0.1']))).toEqual({ kind: 'taken', status: 204 });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      method: 'POST',
      url: '/relay?to=me',
      body: '{"a":1}',
      headers: { host: `hooks.example.org:${server.port}`, 'webhook-id': 'x', 'content-type': 'application/json' },
    });
  });

  test('given by its address is called there, under a certificate for that address', async () => {
    expect(await call(`https://127.0.0.1:${server.port}/`, door([]))).toMatchObject({ kind: 'taken' });
  });

  test.each([301, 302, 307, 308, 400, 404, 410, 500, 503])('that answers %i has not taken it; no redirect is followed', async (status) => {
    answer = (response) => response.writeHead(status, { location: HOOK() }).end();
    expect(await call(HOOK(), door(['127.0.0.1', '127.0.0.1']))).toMatchObject({ why: expect.stringContaining(`answered ${status}`) });
    expect(server.received).toHaveLength(1);
  });

  test('that goes on talking is not listened to', async () => {
    let written = 0;
    answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => {
        written++;
        response.write('x'.repeat(10_000));
      }, 1);
      response.once('close', () => clearInterval(timer));
    };
    expect(await call(HOOK(), door(['127.0.0.1']))).toEqual({ kind: 'taken', status: 200 });
    await new Promise((done) => setTimeout(done, 50));
    expect(written).toBeLessThan(50);
  });

  test('whose certificate is for another name, or of nobody that we know, is told nothing', async () => {
    const other = `https://other.example.org:${server.port}/`;
    expect(await callInTurns(other, door(['127.0.0.1']))).toMatchObject({ why: NOT_SECURE });
    expect(await callInTurns(HOOK(), door(['127.0.0.1'], { ca: undefined }))).toMatchObject({
      why: NOT_SECURE,
    });
    expect(server.received).toEqual([]);
  });

  test('whose first address refuses the connection is called at its second', async () => {
    expect(await callInTurns(HOOK(), door(['127.0.0.9', '127.0.0.1']))).toMatchObject({ kind: 'taken' });
    expect(await callInTurns('https://hooks.example.org:9/', door(['127.0.0.9', '127.0.0.8']))).toMatchObject({
      why: NOT_SECURE,
    });
  });
});

describe('nothing is sent', () => {
  test.each([
    ['to a private address', ['10.0.0.1']],
    ['to loopback that is not the operator’s', ['127.0.0.1']],
    ['to a good address beside a bad one', ['9.9.9.9', '192.168.1.1']],
    ['to an address that holds another', ['2002:7f00:1::1']],
    ['to the metadata service', ['169.254.169.254']],
  ])('%s', async (_, addresses) => {
    expect(await call(HOOK(), door(addresses, { operatorNetworks: [] }))).toMatchObject({
      why: NOT_SECURE,
    });
    expect(server.received).toEqual([]);
  });

  test('to a name or an address on the operator’s never-list', async () => {
    for (const never of ['hooks.example.org', '127.0.0.1'])
      expect(await callInTurns(HOOK(), door(['127.0.0.1'], { isVetoed: (target) => target === never }))).toMatchObject({ why: NOT_SECURE });
    expect(server.received).toEqual([]);
  });

  test('when DNS does not answer, or knows no address', async () => {
    const trouble = { addresses: async (): Promise<Found<never>> => ({ kind: 'trouble', why: 'SERVFAIL' }) };
    expect(await call(HOOK(), door([], { lookups: trouble }))).toMatchObject({ why: NOT_SECURE });
    expect(await call(HOOK(), door([]))).toMatchObject({ why: NOT_SECURE });
  });

  test('to where DNS points after it was checked: it is asked once', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    let asked = 0;
    const moving = {
      addresses: async () => ({ kind: 'found', values: [parseAddress(answers[Math.min(asked++, 1)] ?? '') ?? expect.fail()] }) as const,
    };
    expect(await call(HOOK(), door([], { lookups: moving }))).toMatchObject({ kind: 'taken' });
    expect(asked).toBe(1);
  });

  test.each([
    'http://hooks.example.org/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://a b/',
    'https://hooks.example.org/\r\nX: y',
    'https://u@h.example/',
  ])('to %j, which is no address of a webhook', async (url) => {
    expect(await call(url, door(['127.0.0.1']))).toMatchObject({ kind: 'refused' });
    expect(server.received).toEqual([]);
  });
});
