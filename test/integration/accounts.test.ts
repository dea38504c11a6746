import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, eventually, type RunningService, startLocalService, temporaryFolder } from '../support/local-service.ts';

let service: RunningService;

beforeAll(async () => {
  service = await startLocalService(['--port', '0', '--data', join(temporaryFolder(), 'data'), '--no-demo']);
});
afterAll(async () => {
  await service.stop();
});

const post = (path: string, body: object) => call(service.baseUrl + path, 'POST', '', body);

const mailsTo = async (email: string) => (await service.mails()).filter(({ destination }) => destination.to.includes(email));
const linkTo = (email: string) =>
  eventually(async () => /^\s*- (http\S+)$/m.exec((await mailsTo(email))[0]?.body.text ?? '')?.[1], `a mail to ${email}`);
const confirm = async (email: string) => post('/v1/confirmations', { token: new URL(await linkTo(email)).searchParams.get('token') });

test('the life of an account: asked for, confirmed by mail, its keys turned over, its recipients asked, and all of it deleted', async () => {
  const email = 'you@example.org';
  expect((await post('/v1/accounts', { email })).status).toBe(202);
  expect(await linkTo(email)).toMatch(new RegExp(`^${service.baseUrl}/confirm\\?token=ra1\\.`));
  const opened = await confirm(email);
  expect(opened).toMatchObject({ status: 201, body: { email, scope: 'write' } });
  expect((await confirm(email)).status).toBe(422);

  const first: string = opened.body.apiKey;
  const made = await call(`${service.baseUrl}/v1/keys`, 'POST', first, { scope: 'write', label: 'the next one' });
  const key: string = made.body.apiKey;
  const [old] = (await call(`${service.baseUrl}/v1/keys`, 'GET', key)).body.items;
  expect((await call(`${service.baseUrl}/v1/keys/${old.prefix}`, 'DELETE', key)).status).toBe(204);
  expect((await call(`${service.baseUrl}/v1/hosts`, 'GET', first)).status).toBe(401);

  const registration = { name: 'mail.example.org', alertRecipients: [email, 'friend@example.org'] };
  const host = (await call(`${service.baseUrl}/v1/hosts`, 'POST', key, registration)).body;
  expect(host.unconfirmedRecipients).toEqual(['friend@example.org']);
  expect((await mailsTo('friend@example.org'))[0]?.body.text).toContain(email);
  expect(await confirm('friend@example.org')).toMatchObject({ status: 200, body: { email: 'friend@example.org', confirmed: true } });
  expect((await call(`${service.baseUrl}/v1/hosts/${host.id}`, 'GET', key)).body.unconfirmedRecipients).toEqual([]);

  expect((await call(`${service.baseUrl}/v1/account`, 'DELETE', key, { confirm: 'not it' })).status).toBe(422);
  expect((await call(`${service.baseUrl}/v1/account`, 'DELETE', key, { confirm: email })).status).toBe(204);
  expect((await call(`${service.baseUrl}/v1/account`, 'GET', key)).status).toBe(401);
  expect((await service.call('GET', `/v1/hosts/${host.id}`)).status).toBe(404);
});

test('whoever has lost their keys gets another by mail, for the same account', async () => {
  const owner = 'owner@relay-audit.example'; // of the account that the service made at its first start
  const { id } = (await service.call('GET', '/v1/account')).body;
  await post('/v1/accounts', { email: owner });
  const given = await confirm(owner);
  expect(given).toMatchObject({ status: 201, body: { accountId: id, email: owner } });
  expect((await call(`${service.baseUrl}/v1/account`, 'GET', given.body.apiKey)).body.id).toBe(id);
  expect((await service.call('GET', '/v1/account')).status).toBe(200);
});

test('an operator’s network is audited for the operator’s account alone: nothing of it is dialled for whoever else opens one', async () => {
  const address = '127.0.0.78'; // of this file alone: files run side by side
  let dialled = 0;
  const server = createServer((socket) => {
    dialled++;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(2525, address, done));
  const email = 'stranger@example.org';
  await post('/v1/accounts', { email });
  const { apiKey } = (await confirm(email)).body;
  const registerBy = (key: string) => call(`${service.baseUrl}/v1/hosts`, 'POST', key, { name: address, ports: [2525] });
  const theirs = await registerBy(apiKey);
  expect([theirs.status, theirs.body.detail]).toEqual([422, expect.stringMatching(/ is never probed: /)]);
  expect(theirs.body.detail).not.toContain('operator');
  const own = (await registerBy(service.apiKey)).body;
  expect(own.next).toContain('operator');
  const path = `${service.baseUrl}/v1/hosts/${own.id}/scans`;
  await eventually(async () => (await call(path, 'GET', service.apiKey)).body.items[0], 'a scan');
  expect(dialled).toBeGreaterThan(0);
  await new Promise((done) => server.close(done));
});

describe('an operator who has limited registration', () => {
  test.each([
    ['closed', 'Registration is closed here.'],
    ['example.net', 'example.net only.'],
  ])('by REGISTRATION=%s', async (REGISTRATION, words) => {
    const folder = join(temporaryFolder(), 'data');
    const limited = await startLocalService(['--port', '0', '--data', folder, '--no-demo'], { REGISTRATION });
    const refused = await call(`${limited.baseUrl}/v1/accounts`, 'POST', '', { email: 'you@example.org' });
    expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining(words) } });
    expect(await limited.mails()).toEqual([]);
    await limited.stop();
  });
});
