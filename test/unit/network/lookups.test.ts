import type { Answer } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import { dnsLookups, type Lookups } from '../../../shared/network/lookups.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../../support/scripted-dns-server.ts';

const a = (name: string, data: string): Answer => ({ type: 'A', name, ttl: 60, data });
const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, ttl: 60, data });

// YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, NOTZONE, DSOTYPENI, and those that nobody has a use for.
const RARE_CODES = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

let dns: ScriptedDns;
let lookups: Lookups;
let resolve: Lookups['addresses'];

beforeAll(async () => {
  dns = await startScriptedDns({
    'two.example': { answers: [a('two.example', '192.0.2.2'), a('two.example', '192.0.2.1')] },
    'again.example': { answers: [a('again.example', '192.0.2.1'), a('again.example', '192.0.2.1')] },
    'many.example': { answers: Array.from({ length: 12 }, (_, index) => a('many.example', `192.0.2.${index + 10}`)) },
    'alias.example': {
      answers: [cname('alias.example', 'real.example'), cname('real.example', 'mx.example'), a('mx.example', '192.0.2.7')],
    },
    'dangling.example': { answers: [cname('dangling.example', 'nowhere.example')] },
    'empty.example': { answers: [] },
    'broken.example': { rcode: 2 },
    'refused.example': { rcode: 5 },
    'not-implemented.example': { rcode: 4 },
    ...Object.fromEntries(RARE_CODES.map((rcode) => [`code${rcode}.example`, { rcode }])),
    'renamed.example': { rcode: 6, answers: [cname('renamed.example', 'too-long.example')] },
    '6.2.0.192.in-addr.arpa': { rcode: 9 },
  });
  lookups = dnsLookups([dns.address]);
  resolve = lookups.addresses;
});

afterAll(() => dns.stop());

async function addressesOf(name: string): Promise<string[]> {
  const resolution = await resolve(name);
  return resolution.kind === 'found' ? resolution.values.map(({ text }) => text) : [];
}

describe('a name that has addresses', () => {
  test('gives them in one order, whatever the order of the answer', async () => {
    expect(await addressesOf('two.example')).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('gives each of them once', async () => {
    expect(await addressesOf('again.example')).toEqual(['192.0.2.1']);
  });

  test('gives all of them, since any of them may be one that nobody may probe', async () => {
    expect(await addressesOf('many.example')).toHaveLength(12);
  });

  test('may be an alias of an alias', async () => {
    expect(await addressesOf('alias.example')).toEqual(['192.0.2.7']);
  });

  test('is asked for by DNS each time, so that nothing is remembered from before', async () => {
    const before = dns.asked.length;
    await resolve('two.example');
    await resolve('two.example');
    const once = ['A two.example', 'AAAA two.example'];
    expect(dns.asked.slice(before)).toEqual([...once, ...once]);
  });

  test('is never read from the hosts file', async () => {
    const before = dns.asked.length;
    expect(await resolve('ip6-localhost.example')).toEqual({ kind: 'absent' });
    expect(dns.asked.slice(before)).toEqual(['A ip6-localhost.example', 'AAAA ip6-localhost.example']);
  });
});

test('an address has its names in one order and each once, whatever the order of the answer', async () => {
  const names = ['mx2.example', 'MX1.example', 'mx2.Example', 'a.example'];
  const server = await startScriptedDns({
    '9.2.0.192.in-addr.arpa': { answers: names.map((data) => ({ type: 'PTR', name: '9.2.0.192.in-addr.arpa', ttl: 60, data })) },
  });
  try {
    const found = await dnsLookups([server.address]).names(parseAddress('192.0.2.9') ?? expect.fail());
    expect(found).toEqual({ kind: 'found', values: ['a.example', 'mx1.example', 'mx2.example'] });
  } finally {
    await server.stop();
  }
});

test.each<[string, readonly string[], string]>([
  ['is joined from its strings', ['ra1-abc', 'def'], 'ra1-abcdef'],
  ['that begins with a veto keeps it apart from what follows', ['deny', 'relay-audit'], 'deny relay-audit'],
  ['whose first string says nothing is read so too', ['', 'deny', 'relay-audit'], ' deny relay-audit'],
  ['whose first string is a quote is read so too', ['"', 'deny', 'all"'], '" deny all"'],
])('a text %s', async (_, strings, text) => {
  const server = await startScriptedDns({ 'it.example': { answers: [{ type: 'TXT', name: 'it.example', ttl: 60, data: [...strings] }] } });
  try {
    expect(await dnsLookups([server.address]).texts('it.example')).toEqual({ kind: 'found', values: [text] });
  } finally {
    await server.stop();
  }
});

describe('absence is NXDOMAIN or an empty answer, and nothing else', () => {
  test.each([
    ['a name that does not exist', 'nothing.example'],
    ['a name without addresses', 'empty.example'],
    ['an alias of a name without addresses', 'dangling.example'],
  ])('%s is absent', async (_, name) => {
    expect(await resolve(name)).toMatchObject({ kind: 'absent' });
  });

  test.each([
    ['SERVFAIL', 'broken.example', 'SERVFAIL'],
    ['REFUSED', 'refused.example', 'REFUSED'],
    ['NOTIMP', 'not-implemented.example', 'NOTIMP'],
  ])('%s is trouble on our side', async (_, name, why) => {
    expect(await resolve(name)).toEqual({ kind: 'trouble', why, failure: { type: 'A', name, said: why } });
  });

  test.each(RARE_CODES)('an answer without records and with the code %i is trouble, whatever was asked', async (code) => {
    expect(await resolve(`code${code}.example`)).toMatchObject({ kind: 'trouble' });
    expect(await lookups.texts(`code${code}.example`)).toMatchObject({ kind: 'trouble' });
    expect(await lookups.mailServers(`code${code}.example`)).toMatchObject({ kind: 'trouble' });
  });

  test('such a code is trouble too of the names of an address, and beside records of another type', async () => {
    expect(await lookups.names(parseAddress('192.0.2.6') ?? expect.fail())).toMatchObject({ kind: 'trouble', why: 'code 9' });
    expect(await lookups.texts('renamed.example')).toMatchObject({ kind: 'trouble', why: 'code 6' });
  });

  test('an empty answer is absence though another resolver cannot be reached', async () => {
    const gone = await startScriptedDns({});
    await gone.stop();
    expect(await dnsLookups([gone.address, dns.address]).texts('empty.example')).toEqual({ kind: 'absent' });
  });

  test('a resolver that cannot be reached is trouble on our side', async () => {
    const gone = await startScriptedDns({});
    await gone.stop();
    expect(await dnsLookups([gone.address]).addresses('two.example')).toMatchObject({ kind: 'trouble' });
  });
});

// A record of a type with these bytes, whatever its type says about them.
const raw = (name: string, type: number, bytes: readonly number[]) =>
  ({ type: `UNKNOWN_${type}`, name, ttl: 60, data: Buffer.from(bytes) }) as never;

describe('an answer that cannot be read touches no other question in flight', () => {
  test.each<[string, Saying]>([
    ['a TXT record without data', { answers: [raw('bad.example', 16, [])] }],
    ['a TXT record with a string longer than itself', { answers: [raw('bad.example', 16, [50, 65, 66])] }],
    ['five bytes', 'garbage'],
  ])('%s', async (_, saying) => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const names = Array.from({ length: 49 }, (__, n) => `good${n}.example`);
    const good = (name: string): Saying => ({ answers: [{ type: 'TXT', name, ttl: 60, data: ['good'] }], held });
    const server = await startScriptedDns({ 'bad.example': saying, ...Object.fromEntries(names.map((name) => [name, good(name)])) });
    try {
      const { texts } = dnsLookups([server.address]);
      const others = names.map((name) => texts(name));
      expect(await texts('bad.example')).toMatchObject({ kind: 'trouble' });
      release();
      expect(await Promise.all(others)).toEqual(names.map(() => ({ kind: 'found', values: ['good'] })));
    } finally {
      await server.stop();
    }
  });
});

test('a name server that has an IPv4 address is not asked for others, which may never come', async () => {
  const soa = { mname: 'four.example', rname: 'hostmaster.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
  const ns = (data: string): Answer => ({ type: 'NS', name: 'zone.example', ttl: 60, data });
  const server = await startScriptedDns({
    'zone.example': { answers: [{ type: 'SOA', name: 'zone.example', ttl: 60, data: soa }, ns('four.example'), ns('six.example')] },
    'four.example': { answers: [a('four.example', '192.0.2.1')] },
    'six.example': { answers: [{ type: 'AAAA', name: 'six.example', ttl: 60, data: '2001:db8::6' }] },
  });
  try {
    const found = await dnsLookups([server.address]).unsignedServers?.('zone.example');
    expect(found?.kind === 'found' && found.values.map(({ name, address }) => `${name} ${address.text}`)).toEqual([
      'four.example 192.0.2.1',
      'six.example 2001:db8::6',
    ]);
    expect(server.asked.filter((each) => each.startsWith('AAAA'))).toEqual(['AAAA six.example']);
  } finally {
    await server.stop();
  }
});
