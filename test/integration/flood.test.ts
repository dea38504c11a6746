import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mailboxOf } from '../../shared/domain/mailbox.ts';
import { domainOfMailbox } from '../../shared/domain/proposal.ts';
import { type ApiOnTable, startApi } from '../support/api-on-table.ts';
import { type Pages, pagesOn } from '../support/pages.ts';
import { NOON, registerSample, sampleHost } from '../support/samples.ts';

// How many requests, from how many sources, in three hours. The whole flood: FLOOD_REQUESTS=10000 FLOOD_SOURCES=1000.
const REQUESTS = Number(process.env.FLOOD_REQUESTS ?? 300);
const SOURCES = Number(process.env.FLOOD_SOURCES ?? 30);
const AT_ONCE = 10;
const HOUR = 60 * 60_000;
const FLOOD_MS = 3 * HOUR;

const BEHIND = 3 * AT_ONCE; // requests of the flood that may end while the owner waits for the link: those under way, a few times over

const OWNER = 'owner@owners.example';
const OWNERS_SOURCE = '198.51.100.77';
const OWN_ADDRESSES = ['93.184.215.1', '93.184.215.2', '93.184.215.3'];

type Mailed = { readonly recipient: string; readonly at: number; readonly kind: string; readonly source: string; readonly token: string };

let api: ApiOnTable;
let pages: Pages;
let known = '';
const mailed: Mailed[] = [];

beforeAll(async () => {
  api = await startApi();
  pages = pagesOn(api.table.store, () => api.now);
  Object.assign(api.services, { send: sendFrom('') });
  const { accountId } = await api.account(OWNER);
  for (const [index, address] of OWN_ADDRESSES.entries()) await scanned(accountId, address, index);
  await signIn(await askForLink('')); // once, long before
  mailed.splice(0);
  api.now = NOON + 24 * HOUR - 12 * HOUR; // a day of its own
});
afterAll(() => api.stop());

/** A mailer that notes who caused each mail. */
function sendFrom(source: string) {
  return async ({ subject, text }: { subject: string; text: string }, recipient: string) => {
    mailed.push({ recipient, at: api.now, kind: subject, source, token: /token=(\S+)/.exec(text)?.[1] ?? '' });
    return { kind: 'accepted', messageId: `message-${mailed.length}` } as const;
  };
}

async function scanned(accountId: string, address: string, index: number): Promise<void> {
  const host = { ...sampleHost({ name: `mx${index}.owners.example` }), accountId };
  const ref = { accountId, hostId: host.id, scanId: `scan-${index}` };
  await registerSample(api.table.store, host, { ...ref, dueAt: api.now, tries: 0 });
  await api.table.store.takeTurn({ address, ref, attempt: `${index}`, fresh: true, now: api.now, leaseMs: 1, spacingMs: 1 });
}

/** The pages as one source of the network sees them. */
function pagesFrom(sourceIp: string): Pages {
  const own = pagesOn(api.table.store, () => api.now, { send: sendFrom(sourceIp) });
  own.sourceIp = sourceIp;
  return own;
}

async function askForLink(cookie: string): Promise<string> {
  const before = mailed.length;
  await pagesFrom(OWNERS_SOURCE).post('/sign-in', { email: OWNER }, cookie);
  return mailed.slice(before).find(({ source }) => source === OWNERS_SOURCE)?.token ?? '';
}

async function signIn(token: string): Promise<number | undefined> {
  const { statusCode, cookies = [] } = await pages.post('/sign-in/link', { token });
  known = cookies[1]?.split(';')[0] ?? known;
  return statusCode;
}

/** The owner asks while the flood goes on, ten requests at any moment: how many of it end, and what time passes, until the link is mailed. */
async function askAmid(statuses: Set<number>): Promise<{ token: string; behind: number; ms: number }> {
  let token: string | undefined;
  let behind = 0;
  const flood = Array.from({ length: AT_ONCE }, async () => {
    while (token === undefined) {
      statuses.add(await one());
      if (token === undefined) behind++;
    }
  });
  const began = performance.now();
  token = await askForLink(known);
  const ms = performance.now() - began;
  await Promise.all(flood);
  return { token, behind, ms };
}

// A small seeded generator: the same flood in every run.
let state = 20261128;
function below(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

const sourceOf = (index: number) => (index % 2 === 0 ? `203.0.${index >> 8}.${index & 255}` : `2001:db8:${index >> 5}:${index}::1`);

/** Whom a request of the flood is about: the owner, somebody, or nobody. */
function target(): string {
  const kind = below(10);
  if (kind < 2) return `owner+${below(1_000)}@owners.example`;
  if (kind < 4) return OWNER;
  if (kind < 7) return `victim-${below(20)}@victims.example`;
  return `invented-${below(100_000)}@d${below(200)}.example`;
}

async function one(): Promise<number> {
  const sourceIp = sourceOf(below(SOURCES));
  const what = below(3);
  if (what === 0) {
    const { call } = api;
    return (await callFrom(sourceIp, () => call('POST', '/v1/accounts', { body: { email: target() }, sourceIp }))).status;
  }
  const own = pagesFrom(sourceIp);
  const answer =
    what === 1
      ? await own.post('/sign-in', { email: target() })
      : await own.post('/opt-out', { target: below(2) === 0 ? (OWN_ADDRESSES[below(3)] ?? '') : `93.184.216.${below(250)}` });
  return answer.statusCode ?? 0;
}

// The API's mailer is one for all: its requests go one after the other, so that each mail has its source.
let last: Promise<unknown> = Promise.resolve();
function callFrom<T>(sourceIp: string, call: () => Promise<T>): Promise<T> {
  const mine = last.then(() => {
    Object.assign(api.services, { send: sendFrom(sourceIp) });
    return call();
  });
  last = mine;
  return mine;
}

function most(keyOf: (mail: Mailed) => string, mails = mailed): number {
  const counts = new Map<string, number>();
  for (const mail of mails) counts.set(keyOf(mail), (counts.get(keyOf(mail)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

describe('a flood of requests for links, accounts and opt-outs', () => {
  test('is mailed within the budgets, and the owner’s own link goes out in the midst of it', { timeout: 3_600_000 }, async () => {
    const statuses = new Set<number>();
    const own: { entered: number | undefined; behind: number; ms: number }[] = [];
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
      api.now += (FLOOD_MS * AT_ONCE) / REQUESTS;
      for (const status of await Promise.all(Array.from({ length: AT_ONCE }, one))) statuses.add(status);
      if (sent % (REQUESTS / 3) >= AT_ONCE) continue;
      const { token, behind, ms } = await askAmid(statuses);
      own.push({ entered: await signIn(token), behind, ms });
    }
    expect([200, 202, 429]).toEqual(expect.arrayContaining([...statuses]));
    expect(own.map(({ entered }) => entered)).toEqual(own.map(() => 303));
    for (const { behind } of own) expect(behind, 'requests that the link waited behind').toBeLessThanOrEqual(BEHIND);
    console.log(
      `the owner's link was mailed after ${own.map(({ behind, ms }) => `${ms.toFixed(0)} ms and ${behind} requests`).join(', ')}`,
    );
    expect(own.length).toBeGreaterThanOrEqual(3);
    const strangers = mailed.filter(({ source }) => source !== OWNERS_SOURCE);
    expect(most(({ recipient }) => mailboxOf(recipient), strangers)).toBe(3);
    expect(most(({ recipient, kind }) => `${mailboxOf(recipient)} ${kind}`, strangers)).toBe(1);
    const toStrangers = strangers.filter(({ recipient }) => mailboxOf(recipient) !== OWNER);
    expect(most(({ recipient, kind }) => `${domainOfMailbox(recipient)} ${kind}`, toStrangers)).toBeLessThanOrEqual(40);
    expect(most(({ at, kind }) => `${Math.floor(at / HOUR)} ${kind}`, toStrangers)).toBeLessThanOrEqual(80);
    expect(most(({ source }) => source, toStrangers)).toBeLessThanOrEqual(20);
    expect(strangers.some(({ kind }) => kind.includes('paused'))).toBe(true);
  });

  test('leaves the owner a way in who has lost their browser: by the mail that a stranger caused', async () => {
    const strangers = mailed.findLast(
      ({ recipient, source }) => mailboxOf(recipient) === OWNER && source !== OWNERS_SOURCE && source !== '',
    );
    const link = mailed.find(({ recipient, kind }) => mailboxOf(recipient) === OWNER && kind.includes('link to sign in'));
    expect(strangers).toBeDefined();
    const { statusCode } = await pagesFrom('198.51.100.78').post('/sign-in/again', { token: link?.token ?? '' });
    expect(statusCode).toBe(200);
    expect((await pages.post('/sign-in/link', { token: mailed.at(-1)?.token ?? '' })).statusCode).toBe(303);
  });
});
