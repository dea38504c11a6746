import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, type Network, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { connect } from '../../../shared/network/connect.ts';
import { IPV4_SPECIAL, IPV6_SPECIAL, MULTICAST } from '../../../shared/network/iana-special-purpose.ts';
import { decide, forbiddenBecause, permitOperatorsEndpoint } from '../../../shared/network/target-policy.ts';

const LOOPBACK = network('127.0.0.0/8');

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

describe('forms that embed an IPv4 address, and space that nobody uses, are forbidden', () => {
  test.each([
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped public', '::ffff:8.8.8.8'],
    ['IPv4-compatible', '::8.8.8.8'],
    ['NAT64', '64:ff9b::8.8.8.8'],
    ['local NAT64', '64:ff9b:1::808:808'],
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
    expect(decide(address(text), [])).toMatchObject({ kind: 'forbidden' });
  });

  test.each(['8.8.8.8', '1.1.1.1', '223.255.255.255', '2a00:1450:4001:81b::5efe:1', '2606:4700::1111', '2000::', '3ffe:ffff::1'])(
    '%s is not',
    (text) => {
      expect(forbiddenBecause(address(text))).toBeUndefined();
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

describe('nothing is dialled without consent', () => {
  test('an address that no policy forbids has no consent by itself', () => {
    expect(decide(address('8.8.8.8'), [])).toEqual({ kind: 'no-consent' });
    expect(decide(address('8.8.8.8'), [LOOPBACK])).toEqual({ kind: 'no-consent' });
  });

  test('the operator’s own networks are the exception, to consent and to the registries', () => {
    expect(decide(address('127.0.0.1'), [LOOPBACK])).toEqual({ kind: 'permitted', address: { text: '127.0.0.1', family: 4 } });
    expect(decide(address('10.1.2.3'), [LOOPBACK, network('10.0.0.0/8')])).toMatchObject({ kind: 'permitted' });
  });

  test('they are no exception for their neighbours, nor for the same number in the other family', () => {
    expect(decide(address('10.0.1.0'), [network('10.0.0.0/24')])).toMatchObject({ kind: 'forbidden' });
    expect(decide(address('::7f00:1'), [LOOPBACK])).toMatchObject({ kind: 'forbidden' });
    expect(decide(address('::ffff:127.0.0.1'), [LOOPBACK])).toMatchObject({ kind: 'forbidden' });
  });

  test('what is permitted is the canonical text of the very address that was checked', () => {
    const decision = decide(address('2001:DB8:0:0:0:0:0:1'), [network('2001:db8::/32')]);
    expect(decision).toEqual({ kind: 'permitted', address: { text: '2001:db8::1', family: 6 } });
  });

  test('an address that was not checked is a type error at the door', () => {
    // @ts-expect-error a plain object is no permitted address
    const dialUnchecked = () => connect({ text: '192.0.2.1', family: 4 }, 25, 1);
    // @ts-expect-error a parsed address is no permitted address either
    const dialParsed = () => connect(address('192.0.2.1'), 25, 1);
    expect([dialUnchecked, dialParsed]).toHaveLength(2);
  });

  test('an endpoint of the operator’s configuration is permitted when it is an address, and only then', () => {
    expect(permitOperatorsEndpoint('192.0.2.1')).toEqual({ text: '192.0.2.1', family: 4 });
    expect(permitOperatorsEndpoint('mail.example.org')).toBeUndefined();
    expect(permitOperatorsEndpoint('999.0.0.1')).toBeUndefined();
  });
});
