import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Services } from '../../../functions/pages/call.ts';
import { routes } from '../../../functions/pages/routes.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { readSubscription, sealSubscription } from '../../../shared/runtime/unsubscribe-token.ts';
import { lookupsTo } from '../../support/gate.ts';
import { createSampleAccount, NOON } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const secrets = secretsFrom('a secret of this deployment, long enough');
const READER = { accountId: 'account1', email: 'reader@example.org' };
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => NOON, 1_000_000_000);
  await createSampleAccount(table.store);
  await table.store.confirmRecipient(READER.accountId, READER.email, NOON);
});
afterAll(() => table.stop());

async function request(method: 'GET' | 'POST', token: string, body = '', headers: Record<string, string> = {}): Promise<Answer> {
  const services: Services = {
    store: table.store,
    secrets,
    lookups: lookupsTo(),
    send: () => expect.fail('nothing is mailed'),
    clock: () => NOON,
    wait: async () => {},
    report: (error) => expect.fail(String(error)),
    probePorts: [25],
    registration: { kind: 'open' },
    operatorNetworksOf: () => [],
    tokenOf: () => 'ra1-token',
    ehloName: 'probe.example',
    egressAddresses: ['192.0.2.7'],
    contact: 'postmaster@probe.example',
    baseUrl: 'https://audit.example',
  };
  const event = {
    headers: { host: 'audit.example', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    queryStringParameters: { token },
    requestContext: { http: { method, path: '/unsubscribe' } },
    body,
  } as unknown as APIGatewayProxyEventV2;
  const route = routes(services).find((each) => each.method === method && each.path === '/unsubscribe');
  if (route === undefined) return expect.fail('there is no such page');
  const answer = await (route.handler as (event: APIGatewayProxyEventV2) => Promise<Answer>)(event);
  elementsOf(answer.body ?? '');
  return answer;
}

const stops = () => table.store.mailStops(READER.accountId, [READER.email]);
const TOKEN = sealSubscription(secrets, READER);

describe('an unsubscribe link', () => {
  test('changes nothing when it is only opened', async () => {
    const { statusCode, body } = await request('GET', TOKEN);
    expect([statusCode, body?.includes(READER.email)]).toEqual([200, true]);
    expect(await stops()).toEqual([]);
  });

  test('ends the mail of its account by the button of the page, and gives it back by another', async () => {
    expect((await request('POST', TOKEN, 'act=stop', { 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200);
    expect(await stops()).toEqual([{ email: READER.email, why: 'unsubscribed' }]);
    expect(await table.store.mailStops('account2', [READER.email])).toEqual([]);
    expect((await request('POST', TOKEN, 'act=resume', { 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200);
    expect(await stops()).toEqual([]);
    expect(await table.store.confirmedRecipients(READER.accountId, [READER.email])).toEqual([READER.email]);
  });

  test('ends it by one click of a mail program, which comes from anywhere (RFC 8058)', async () => {
    const answer = await request('POST', TOKEN, 'List-Unsubscribe=One-Click', {
      'sec-fetch-site': 'cross-site',
      origin: 'https://mail.example',
    });
    expect(answer.statusCode).toBe(200);
    expect(await stops()).toEqual([{ email: READER.email, why: 'unsubscribed' }]);
    await request('POST', TOKEN, 'act=resume');
  });

  test('is not acted upon by a form of another site', async () => {
    expect((await request('POST', TOKEN, 'act=stop', { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
    expect(await stops()).toEqual([]);
  });

  test.each([
    '',
    'ru1.e30.AAAAAAAAAAAAAAAAAAAAAA',
    TOKEN.slice(0, -1),
    sealSubscription(secretsFrom('another secret, which is long enough too'), READER),
  ])('does nothing when it is not one that we made: %s', async (token) => {
    expect((await request('POST', token, 'act=stop')).statusCode).toBe(422);
    expect((await request('GET', token)).statusCode).toBe(422);
    expect(await stops()).toEqual([]);
  });

  test('says whose mail it is about, and nothing else', () => {
    expect(readSubscription(secrets, TOKEN)).toEqual(READER);
  });
});
