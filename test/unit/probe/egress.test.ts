import { afterEach, expect, test } from 'vitest';
import { egressBlocked } from '../../../functions/probe/egress.ts';
import { mailServer, type ScriptedServer, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const started: ScriptedServer[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.stop())));

async function serverAt(address: string, port = 0): Promise<ScriptedServer> {
  const server = await startScriptedServer([mailServer()], { address, port });
  started.push(server);
  return server;
}

/** A port at which nothing listens. */
async function deadPort(): Promise<number> {
  const { port, stop } = await startScriptedServer([mailServer()]);
  await stop();
  return port;
}

test('our way out to a port is blocked when none of the endpoints at that port takes a connection', async () => {
  const port = await deadPort();
  const { port: otherPort } = await serverAt('127.0.0.1');
  const endpoints = [
    { address: '127.0.0.1', port },
    { address: '127.0.0.2', port },
    { address: '127.0.0.1', port: otherPort },
  ];
  expect(await egressBlocked(endpoints, port)).toBe(true);
});

test('one endpoint that takes a connection, which is then ended, shows that it is open', async () => {
  const server = await serverAt('127.0.0.1');
  const { port } = server;
  const endpoints = ['127.0.0.2', '127.0.0.1', 'no address'].map((address) => ({ address, port }));
  expect(await egressBlocked(endpoints, port)).toBe(false);
  await server.idle();
  expect(server.heard).toEqual([[]]);
});

test('without an endpoint at a port nothing is claimed of it', async () => {
  const port = await deadPort();
  expect(await egressBlocked([{ address: '127.0.0.1', port }], port + 1)).toBe(false);
  expect(await egressBlocked([], port)).toBe(false);
});

test('what is no address takes no connection', async () => {
  expect(await egressBlocked([{ address: 'mail.example.org', port: 25 }], 25)).toBe(true);
});
