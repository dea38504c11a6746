import { describe, expect, test } from 'vitest';
import { type Address, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { standingOf } from '../../../shared/domain/consent.ts';
import { readTarget, type Target } from '../../../shared/domain/host-name.ts';
import { type ConsentRules, lookUpConsent, namesAbove, provenDomains } from '../../../shared/network/consent-lookups.ts';
import { startLook } from '../../../shared/network/look.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const ADDRESS = '185.1.1.1';
const REVERSE = '1.1.1.185.in-addr.arpa';
const SIX = '2a02:1::1';
const REVERSE_SIX = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.0.a.2.ip6.arpa';

function read(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

function target(text: string): Target {
  const read = readTarget(text);
  if (read.kind === 'invalid') throw new Error(read.why);
  return read;
}

/** DNS as a table, `TYPE name`: values; `trouble` where it does not answer. What was asked is noted. */
type Zone = Record<string, readonly string[] | 'trouble'>;

function dns(zone: Zone): Lookups & { readonly asked: string[] } {
  const asked: string[] = [];
  const ask = async <T>(question: string, make: (value: string) => T): Promise<Found<T>> => {
    asked.push(question);
    const values = zone[question] ?? [];
    if (values === 'trouble') return { kind: 'trouble', why: 'SERVFAIL' };
    return values.length === 0 ? { kind: 'absent' } : { kind: 'found', values: values.map(make) };
  };
  return {
    asked,
    addresses: (name) => ask(`A ${name}`, read),
    texts: (name) => ask(`TXT ${name}`, (text) => text),
    names: ({ text }) => ask(`PTR ${text}`, (name) => name),
    mailServers: (domain) => ask(`MX ${domain}`, (name) => ({ name, preference: 10 })),
  };
}

function rules(lookups: Lookups, networks: readonly string[] = [], token: string | undefined = TOKEN): ConsentRules {
  return { token, lookups, operatorNetworks: networks.flatMap((text) => parseNetwork(text) ?? []) };
}

/** Where each address of a host stands by what DNS says, in a word. */
async function stands(
  name: string,
  zone: Zone,
  addresses: readonly string[] = [ADDRESS],
  networks: readonly string[] = [],
): Promise<string[]> {
  const facts = await lookUpConsent(target(name), addresses.map(read), rules(dns(zone), networks));
  return facts.addresses.map((side) => {
    const standing = standingOf(facts, side, TOKEN);
    return standing.kind === 'consent' ? standing.consent.proof : standing.reason;
  });
}

const NAME_SIDE: Zone = { 'TXT _relay-audit.mx.example.co.uk': [TOKEN] };

describe('the names whose record proves a name', () => {
  test.each<[string, readonly string[]]>([
    ['mx.example.com', ['mx.example.com', 'example.com']],
    ['example.com', ['example.com']],
    ['a.b.example.co.uk', ['a.b.example.co.uk', 'b.example.co.uk', 'example.co.uk']],
    ['mx.alice.github.io', ['mx.alice.github.io', 'alice.github.io']],
    ['alice.github.io', ['alice.github.io']],
    ['com', []],
    ['co.uk', []],
    ['github.io', []],
    ['ec2-1-2-3-4.compute-1.amazonaws.com', []],
    ['s3.amazonaws.com', []],
    ['anything.ck', []],
    ['www.ck', ['www.ck']],
    ['mail.corp.internal', ['mail.corp.internal', 'corp.internal']],
  ])('of %s are itself and those above it that somebody can have registered: %j', (name, names) => {
    expect(namesAbove(name)).toEqual(names);
  });

  test('are all of them, however deep the name', () => {
    const name = `${'a.'.repeat(60)}example.com`;
    const names = namesAbove(name);
    expect(names).toHaveLength(61);
    expect([names[0], names[30], names.at(-1)]).toEqual([name, `${'a.'.repeat(30)}example.com`, 'example.com']);
  });
});

describe('a veto is seen', () => {
  const TWO_PROOFS: Zone = { 'TXT _relay-audit.example.co.uk': [TOKEN], [`TXT _relay-audit.${REVERSE}`]: [TOKEN] };

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('at any of eight names of an address, such as name %i in order', async (index) => {
    const names = Array.from({ length: 8 }, (_, n) => `n${n}.hoster.net`);
    const zone: Zone = { ...TWO_PROOFS, [`PTR ${ADDRESS}`]: names };
    expect(await stands('mx.example.co.uk', zone)).toEqual(['reverse-zone']);
    expect(await stands('mx.example.co.uk', { ...zone, [`TXT _relay-audit.n${index}.hoster.net`]: ['deny'] })).toEqual(['vetoed']);
  });

  test("at every level of a deep name, the name's and the address's", async () => {
    const deep = (domain: string) => `a.b.c.d.e.f.g.h.i.j.${domain}`;
    for (const name of namesAbove(deep('example.co.uk')))
      expect(await stands(deep('example.co.uk'), { ...TWO_PROOFS, [`TXT _relay-audit.${name}`]: ['deny'] })).toEqual(['vetoed']);
    for (const name of namesAbove(deep('hoster.net'))) {
      const zone: Zone = { ...TWO_PROOFS, [`PTR ${ADDRESS}`]: [deep('hoster.net')], [`TXT _relay-audit.${name}`]: ['deny'] };
      expect(await stands('mx.example.co.uk', zone)).toEqual(['vetoed']);
    }
  });

  test.each([
    ['x_1.v.hoster.net', 'x_1.v.hoster.net'],
    ['x_1.v.hoster.net', 'hoster.net'],
    ['-.v.hoster.net', 'v.hoster.net'],
    ['a\\032b.v.hoster.net', 'hoster.net'],
    ['a\\.b.v.hoster.net', 'v.hoster.net'],
  ])('though reverse DNS gives a name that no host may have: %s, at %s', async (name, at) => {
    const zone: Zone = { ...TWO_PROOFS, [`PTR ${ADDRESS}`]: [name] };
    expect(await stands('mx.example.co.uk', zone)).toEqual(['reverse-zone']);
    expect(await stands('mx.example.co.uk', { ...zone, [`TXT _relay-audit.${at}`]: ['deny'] })).toEqual(['vetoed']);
  });

  test('or there is no consent: an address with a ninth name has none, and the others keep theirs', async () => {
    const names = Array.from({ length: 9 }, (_, n) => `n${n}.hoster.net`);
    const zone: Zone = { ...TWO_PROOFS, [`PTR ${ADDRESS}`]: names, 'TXT _relay-audit.2.1.1.185.in-addr.arpa': [TOKEN] };
    expect(await stands('mx.example.co.uk', zone, [ADDRESS, '185.1.1.2'])).toEqual(['too-many-lookups', 'reverse-zone']);
  });

  test('or there is no consent: what a look did not come to is told by one place of each name', async () => {
    const deep = (n: number) => `${'a.'.repeat(100)}n${n}.hoster.net`;
    const names = Array.from({ length: 8 }, (_, n) => deep(n));
    const addresses = ['185.1.1.1', '185.1.1.2', '185.1.1.3'];
    const look = startLook(dns(Object.fromEntries(addresses.map((each) => [`PTR ${each}`, names]))), 10_000);
    const facts = await lookUpConsent(target('mx.example.co.uk'), addresses.map(read), { ...rules(look.lookups), cut: look.cut });
    look.end();
    const places = facts.addresses.flatMap(({ claims }) => claims.flatMap((claim) => claim.places));
    const unasked = places.filter(({ saying }) => saying === 'unasked');
    expect(unasked.length).toBeGreaterThan(0);
    expect(unasked.length).toBeLessThanOrEqual(addresses.length * names.length);
    expect(facts.addresses.map((side) => standingOf(facts, side, TOKEN))).toEqual(
      addresses.map(() => ({ kind: 'none', reason: 'too-many-lookups' })),
    );
  });
});

describe('a record of the name', () => {
  test.each<[string, string, readonly string[]]>([
    ['proves itself', 'mx.example.co.uk', ['reverse-zone']],
    ['proves those below', 'deep.mx.example.co.uk', ['reverse-zone']],
    ['proves nothing above', 'example.co.uk', ['no-consent']],
    ['proves nothing beside it', 'other.example.co.uk', ['no-consent']],
  ])('%s', async (_, name, standing) => {
    expect(await stands(name, { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE}`]: [TOKEN] })).toEqual(standing);
  });

  test.each(['com', 'co.uk', 'github.io'])('at %s proves no name under it', async (suffix) => {
    const zone: Zone = { [`TXT _relay-audit.${suffix}`]: [TOKEN], [`TXT _relay-audit.${REVERSE}`]: [TOKEN] };
    expect(await stands(`example.${suffix}`, zone)).toEqual(['no-consent']);
    const claimed: Zone = {
      ...zone,
      ...NAME_SIDE,
      [`TXT _relay-audit.${REVERSE}`]: [],
      [`PTR ${ADDRESS}`]: [`x.${suffix}`],
      [`A x.${suffix}`]: [ADDRESS],
    };
    expect(await stands('mx.example.co.uk', claimed)).toEqual(['no-consent']);
  });
});

describe('the side of the address', () => {
  const claimed = (name: string, more: Zone = {}): Zone => ({ ...NAME_SIDE, [`PTR ${ADDRESS}`]: [name], ...more });

  test.each<[string, Zone, string]>([
    ['speaks in its reverse zone', { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE}`]: [TOKEN] }, 'reverse-zone'],
    ['does not speak in a zone above its reverse name', { ...NAME_SIDE, 'TXT _relay-audit.1.1.185.in-addr.arpa': [TOKEN] }, 'no-consent'],
    ['speaks by a name that leads back', claimed('mx.example.co.uk', { 'A mx.example.co.uk': ['185.7.7.7', ADDRESS] }), 'reverse-dns'],
    ['speaks by a name below a proven one', claimed('a.mx.example.co.uk', { 'A a.mx.example.co.uk': [ADDRESS] }), 'reverse-dns'],
    ['does not speak by a name that leads nowhere', claimed('mx.example.co.uk'), 'no-consent'],
    ['does not speak by a name that leads elsewhere', claimed('mx.example.co.uk', { 'A mx.example.co.uk': ['185.1.1.2'] }), 'no-consent'],
    ['does not speak by a name above the proven one', claimed('example.co.uk', { 'A example.co.uk': [ADDRESS] }), 'no-consent'],
    ["does not speak by a neighbour's name", claimed('mx.other.net', { 'A mx.other.net': [ADDRESS] }), 'no-consent'],
    ['does not speak by what is no name', claimed('_x.mx.example.co.uk', { 'A _x.mx.example.co.uk': [ADDRESS] }), 'no-consent'],
    ['is vetoed at its reverse name', { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE}`]: [TOKEN, 'deny'] }, 'vetoed'],
    ['is vetoed above a name that it claims', claimed('v1.hoster.net', { 'TXT _relay-audit.hoster.net': ['deny'] }), 'vetoed'],
    ['is in trouble when its reverse zone is', { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE}`]: 'trouble' }, 'dns-trouble'],
    ['is in trouble when its claims are', { ...NAME_SIDE, [`PTR ${ADDRESS}`]: 'trouble' }, 'dns-trouble'],
    ['is in trouble when a claimed name is', claimed('v1.hoster.net', { 'TXT _relay-audit.v1.hoster.net': 'trouble' }), 'dns-trouble'],
    ['is in trouble when a proven name may lead back', claimed('mx.example.co.uk', { 'A mx.example.co.uk': 'trouble' }), 'dns-trouble'],
  ])('%s', async (_, zone, standing) => {
    expect(await stands('mx.example.co.uk', zone)).toEqual([standing]);
  });

  test('speaks for IPv6 in ip6.arpa, nibble by nibble', async () => {
    expect(await stands('mx.example.co.uk', { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE_SIX}`]: [TOKEN] }, [SIX])).toEqual([
      'reverse-zone',
    ]);
    expect(await stands(SIX, { [`TXT _relay-audit.${REVERSE_SIX}`]: [TOKEN] }, [SIX])).toEqual(['reverse-zone']);
  });

  test('of one address says nothing of another', async () => {
    const zone: Zone = { ...NAME_SIDE, [`TXT _relay-audit.${REVERSE}`]: [TOKEN] };
    expect(await stands('mx.example.co.uk', zone, [ADDRESS, '185.1.1.2', SIX])).toEqual(['reverse-zone', 'no-consent', 'no-consent']);
  });
});

describe('what is asked', () => {
  test('of an address that nobody may probe is nothing', async () => {
    const lookups = dns({});
    const facts = await lookUpConsent(target('10.0.0.1'), [read('10.0.0.1')], rules(lookups));
    expect(lookups.asked).toEqual([]);
    expect(facts.addresses[0]?.forbidden).toContain('Private-Use');
  });

  test("in operator's networks that are in no public DNS is nothing, so that its trouble stops nothing", async () => {
    const zone: Zone = { 'TXT _relay-audit.mx.example.co.uk': 'trouble' };
    expect(await stands('mx.example.co.uk', zone, ['127.0.0.1'], ['127.0.0.0/8'])).toEqual(['operators-network']);
  });

  test("in operator's networks that the world can reach is everything, so that a veto is heard", async () => {
    const at = (name: string, saying: Zone[string]) =>
      stands('mx.example.co.uk', { [`TXT _relay-audit.${name}`]: saying }, ['185.9.9.9'], ['185.9.9.0/24']);
    expect(await at('example.co.uk', ['deny'])).toEqual(['vetoed']);
    expect(await at('9.9.9.185.in-addr.arpa', ['deny'])).toEqual(['vetoed']);
    expect(await at('mx.example.co.uk', 'trouble')).toEqual(['dns-trouble']);
    expect(await at('elsewhere.com', ['deny'])).toEqual(['operators-network']);
  });

  test('is never whether a name leads back that is not proven', async () => {
    const lookups = dns({ [`PTR ${ADDRESS}`]: ['v1.hoster.net'] });
    await lookUpConsent(target('mx.example.co.uk'), [read(ADDRESS)], rules(lookups));
    expect(lookups.asked.filter((each) => each.startsWith('A '))).toEqual([]);
  });
});

describe('a served domain is asked about', () => {
  const proven = (name: string, zone: Zone, domains = ['served.com']) =>
    provenDomains(domains, target(name), [read(ADDRESS)], rules(dns(zone)));

  test.each<[string, string, Zone, boolean]>([
    ['while its MX names the host', 'mx.example.co.uk', { 'MX served.com': ['mx.other.net', 'mx.example.co.uk'] }, true],
    ['not when its MX names another', 'mx.example.co.uk', { 'MX served.com': ['mx.other.net'] }, false],
    ['not when its MX names the host above', 'mx.example.co.uk', { 'MX served.com': ['example.co.uk'] }, false],
    ['not when it has no MX', 'mx.example.co.uk', {}, false],
    ['not when DNS is silent about its MX', 'mx.example.co.uk', { 'MX served.com': 'trouble' }, false],
    ['while it carries the token', 'mx.example.co.uk', { 'TXT _relay-audit.served.com': [TOKEN] }, true],
    ["not while it carries another's token", 'mx.example.co.uk', { 'TXT _relay-audit.served.com': ['ra1-b'] }, false],
    [
      'while its MX has an address of a host given as one',
      ADDRESS,
      { 'MX served.com': ['mx.other.net'], 'A mx.other.net': [ADDRESS] },
      true,
    ],
    ['not when its MX has another address', ADDRESS, { 'MX served.com': ['mx.other.net'], 'A mx.other.net': ['185.1.1.2'] }, false],
  ])('%s', async (_, name, zone, asked) => {
    expect(await proven(name, zone)).toEqual(asked ? ['served.com'] : []);
  });

  test('each by itself, in the order of its host', async () => {
    const zone: Zone = { 'MX c.com': ['mx.example.co.uk'], 'TXT _relay-audit.a.com': [TOKEN] };
    expect(await proven('mx.example.co.uk', zone, ['c.com', 'b.com', 'a.com'])).toEqual(['c.com', 'a.com']);
  });
});
