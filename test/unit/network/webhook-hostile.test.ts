import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { postToWebhook, type WebhookCall, type WebhookDoor } from '../../../shared/network/webhook.ts';
import { lookupsTo } from '../../support/gate.ts';
import { startTlsServer, type TlsServer } from '../../support/tls-server.ts';
import { elapse, startBlackHole, startTcpServer, writeWithoutEnd } from '../../support/webhook-receiver.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map((text) => parseNetwork(text) ?? expect.fail());
const KERNEL_BUFFERS = 16 * 1024 * 1024; // what both ends of a loopback connection may hold unread, at the most
let server: TlsServer;
let asked: (response: ServerResponse) => void;

beforeAll(async () => {
  // The helper knows names and IPv4; a further entry of the certificate rides behind the name.
  server = await startTlsServer(['hooks.example.org,IP:::1'], (_, response) => asked(response));
});
afterAll(() => server.stop());
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const door = (addresses: readonly string[] = ['127.0.0.1'], more: Partial<WebhookDoor> = {}): WebhookDoor => ({
  lookups: lookupsTo(...addresses),
  operatorNetworks: LOOPBACK,
  isVetoed: () => false,
  ca: server.ca,
  ...more,
});
const at = (port: number, name = 'hooks.example.org') => `https://${name}:${port}/`;
const call = (url = at(server.port), through = door(), headers = {}) => postToWebhook(url, { body: '{}', headers }, through);

/** A call under way whose receiver is at the point of answering. */
async function callAtAnswer(): Promise<{ call: Promise<WebhookCall>; response: ServerResponse; socket: Socket }> {
  const answering = new Promise<ServerResponse>((resolve) => {
    asked = resolve;
  });
  const under = call();
  const response = await answering;
  return { call: under, response, socket: response.socket ?? expect.fail() };
}

// One sentence for all that may happen on the wire before a session with a good certificate: whoever names a host that is not theirs learns
// nothing of it.
const NOT_SECURE = {
  kind: 'refused',
  why: 'no HTTPS session with a public address of it, under a certificate that is valid for it, came about',
};
const TOO_SLOW = { kind: 'refused', why: 'it took longer than 10 seconds' };

describe('a receiver costs ten seconds at the most', () => {
  test('when it never answers, and not less', async () => {
    const { call } = await callAtAnswer();
    let isOver = false;
    void call.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(9_999);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toEqual(TOO_SLOW);
  });

  test('when it lets the head of its answer drip', async () => {
    const { call, socket } = await callAtAnswer();
    for (const character of 'HTTP/1.1 200 OK\r\nx: ') socket.write(character);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await call).toEqual(TOO_SLOW);
  });

  test('when it lets the rest drip: what it has answered stands', async () => {
    const { call, response } = await callAtAnswer();
    response.writeHead(202);
    response.write('.');
    await new Promise(setImmediate);
    const gone = once(response, 'close');
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate); // until the head is through
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await call).toEqual({ kind: 'taken', status: 202 });
    await gone;
  });

  test('when it takes the connection and never talks TLS', async () => {
    const taken = Promise.withResolvers<void>();
    const mute = await startTcpServer(() => taken.resolve());
    onTestFinished(mute.stop);
    const under = call(at(mute.port), door(['127.0.0.1', '127.0.0.1']));
    await taken.promise;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([await under, mute.connections()]).toEqual([NOT_SECURE, 2]);
  });

  test('with its name servers', async () => {
    const never = { addresses: () => new Promise<never>(() => {}) };
    const under = call(undefined, door([], { lookups: never }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await under).toEqual(NOT_SECURE);
  });
});

describe('of an answer no more than 64 KiB is read', () => {
  test('when its body has no end; what it has answered stands', async () => {
    const { call, socket } = await callAtAnswer();
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n');
    expect(await writeWithoutEnd(socket, 'x'.repeat(16_384))).toBeLessThan(KERNEL_BUFFERS);
    expect(await call).toEqual({ kind: 'taken', status: 200 });
  });

  test('when interim answers have no end', async () => {
    const { call, socket } = await callAtAnswer();
    expect(await writeWithoutEnd(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(500))).toBeLessThan(KERNEL_BUFFERS);
    expect(await call).toEqual({ kind: 'refused', why: 'it went on talking without an answer' });
  });

  test('when its head has no end', async () => {
    const { call, socket } = await callAtAnswer();
    socket.write('HTTP/1.1 200 OK\r\n');
    expect(await writeWithoutEnd(socket, `x: ${'a'.repeat(4_000)}\r\n`)).toBeLessThan(KERNEL_BUFFERS);
    expect(await call).toEqual({ kind: 'refused', why: 'its answer is not HTTP that we can read' });
  });
});

test('a receiver that still writes when its status is here is not left in the middle', async () => {
  const { call, response } = await callAtAnswer();
  response.writeHead(200);
  response.write('working');
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate); // time enough for a caller to hang up
  expect(response.destroyed).toBe(false);
  response.end('done');
  expect(await call).toEqual({ kind: 'taken', status: 200 });
});

test.each([
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    'ended the connection',
  ],
  ['nothing', '', 'ended the connection'],
  ['half a head', 'HTTP/1.1 200 OK\r\nx: ', 'ended the connection'],
  ['no HTTP', '220 mail.example.org ESMTP\r\n', 'not HTTP'],
  ['a status that is none', 'HTTP/1.1 99999 OK\r\n\r\n', 'not HTTP'],
  ['a NUL in its head', 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n', 'not HTTP'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 'not HTTP'],
])('%s is no answer', async (_, answer, why) => {
  const { call, socket } = await callAtAnswer();
  socket.end(answer);
  expect(await call).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) });
});

test('a server that does not talk TLS is told nothing', async () => {
  const heard: string[] = [];
  const plain = await startTcpServer((socket) => {
    socket.on('data', (bytes) => heard.push(bytes.toString('latin1')));
    socket.end('220 mail.example.org ESMTP\r\n');
  });
  onTestFinished(plain.stop);
  expect(await elapse(call(at(plain.port)))).toEqual(NOT_SECURE);
  expect([plain.connections(), heard.join('').includes('POST')]).toEqual([1, false]);
});

test('certificates are verified whatever the environment says', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {}); // Node's, of this variable
  const before = server.received.length;
  expect(await elapse(call(at(server.port, 'other.example.org')))).toEqual(NOT_SECURE);
  expect(await elapse(call(undefined, door(undefined, { ca: undefined })))).toEqual(NOT_SECURE);
  expect(server.received.length).toBe(before);
});

test('an address needs a certificate for the address, not for some name', async () => {
  expect(await elapse(call(at(server.port, '127.0.0.1')))).toEqual(NOT_SECURE);
});

test('an IPv6 address is called in brackets', async () => {
  const way = await startTcpServer((socket) => socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket), '::1');
  onTestFinished(way.stop);
  asked = (response) => response.end();
  expect(await call(at(way.port, '[::1]'), door([]))).toEqual({ kind: 'taken', status: 200 });
  expect(server.received.at(-1)?.headers.host).toBe(`[::1]:${way.port}`);
});

test('a call says what it must and no more; its own headers cannot displace ours', async () => {
  asked = (response) => response.writeHead(200, { 'set-cookie': 'a=b', connection: 'keep-alive' }).end();
  await call();
  await call(undefined, undefined, { Host: 'other.example.org', 'User-Agent': 'other', 'webhook-id': 'n' });
  expect(server.received.at(-1)?.headers).toEqual({
    host: `hooks.example.org:${server.port}`,
    'content-type': 'application/json',
    'content-length': '2',
    'user-agent': 'Relay-Audit-Webhook',
    connection: 'close',
    'webhook-id': 'n',
  });
});

/** Somebody else's server at this address, of whom a name tells the service. */
async function strangerAt(address: string, port: number, what: string) {
  if (what === 'swallows') return startBlackHole(address, port);
  if (what === 'hangs up') return startTcpServer((socket) => void socket.destroy(), address, port);
  if (what === 'says nothing') return startTcpServer(() => {}, address, port);
  if (what === 'talks something else') return startTcpServer((socket) => void socket.end('220 mail.example.org ESMTP\r\n'), address, port);
  if (what !== 'has a certificate for others') return undefined;
  const other = await startTlsServer(['other.example.org'], () => {});
  const way = await startTcpServer((socket) => void socket.pipe(connect(other.port, '127.0.0.1')).pipe(socket), address, port);
  return { stop: () => Promise.all([way.stop(), other.stop()]) };
}

describe('of several addresses', () => {
  test('two are tried, not three', async () => {
    asked = (response) => response.end();
    expect(await elapse(call(undefined, door(['127.0.0.9', '127.0.0.1'])))).toMatchObject({ kind: 'taken' });
    expect(await elapse(call(undefined, door(['127.0.0.9', '127.0.0.8', '127.0.0.1'])))).toEqual(NOT_SECURE);
  });

  // Of a name that leads to a stranger's address first and to the own second, the call at the second tells when the first was given up.
  test.each([
    'refuses',
    'swallows',
    'hangs up',
    'says nothing',
    'talks something else',
    'has a certificate for others',
    'is on the never-list',
  ])('the second is called four seconds after the first, which %s', async (what) => {
    const port = server.port;
    const isVetoed = (target: string) => what === 'is on the never-list' && target === '127.0.0.9';
    const stranger = await strangerAt('127.0.0.9', port, what);
    onTestFinished(async () => {
      await stranger?.stop();
    });
    const called = Promise.withResolvers<void>();
    asked = (response) => {
      called.resolve();
      response.end();
    };
    const before = server.received.length;
    const under = call(undefined, door(['127.0.0.9', '127.0.0.1'], { isVetoed }));
    for (let turn = 0; turn < 300; turn++) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(3_999);
    for (let turn = 0; turn < 300; turn++) await new Promise(setImmediate);
    expect(server.received.length).toBe(before);
    await vi.advanceTimersByTimeAsync(1);
    await called.promise;
    expect(await under).toEqual({ kind: 'taken', status: 200 });
  });

  test('a forbidden one behind the two that would be tried forbids all', async () => {
    const before = server.received.length;
    const answer = await call(undefined, door(['127.0.0.1', '127.0.0.2', '10.0.0.1']));
    expect(answer).toMatchObject(NOT_SECURE);
    expect(server.received.length).toBe(before);
  });
});
