import { afterEach, describe, expect, test } from 'vitest';
import { take } from '../../../shared/accounts/budgets.ts';
import { proposalResponse } from '../../../shared/contract/proposals.ts';
import { registeredHostResponse } from '../../../shared/contract/responses.ts';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { lookupsTo } from '../../support/gate.ts';
import { startTable } from '../../support/table.ts';

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
      if (known === 'trouble') return { kind: 'trouble', why: 'SERVFAIL' };
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

describe('what is refused', () => {
  const KNOWN = { ...MAIL, addresses: { ...MAIL.addresses, 'mx.example.net': ['9.9.9.1'] } };

  /** The API on a zone, with an account, and what is asked of DNS. */
  async function counting(zone: Zone) {
    const lookups = lookupsOf(zone);
    const asked: string[] = [];
    const count =
      <T>(ask: (name: string) => T) =>
      (name: string) => {
        asked.push(name);
        return ask(name);
      };
    api = await startApi({ lookups: { ...lookups, addresses: count(lookups.addresses), mailServers: count(lookups.mailServers) } });
    const { key, accountId } = await api.account();
    return { asked, key, accountId, services: api.services, post: (body: object) => api?.call('POST', '/v1/hosts', { key, body }) };
  }

  test.each<[string, number]>([
    ['example.org', 422],
    ['mail.example.org', 409],
    ['mx.example.net', 409],
  ])('asks DNS nothing about recipients: %s', async (name, status) => {
    const { asked, post } = await counting(KNOWN);
    await post({ name: 'mail.example.org' });
    asked.length = 0;
    const alertRecipients = Array.from({ length: 5 }, (_, index) => `x@r${index}.example.com`);
    expect((await post({ name, alertRecipients }))?.status).toBe(status);
    expect(asked.filter((each) => each.endsWith('.example.com'))).toEqual([]);
  });

  test('is paid for before DNS is asked: an account tries 200 times in an hour', async () => {
    const { asked, accountId, services, post } = await counting(KNOWN);
    for (let tries = 0; tries < 199; tries++) await take(services, 'registration-tries', accountId);
    expect((await post({ name: 'example.org' }))?.status).toBe(422);
    asked.length = 0;
    const refused = await post({ name: 'mail.example.org' });
    expect(refused).toMatchObject({ status: 429, body: { detail: expect.stringContaining('Come again in 60 minutes') } });
    expect(refused?.headers['ratelimit-policy']).toContain('"registration-tries";q=200;w=3600');
    expect(asked).toEqual([]);
  });

  test('is paid for in the same way where a host is given a further port', async () => {
    const { asked, accountId, services, post, key } = await counting(KNOWN);
    const registered = await post({ name: 'mail.example.org', ports: [25] });
    const change = (ports: number[]) => api?.call('PATCH', `/v1/hosts/${registered?.body.id}`, { key, body: { ports } });
    for (let tries = 0; tries < 199; tries++) await take(services, 'registration-tries', accountId);
    asked.length = 0;
    expect(await change([25, 587])).toMatchObject({ status: 429, body: { detail: expect.stringContaining('further ports, 200 times') } });
    expect(asked).toEqual([]);
    expect((await change([25]))?.status).toBe(200);
  });

  test('is paid for by who may have more hosts as often as they may register some', async () => {
    const { accountId, services, post } = await counting(KNOWN);
    await api?.table.store.setHostQuota(accountId, 101);
    for (let tries = 0; tries < 201; tries++) await take(services, 'registration-tries', accountId, 400);
    expect((await post({ name: 'mail.example.org' }))?.status).toBe(201);
    expect((await post({ name: 'other.example.org' }))?.status).toBe(429);
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

  test('says that nothing is probed where no address of the name is public', async () => {
    const { status, body } = await register({ addresses: { 'inside.example.org': ['192.168.1.2'] } }, { name: 'inside.example.org' });
    expect([status, body.next]).toEqual([201, expect.stringMatching(/^No address of it is public, so nothing is probed\./)]);
  });

  test.each(['10.0.0.1', '::1'])('is refused for an address that is never probed, whatever DNS says: %s', async (name) => {
    const { status, body } = await register({}, { name });
    expect([status, body.detail]).toEqual([
      422,
      expect.stringMatching(/ is never probed: .*\. Register the server by its public name or address\.$/),
    ]);
  });

  test('asks for a recipient elsewhere when all alerts are delivered by the host itself', async () => {
    const { body } = await register(MAIL, { name: 'mail.example.org', servedDomains: ['example.org'] }, 'me@example.org');
    expect(body.recipientWarning).toContain('Mail to me@example.org goes through mail.example.org itself');
  });
});

test('what a proposal says to register is registered, each of it', async () => {
  const mail = { 'example.org': ['mx1.example.org', 'mx2.example.org', 'mx3.example.org', 'mx4.example.org'] };
  const addresses = {
    'mx1.example.org': ['9.9.9.1'],
    'mx2.example.org': ['9.9.9.1', '2620:fe::1'],
    'mx3.example.org': ['9.9.9.3'],
    'mx4.example.org': ['9.9.9.1'],
  };
  api = await startApi({ lookups: lookupsOf({ mail, addresses }) });
  const { key } = await api.account();
  const { register } = (await api.call('GET', '/v1/proposals?name=example.org', { key })).body;
  expect(register).toHaveLength(2);
  for (const body of register) expect((await api.call('POST', '/v1/hosts', { key, body })).status).toBe(201);
});

describe('a server that is a host of the account already', () => {
  const ZONE: Zone = {
    addresses: {
      'mail.example.org': ['9.9.9.1'],
      'mx.example.net': ['9.9.9.1'],
      'both.example.net': ['9.9.9.1', '9.9.9.2'],
      'other.example.net': ['9.9.9.2'],
    },
  };

  async function second(first: object, body: object, ofAnother = false) {
    api = await startApi({ lookups: lookupsOf(ZONE) });
    const { key } = await api.account();
    const { id } = (await api.call('POST', '/v1/hosts', { key, body: first })).body;
    const other = ofAnother ? await api.account('other@example.com') : { key };
    return { id, ...(await api.call('POST', '/v1/hosts', { key: other.key, body })) };
  }

  test('is not registered under a further name: the answer says what to change instead', async () => {
    const { id, status, headers, body } = await second(
      { name: 'mail.example.org', servedDomains: ['example.org'] },
      { name: 'mx.example.net', servedDomains: ['Example.net', 'example.org'] },
    );
    expect([status, headers['content-type']]).toEqual([409, 'application/problem+json']);
    expect(body.instead).toEqual({ host: id, name: 'mail.example.org', servedDomains: ['example.org', 'example.net'] });
    expect(body.detail).toContain('mx.example.net leads to the server that you audit as mail.example.org');
  });

  test('is told with its own name as the domain where none is named', async () => {
    const { body } = await second({ name: '9.9.9.1' }, { name: 'mx.example.net' });
    expect(body.instead).toMatchObject({ name: '9.9.9.1', servedDomains: ['mx.example.net'] });
  });

  test('is not registered by its address, nor twice by the same name, whether or not DNS knows it', async () => {
    expect((await second({ name: 'mail.example.org' }, { name: '9.9.9.1' })).status).toBe(409);
    await api?.stop();
    const twice = await second({ name: 'nowhere.example.org' }, { name: 'Nowhere.example.org' });
    expect(twice).toMatchObject({ status: 409, body: { instead: { host: twice.id, name: 'nowhere.example.org' } } });
  });

  test.each<[string, object, object]>([
    ['has an address beside', { name: 'mail.example.org' }, { name: 'both.example.net' }],
    ['lies elsewhere', { name: 'mail.example.org' }, { name: 'other.example.net' }],
    ['is reached at other ports', { name: 'mail.example.org', ports: [25] }, { name: 'mx.example.net', ports: [587] }],
    ['DNS does not know', { name: 'mail.example.org' }, { name: 'nowhere.example.org' }],
  ])('is not meant by a name that %s', async (_, first, body) => {
    expect((await second(first, body)).status).toBe(201);
  });

  test('of another account plays no part', async () => {
    expect((await second({ name: 'mail.example.org' }, { name: 'mail.example.org' }, true)).status).toBe(201);
  });

  test.each(['mx.example.net', 'mail.example.org', '9.9.9.1'])('is not made a second host by a change of ports: %s', async (name) => {
    api = await startApi({ lookups: lookupsOf(ZONE) });
    const { key } = await api.account();
    const register = async (body: object) => (await api?.call('POST', '/v1/hosts', { key, body }))?.body.id;
    const first = await register({ name: 'mail.example.org', ports: [25, 465] });
    const id = await register({ name, ports: [587] });
    const change = (body: object, host = id) => api?.call('PATCH', `/v1/hosts/${host}`, { key, body });
    const refused = await change({ ports: [25, 587], period: 'week' });
    expect(refused).toMatchObject({ status: 409, body: { instead: { host: first, name: 'mail.example.org' } } });
    expect(refused?.body.detail).toMatch(/^Port 25 of this server is audited already, by mail\.example\.org \(host /);
    expect((await api.call('GET', `/v1/hosts/${id}`, { key })).body).toMatchObject({ revision: 1, ports: [587], period: 'day' });
    // Once the first has given it up, the second may have it.
    expect((await change({ ports: [465] }, first))?.status).toBe(200);
    expect((await change({ ports: [25, 587] }))?.status).toBe(200);
  });

  test('is proposed no more: the proposal says which host it is, and what to change there', async () => {
    const mail = { 'example.com': ['mx.example.net', 'other.example.net'] };
    api = await startApi({ lookups: lookupsOf({ ...ZONE, mail }) });
    const { key } = await api.account();
    const { id } = (await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org', servedDomains: ['example.org'] } })).body;
    const { body } = await api.call('GET', '/v1/proposals?name=example.com', { key });
    proposalResponse.parse(body);
    expect(body.registered).toEqual([{ host: id, name: 'mail.example.org', servedDomains: ['example.org', 'example.com'] }]);
    expect(body.register).toEqual([{ name: 'other.example.net', servedDomains: ['example.com'] }]);
    expect(body.next).toContain(`mx.example.net leads to the server that you audit as mail.example.org, the host ${id}. To have it tested`);
    await api.call('PATCH', `/v1/hosts/${id}`, { key, body: { servedDomains: body.registered[0].servedDomains } });
    await api.call('POST', '/v1/hosts', { key, body: body.register[0] });
    const again = (await api.call('GET', '/v1/proposals?name=example.com', { key })).body;
    expect([again.register, again.registered.map((each: object) => Object.keys(each))]).toEqual([
      undefined,
      [
        ['host', 'name'],
        ['host', 'name'],
      ],
    ]);
    expect(again.next).toContain('You have other.example.net already');
    expect(again.next).not.toContain('nothing to register');
  });

  test.each<[string, string[]]>([
    ['the same name', ['mail.example.org', 'mail.example.org', 'mail.example.org', 'mail.example.org']],
    ['names of one server, and its address', ['mail.example.org', 'mx.example.net', '9.9.9.1', 'mx.example.net']],
  ])('is one host when it is registered several times at once: %s', async (_, names) => {
    api = await startApi({ lookups: lookupsOf(ZONE) }, startTable);
    const { key, accountId } = await api.account();
    const here = () => api?.call('POST', '/v1/scans/here', { key, sourceIp: '9.9.9.2' });
    const answers = await Promise.all(names.map((name) => api?.call('POST', '/v1/hosts', { key, body: { name } })));
    expect(answers.map((answer) => answer?.status).toSorted()).toEqual([201, 409, 409, 409]);
    const [host, ...others] = (await api.table.store.listHosts(accountId, 10)).items;
    expect(others).toEqual([]);
    for (const answer of answers) expect([answer?.body.id, answer?.body.instead?.host]).toContain(host?.id);
    // Nothing of it is left once it is removed.
    await api.call('DELETE', `/v1/hosts/${host?.id}`, { key });
    expect((await api.call('POST', '/v1/hosts', { key, body: { name: names[1] } })).status).toBe(201);
    // A button that is pressed several times, while the address is registered as well.
    const [, ...pressed] = await Promise.all([api.call('POST', '/v1/hosts', { key, body: { name: '9.9.9.2' } }), here(), here(), here()]);
    expect(pressed.map((answer) => answer?.status)).toEqual([202, 202, 202]);
    const all = (await api.table.store.listHosts(accountId, 10)).items;
    expect(all.filter(({ settings }) => settings.name === '9.9.9.2')).toHaveLength(1);
    expect(new Set(pressed.map((answer) => answer?.body.scan.id)).size).toBe(1);
  });

  test('keeps its ports apart when two hosts of it are given the same one at once, or one while another is registered', async () => {
    api = await startApi({ lookups: lookupsOf(ZONE) });
    const { key } = await api.account();
    const register = (name: string, ports: number[]) => api?.call('POST', '/v1/hosts', { key, body: { name, ports } });
    const change = (id: string, ports: number[]) => api?.call('PATCH', `/v1/hosts/${id}`, { key, body: { ports } });
    const [one, other] = [await register('mail.example.org', [25]), await register('mx.example.net', [465])];
    const both = await Promise.all([change(one?.body.id, [25, 587]), change(other?.body.id, [465, 587])]);
    expect(both.map((answer) => answer?.status).toSorted()).toEqual([200, 409]);
    await api.call('DELETE', `/v1/hosts/${other?.body.id}`, { key });
    await change(one?.body.id, [25]);
    const mixed = await Promise.all([change(one?.body.id, [25, 465]), register('mx.example.net', [465])]);
    expect(mixed.map((answer) => answer?.status)).toContain(409);
    expect(mixed.filter((answer) => answer?.status !== 409)).toHaveLength(1);
  });

  test('leaves other servers that are registered at once alone', async () => {
    api = await startApi({ lookups: lookupsOf(ZONE) });
    const { key } = await api.account();
    const names = Array.from({ length: 8 }, (_, index) => `mx-${index}.example.org`);
    const answers = await Promise.all(names.map((name) => api?.call('POST', '/v1/hosts', { key, body: { name } })));
    expect(answers.map((answer) => answer?.status)).toEqual(names.map(() => 201));
  });

  test('that DNS has made of two hosts since keeps neither from other changes', async () => {
    const addresses: Record<string, string[]> = { ...ZONE.addresses, 'moved.example.net': ['9.9.9.3'] };
    api = await startApi({ lookups: lookupsOf({ addresses }) });
    const { key } = await api.account();
    const [, { body }] = [
      await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org', ports: [25] } }),
      await api.call('POST', '/v1/hosts', { key, body: { name: 'moved.example.net', ports: [25, 465] } }),
    ];
    addresses['moved.example.net'] = ['9.9.9.1'];
    for (const change of [{ period: 'week' }, { ports: [25, 587] }, { ports: [25] }])
      expect((await api.call('PATCH', `/v1/hosts/${body.id}`, { key, body: change })).status).toBe(200);
  });

  test('costs eight look-ups of hosts at most, however many the account has', async () => {
    const asked: string[] = [];
    const lookups = lookupsOf(ZONE);
    const addresses = (name: string) => {
      asked.push(name);
      return lookups.addresses(name);
    };
    api = await startApi({ lookups: { ...lookups, addresses } });
    const { key } = await api.account();
    for (let n = 0; n < 12; n++) await api.call('POST', '/v1/hosts', { key, body: { name: `host-${n}.example.org` } });
    asked.length = 0;
    expect((await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org' } })).status).toBe(201);
    expect(asked.filter((name) => name.startsWith('host-'))).toHaveLength(8);
  });
});
