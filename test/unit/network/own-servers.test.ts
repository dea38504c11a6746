import { describe, expect, test } from 'vitest';
import { type Address, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { standingOf } from '../../../shared/domain/consent.ts';
import { readTarget } from '../../../shared/domain/host-name.ts';
import { type ConsentRules, lookUpConsent } from '../../../shared/network/consent-lookups.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const ADDRESS = read('185.1.1.1');
const REVERSE = '_relay-audit.1.1.1.185.in-addr.arpa';
const PLACE = '_relay-audit.mx.example.org';
const END = '_relay-audit.hoster.example'; // where a CNAME at PLACE leads
const SERVERS = { 'ns1.example.org': '185.2.2.1', 'ns2.example.org': '185.2.2.2' };

function read(text: string): Address {
  return parseAddress(text) ?? expect.fail(text);
}

type World = {
  /** What the resolver knows, by place. */
  readonly resolver?: Readonly<Record<string, string>>;
  /** What each name server says at PLACE: `silent` when it gives no answer, END for a CNAME that leads there, and nothing when there is no record. */
  readonly own?: Readonly<Record<string, string | undefined>>;
  readonly servers?: Readonly<Record<string, string>>;
  readonly isSigned?: boolean;
};

function lookups({ resolver = { [REVERSE]: TOKEN }, own = {}, servers = SERVERS, isSigned = false }: World) {
  const askedAt: string[] = [];
  const found = <T>(...values: T[]): Found<T> =>
    values.length === 0 ? { kind: 'absent', rememberedMs: 86_400_000 } : { kind: 'found', values };
  const all: Lookups = {
    addresses: async () => found(ADDRESS),
    texts: async (name) => (resolver[name] === undefined ? found() : found(resolver[name])),
    names: async () => found(),
    mailServers: async () => found(),
    unsignedServers: async (name) =>
      isSigned || !name.endsWith('example.org')
        ? found()
        : found(...Object.entries(servers).map(([each, at]) => ({ name: each, address: read(at) }))),
    textsAt: async ({ text }, name) => {
      askedAt.push(`${text} ${name}`);
      const said = name === PLACE ? own[text] : undefined;
      if (said === 'silent') return { kind: 'trouble', why: 'no answer' };
      if (said === END) return { kind: 'absent', alias: END };
      return said === undefined ? found() : found(said);
    },
  };
  return { all, askedAt };
}

async function look(world: World, more: Partial<ConsentRules> = {}) {
  const { all, askedAt } = lookups(world);
  const target = readTarget('mx.example.org');
  if (target.kind === 'invalid') throw new Error(target.why);
  const facts = await lookUpConsent(target, [ADDRESS], { token: TOKEN, lookups: all, operatorNetworks: [], ...more });
  const [side] = facts.addresses;
  const standing = standingOf(facts, side ?? expect.fail(), TOKEN);
  return { standing: standing.kind === 'none' ? standing.reason : 'consent', place: facts.namePlaces?.[0], askedAt };
}

const BOTH = (said: string) => ({ '185.2.2.1': said, '185.2.2.2': said });

describe('the own servers of a zone that is not signed', () => {
  test('prove a name at once, while the resolver still remembers that there was no record', async () => {
    expect(await look({ own: BOTH(TOKEN) })).toMatchObject({
      standing: 'consent',
      place: { saying: 'token', servers: [{ server: 'ns1.example.org' }, { server: 'ns2.example.org' }] },
    });
  });

  test('prove nothing while one of them says otherwise, and what each says is told', async () => {
    const { standing, place } = await look({ own: { '185.2.2.1': TOKEN } });
    expect(standing).toBe('no-consent');
    expect(place?.servers).toEqual([
      { server: 'ns1.example.org', saying: 'token' },
      { server: 'ns2.example.org', saying: 'nothing' },
    ]);
  });

  test('prove a name though one of them is silent', async () => {
    expect(await look({ own: { '185.2.2.1': TOKEN, '185.2.2.2': 'silent' } })).toMatchObject({ standing: 'consent' });
  });

  test('prove nothing while all of them are silent', async () => {
    expect(await look({ own: BOTH('silent') })).toMatchObject({ standing: 'no-consent', place: { saying: 'nothing' } });
  });

  test('forbid it though a single one has the veto', async () => {
    expect(await look({ own: { '185.2.2.1': TOKEN, '185.2.2.2': 'deny' } })).toMatchObject({ standing: 'vetoed' });
  });

  test('may lead to a name in a zone of others, which the resolver is asked for', async () => {
    const resolver = (said: string) => ({ [REVERSE]: TOKEN, [END]: said });
    expect(await look({ own: BOTH(END), resolver: resolver(TOKEN) })).toMatchObject({ standing: 'consent', place: { saying: 'token' } });
    expect(await look({ own: BOTH(END), resolver: resolver('deny') })).toMatchObject({ standing: 'vetoed' });
    expect(await look({ own: { '185.2.2.1': END }, resolver: resolver(TOKEN) })).toMatchObject({ standing: 'no-consent' });
    expect(await look({ own: BOTH(END) })).toMatchObject({ standing: 'no-consent', place: { saying: 'nothing' } });
  });

  test('are not asked where the resolver knows the token, but for an owner, who sees what they say', async () => {
    const resolver = { [REVERSE]: TOKEN, [PLACE]: TOKEN };
    expect(await look({ resolver })).toMatchObject({ standing: 'consent', askedAt: [] });
    const owners = await look({ resolver, own: { '185.2.2.1': TOKEN } }, { forItsOwner: true });
    expect(owners.place?.servers?.map(({ saying }) => saying)).toEqual(['token', 'nothing']);
  });

  test('end a proof for an owner as soon as all of them have lost the record', async () => {
    const resolver = { [REVERSE]: TOKEN, [PLACE]: TOKEN };
    expect(await look({ resolver }, { forItsOwner: true })).toMatchObject({ standing: 'no-consent' });
  });
});

test('what the own servers have instead of the token is told as it stands there', async () => {
  const { place } = await look({ own: BOTH(`ra1-${'b'.repeat(24)}`) });
  expect(place).toMatchObject({ saying: 'other', texts: [`ra1-${'b'.repeat(24)}`] });
});

test('a host that is proven has no own server asked, at whichever places its proofs stand', async () => {
  const resolver = { [REVERSE]: TOKEN, '_relay-audit.example.org': TOKEN };
  expect(await look({ resolver })).toMatchObject({ standing: 'consent', askedAt: [] });
});

describe('nothing is sent to a name server', () => {
  test('of a zone that is signed, where only the resolver checks signatures', async () => {
    expect(await look({ isSigned: true, own: BOTH(TOKEN) })).toMatchObject({ standing: 'no-consent', askedAt: [] });
  });

  test.each(['127.0.0.1', '10.0.0.53', '169.254.169.254', 'fe80::1'])('that lies where nobody may send anything: %s', async (at) => {
    expect(await look({ servers: { 'ns1.example.org': at }, own: { [at]: TOKEN } })).toMatchObject({ standing: 'no-consent', askedAt: [] });
  });

  test.each(['ns1.example.org', '185.2.2.1'])('that the never-list covers: %s', async (never) => {
    const { askedAt } = await look({ own: BOTH(TOKEN) }, { isNever: (target) => target === never });
    expect(new Set(askedAt.map((each) => each.split(' ')[0]))).toEqual(new Set(['185.2.2.2']));
  });

  test('that no operator has stated to be theirs, and to those that one has', async () => {
    const network = parseNetwork('10.0.0.0/8') ?? expect.fail();
    const servers = { 'ns1.example.org': '10.0.0.53' };
    expect(await look({ servers, own: { '10.0.0.53': TOKEN } }, { operatorNetworks: [network] })).toMatchObject({ standing: 'consent' });
  });
});
