import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, type Network, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { connect } from '../../../shared/network/connect.ts';
import { IPV4_SPECIAL, IPV6_SPECIAL, MULTICAST } from '../../../shared/network/iana-special-purpose.ts';
import { forbiddenBecause, permit, permitOperatorsEndpoint } from '../../../shared/network/target-policy.ts';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`not a network: ${text}`);
  return parsed;
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

/** The address that a number is, written by other means than the code under test. */
function numbered(family: 4 | 6, value: bigint): Address {
  if (family === 4) return address([24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.'));
  return address(Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16)).join(':'));
}

type Range = { readonly family: 4 | 6; readonly first: bigint; readonly last: bigint };

function rangeOf(text: string): Range {
  const { family, value, prefixLength } = network(text);
  return { family, first: value, last: value + 2n ** BigInt((family === 4 ? 32 : 128) - prefixLength) - 1n };
}

const BLOCKS = [...IPV4_SPECIAL, ...IPV6_SPECIAL, ...MULTICAST];
const RANGES = BLOCKS.map(([text]) => rangeOf(text));
const GLOBAL_UNICAST = rangeOf('2000::/3');
const within = ({ family, first, last }: Range, other: 4 | 6, value: bigint) => family === other && value >= first && value <= last;

describe.each(BLOCKS)('%s (%s, %s)', (text, name) => {
  const { family, first, last } = rangeOf(text);

  test.each([
    ['first', first],
    ['middle', (first + last) / 2n],
    ['last', last],
  ])('its %s address is forbidden', (_, value) => {
    expect(forbiddenBecause(numbered(family, value))).toMatch(/is reserved: /);
  });

  test('its neighbours are forbidden only where another rule forbids them', () => {
    for (const value of [first - 1n, last + 1n]) {
      if (value < 0n || value >= 2n ** (family === 4 ? 32n : 128n)) continue;
      const elsewhere = RANGES.some((range) => within(range, family, value)) || (family === 6 && !within(GLOBAL_UNICAST, 6, value));
      expect(forbiddenBecause(numbered(family, value)) !== undefined).toBe(elsewhere);
    }
  });

  test('the reason names a block of the registry', () => {
    expect(forbiddenBecause(numbered(family, last))).toContain('RFC');
    expect(name).not.toBe('');
  });
});

test('the registries are whole: the blocks that matter most are in them', () => {
  const listed = BLOCKS.map(([text]) => text);
  expect(listed).toEqual(
    expect.arrayContaining([
      '0.0.0.0/8',
      '10.0.0.0/8',
      '100.64.0.0/10',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '172.16.0.0/12',
      '192.0.0.0/24',
      '192.168.0.0/16',
      '198.18.0.0/15',
      '224.0.0.0/4',
      '240.0.0.0/4',
      '::1/128',
      '::ffff:0:0/96',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '2001::/23',
      '2002::/16',
      'fc00::/7',
      'fe80::/10',
      'ff00::/8',
    ]),
  );
  expect([IPV4_SPECIAL.length, IPV6_SPECIAL.length, MULTICAST.length]).toEqual([26, 25, 2]);
  expect(new Set(listed).size).toBe(listed.length);
});

test('the registries carry the month they were compared in, and the document says the same one', () => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const month = /registries of (\d{4}-\d{2})/.exec(read('shared/network/iana-special-purpose.ts'))?.[1];
  expect(month).toBeDefined();
  expect(new Set(read('docs/target-policy.md').match(/\d{4}-\d{2}(?!\d)/g))).toEqual(new Set([month]));
});

describe('forms that embed an IPv4 address, and space that nobody uses, are forbidden', () => {
  test.each([
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped public', '::ffff:8.8.8.8'],
    ['IPv4-compatible', '::8.8.8.8'],
    ['NAT64', '64:ff9b::8.8.8.8'],
    ['local NAT64', '64:ff9b:1::808:808'],
    ['local NAT64, the address around octet 8', '64:ff9b:1:808:8:800::'],
    ['IPv4-translated', '::ffff:0:8.8.8.8'],
    ['6to4 of a public address', '2002:808:808::1'],
    ['Teredo, with a public server and client', '2001:0:808:808:0:0:f7f7:f7f7'],
    ['6to4 of loopback', '2002:7f00:1::1'],
    ['Teredo', '2001:0:5ef5:79fb::1'],
    ['ISATAP of a private address', '2a00:1450:4001:81b:0:5efe:10.0.0.1'],
    ['ISATAP of a public address', '2a00:1450:4001:81b:200:5efe:8.8.8.8'],
    ['below 2000::/3', '1fff:ffff::1'],
    ['above 2000::/3', '4000::1'],
    ['site-local', 'fec0::1'],
    ['cloud metadata', '169.254.169.254'],
    ['cloud metadata over IPv6', 'fd00:ec2::254'],
  ])('%s', (_, text) => {
    expect(forbiddenBecause(address(text))).toBeDefined();
  });

  test.each(['8.8.8.8', '1.1.1.1', '223.255.255.255', '2a00:1450:4001:81b::5efe:1', '2606:4700::1111', '2000::', '3ffe:ffff::1'])(
    '%s is not',
    (text) => {
      expect(forbiddenBecause(address(text))).toBeUndefined();
    },
  );

  // What is left of IPv6 once 2000::/3 is taken away.
  test.each(['::/3', '4000::/3', '6000::/3', '8000::/3', 'a000::/3', 'c000::/3', 'e000::/3'])(
    'the first, middle and last address of %s are',
    (text) => {
      const { first, last } = rangeOf(text);
      for (const value of [first, (first + last) / 2n, last]) expect(forbiddenBecause(numbered(6, value))).toBeDefined();
    },
  );

  test('outside 2000::/3 there is not one IPv6 address that may be dialled', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        fc.pre(!within(GLOBAL_UNICAST, 6, value));
        expect(forbiddenBecause(numbered(6, value))).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('nothing is dialled that was not permitted', () => {
  test('no proof but that of the operator’s own networks opens what the policy forbids', () => {
    const consentBy = (text: string, proof: 'operators-network' | 'reverse-zone' | 'reverse-dns') => ({ address: text, proof });
    for (const text of ['127.0.0.1', '10.1.2.3', '::ffff:808:808', '4000::1']) {
      expect(() => permit(address(text), consentBy(text, 'reverse-zone'))).toThrow('may not be dialled');
      expect(() => permit(address(text), consentBy(text, 'reverse-dns'))).toThrow('may not be dialled');
      expect(permit(address(text), consentBy(text, 'operators-network'))).toMatchObject({ text });
    }
  });

  test('consent for one address opens no other, nor the same one in another spelling', () => {
    expect(() => permit(address('8.8.8.8'), { address: '8.8.4.4', proof: 'reverse-zone' })).toThrow('may not be dialled');
    expect(() => permit(address('2606:4700::1111'), { address: '2606:4700:0::1111', proof: 'reverse-dns' })).toThrow('may not be dialled');
  });

  test('what is permitted is the canonical text of the very address that was checked', () => {
    const checked = address('2606:4700:0:0:0:0:0:1111');
    expect(permit(checked, { address: checked.text, proof: 'reverse-zone' })).toMatchObject({ text: '2606:4700::1111', family: 6 });
  });

  test('an address that was not checked is a type error at the door', () => {
    // @ts-expect-error a plain object is no permitted address
    const dialUnchecked = () => connect({ text: '192.0.2.1', family: 4 }, 25, 1, () => false);
    // @ts-expect-error a parsed address is no permitted address either
    const dialParsed = () => connect(address('192.0.2.1'), 25, 1, () => false);
    expect([dialUnchecked, dialParsed]).toHaveLength(2);
  });

  test('an endpoint of the operator’s configuration is permitted when it is an address, and only then', () => {
    expect(permitOperatorsEndpoint('192.0.2.1')).toMatchObject({ text: '192.0.2.1', family: 4 });
    expect(permitOperatorsEndpoint('mail.example.org')).toBeUndefined();
    expect(permitOperatorsEndpoint('999.0.0.1')).toBeUndefined();
  });
});
