import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer, Services } from '../../../functions/pages/call.ts';
import { noRoute, routes } from '../../../functions/pages/routes.ts';
import { type Address, parseAddress, reverseName } from '../../../shared/domain/address.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import { PAGE_POLICY } from '../../../shared/pages/layout.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { NOON, registerSample, sampleHost } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
let now = NOON;
let table: TestTable;
let zone: Record<string, readonly string[] | 'trouble'> = {};
let mails: { mail: Mail; recipient: string }[] = [];
let reports: unknown[] = [];
let waits: number[] = [];
let send: Services['send'];
let count = 0;
let questions = 0;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now += DAY; // budgets of a test are its own
  [zone, mails, reports, waits, questions] = [{}, [], [], [], 0];
  send = async (mail, recipient) => {
    mails.push({ mail, recipient });
    return { kind: 'accepted', messageId: 'x' };
  };
});

/** An address of the public Internet that no other test uses. */
const freshAddress = () => `93.184.${(++count >> 8) & 255}.${count & 255}`;
const parsed = (text: string): Address => parseAddress(text) ?? expect.fail(text);
const reversePlace = (address: string) => `TXT _relay-audit.${reverseName(parsed(address))}`;

function ask<T>(question: string, read: (text: string) => T): Found<T> {
  questions++;
  const values = zone[question];
  if (values === 'trouble') return { kind: 'trouble', why: 'no answer' };
  return values === undefined ? { kind: 'absent' } : { kind: 'found', values: values.map(read) };
}

let alias: string | undefined; // to which the reverse zone of any address hands it over

const lookups: Lookups = {
  addresses: async (name) => ask(`A ${name}`, parsed),
  texts: async (name) => ask(`TXT ${name}`, String),
  names: async ({ text }) => ({ ...ask(`PTR ${text}`, String), ...(alias === undefined ? {} : { alias }) }) as Found<string>,
  mailServers: async () => ({ kind: 'absent' }),
};

const services = (): Services => ({
  store: table.store,
  secrets: secretsFrom('a secret of this deployment, long enough'),
  lookups,
  send: (...args) => send(...args),
  clock: () => now,
  wait: async (ms) => void waits.push(ms),
  report: (error) => void reports.push(error),
  probePorts: [25],
  registration: { kind: 'open' },
  operatorNetworksOf: () => [],
  tokenOf: () => 'ra1-token',
  ehloName: 'probe.example',
  egressAddresses: ['192.0.2.7'],
  contact: 'postmaster@probe.example',
  baseUrl: 'https://audit.example',
});

type Request = {
  body?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  sourceIp?: string;
  base64?: boolean;
  store?: Services['store'];
};

async function request(method: string, path: string, { body, headers, query, sourceIp, base64, store }: Request = {}): Promise<Answer> {
  const event = {
    headers: { host: 'audit.example', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    queryStringParameters: query,
    requestContext: { http: { method, path, sourceIp: sourceIp ?? freshAddress() } },
    body: base64 ? Buffer.from(body ?? '').toString('base64') : body,
    isBase64Encoded: base64 ?? false,
  } as unknown as APIGatewayProxyEventV2;
  const route = routes({ ...services(), ...(store === undefined ? {} : { store }) }).find(
    (each) => each.method === method && each.path === path,
  );
  const answer =
    route === undefined ? noRoute({ path }) : await (route.handler as (event: APIGatewayProxyEventV2) => Promise<Answer>)(event);
  if (String(answer.headers?.['content-type']).startsWith('text/html')) elementsOf(answer.body ?? '');
  return answer;
}

const enter = (target: string, rest: Request = {}) =>
  request('POST', '/opt-out', { body: new URLSearchParams({ target }).toString(), ...rest });
const isPaused = async (address: string, at = now) => (await table.store.pausesOf([address], at)).length === 1;
const neverEntry = async (target: string) => (await table.store.neverList()).find((entry) => entry.target === target);

/** A host of an account that has had a turn at the address. */
async function registered(address: string, accountId = `owner-${++count}`, name = 'mail.example.org') {
  const email = `${accountId}@owners.example`;
  const key = { prefix: `key${++count}`, mac: 'mac', accountId, createdAt: now, scope: 'write' } as const;
  await table.store.createAccount({ id: accountId, email, createdAt: now }, key);
  const host = { ...sampleHost({ name }), accountId };
  const ref = { accountId, hostId: host.id, scanId: `scan-${++count}` };
  await registerSample(table.store, host, { ...ref, dueAt: now, tries: 0 });
  await table.store.takeTurn({ address, ref, attempt: `a${count}`, fresh: false, now: now + count * 1_000, leaseMs: 1, spacingMs: 1 });
  return { host, email };
}

describe('an unproven wish', () => {
  test('pauses the address for 72 hours at once, and is answered with the records that would prove it', async () => {
    const address = freshAddress();
    const answer = await enter(` ${address} `);
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'cache-control': 'no-store', 'content-security-policy': PAGE_POLICY } });
    expect(await table.store.pausesOf([address], now)).toEqual([
      { address, since: now, until: now + 72 * HOUR, heedAgainAt: now + 72 * HOUR + 30 * DAY },
    ]);
    expect(answer.body).toContain(`_relay-audit.${reverseName(parsed(address))}. IN TXT "deny"`);
    expect(await neverEntry(address)).toBeUndefined();
  });

  test('pauses every address that a name has', async () => {
    const addresses = [freshAddress(), '2606:2800:220::1'];
    zone = { 'A mail.example.org': addresses };
    expect(await enter('Mail.Example.org')).toMatchObject({ statusCode: 200 });
    for (const address of addresses) expect(await isPaused(address)).toBe(true);
  });

  test('of a name pauses the eight addresses that a scan would use, says so, and leaves the others alone', async () => {
    const addresses = Array.from({ length: 4_000 }, freshAddress);
    const [ninth = ''] = addresses.slice(8);
    await registered(ninth);
    zone = { 'A mail.example.org': addresses, ...Object.fromEntries(addresses.map((each) => [`PTR ${each}`, manyNames(each)])) };
    const answer = await enter('mail.example.org');
    expect(answer).toMatchObject({ statusCode: 200 });
    expect((await table.store.pausesOf(addresses, now)).map(({ address }) => address).toSorted()).toEqual(addresses.slice(0, 8).toSorted());
    expect(mails).toEqual([]);
    expect(answer.body).toContain('has 4000 addresses');
    expect(answer.body).not.toContain(ninth);
    expect(answer.body?.length).toBeLessThan(20_000);
    expect(questions).toBeLessThanOrEqual(200);
  });

  test('is granted once: a pause that stands is not made longer, and nobody is told again', async () => {
    const address = freshAddress();
    await registered(address);
    await enter(address);
    now += HOUR;
    expect(await enter(address)).toMatchObject({ statusCode: 200 });
    expect(mails).toHaveLength(1);
    expect(await isPaused(address, now + 71 * HOUR)).toBe(false);
  });

  test('is not heeded again for thirty days after it ran out, and the page does not tell', async () => {
    const [again, fresh] = [freshAddress(), freshAddress()];
    await enter(again);
    now += 73 * HOUR;
    const [one, other] = [await enter(again), await enter(fresh)];
    expect(await isPaused(again)).toBe(false);
    expect(shapeOf(one, again)).toBe(shapeOf(other, fresh));
    now += 30 * DAY;
    await enter(again);
    expect(await isPaused(again)).toBe(true);
  });

  test('is not heeded for a while after an owner has lifted a pause, and the page does not tell', async () => {
    const [lifted, fresh] = [freshAddress(), freshAddress()];
    await table.store.liftPause(lifted, now, now + 30 * DAY);
    const [one, other] = [await enter(lifted), await enter(fresh)];
    expect(await isPaused(lifted)).toBe(false);
    expect(shapeOf(one, lifted)).toBe(shapeOf(other, fresh));
  });

  test('is heeded although DNS does not answer for the reverse zone', async () => {
    const address = freshAddress();
    zone = { [reversePlace(address)]: 'trouble', [`PTR ${address}`]: 'trouble' };
    expect(await enter(address)).toMatchObject({ statusCode: 200 });
    expect(await isPaused(address)).toBe(true);
  });
});

const manyNames = (address: string) => Array.from({ length: 100 }, (_, n) => `n${n}.${address.replaceAll('.', '-')}.example.net`);

/** A page with its reverse name and address taken out. */
function shapeOf({ body, ...answer }: Answer, address: string): string {
  const page = (body ?? '').replaceAll(reverseName(parsed(address)), 'REVERSE').replaceAll(address, 'ADDRESS');
  return JSON.stringify({ ...answer, page });
}

describe('owners', () => {
  test('every account with a host at the address is mailed once: what is paused, until when, and how to lift it', async () => {
    const address = freshAddress();
    const [one, other] = [await registered(address), await registered(address)];
    const second = await registered(address, one.host.accountId, 'mx.example.org');
    await enter(address);
    expect(mails.map(({ recipient }) => recipient).toSorted()).toEqual([one.email, other.email].toSorted());
    const { mail } = mails.find(({ recipient }) => recipient === one.email) ?? expect.fail();
    for (const words of [
      `mail.example.org at ${address}`,
      `mx.example.org at ${address}`,
      new Date(now + 72 * HOUR).toISOString().slice(0, 10),
      `https://audit.example/hosts/${one.host.id}/consent`,
      `https://audit.example/hosts/${second.host.id}/consent`,
    ])
      for (const part of [mail.text, mail.html]) expect(part).toContain(words);
  });

  test('are all mailed, be they the first of sixty at the address', async () => {
    const address = freshAddress();
    const emails: string[] = [];
    for (let each = 0; each < 60; each++) emails.push((await registered(address)).email);
    await enter(address);
    expect(mails.map(({ recipient }) => recipient).toSorted()).toEqual(emails.toSorted());
  });

  test('are told by one mail a day, whatever strangers pause, and that there is no other', async () => {
    const { email, host } = await registered(freshAddress());
    for (let each = 0; each < 6; each++) {
      const address = freshAddress();
      await registered(address, host.accountId);
      await enter(address);
    }
    expect(mails.map(({ recipient }) => recipient)).toEqual([email]);
    expect(mails[0]?.mail.text).toContain('no other mail tells you');
    now += DAY;
    const address = freshAddress();
    await registered(address, host.accountId);
    await enter(address);
    expect(mails).toHaveLength(2);
  });

  test('who has called our mails spam is not mailed', async () => {
    const address = freshAddress();
    const { email, host } = await registered(address);
    await table.store.stopMail(email, 'complained', now, { accountId: host.accountId });
    await enter(address);
    expect(mails).toEqual([]);
  });

  test('who has removed the host is not mailed', async () => {
    const address = freshAddress();
    const { host } = await registered(address);
    await table.store.removeHost(host);
    await enter(address);
    expect(mails).toEqual([]);
  });

  test('the page and its headers are the same whether or not anybody has registered the server, and no faster', async () => {
    const [known, unknown] = [freshAddress(), freshAddress()];
    await registered(known);
    const [one, other] = [await enter(known), await enter(unknown)];
    expect(mails).toHaveLength(1);
    expect(shapeOf(one, known)).toBe(shapeOf(other, unknown));
    expect(waits).toEqual([1_500, 1_500]);
  });

  test.each([
    ['is refused', async () => ({ kind: 'refused', why: 'MessageRejected' }) as const],
    ['fails', () => Promise.reject(new Error('SES is away'))],
  ])('a mail that %s is reported, and the page is the same', async (_, failing) => {
    const [known, unknown] = [freshAddress(), freshAddress()];
    await registered(known);
    send = failing;
    const [one, other] = [await enter(known), await enter(unknown)];
    expect(reports).toHaveLength(1);
    expect(shapeOf(one, known)).toBe(shapeOf(other, unknown));
  });

  test('no mail holds anything that the caller sent beyond the address', async () => {
    const address = freshAddress();
    await registered(address);
    await enter(address, { headers: { 'user-agent': 'EVIL', host: 'evil.example', referer: 'https://evil.example/' } });
    expect(JSON.stringify(mails)).not.toMatch(/evil/i);
  });
});

describe('a proven wish', () => {
  const WHY = 'opt-out, proven by a deny record';

  test('is permanent when the reverse zone holds the record', async () => {
    const address = freshAddress();
    zone = { [reversePlace(address)]: [' Deny '] };
    const answer = await enter(address);
    expect(await neverEntry(address)).toEqual({ target: address, since: now, why: WHY });
    expect(await isPaused(address)).toBe(false);
    expect(answer.body).toContain('Stopped for good');
    expect(answer.body).not.toContain('IN TXT');
  });

  test.each(['mail.example.org', 'example.org'])(
    'is permanent when the record is at %s and reverse DNS leads there and back',
    async (at) => {
      const address = freshAddress();
      zone = { [`PTR ${address}`]: ['mail.example.org'], 'A mail.example.org': [address], [`TXT _relay-audit.${at}`]: ['deny'] };
      expect(await enter(address)).toMatchObject({ statusCode: 200 });
      expect(await neverEntry(address)).toMatchObject({ why: WHY });
    },
  );

  test('is permanent when the record stands where the reverse zone hands the address over to (RFC 2317)', async () => {
    const address = freshAddress();
    alias = '1.0/25.2.0.192.in-addr.arpa';
    zone = { [`TXT _relay-audit.${alias}`]: ['deny'] };
    const answer = await enter(address).finally(() => {
      alias = undefined;
    });
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(await neverEntry(address)).toMatchObject({ why: WHY });
  });

  test('of a name covers what is registered under it, and no address that does not agree: anybody can point a name at a stranger', async () => {
    const victim = freshAddress();
    zone = { 'A evil.example.net': [victim], 'TXT _relay-audit.evil.example.net': ['deny'], [`PTR ${victim}`]: ['mail.example.org'] };
    const answer = await enter('evil.example.net');
    expect(await neverEntry(victim)).toBeUndefined();
    expect(await isPaused(victim)).toBe(true);
    expect(await neverEntry('evil.example.net')).toMatchObject({ why: WHY });
    expect(answer.body).toContain('proves your wish for <code>evil.example.net</code>');
  });

  test('is not made by a reverse DNS name that does not lead back', async () => {
    const address = freshAddress();
    zone = {
      [`PTR ${address}`]: ['mail.example.org'],
      'A mail.example.org': [freshAddress()],
      'TXT _relay-audit.mail.example.org': ['deny'],
    };
    await enter(address);
    expect(await neverEntry(address)).toBeUndefined();
    expect(await isPaused(address)).toBe(true);
  });

  test.each([
    ['200 of all', 'all', 200],
    ['20 of one source', '198.51.100.200', 20],
  ])('beyond %s in a day holds as long as the record stands, and says so', async (_, who, limit) => {
    const address = freshAddress();
    zone = { [reversePlace(address)]: ['deny'] };
    for (let i = 0; i < limit; i++) await table.store.takeFromBudget({ what: 'opt-out-for-good', who, limit, windowMs: DAY }, now);
    const { body } = await enter(address, { sourceIp: '198.51.100.200' });
    expect(body).toContain('Stopped while the record stands');
    expect(body).toContain('send this form again tomorrow');
    expect(body).not.toContain('set this record');
    expect(await neverEntry(address)).toBeUndefined();
    expect(await isPaused(address)).toBe(true);
  });

  test('of what is listed already takes nothing of the day, and says that it is for good when the day is spent', async () => {
    const address = freshAddress();
    zone = { [reversePlace(address)]: ['deny'] };
    const sourceIp = '198.51.100.201';
    await enter(address, { sourceIp });
    for (let i = 0; i < 5; i++) expect((await enter(address, { sourceIp })).body).toContain('Stopped for good');
    const budget = { what: 'opt-out-for-good', who: sourceIp, limit: 20, windowMs: DAY };
    expect((await table.store.takeFromBudget(budget, now)).remaining).toBe(18);
    for (let i = 0; i < 18; i++) await table.store.takeFromBudget(budget, now);
    expect((await enter(address, { sourceIp })).body).toContain('Stopped for good');
  });

  test('of more than 20 names below one domain holds for the rest as long as the record stands, whoever asks', async () => {
    const wild = (n: number) => `n${n}.wild-${now}.org`;
    const address = freshAddress();
    const names = Array.from({ length: 21 }, (_, n) => [`A ${wild(n)}`, [address]]);
    zone = { [`TXT _relay-audit.wild-${now}.org`]: ['deny'], ...Object.fromEntries(names) };
    for (let n = 0; n < 21; n++) await enter(wild(n), { sourceIp: `198.51.101.${n}` });
    expect(await neverEntry(wild(19))).toBeDefined();
    expect(await neverEntry(wild(20))).toBeUndefined();
  });
});

describe('a target that cannot be read', () => {
  test.each([
    ['', 'is missing'],
    ['   ', 'is missing'],
    ['mail', 'must be a full name'],
    ['mail.example.org:25', 'without a port'],
    ['https://mail.example.org/', 'without a port'],
    ['0177.0.0.1', 'four decimal numbers'],
    ['m\u00fcller.example', 'xn--'],
    ['a\r\nb.example', 'control characters'],
    ['<script>alert(1)</script>', 'must be a full name'],
    ['"><img src=x onerror=alert(1)>.example', 'must be labels'],
    [`${'a.'.repeat(500)}example`, 'at most 253 characters'],
    ['\u0000.example', 'control characters'],
  ])('%j is answered with the form, what is wrong, and nothing is written', async (target, words) => {
    const answer = await enter(target, { sourceIp: 'not an address' });
    expect(answer.statusCode).toBe(422);
    expect(answer.body).toContain(words);
    expect(answer.body).toContain('aria-invalid="true"');
    expect(answer.body?.match(/<script/g)).toHaveLength(1); // our own
    expect(answer.body).not.toContain('<img');
  });

  test.each([
    ['has no address', {}, 'has no address in DNS'],
    ['cannot be looked up', { 'A mail.example.org': 'trouble' as const }, 'DNS does not answer'],
  ])('a name that %s', async (_, records, words) => {
    zone = records;
    const answer = await enter('mail.example.org');
    expect(answer.statusCode).toBe(422);
    expect(answer.body).toContain(words);
  });

  test('a field that comes twice is refused', async () => {
    expect(await request('POST', '/opt-out', { body: 'target=1.1.1.1&target=8.8.8.8' })).toMatchObject({ statusCode: 422 });
  });

  test('20 KB are too long, encoded or not', async () => {
    for (const base64 of [true, false]) expect(await enter('a'.repeat(20_480), { base64 })).toMatchObject({ statusCode: 413 });
  });

  test('a body of another type is refused', async () => {
    expect(await enter('mail.example.org', { headers: { 'content-type': 'application/json' } })).toMatchObject({ statusCode: 415 });
  });

  test('a body in Base64 is read as well', async () => {
    const address = freshAddress();
    expect(await enter(address, { base64: true })).toMatchObject({ statusCode: 200 });
    expect(await isPaused(address)).toBe(true);
  });
});

describe('the budget', () => {
  test('is ten an hour for one address; then the page says when to come back', async () => {
    const sourceIp = '198.51.100.1';
    for (let i = 0; i < 10; i++) expect(await enter(freshAddress(), { sourceIp })).toMatchObject({ statusCode: 200 });
    const address = freshAddress();
    now += 30 * 60_000;
    expect(await enter(address, { sourceIp })).toMatchObject({ statusCode: 429, headers: { 'retry-after': '1800' } });
    expect(await isPaused(address)).toBe(false);
    expect(await enter(address, { sourceIp: '198.51.100.2' })).toMatchObject({ statusCode: 200 });
    now += 30 * 60_000;
    expect(await enter(address, { sourceIp })).toMatchObject({ statusCode: 200 });
  });

  test('is charged for each address of a name; a name that it does not suffice for is refused whole', async () => {
    const sourceIp = '198.51.100.4';
    const [eight, three] = [Array.from({ length: 12 }, freshAddress), Array.from({ length: 3 }, freshAddress)];
    zone = { 'A eight.example.org': eight, 'A three.example.org': three };
    expect(await enter('eight.example.org', { sourceIp })).toMatchObject({ statusCode: 200 });
    expect(await enter('three.example.org', { sourceIp })).toMatchObject({ statusCode: 429 });
    expect(await table.store.pausesOf(three, now)).toEqual([]);
    expect(await enter(freshAddress(), { sourceIp })).toMatchObject({ statusCode: 200 });
    expect(await enter(freshAddress(), { sourceIp })).toMatchObject({ statusCode: 429 });
  });

  test('is shared by a /64 of IPv6', async () => {
    for (let i = 0; i < 10; i++) await enter(freshAddress(), { sourceIp: `2001:db8:0:1::${i}` });
    expect(await enter(freshAddress(), { sourceIp: '2001:db8:0:1:ffff::1' })).toMatchObject({ statusCode: 429 });
    expect(await enter(freshAddress(), { sourceIp: '2001:db8:0:2::1' })).toMatchObject({ statusCode: 200 });
  });

  test.each([
    ['/56', 20, (each: number) => `2001:db8:b:${each.toString(16)}::1`],
    ['/48', 40, (each: number) => `2001:db8:c:${(each * 256).toString(16)}::1`],
  ])('grows far slower than the networks in a %s of IPv6: %i an hour', async (_, most, addressOf) => {
    const statuses: (number | undefined)[] = [];
    for (let each = 0; each < most + 5; each++) statuses.push((await enter(freshAddress(), { sourceIp: addressOf(each) })).statusCode);
    expect(statuses).toEqual([...Array(most).fill(200), ...Array(5).fill(429)]);
    expect(await enter(freshAddress(), { sourceIp: '2001:db8:d::1' })).toMatchObject({ statusCode: 200 });
  });

  test('of ten wishes at once from an address with one left, one is heeded', async () => {
    const sourceIp = '198.51.100.3';
    for (let i = 0; i < 9; i++) await enter(freshAddress(), { sourceIp });
    const answers = await Promise.all(Array.from({ length: 10 }, () => enter(freshAddress(), { sourceIp })));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
  });
});

describe('a form from elsewhere', () => {
  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sister site', { 'sec-fetch-site': 'same-site', origin: 'https://other.example' }],
    ['another origin, by an old browser', { origin: 'https://evil.example' }],
    ['no origin that can be told', { origin: 'null' }],
  ])('%s is refused', async (_, headers) => {
    const address = freshAddress();
    expect(await enter(address, { headers })).toMatchObject({ statusCode: 403 });
    expect(await isPaused(address)).toBe(false);
  });

  test.each([
    ['our page', { 'sec-fetch-site': 'same-origin', origin: 'https://audit.example' }],
    ['our page, by an old browser', { origin: 'https://audit.example' }],
    ['our page behind a proxy', { origin: 'https://audit.example', host: 'inside.example' }],
    ['a program, which says nothing', {}],
  ])('%s is taken', async (_, headers) => {
    expect(await enter(freshAddress(), { headers })).toMatchObject({ statusCode: 200 });
  });
});

describe('the other pages', () => {
  test('the form is filled in from the link, escaped', async () => {
    const answer = await request('GET', '/opt-out', { query: { target: '192.0.2.9"><script>' } });
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'cache-control': 'no-store' } });
    expect(answer.body).toContain('value="192.0.2.9&quot;&gt;&lt;script&gt;"');
  });

  test('security.txt says whom to tell, and expires within a year of today', async () => {
    const { headers, body = '' } = await request('GET', '/.well-known/security.txt');
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    const [, expires = ''] = /^Expires: (\d{4}-\d\d-\d\dT00:00:00Z)$/m.exec(body) ?? [];
    expect(Date.parse(expires)).toBeGreaterThan(now + 90 * DAY);
    expect(Date.parse(expires)).toBeLessThan(now + 365 * DAY);
    for (const line of [
      'Contact: mailto:postmaster@probe.example',
      'Canonical: https://audit.example/.well-known/security.txt',
      'Policy: https://audit.example/about#contact',
    ])
      expect(body.split('\n')).toContain(line);
  });

  test('robots may read what is for everybody', async () => {
    expect(await request('GET', '/robots.txt')).toMatchObject({ statusCode: 200, body: expect.stringContaining('Disallow: /hosts\n') });
  });

  test('who may GET a page may ask for its HEAD', async () => {
    for (const path of ['/', '/opt-out', '/robots.txt', '/.well-known/security.txt'])
      expect(await request('HEAD', path)).toMatchObject({ statusCode: 200 });
  });

  test('what is not there, and what is not possible, is a page too', async () => {
    expect(await request('GET', '/<script>')).toMatchObject({ statusCode: 404 });
    expect(await request('DELETE', '/opt-out')).toMatchObject({ statusCode: 405, headers: { allow: 'GET, POST, HEAD' } });
    expect(await request('POST', '/')).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('a defect is reported, and its page shows nothing of it', async () => {
    const address = freshAddress();
    zone = { [reversePlace(address)]: ['deny'] };
    const broken = { ...table.store, addNever: () => Promise.reject(new Error('inner secret')) };
    const answer = await enter(address, { store: broken });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('inner secret');
    expect(reports).toHaveLength(1);
  });
});
