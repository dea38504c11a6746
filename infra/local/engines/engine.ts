import { randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import { UsageError } from '../commands/options.ts';

/** An engine that stands in for an AWS service: where it answers, and how it is stopped. */
export type Engine = { readonly endpoint: string; stop(): Promise<void> };

/** Where engines listen that look at the name in a request. */
export const HOST = '127.0.0.1';

/** Credentials that every engine takes; none of them checks. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
export const REGION = 'us-east-1';

// Below those that systems give to connections, and to whoever asks for any port: one of those may be taken before it is listened at.
const [LOWEST_PORT, HIGHEST_PORT] = [10_000, 32_000];
const TRIES = 100;

/** Checks that a port is free on loopback, and gives it; 0 gives any free one. */
export async function takePort(port: number, use: 'API' | 'mails' = 'API'): Promise<number> {
  if (port === 0) return somePort();
  const trouble = await troubleAt(port);
  if (trouble === undefined) return port;
  const why = trouble === 'EADDRINUSE' ? 'is taken' : `cannot be used (${trouble})`;
  const forWhat = use === 'mails' ? ', where mails would be shown,' : '';
  throw new UsageError(`Port ${port}${forWhat} ${why}. Stop what uses it, or choose another: npm start -- --port ${port + 10}`);
}

async function somePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if ((await troubleAt(port)) === undefined) return port;
  }
  throw new UsageError(`No port from ${LOWEST_PORT} to ${HIGHEST_PORT} can be used. Choose one: npm start -- --port 8025`);
}

// The error code when another process listens there.
function troubleAt(port: number): Promise<string | undefined> {
  const probe = createServer();
  return new Promise((done) => {
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    probe.listen(port, HOST, () => probe.close(() => done(undefined)));
  });
}
