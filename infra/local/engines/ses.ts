import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as z from 'zod';
import { UsageError } from '../commands/options.ts';
import { answerKnownHosts } from '../service/known-hosts.ts';
import { type Engine, HOST, takePort } from './engine.ts';

const require = createRequire(import.meta.url);

const storedMail = z.object({
  messageId: z.string(),
  /** When it was taken, in seconds. */
  at: z.number(),
  destination: z.object({ to: z.array(z.string()) }),
  recipient: z.string().optional(),
  noticeId: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
});

/** A mail as the endpoint keeps it, with the envelope's recipient, its message tags, and the notice that one of them names. */
export type StoredMail = z.output<typeof storedMail>;

/** The SES endpoint, with all the mails that it has taken, oldest first. */
export type Ses = Engine & { mails(): readonly StoredMail[]; onMail(listener: () => void): void };

type MailStore = { getStoreReadonly(): { emails: StoredMail[] }; saveEmail(email: object): void; clearStore(): void };

/**
 * Starts the SES endpoint and mail viewer. It keeps mails in memory only, so each is written to `folder` before its
 * sender hears that it was accepted, and read back at the next start. An endpoint in SES_ENDPOINT is used instead: another
 * aws-ses-v2-local, which outlives the service.
 */
export async function startSes(folder: string, port: number): Promise<Ses> {
  const given = process.env.SES_ENDPOINT;
  return given === undefined ? startEngine(folder, port) : watchEngine(given.replace(/\/$/, ''));
}

async function startEngine(folder: string, port: number): Promise<Ses> {
  const mails: MailStore = require('aws-ses-v2-local/dist/store.js');
  mails.clearStore(); // those of an endpoint that ran in this process before
  const journal = readJournal(folder);
  for (const mail of journal.mails) mails.saveEmail(mail);
  // Kept here too: the viewer has a button that clears the engine's own store.
  const taken: StoredMail[] = [...mails.getStoreReadonly().emails];
  const listeners: (() => void)[] = [];
  const { default: serve }: { default: (config: { host: string; port: number }) => Promise<Server> } = require('aws-ses-v2-local');
  const server = await serve({ host: HOST, port: await takePort(port, 'mails') });
  server.prependListener('request', (request, response) => {
    if (request.method !== 'POST') return;
    const end = response.end.bind(response);
    // Called just before the answer leaves, whatever overload the engine uses.
    response.end = ((...args: Parameters<typeof end>) => {
      const fresh = mailsAfter(mails.getStoreReadonly().emails, taken.at(-1));
      for (const mail of fresh) Object.assign(mail, toldBy(request));
      if (fresh.length > 0) journal.append(fresh);
      taken.push(...fresh);
      const ended = end(...args);
      if (fresh.length > 0) for (const hear of listeners) hear();
      return ended;
    }) as typeof response.end;
  });
  answerKnownHosts(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SES endpoint has no port');
  return {
    endpoint: `http://${HOST}:${address.port}`,
    mails: () => taken,
    onMail: (listener) => void listeners.push(listener),
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

function readJournal(folder: string): { readonly mails: object[]; append(mails: readonly object[]): void } {
  const file = join(folder, 'mails.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [''];
  const append = (text: string) => appendFileSync(file, text, { flush: true });
  // The last line may be half written; its sender never heard that it was accepted, and sends it again.
  if (lines.at(-1) !== '') append('\n');
  return {
    mails: lines.flatMap((line) => (line.endsWith('}') ? [JSON.parse(line)] : [])),
    append: (mails) => append(mails.map((mail) => `${JSON.stringify(mail)}\n`).join('')),
  };
}

/** The mails that came after `last`; all of them when it is not among them, as after the store was cleared. */
export function mailsAfter(all: readonly StoredMail[], last: { readonly messageId: string } | undefined): readonly StoredMail[] {
  return all.slice(all.findLastIndex(({ messageId }) => messageId === last?.messageId) + 1);
}

const form = z.object({ body: z.record(z.string(), z.unknown()) });

// The engine reads the form of a request into its `body`, and forgets the tags and the envelope of the mail.
function toldBy(request: IncomingMessage): Pick<StoredMail, 'recipient' | 'noticeId' | 'tags'> {
  const body = form.safeParse(request).data?.body ?? {};
  const field = (name: string) => z.string().safeParse(body[name]).data;
  const names = Object.keys(body).filter((name) => /^Tags\.member\.\d+\.Name$/.test(name));
  const tags = Object.fromEntries(names.map((name) => [field(name) ?? '', field(name.replace(/Name$/, 'Value')) ?? '']));
  return { recipient: field('Destinations.member.1'), noticeId: tags.notice, tags };
}

const LOOK_MS = 100;
const stored = z.object({ emails: z.array(storedMail) });

// An engine in another process says nothing of new mails: they are looked for.
async function watchEngine(endpoint: string): Promise<Ses> {
  const taken: StoredMail[] = [];
  const known = new Set<string>();
  const listeners: (() => void)[] = [];
  const look = async () => {
    const answer = await fetch(`${endpoint}/store?since=${taken.at(-1)?.at ?? 1}`);
    const fresh = stored.parse(await answer.json()).emails.filter(({ messageId }) => !known.has(messageId));
    for (const { messageId } of fresh) known.add(messageId);
    taken.push(...fresh);
    if (fresh.length > 0) for (const hear of listeners) hear();
  };
  await look().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`SES_ENDPOINT is ${endpoint}, but no aws-ses-v2-local answers there (${why}). Start one, or unset SES_ENDPOINT.`);
  });
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look()
      .catch(() => {}) // it is away for a moment; senders will say so
      .finally(() => {
        looking = undefined;
      });
  }, LOOK_MS);
  return {
    endpoint,
    mails: () => taken,
    onMail: (listener) => void listeners.push(listener),
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
