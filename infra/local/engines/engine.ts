import { createServer } from 'node:http';
import { UsageError } from '../commands/options.ts';

/** An engine that stands in for an AWS service: where it answers, and how it is stopped. */
export type Engine = { readonly endpoint: string; stop(): Promise<void> };

/** Where engines listen that look at the name in a request. */
export const HOST = '127.0.0.1';

/** Credentials that every engine takes; none of them checks. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
export const REGION = 'us-east-1';

/** Checks that a port is free on loopback, and gives it; 0 gives any free one. */
export async function takePort(port: number, use: 'API' | 'mails' = 'API'): Promise<number> {
  const probe = createServer();
  try {
    return await new Promise<number>((done, fail) => {
      probe.once('error', fail);
      probe.listen(port, HOST, () => {
        const address = probe.address();
        done(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`;
    const forWhat = use === 'mails' ? ', where mails would be shown,' : '';
    throw new UsageError(`Port ${port}${forWhat} ${why}. Stop what uses it, or choose another: npm start -- --port ${port + 10}`);
  } finally {
    await new Promise((done) => probe.close(done));
  }
}
