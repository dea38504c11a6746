import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../functions/pages/call.ts';
import { createTable, startDynamoDb, TABLE_NAME } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, type Engine, REGION } from '../../infra/local/engines/engine.ts';
import { startSes } from '../../infra/local/engines/ses.ts';
import { sdkEnvironment } from '../../infra/local/service/environment.ts';
import { PAGE_POLICY } from '../../shared/pages/layout.ts';
import { type Confirmation, sealConfirmation } from '../../shared/runtime/confirmation-token.ts';
import { secretsFrom } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import type { StoredMail } from '../support/local-service.ts';
import { registerSample, sampleHost } from '../support/samples.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../support/scripted-dns-server.ts';

const DAY = 24 * 60 * 60_000;
const SECRET = 'a secret of this deployment, long enough';
const folder = mkdtempSync(join(tmpdir(), 'relay-audit-pages-'));
const zone: Record<string, Saying> = {};
const engines: Engine[] = [];
let dns: ScriptedDns;
let store: AuditStore;
let mailUrl: string;
let handle: (event: unknown) => Promise<Answer>;

// The handler as AWS loads it, with an environment that leads to the engines and to a DNS server of ours.
beforeAll(async () => {
  const [dynamodb, ses] = await Promise.all([startDynamoDb(folder, () => {}), startSes(folder, 0)]);
  engines.push(dynamodb, ses);
  dns = await startScriptedDns(zone);
  const client = new DynamoDBClient({ endpoint: dynamodb.endpoint, region: REGION, credentials: CREDENTIALS });
  await createTable(client);
  store = dynamoDbStore(TABLE_NAME, 400 * DAY, Date.now, client);
  mailUrl = ses.endpoint;
  Object.assign(process.env, sdkEnvironment({ dynamodb: dynamodb.endpoint, sqs: ses.endpoint, ses: ses.endpoint }), {
    TABLE_NAME,
    SECRET: `file:${join(folder, 'secret')}`,
    EHLO_NAME: 'probe.example',
    EGRESS_ADDRESSES: '192.0.2.7, 2001:DB8::7',
    MAIL_FROM: 'alerts@relay-audit.example',
    DNS_SERVERS: dns.address,
    BASE_URL: '',
  });
  writeFileSync(join(folder, 'secret'), SECRET);
  const { handler } = await import('../../functions/pages/handler.ts');
  const context = { functionName: 'pages', awsRequestId: 'test', getRemainingTimeInMillis: () => 20_000 } as unknown as Context;
  handle = (event) => handler(event as Parameters<typeof handler>[0], context) as Promise<Answer>;
});
afterAll(async () => {
  await dns.stop();
  for (const engine of engines) await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function request(method: string, path: string, target?: string): Promise<Answer> {
  return send(method, path, target === undefined ? undefined : { target });
}

function send(method: string, path: string, fields?: Record<string, string>, query?: Record<string, string>): Promise<Answer> {
  return handle({
    version: '2.0',
    rawPath: path,
    headers: { host: 'audit.example', 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    requestContext: { domainName: 'audit.example', http: { method, path, sourceIp: '198.51.100.1' } },
    ...(query === undefined ? {} : { queryStringParameters: query }),
    ...(fields === undefined ? {} : { body: Buffer.from(new URLSearchParams(fields).toString()).toString('base64') }),
    isBase64Encoded: fields !== undefined,
  });
}

const headerOf = ({ headers }: Answer, name: string) =>
  Object.entries(headers ?? {})
    .filter(([each]) => each.toLowerCase() === name)
    .map(([, value]) => String(value));

describe('every answer of the pages', () => {
  test.each([
    ['GET', '/', 200],
    ['GET', '/opt-out', 200],
    ['GET', '/.well-known/security.txt', 200],
    ['GET', '/robots.txt', 200],
    ['GET', '/confirm', 200],
    ['POST', '/confirm', 422],
    ['POST', '/opt-out', 422],
    ['GET', '/nothing', 404],
    ['PUT', '/', 405],
    ['PROPFIND', '/__proto__', 404],
  ])('%s %s carries one content policy, ours, and is not framed, sniffed or sandboxed', async (method, path, status) => {
    const answer = await request(method, path, method === 'POST' ? '' : undefined);
    expect(answer.statusCode).toBe(status);
    expect(headerOf(answer, 'content-security-policy')).toEqual([PAGE_POLICY]);
    expect(headerOf(answer, 'x-content-type-options')).toEqual(['nosniff']);
    expect(headerOf(answer, 'x-frame-options').map((each) => each.toLowerCase())).toEqual(['deny']);
    // With "no-referrer" browsers would send our own form with the origin "null".
    expect(headerOf(answer, 'referrer-policy')).toEqual(['same-origin']);
  });

  test('the page of who we are names our addresses and writes to postmaster, unless told otherwise', async () => {
    const { body } = await request('GET', '/about');
    for (const words of ['192.0.2.7', '2001:db8::7', 'EHLO probe.example', 'mailto:postmaster@probe.example'])
      expect(body).toContain(words);
  });
});

test('a wish pauses an address and mails its owner; the record that the page shows then makes it permanent', async () => {
  const address = '93.184.216.34';
  const host = sampleHost({ name: 'mail.example.org' });
  const key = { prefix: 'key1', mac: 'mac', accountId: host.accountId, createdAt: Date.now(), scope: 'write' } as const;
  await store.createAccount({ id: host.accountId, email: 'owner@example.org', createdAt: Date.now() }, key);
  const ref = { accountId: host.accountId, hostId: host.id, scanId: 'scan1' };
  await registerSample(store, host, { ...ref, dueAt: Date.now(), tries: 0 });
  await store.takeTurn({ address, ref, attempt: 'a', fresh: false, now: Date.now(), leaseMs: 1, spacingMs: 1 });
  zone['mail.example.org'] = { answers: [{ type: 'A', name: 'mail.example.org', data: address }] };

  const first = await request('POST', '/opt-out', 'mail.example.org');
  expect(first.statusCode).toBe(200);
  expect(await store.pausesOf([address], Date.now())).toHaveLength(1);
  const { emails } = (await (await fetch(`${mailUrl}/store`)).json()) as { emails: StoredMail[] };
  expect(emails.map(({ subject, destination }) => [subject, destination.to])).toEqual([
    ['Scans of mail.example.org are paused', ['owner@example.org']],
  ]);
  expect(emails[0]?.body.text).toContain(`https://audit.example/hosts/${host.id}/consent`);

  const [, place = ''] = /(_relay-audit\.34\.216\.184\.93\.in-addr\.arpa)\. IN TXT "deny"/.exec(first.body ?? '') ?? [];
  zone[place] = { answers: [{ type: 'TXT', name: place, data: ['deny'] }] };
  const second = await request('POST', '/opt-out', 'mail.example.org');
  expect(second.body).toContain('Stopped for good');
  expect(await store.neverList()).toMatchObject([{ target: address, why: 'opt-out, proven by a deny record' }]);
});

describe('a confirmation mail', () => {
  const press = (token: string) => send('POST', '/confirm', { token });
  const seal = (confirmation: Confirmation) => sealConfirmation(secretsFrom(SECRET), confirmation, Date.now());

  test('is acted upon when its button is pressed, once, and not when its link is opened', async () => {
    const token = seal({ kind: 'account', email: 'new@example.org' });
    const opened = await send('GET', '/confirm', undefined, { token });
    expect(opened.body).toContain(`value="${token}"`);
    expect(await store.findAccountByEmail('new@example.org')).toBeUndefined();
    const pressed = await press(token);
    expect(pressed.statusCode).toBe(200);
    expect(pressed.body).toMatch(/ra1_[0-9a-f]{12}_[0-9a-f]{48}_/);
    expect(await store.findAccountByEmail('new@example.org')).toBeDefined();
    expect(await press(token)).toMatchObject({ statusCode: 422, body: expect.stringContaining('has been used') });
  });

  test('lets a recipient have the alerts of the account that named them', async () => {
    const account = (await store.findAccountByEmail('new@example.org')) ?? expect.fail('no account');
    const token = seal({ kind: 'recipient', email: 'other@example.org', accountId: account.id });
    expect((await press(token)).body).toContain('mailed to other@example.org');
    expect(await store.confirmedRecipients(account.id, ['other@example.org'])).toEqual(['other@example.org']);
  });
});
