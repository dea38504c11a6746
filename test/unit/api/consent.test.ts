import { afterAll, beforeAll, expect, test } from 'vitest';
import { consentResponse } from '../../../shared/contract/consent.ts';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import type { Lookups } from '../../../shared/network/lookups.ts';
import { lookupsTo } from '../../support/gate.ts';
import { NOON } from '../../support/samples.ts';
import { type ApiOnTable, startApi } from './api-on-table.ts';

// What DNS says of the names and addresses of the hosts whose look has bounds.
const pool = (many: number) => Array.from({ length: many }, (_, n) => `185.${Math.floor(n / 250)}.5.${n % 250}`);
const ADDRESSES: Record<string, readonly string[]> = { 'wide.example.org': pool(12), 'endless.example.org': pool(4_000) };
const NAMES: Record<string, readonly string[]> = {
  '185.6.6.6': Array.from({ length: 9 }, (_, n) => `n${n}.hoster.net`),
  '185.7.7.7': Array.from({ length: 8 }, (_, n) => `${'a.'.repeat(40)}n${n}.hoster.net`),
};
const found = <T>(values: readonly T[]) => (values.length === 0 ? ({ kind: 'absent' } as const) : ({ kind: 'found', values } as const));
const lookups: Lookups = {
  ...lookupsTo(),
  addresses: async (name) => found((ADDRESSES[name] ?? []).flatMap((text) => parseAddress(text) ?? [])),
  names: async ({ text }) => found(NAMES[text] ?? []),
};

let api: ApiOnTable;

beforeAll(async () => {
  const loopback = parseNetwork('127.0.0.0/8');
  api = await startApi({ lookups, operatorNetworksOf: () => (loopback === undefined ? [] : [loopback]) });
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

test('what comes next is to set records where some are missing, to lift a pause where one stands, and neither where it would not help', async () => {
  await api.table.store.addNever({ target: '127.0.0.17', since: NOON, why: 'asked to be left alone' });
  await api.table.store.pause({ address: '127.0.0.18', since: api.now, until: api.now + 60_000 });
  const nextOf = async (name: string) => (await consentOf(name)).consent.next;
  expect(await nextOf('9.9.9.17')).toMatch(/^Set the records under `add`/);
  expect(await nextOf('127.0.0.18')).toContain('/consent/reaffirm lifts that');
  expect(await nextOf('127.0.0.17')).toMatch(/^No record is missing\./);
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

test('a name with more addresses than a scan audits shows those that it would, and how many there are', async () => {
  const { consent } = await consentOf('wide.example.org');
  expect(consent.addresses.map(({ address }) => address)).toEqual(pool(8));
  expect(consent.addressesFound).toBe(12);
});

test('a name with 4,000 addresses shows that it is too many, and none of them', async () => {
  const { consent } = await consentOf('endless.example.org');
  expect(consent).toMatchObject({ complete: false, addresses: [] });
  expect(consent.trouble).toContain('has 4000 addresses');
});

test.each([
  ['more names in reverse DNS than are asked', '185.6.6.6', 'Reverse DNS gives 185.6.6.6 9 names. We ask 8'],
  ['names so deep that they are too many questions', '185.7.7.7', 'more than 200 questions'],
])('an address with %s has no consent, and is told why', async (_, address, words) => {
  const { consent } = await consentOf(address);
  expect(consent.addresses).toMatchObject([{ standing: 'too-many-lookups', explanation: expect.stringContaining(words) }]);
});
