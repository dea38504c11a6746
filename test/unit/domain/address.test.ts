import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Address,
  addressLiteral,
  contains,
  type Network,
  parseAddress,
  parseNetwork,
  privateAddressIn,
  reverseName,
} from '../../../shared/domain/address.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`not a network: ${text}`);
  return parsed;
}

/** An IPv6 address as eight hexadecimal groups, none left out: the spelling that hides nothing. */
function longForm(value: bigint): string {
  return Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16).padStart(4, '0')).join(':');
}

describe('an IPv4 address is four decimal numbers and nothing else', () => {
  test.each([
    ['0.0.0.0', 0n],
    ['192.0.2.1', 0xc0000201n],
    ['255.255.255.255', 0xffffffffn],
  ])('%s is read', (text, value) => {
    expect(parseAddress(text)).toEqual({ family: 4, value, text });
  });

  test.each([
    ['octal', '0177.0.0.1'],
    ['octal zero', '127.0.0.00'],
    ['hexadecimal', '0x7f.0.0.1'],
    ['one hexadecimal number', '0x7f000001'],
    ['one decimal number', '2130706433'],
    ['two parts', '127.1'],
    ['three parts', '127.0.1'],
    ['five parts', '127.0.0.1.1'],
    ['a number above 255', '127.0.0.256'],
    ['an empty part', '127..0.1'],
    ['a trailing dot', '127.0.0.1.'],
    ['a leading dot', '.127.0.0.1'],
    ['full-width digits', '１２７.0.0.1'],
    ['circled digits', '①②⑦.0.0.1'],
    ['Arabic-Indic digits', '١٢٧.0.0.1'],
    ['ideographic full stops', '127。0。0。1'],
    ['full-width full stops', '127．0．0．1'],
    ['a sign', '+127.0.0.1'],
    ['a space before', ' 127.0.0.1'],
    ['a space behind', '127.0.0.1 '],
    ['a line feed behind', '127.0.0.1\n'],
    ['a NUL behind', '127.0.0.1\0'],
    ['a port', '127.0.0.1:25'],
    ['a prefix', '127.0.0.1/32'],
    ['brackets', '[127.0.0.1]'],
    ['an exponent', '1e2.0.0.1'],
    ['nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('an IPv6 address has one canonical text (RFC 5952)', () => {
  test.each([
    ['leading zeros go', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['digits are lower case', '2001:DB8::ABCD', '2001:db8::abcd'],
    ['the longest run of zeros is shortened', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['the first of two equal runs is shortened', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['one zero group is written', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['one zero group hidden in :: is written', '2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['a run at the start', '0:0:0:0:0:0:0:1', '::1'],
    ['a run at the end', '2001:db8:0:0:0:0:0:0', '2001:db8::'],
    ['all zeros', '0:0:0:0:0:0:0:0', '::'],
    ['a dotted tail becomes groups', '::ffff:192.0.2.1', '::ffff:c000:201'],
    ['the longest spelling', '0000:0000:0000:0000:0000:ffff:255.255.255.255', '::ffff:ffff:ffff'],
  ])('%s', (_, text, canonical) => {
    expect(parseAddress(text)).toMatchObject({ family: 6, text: canonical });
  });

  test.each([
    ['a zone', 'fe80::1%eth0'],
    ['brackets', '[::1]'],
    ['a port', '[::1]:25'],
    ['two shortenings', '2001::1::1'],
    ['three colons', ':::'],
    ['a leading colon', ':1:2:3:4:5:6:7'],
    ['a trailing colon', '1:2:3:4:5:6:7:'],
    ['seven groups', '1:2:3:4:5:6:7'],
    ['nine groups', '1:2:3:4:5:6:7:8:9'],
    ['a shortening of nothing', '1:2:3:4::5:6:7:8'],
    ['five digits', '12345::1'],
    ['no hexadecimal digit', '2001:db8::g'],
    ['dots in front', '1.2.3.4::'],
    ['octal in the dotted tail', '::ffff:0177.0.0.1'],
    ['a short dotted tail', '::ffff:127.1'],
    ['full-width digits', '２001:db8::1'],
    ['a line feed', '::1\n'],
    ['a prefix', '::1/128'],
    ['the SMTP tag', 'IPv6:::1'],
  ])('%s is refused', (_, text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('every address, however spelt, comes out in one spelling that reads back as itself', () => {
    const sparse = fc
      .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n));
    fc.assert(
      fc.property(sparse, (value) => {
        const { text } = address(longForm(value).toUpperCase());
        expect(parseAddress(text)).toEqual({ family: 6, value, text });
        // The URL standard shortens as RFC 5952 does: a second opinion.
        expect(`[${text}]`).toBe(new URL(`http://[${longForm(value)}]/`).hostname);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a network is a block without host bits', () => {
  test.each(['0.0.0.0/0', '10.0.0.0/8', '192.0.2.128/25', '192.0.2.1/32', '::/0', '2000::/3', '2001:db8::/32', '::1/128'])(
    '%s is read',
    (text) => {
      expect(parseNetwork(text)?.prefixLength).toBe(Number(text.split('/')[1]));
    },
  );

  test.each([
    ['host bits set', '10.0.0.1/8'],
    ['one host bit set', '192.0.2.129/25'],
    ['IPv6 host bits set', '2001:db8::1/32'],
    ['host bits under /0', '128.0.0.0/0'],
    ['a prefix too long for IPv4', '10.0.0.0/33'],
    ['a prefix too long for IPv6', '2001:db8::/129'],
    ['a leading zero in the prefix', '10.0.0.0/08'],
    ['an empty prefix', '10.0.0.0/'],
    ['a sign in the prefix', '10.0.0.0/+8'],
    ['a mask for a prefix', '10.0.0.0/255.0.0.0'],
    ['two prefixes', '10.0.0.0/8/8'],
    ['no prefix', '10.0.0.0'],
    ['something before the prefix', '10.0.0.0/x8'],
    ['something behind the prefix', '10.0.0.0/8x'],
    ['nothing', ''],
    ['no address', '/8'],
  ])('%s is refused', (_, text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  test('a block holds its first and last address and neither neighbour', () => {
    const block = network('192.0.2.128/25');
    const holds = (text: string) => contains(block, address(text));
    expect(['192.0.2.127', '192.0.2.128', '192.0.2.255', '192.0.3.0'].map(holds)).toEqual([false, true, true, false]);
  });

  test('a block never holds an address of the other family, whatever its number', () => {
    expect(contains(network('0.0.0.0/0'), address('::7f00:1'))).toBe(false);
    expect(contains(network('::/0'), address('127.0.0.1'))).toBe(false);
  });
});

test('SMTP writes an address in brackets, and tags IPv6 (RFC 5321 §4.1.3)', () => {
  expect(addressLiteral(address('192.0.2.1'))).toBe('[192.0.2.1]');
  expect(addressLiteral(address('2001:DB8::0:1'))).toBe('[IPv6:2001:db8::1]');
});

describe('a private address in what a server says (RFC 1918)', () => {
  test.each([
    ['between brackets', '250 mx.example Hello probe.example [10.1.2.3]', '10.1.2.3'],
    ['between parentheses', '250 Hello (192.168.0.255), nice to meet you', '192.168.0.255'],
    ['the first of several', '250 [172.18.0.1] for [10.0.0.1]', '172.18.0.1'],
    ['at the beginning of its range', '[172.16.0.1]', '172.16.0.1'],
    ['within it', '[172.29.100.200]', '172.29.100.200'],
    ['at the end of it', '[172.31.255.255]', '172.31.255.255'],
    ['of one digit each', '[10.0.0.0]', '10.0.0.0'],
    ['of three digits each', '[192.168.100.100]', '192.168.100.100'],
  ])('%s is found', (_, text, found) => expect(privateAddressIn(text)).toBe(found));

  test.each([
    ['a public one', '[192.0.2.1]'],
    ['one below the range', '[172.15.0.1]'],
    ['one beyond it', '[172.32.0.1]'],
    ['one that merely begins so', '[10.0.0.0.1]'],
    ['one that merely ends so', '[210.0.0.1]'],
    ['one with letters', '[10.a.0.1]'],
    ['one outside of brackets', '10.0.0.1'],
    ['one whose bracket is left open', '[10.0.0.1'],
  ])('%s is none', (_, text) => expect(privateAddressIn(text)).toBeUndefined());
});

test.each([
  ['192.0.2.250', '250.2.0.192.in-addr.arpa'],
  ['2001:db8::a1', `1.a.${'0.'.repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa`],
])('DNS keeps what belongs to %s under %s', (text, name) => expect(reverseName(address(text))).toBe(name));
