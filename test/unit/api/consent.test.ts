import { afterAll, beforeAll, expect, test } from 'vitest';
import { consentResponse } from '../../../shared/contract/consent.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { NOON } from '../../support/samples.ts';
import { type ApiOnTable, startApi } from './api-on-table.ts';

let api: ApiOnTable;

beforeAll(async () => {
  const loopback = parseNetwork('127.0.0.0/8');
  api = await startApi({ operatorNetworksOf: () => (loopback === undefined ? [] : [loopback]) });
});
afterAll(() => api.stop());

async function consentOf(name: string) {
  const { key } = await api.account();
  const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name } })).body;
  const { body } = await api.call('GET', `/v1/hosts/${id}/consent`, { key });
  return {
    consent: consentResponse.parse(body),
    check: (headers = {}) => api.call('POST', `/v1/hosts/${id}/consent/check`, { key, headers }),
  };
}

test('what the operator never probes is shown as vetoed to whoever has proven it, and is not complete', async () => {
  await api.table.store.addNever({ target: '127.0.0.7', since: NOON, why: 'asked to be left alone' });
  const { consent } = await consentOf('127.0.0.7');
  expect(consent.complete).toBe(false);
  expect(consent.addresses).toMatchObject([{ standing: 'vetoed', explanation: expect.stringContaining('Ask them to take it off') }]);
  expect(JSON.stringify(consent)).not.toContain('left alone');
  expect((await consentOf('127.0.0.8')).consent.addresses).toMatchObject([{ standing: 'proven' }]);
});

test('what the operator never probes looks to a stranger as if there were no list', async () => {
  await api.table.store.addNever({ target: '9.9.9.7', since: NOON, why: 'asked to be left alone' });
  const [listed, other] = [(await consentOf('9.9.9.7')).consent, (await consentOf('9.9.9.8')).consent];
  expect(listed.addresses.map(({ standing }) => standing)).toEqual(other.addresses.map(({ standing }) => standing));
});

test('a check that is repeated with its Idempotency-Key is given its first answer again', async () => {
  const { check } = await consentOf('127.0.0.9');
  const headers = { 'idempotency-key': 'check-1' };
  const first = await check(headers);
  const second = await check(headers);
  expect([second.body, second.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
});
