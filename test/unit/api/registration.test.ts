import { afterEach, describe, expect, test } from 'vitest';
import { registeredHostResponse } from '../../../shared/contract/responses.ts';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import { lookupsTo } from '../../support/gate.ts';
import { type ApiOnTable, startApi } from './api-on-table.ts';

type Zone = { readonly addresses?: Record<string, string[] | 'trouble'>; readonly mail?: Record<string, string[]> };

let api: ApiOnTable | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

function lookupsOf({ addresses = {}, mail = {} }: Zone): Lookups {
  const found = <T>(values: readonly T[] | undefined): Found<T> => (values === undefined ? { kind: 'absent' } : { kind: 'found', values });
  return {
    ...lookupsTo(),
    async addresses(name) {
      const known = addresses[name];
      if (known === 'trouble') return { kind: 'trouble', why: 'ESERVFAIL' };
      return found(known?.flatMap((text) => parseAddress(text) ?? []));
    },
    mailServers: async (domain) => found(mail[domain]?.map((name, preference) => ({ name, preference }))),
  };
}

async function register(zone: Zone, body: object, email?: string) {
  const loopback = parseNetwork('127.0.0.0/8');
  api = await startApi({ lookups: lookupsOf(zone), operatorNetworksOf: () => (loopback === undefined ? [] : [loopback]) });
  const { key } = await api.account(email);
  const answer = await api.call('POST', '/v1/hosts', { key, body });
  if (answer.status === 201) registeredHostResponse.parse(answer.body);
  return { ...answer, hosts: (await api.call('GET', '/v1/hosts', { key })).body.items };
}

const MAIL = { addresses: { 'mail.example.org': ['9.9.9.1'] }, mail: { 'example.org': ['mail.example.org'] } };

describe('a domain instead of a server', () => {
  test('is refused where it has no address, and the answer leads to its servers', async () => {
    const { status, body, hosts } = await register(MAIL, { name: 'example.org' });
    expect([status, hosts]).toEqual([422, []]);
    expect(body.detail).toContain('its mail goes to mail.example.org. GET /v1/proposals?name=example.org says');
    expect(body.errors).toEqual([{ field: 'name', message: 'names no server' }]);
  });

  test('is registered where it has an address, and its owner hears of the servers that take its mail', async () => {
    const zone = { ...MAIL, addresses: { ...MAIL.addresses, 'example.org': ['9.9.9.80'] } };
    const { status, body } = await register(zone, { name: 'example.org' });
    expect([status, body.next]).toEqual([201, expect.stringContaining('GET /v1/proposals?name=example.org names them')]);
  });
});

describe('a name that', () => {
  test.each([
    ['has no address and no MX yet', 'later.example.org'],
    ['DNS fails for', 'broken.example.org'],
  ])('%s is registered all the same', async (_, name) => {
    const { status, hosts } = await register({ addresses: { 'broken.example.org': 'trouble' } }, { name });
    expect([status, hosts.length]).toEqual([201, 1]);
  });
});

describe('the answer to a registration', () => {
  test('says that consent comes next, and what to tell ban tools', async () => {
    const { body } = await register(MAIL, { name: 'mail.example.org' }, 'me@elsewhere.example');
    expect(body.next).toContain(`GET /v1/hosts/${body.id}/consent says which records are missing`);
    expect(body.exempt.ignoreip).toBe('ignoreip = 127.0.0.1/8 ::1 192.0.2.7');
    expect(body.recipientWarning).toBeUndefined();
  });

  test('says that a host in the operator’s networks is scanned at once', async () => {
    const { body } = await register({}, { name: '127.0.0.1' });
    expect(body.next).toContain('is scanned within a minute or two');
  });

  test('asks for a recipient elsewhere when all alerts are delivered by the host itself', async () => {
    const { body } = await register(MAIL, { name: 'mail.example.org', servedDomains: ['example.org'] }, 'me@example.org');
    expect(body.recipientWarning).toContain('Mail to me@example.org goes through mail.example.org itself');
  });
});
