import { afterAll, beforeAll, expect, test } from 'vitest';
import { consentResponse } from '../../../shared/contract/consent.ts';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { REASONS, type Reason, untested } from '../../../shared/domain/reason.ts';
import { kindOf, type LegEvidence, scanId } from '../../../shared/domain/scan.ts';
import type { Lookups } from '../../../shared/network/lookups.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { lookupsTo } from '../../support/gate.ts';
import { NOON, sampleLeg, sampleScan } from '../../support/samples.ts';

// What DNS says of the names and addresses of the hosts whose look has bounds.
const pool = (many: number) => Array.from({ length: many }, (_, n) => `185.${Math.floor(n / 250)}.5.${n % 250}`);
const ADDRESSES: Record<string, readonly string[]> = {
  'wide.example.org': pool(12),
  'endless.example.org': pool(4_000),
  'half.example.org': ['127.0.0.31', '185.8.8.8'],
  'reversed.example.org': ['185.9.9.10'],
};
const NAMES: Record<string, readonly string[]> = {
  '185.9.9.10': ['reversed.example.org'],
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
  expect(await nextOf('9.9.9.17')).toMatch(/^Set one of the records under the `add` of each address\. Then /);
  expect(await nextOf('reversed.example.org')).toMatch(/^Set the record under `add`\. Then /); // its address needs nothing more
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

/** A proven host of an account, whose owed scans end when it is told to. */
async function provenHost(name: string) {
  const { key, accountId } = await api.account();
  const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name } })).body;
  const { store } = api.table;
  return {
    accountId,
    ask: (tail: string) => api.call('POST', `/v1/hosts/${id}${tail}`, { key }),
    /** Stores the result of the scan that is owed, or of a scheduled one. */
    async ends(reason: Reason, legs: readonly LegEvidence[] = []) {
      const host = (await store.findHost(accountId, id)) ?? expect.fail();
      const scan = (await store.owedOf(id))[0]?.scanId ?? scanId(api.now, 'scheduled');
      const evidence = legs.length === 0 ? undefined : await store.keepEvidence(host, legs);
      const ended = { ...sampleScan(host, scan, api.now, untested(reason)), kind: kindOf(scan) ?? 'scheduled', evidence } as const;
      const last = { id: scan, startedAt: api.now, verdict: ended.judgement.verdict };
      const state = { ...host.state, version: host.state.version + 1, last };
      const result = { host, scan: ended, effect: { kind: 'unchanged', state }, notices: [], wasOwed: true } as const;
      expect(await store.storeResult(result)).toBe('stored');
      api.now += 60_000;
    },
  };
}

test.each<[Reason, boolean]>([
  ['no-consent', true],
  ['vetoed', true],
  ['too-many-lookups', true],
  ['forbidden-address', true],
  ['no-address', true],
  ['policy-against-us', false],
  ['probably-banned', false],
  ['connection-timed-out', false],
  ['all-refused', false],
])('a check owes a scan where the last one ended for what DNS said, and no other: %s', async (reason, owes) => {
  const { ask, ends } = await provenHost('127.0.0.21');
  expect((await ask('/consent/check')).body.scan).toMatch(/-first$/);
  await ends(reason);
  expect((await ask('/consent/check')).body.scan !== undefined).toBe(owes);
});

test('a check has the scan made at once that looks by itself, in the place of another', async () => {
  const { key, accountId } = await api.account();
  const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name: '127.0.0.24' } })).body;
  const { store } = api.table;
  const host = (await store.findHost(accountId, id)) ?? expect.fail();
  const [first] = await store.owedOf(id);
  const dueAt = api.now + 60 * 60_000;
  await store.putOff(host, { ...(first ?? expect.fail()), dueAt, waits: { since: api.now } }, 'no-consent');
  const shown = await api.call('GET', `/v1/hosts/${id}`, { key });
  const waitsFor = { what: 'dns', why: REASONS['no-consent'].sentence, until: new Date(dueAt).toISOString() };
  expect(shown.body.owedScans).toMatchObject([{ id: first?.scanId, waitsFor }]);
  expect(shown.body.owedScans[0].trouble).toBeUndefined();
  const { body } = await api.call('POST', `/v1/hosts/${id}/consent/check`, { key });
  expect(body.scan).toBe(first?.scanId);
  expect(await store.owedOf(id)).toMatchObject([{ scanId: first?.scanId, dueAt: api.now }]);
});

test('a check has a scan made at once for which DNS had failed, though its host has results', async () => {
  const { key, accountId } = await api.account();
  const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name: '127.0.0.25' } })).body;
  const { store } = api.table;
  const host = (await store.findHost(accountId, id)) ?? expect.fail();
  const scan = sampleScan(host, (await store.owedOf(id))[0]?.scanId ?? '', api.now);
  const last = { id: scan.id, startedAt: api.now, verdict: 'closed' } as const;
  const state = { ...host.state, version: host.state.version + 1, relay: 'closed', last } as const;
  await store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices: [], wasOwed: true });
  const owed = { accountId, hostId: id, scanId: scanId(api.now, 'scheduled'), dueAt: api.now + 60 * 60_000, tries: 1 };
  await store.putOff({ ...host, state }, { ...owed, waits: { since: api.now, troubleSince: api.now } }, 'dns-trouble');
  expect((await api.call('POST', `/v1/hosts/${id}/consent/check`, { key })).body.scan).toBe(owed.scanId);
  expect(await store.owedOf(id)).toMatchObject([{ dueAt: api.now }]);
});

test('a check owes no scan while the address that the last one was kept from is still unproven, and one when it is gone', async () => {
  const { ask, ends } = await provenHost('half.example.org');
  const legs = [
    { ...sampleLeg(), address: '127.0.0.31' },
    { ...sampleLeg(), address: '185.8.8.8', contact: 'unproven', tests: [] } as const,
  ];
  await ends('no-consent', legs);
  const { body } = await ask('/consent/check');
  expect([body.scan, body.addresses.map(({ standing }: { standing: string }) => standing)]).toEqual([undefined, ['proven', 'no-consent']]);
  ADDRESSES['half.example.org'] = ['127.0.0.31'];
  expect((await ask('/consent/check')).body.scan).toMatch(/-on-demand$/);
});

test('the scans that checks owe are among the six of a host in an hour; what a check has seen is told all the same', async () => {
  const { ask, ends } = await provenHost('127.0.0.22');
  for (let asked = 0; asked < 6; asked++) {
    await ends('no-consent');
    expect((await ask(asked % 2 === 0 ? '/consent/check' : '/scans')).status).toBeLessThan(300);
  }
  await ends('no-consent');
  const { status, body } = await ask('/consent/check');
  expect([status, body.complete, body.scan]).toEqual([200, true, undefined]);
  expect(body.next).toMatch(/6 scans of a host an hour.*Come again in \d+ minutes/);
  expect((await ask('/scans')).status).toBe(429);
});

test('the scans that checks owe are among those of the account in a day', async () => {
  const { accountId, ask, ends } = await provenHost('127.0.0.23');
  await api.table.store.setHostQuota(accountId, 1);
  for (let asked = 0; asked < 2; asked++) {
    await ends('no-consent');
    expect((await ask('/consent/check')).body.scan).toMatch(/-on-demand$/);
  }
  await ends('no-consent');
  expect((await ask('/consent/check')).body).toMatchObject({ complete: true, next: expect.stringContaining('2 scans today') });
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

test('what is missing is told in findings, with the record in every form that a person or a program needs', async () => {
  const { consent } = await consentOf('185.9.9.9');
  expect(consent.findings).toMatchObject([
    {
      kind: 'no-reverse-dns',
      side: 'address',
      about: '185.9.9.9',
      asked: 'PTR 9.9.9.185.in-addr.arpa',
      proves: 'reverse-dns',
      change: {
        records: [
          { type: 'TXT', name: '_relay-audit.mail.example.org', line: `_relay-audit.mail.example.org. IN TXT "${consent.token}"` },
          { type: 'PTR', value: 'mail.example.org', line: '9.9.9.185.in-addr.arpa. IN PTR mail.example.org.' },
          { type: 'A', value: '185.9.9.9' },
        ],
        send: expect.stringContaining('reverse DNS (PTR record) of 185.9.9.9'),
      },
    },
  ]);
  expect(consent.addresses[0]?.add[0]).toMatchObject({ proof: 'reverse-dns', what: consent.findings[0]?.change.what });
  expect((await consentOf('127.0.0.41')).consent.findings).toEqual([]);
});
