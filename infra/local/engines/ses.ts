import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import { type Engine, HOST, takePort } from './engine.ts';

const require = createRequire(import.meta.url);

/** A mail as the endpoint keeps it, with the notice that its tag names. */
export type StoredMail = {
  readonly messageId: string;
  readonly destination: { readonly to: readonly string[] };
  readonly noticeId?: string | undefined;
};

/** The SES endpoint, with all the mails that it has taken, oldest first. */
export type Ses = Engine & { mails(): readonly StoredMail[]; onMail(listener: () => void): void };

type MailStore = { getStoreReadonly(): { emails: StoredMail[] }; saveEmail(email: object): void };

/**
 * Starts the SES endpoint and mail viewer. It keeps mails in memory only, so each is written to `folder` before its
 * sender hears that it was accepted, and read back at the next start.
 */
export async function startSes(folder: string, port: number): Promise<Ses> {
  const journal = join(folder, 'mails.jsonl');
  const mails: MailStore = require('aws-ses-v2-local/dist/store.js');
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : [];
  for (const line of lines) {
    // The last line may be half written; its sender never heard that it was accepted, and sends it again.
    if (line.endsWith('}')) mails.saveEmail(JSON.parse(line));
  }
  if (lines.at(-1) !== '') appendFileSync(journal, '\n');
  let kept = mails.getStoreReadonly().emails.length;
  const listeners: (() => void)[] = [];
  const { default: serve }: { default: (config: { host: string; port: number }) => Promise<Server> } = require('aws-ses-v2-local');
  const server = await serve({ host: HOST, port: await takePort(port, 'mails') });
  server.prependListener('request', (request, response) => {
    if (request.method !== 'POST') return;
    const end = response.end.bind(response);
    // Called just before the answer leaves, whatever overload the engine uses.
    response.end = ((...args: Parameters<typeof end>) => {
      const fresh = mails.getStoreReadonly().emails.slice(kept);
      for (const mail of fresh) Object.assign(mail, { noticeId: noticeOf(request) });
      if (fresh.length > 0) appendFileSync(journal, fresh.map((mail) => `${JSON.stringify(mail)}\n`).join(''), { flush: true });
      kept += fresh.length;
      const ended = end(...args);
      if (fresh.length > 0) for (const hear of listeners) hear();
      return ended;
    }) as typeof response.end;
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SES endpoint has no port');
  return {
    endpoint: `http://${HOST}:${address.port}`,
    mails: () => mails.getStoreReadonly().emails.slice(0, kept),
    onMail: (listener) => void listeners.push(listener),
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

const tagged = z.object({ body: z.object({ 'Tags.member.1.Name': z.literal('notice'), 'Tags.member.1.Value': z.string() }) });

// The engine reads the form of a request into its `body`, and forgets the tags of the mail.
function noticeOf(request: IncomingMessage): string | undefined {
  return tagged.safeParse(request).data?.body['Tags.member.1.Value'];
}
