import type { Answer } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permitHost } from '../../../functions/probe/permit-host.ts';
import { readTarget } from '../../../shared/domain/host-name.ts';
import { dnsLookups, type Lookups } from '../../../shared/network/lookups.ts';
import { forbiddenBecause } from '../../../shared/network/target-policy.ts';
import { ANY_TURN, gateTo } from '../../support/gate.ts';
import { sampleHost } from '../../support/samples.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../../support/scripted-dns-server.ts';

const GOOD = ['8.8.8.8', '2606:4700::1111'];
const BAD = [
  '127.0.0.1',
  '10.0.0.1',
  '169.254.169.254',
  '0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
  '::1',
  '::',
  'fe80::1',
  'fd00:ec2::254',
];
const CARRIERS = [
  '::ffff:8.8.8.8',
  '::8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2002:808:808::1',
  '2001:0:808:808::1',
  '2a00:1450:4001:81b:0:5efe:8.8.8.8',
];

const address = (name: string, data: string): Answer => ({ type: data.includes(':') ? 'AAAA' : 'A', name, ttl: 60, data });
const alias = (name: string, data: string): Answer => ({ type: 'CNAME', name, ttl: 60, data });
// A record with more or fewer bytes than an address of its type has.
const misshapen = (name: string, type: 'A' | 'AAAA', bytes: readonly number[]) =>
  ({ type: `UNKNOWN_${type === 'A' ? 1 : 28}`, name, ttl: 60, data: Buffer.from(bytes) }) as never;

function chainOf(name: string, length: number, last: readonly string[]): Saying {
  const names = [name, ...Array.from({ length }, (_, n) => `link${n}.example`)];
  return {
    answers: [...names.slice(1).map((each, n) => alias(names[n] ?? '', each)), ...last.map((each) => address(names.at(-1) ?? '', each))],
  };
}

const ZONE: Record<string, Saying> = {
  'good.example': { answers: GOOD.map((each) => address('good.example', each)) },
  'loop.example': { answers: [alias('loop.example', 'pool.example'), alias('pool.example', 'loop.example')] },
  'itself.example': { answers: [alias('itself.example', 'itself.example')] },
  'broken-loop.example': { rcode: 2 },
  'garbage.example': 'garbage',
  'short.example': { answers: [misshapen('short.example', 'A', [8, 8, 8])] },
  'empty.example': { answers: [misshapen('empty.example', 'A', [])] },
  'short6.example': { answers: [misshapen('short6.example', 'AAAA', [0x26, 6, 0x47])] },
  'four-for-six.example': { answers: [misshapen('four-for-six.example', 'AAAA', [8, 8, 8, 8])] },
  'good-and-short.example': {
    answers: [address('good-and-short.example', '8.8.8.8'), misshapen('good-and-short.example', 'A', [8, 8, 8])],
  },
  'good-name.example': { answers: [address('good-name.example', '8.8.8.8')] },
  'long.example': { answers: [misshapen('long.example', 'A', [127, 0, 0, 1, 8])] },
  // Half of the question is answered, half is not.
  get 'four-only.example'(): Saying {
    return dns.asked.at(-1)?.startsWith('AAAA') ? { rcode: 2 } : { answers: [address('four-only.example', '8.8.8.8')] };
  },
  get 'six-only.example'(): Saying {
    return dns.asked.at(-1)?.startsWith('AAAA') ? { answers: [address('six-only.example', '2606:4700::1111')] } : { rcode: 2 };
  },
  get 'pool-with-bad.example'(): Saying {
    const good = Array.from({ length: 12 }, (_, index) => address('pool-with-bad.example', `8.8.8.${index}`));
    return { answers: dns.asked.at(-1)?.startsWith('AAAA') ? [address('pool-with-bad.example', '::1')] : good };
  },
  'alias-to-bad.example': chainOf('alias-to-bad.example', 1, ['127.0.0.1']),
  'long-alias-to-bad.example': chainOf('long-alias-to-bad.example', 16, ['127.0.0.1']),
  'alias-to-mixed.example': chainOf('alias-to-mixed.example', 3, [...GOOD, 'fe80::1']),
};
for (const [n, text] of [...BAD, ...CARRIERS].entries()) {
  ZONE[`bad${n}.example`] = { answers: [address(`bad${n}.example`, text)] };
  ZONE[`first${n}.example`] = { answers: [text, ...GOOD].map((each) => address(`first${n}.example`, each)) };
  ZONE[`last${n}.example`] = { answers: [...GOOD, text].map((each) => address(`last${n}.example`, each)) };
}

let dns: ScriptedDns;
let lookups: Lookups;
beforeAll(async () => {
  dns = await startScriptedDns(ZONE);
  lookups = dnsLookups([dns.address]);
});
afterAll(() => dns.stop());

/** What becomes of a host by this name, whose account has proven neither name nor address. */
async function standing(name: string): Promise<string> {
  const permission = await permitHost(sampleHost({ name }), [4, 6], ANY_TURN, gateTo([], { lookups }));
  return 'untested' in permission ? permission.untested : 'permitted';
}

describe('a name is as good as the worst of its addresses', () => {
  test.each([...BAD, ...CARRIERS].map((text, n) => [text, n] as const))('with %s it is refused, alone, first or last', async (text, n) => {
    const found = await lookups.addresses(`bad${n}.example`);
    if (found.kind !== 'found') throw new Error(`no address: ${text}`);
    expect(found.values.map(forbiddenBecause)).toEqual([expect.any(String)]);
    expect(await Promise.all(['bad', 'first', 'last'].map((each) => standing(`${each}${n}.example`)))).toEqual(
      Array(3).fill('forbidden-address'),
    );
  });

  test('it is refused in a large pool too, behind more good addresses than are audited', async () => {
    expect(await standing('pool-with-bad.example')).toBe('forbidden-address');
  });

  test('with good addresses only, nothing but consent is missing', async () => {
    expect(await standing('good.example')).toBe('no-consent');
  });
});

describe('an alias hides nothing', () => {
  test.each(['alias-to-bad.example', 'long-alias-to-bad.example', 'alias-to-mixed.example'])('%s is refused', async (name) => {
    expect(await standing(name)).toBe('forbidden-address');
  });

  test.each([
    ['loop.example', 'no-address'],
    ['itself.example', 'no-address'],
    ['broken-loop.example', 'dns-trouble'],
  ])('%s, which leads nowhere, is no address: %s', async (name, reason) => {
    expect(await standing(name)).toBe(reason);
  });
});

test.each(['garbage.example', 'short.example', 'empty.example', 'short6.example', 'four-for-six.example', 'good-and-short.example'])(
  'an answer that cannot be read, as of %s, is trouble, and none of it is used',
  async (name) => {
    expect(await standing(name)).toBe('dns-trouble');
  },
);

test.each(['four-only.example', 'six-only.example'])(
  'addresses of one family hold back none of the other while they are unknown, as of %s',
  async (name) => {
    expect(await standing(name)).toBe(await standing('good-name.example'));
  },
);

test('an address with bytes too many cannot be read', async () => {
  expect(await standing('long.example')).toBe('dns-trouble');
});

describe('a name is asked for as it was read, so that no reader on the way makes another of it', () => {
  test.each([
    '127.0.0.1.example.org',
    '127-0-0-1.example.org',
    '1.0.0.127.in-addr.arpa',
    '2001-db8--1.ipv6-literal.net',
    '0x7f.0.0.1x',
    '127.0.0.1e2',
    'mail.0xyz',
    'xn--1.example',
    'xn--a.example',
    'xn--mnchen-3ya.example',
    'xn--pple-43d.example',
    'ab--cd.example',
    'localhost.example',
    'foo.localhost',
    'localhost.localdomain',
    'MAIL.Example.ORG',
  ])('%s', async (text) => {
    const target = readTarget(text);
    if (target.kind !== 'name') throw new Error(`not a name: ${text}`);
    const before = dns.asked.length;
    await lookups.addresses(target.name);
    await lookups.texts(`_relay-audit.${target.name}`);
    expect(dns.asked.slice(before)).toEqual([
      `A ${text.toLowerCase()}`,
      `AAAA ${text.toLowerCase()}`,
      `TXT _relay-audit.${text.toLowerCase()}`,
    ]);
  });
});
