import type { Stored } from '../store/audit-store.ts';

// A relay may hand over all canaries of a scan at once, each of which writes its host.
const TRIES = 8;
const WAIT_MS = 10; // doubled with each try

/**
 * Decides upon what is read, and stores that on the condition that it still stands; when somebody else wrote in between, a moment
 * later all of it anew. `tries` counts from 0.
 */
export async function decideAgain<T>(what: string, attempt: (tries: number) => Promise<T | Extract<Stored, 'conflict'>>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await new Promise((done) => setTimeout(done, WAIT_MS * 2 ** tries * (0.5 + Math.random() / 2)));
    const done = await attempt(tries);
    if (done !== 'conflict') return done;
  }
  throw new Error(`the host kept changing while ${what}`);
}
