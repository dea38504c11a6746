import { afterAll, beforeAll, expect, test } from 'vitest';
import { beat } from '../../../shared/network/heartbeat.ts';
import { startTlsServer, type TlsServer } from '../../support/tls-server.ts';

let server: TlsServer;
let status = 200;

beforeAll(async () => {
  server = await startTlsServer(['127.0.0.1'], (_, response) => response.writeHead(status).end());
});
afterAll(() => server.stop());

test('a heartbeat is one GET of the monitor’s address', async () => {
  expect(await beat(`https://127.0.0.1:${server.port}/ping?id=1`, server.ca)).toBe(true);
  expect(server.received).toMatchObject([{ method: 'GET', url: '/ping?id=1' }]);
});

test('a monitor that answers with an error, or cannot be reached, costs nothing but the heartbeat', async () => {
  status = 500;
  expect(await beat(`https://127.0.0.1:${server.port}/`, server.ca)).toBe(false);
  expect(await beat('https://127.0.0.1:9/', server.ca)).toBe(false);
});

test('a monitor whose certificate is not good hears nothing', async () => {
  const before = server.received.length;
  expect(await beat(`https://127.0.0.1:${server.port}/`)).toBe(false);
  expect(server.received).toHaveLength(before);
});
