import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { LegEvidence, Transport } from '../../../shared/domain/scan.ts';
import { judgeLeg } from '../../../shared/domain/verdict.ts';
import { probeLeg } from '../../../shared/network/probe.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { permitted } from '../../support/gate.ts';
import { mailServer, startScriptedServer } from '../../support/scripted-smtp-server.ts';
import {
  type AfterStarttls,
  answerInside,
  startStarttlsServer,
  startTlsMailServer,
  type TlsMailServer,
} from '../../support/tls-mail-server.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.served.example',
  addressLiteral: '[127.0.0.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
// The library's own certificate: self-signed, for localhost.
const CERTIFICATE = createRequire(import.meta.url)('smtp-server/lib/tls-options.js') as () => { key: string; cert: string };

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function startedServer(starting: Promise<TlsMailServer>): Promise<TlsMailServer> {
  const server = await starting;
  started.push(server);
  return server;
}

function audit(port: number, transport: Transport, replyMs = 20_000): Promise<LegEvidence> {
  return probeLeg({
    target: permitted('127.0.0.1'),
    port,
    transport,
    cast: CAST,
    scope: ['plain', 'null-sender'],
    limits: { connectMs: 20_000, replyMs, sessionMs: 20_000, sittingMs: 20_000, pauseMs: 1 },
    deadline: Date.now() + 20_000,
    optOutAddress: 'postmaster@probe.example',
    clock: Date.now,
    askAtDial: async () => undefined,
    expectCanary: async ({ test: id }) => ({ id, token: `token-${id}` }),
  });
}

describe('a server that relays inside TLS only', () => {
  test('is closed in the clear, and shows that it offers STARTTLS', async () => {
    const { port } = await startedServer(startTlsMailServer());
    const leg = await audit(port, 'plain');
    expect(judgeLeg(leg).verdict).toBe('closed');
    expect(leg.offersStarttls).toBe(true);
  });

  test('relays after STARTTLS, with the facts of TLS written down', async () => {
    const { port } = await startedServer(startTlsMailServer());
    const leg = await audit(port, 'starttls');
    expect(judgeLeg(leg).verdict).toBe('suspected');
    expect(leg.tls).toMatchObject({ version: expect.stringMatching(/^TLSv1/), subject: 'localhost', distrust: expect.any(String) });
    expect(leg.injected).toBeUndefined();
  });

  test('relays inside implicit TLS', async () => {
    const { port } = await startedServer(startTlsMailServer({ secure: true }));
    const leg = await audit(port, 'tls');
    expect(judgeLeg(leg).verdict).toBe('suspected');
    expect(leg.tls?.version).toMatch(/^TLSv1/);
  });

  test('is tested whatever old version of TLS it speaks', async () => {
    const { port } = await startedServer(startTlsMailServer({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }));
    const leg = await audit(port, 'starttls');
    expect(leg.tls?.version).toBe('TLSv1');
    expect(judgeLeg(leg).verdict).toBe('suspected');
  });
});

test('plaintext behind the answer to STARTTLS is dropped and reported, and answers nothing', async () => {
  const { port } = await startedServer(
    startStarttlsServer('220 go\r\n250 injected\r\n250 injected\r\n', answerInside(CERTIFICATE(), '554 5.7.1 Relay access denied\r\n')),
  );
  const leg = await audit(port, 'starttls');
  expect(leg.injected).toBe('250 injected\n250 injected');
  expect(leg.tests.filter(({ outcome }) => outcome === 'accepted')).toEqual([]);
});

test('P7: a session reads 64 KiB in all, before TLS and inside it', async () => {
  const long = (code: number) => `${`${code}-${'x'.repeat(1_000)}\r\n`.repeat(15)}${code} end\r\n`; // nearly what one reply may have
  const answered: number[] = [];
  const inside = (socket: Socket) => {
    const session = answered.push(0) - 1;
    answerInside(CERTIFICATE(), long(250), () => {
      answered[session] = (answered[session] ?? 0) + 1;
    })(socket);
  };
  const { port } = await startedServer(startStarttlsServer(long(220), inside));
  await audit(port, 'starttls');
  // One such reply in the clear, three inside, and the fourth is cut; the fifth would be if each part had its own 64 KiB.
  expect(answered[0]).toBe(4);
});

describe('a handshake that fails leaves the leg untold, never refused', () => {
  test.each<[string, AfterStarttls]>([
    ['garbage', (socket) => socket.write('\x16\x03\x01garbage in the place of a handshake')],
    ['plain SMTP', (socket) => socket.write('250 hello there\r\n'.repeat(20))],
    ['a closed connection', (socket) => socket.end()],
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['silence', () => {}],
  ])('%s', async (_, after) => {
    const { port } = await startedServer(startStarttlsServer('220 go\r\n', after));
    const leg = await audit(port, 'starttls', 500);
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', completed: 0 });
  });

  test('an implicit TLS port that speaks plain SMTP', async () => {
    const server = await startScriptedServer([mailServer()]);
    started.push(server);
    expect(judgeLeg(await audit(server.port, 'tls'))).toMatchObject({ verdict: 'inconclusive', reason: 'tls-failed' });
  });
});
