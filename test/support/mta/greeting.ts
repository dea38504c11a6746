import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const START_MS = 60_000; // one that reads a filter's thousand rules first takes fifteen seconds of a busy machine

/** Waits until a server greets on port 25; throws with its log when it does not. */
export async function untilGreets(address: string, log: string): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(50)) if (await greets(address)) return;
  throw new Error(`no server greets on ${address}; its log:\n${existsSync(log) ? readFileSync(log, 'utf8') : 'none'}`);
}

/** Waits until a server listens on port 25, one that lets callers wait for its greeting. */
export async function untilListens(address: string, log: string): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(50)) if (await listens(address)) return;
  throw new Error(`no server listens on ${address}; its log:\n${existsSync(log) ? readFileSync(log, 'utf8') : 'none'}`);
}

function listens(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ host: address, port: 25, timeout: 2_000 });
    const end = (listening: boolean) => {
      socket.destroy();
      done(listening);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

function greets(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ host: address, port: 25, timeout: 2_000 });
    const end = (greeted: boolean) => {
      socket.destroy();
      done(greeted);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false)); // a front whose server is not there yet
    socket.once('timeout', () => end(false));
  });
}
