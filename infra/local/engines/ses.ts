import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Engine, HOST, takePort } from './engine.ts';

const require = createRequire(import.meta.url);

type MailStore = { getStoreReadonly(): { emails: object[] }; saveEmail(email: object): void };

/**
 * Starts the SES endpoint and mail viewer. It keeps mails in memory only, so each is written to `folder` before its
 * sender hears that it was accepted, and read back at the next start.
 */
export async function startSes(folder: string, port: number): Promise<Engine> {
  const journal = join(folder, 'mails.jsonl');
  const mails: MailStore = require('aws-ses-v2-local/dist/store.js');
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : [];
  for (const line of lines) {
    // The last line may be half written; its sender never heard that it was accepted, and sends it again.
    if (line.endsWith('}')) mails.saveEmail(JSON.parse(line));
  }
  if (lines.at(-1) !== '') appendFileSync(journal, '\n');
  let kept = mails.getStoreReadonly().emails.length;
  const { default: serve }: { default: (config: { host: string; port: number }) => Promise<Server> } = require('aws-ses-v2-local');
  const server = await serve({ host: HOST, port: await takePort(port, 'mails') });
  server.prependListener('request', (request, response) => {
    if (request.method !== 'POST') return;
    const end = response.end.bind(response);
    // Called just before the answer leaves, whatever overload the engine uses.
    response.end = ((...args: Parameters<typeof end>) => {
      const fresh = mails.getStoreReadonly().emails.slice(kept);
      if (fresh.length > 0) appendFileSync(journal, fresh.map((mail) => `${JSON.stringify(mail)}\n`).join(''), { flush: true });
      kept += fresh.length;
      return end(...args);
    }) as typeof response.end;
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SES endpoint has no port');
  return {
    endpoint: `http://${HOST}:${address.port}`,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
