import { isIP, SocketAddress } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import { readTarget } from '../../../shared/domain/host-name.ts';
import { forbiddenBecause } from '../../../shared/network/target-policy.ts';
import { looseIPv4 } from '../../bench/targets.ts';

const LOOPBACK = 0x7f000001;

describe('a number that some readers take for 127.0.0.1 is no host', () => {
  test.each([
    ['octal', '0177.0.0.1'],
    ['octal throughout', '0177.00.00.01'],
    ['hexadecimal', '0x7f.0x0.0x0.0x1'],
    ['hexadecimal in capitals', '0X7F.0.0.1'],
    ['octal and hexadecimal mixed', '0177.0x0.0.01'],
    ['three numbers', '127.0.1'],
    ['two numbers', '127.1'],
    ['two numbers, one octal', '0177.1'],
    ['two numbers, one hexadecimal', '127.0x1'],
    ['one decimal number', '2130706433'],
    ['one hexadecimal number', '0x7f000001'],
    ['one octal number', '017700000001'],
    ['octal with more zeros', '0000177.0.0.1'],
    ['an empty hexadecimal number for zero', '127.0x.0x.1'],
  ])('%s', (_, text) => {
    expect(looseIPv4(text)).toBe(LOOPBACK);
    expect(readTarget(text).kind).toBe('invalid');
  });
});

describe('a text that becomes an address when somebody tidies it is no host', () => {
  test.each([
    ['a trailing dot', '127.0.0.1.'],
    ['two trailing dots', '127.0.0.1..'],
    ['a leading dot', '.127.0.0.1'],
    ['leading zeros', '127.000.000.001'],
    ['numbers that overflow into 127.0.0.1', '383.256.256.257'],
    ['one number that overflows', '6425673729'],
    ['a space before', ' 127.0.0.1'],
    ['a space behind', '127.0.0.1 '],
    ['a space and a word', '127.0.0.1 example.org'],
    ['a tab', '127.0.0.1\t'],
    ['a line feed', '127.0.0.1\n'],
    ['CR and LF', '127.0.0.1\r\n'],
    ['a vertical tab', '\v127.0.0.1'],
    ['a NUL behind', '127.0.0.1\0'],
    ['a NUL and a name', '127.0.0.1\0.example.org'],
    ['a name, a NUL and an address', 'mail.example.org\x0a7.0.0.1'],
    ['a byte order mark', '\ufeff127.0.0.1'],
    ['a no-break space', '127.0.0.1\u00a0'],
    ['a zero-width space', '127.\u200b0.0.1'],
    ['a zero-width joiner', '127.0\u200d.0.1'],
    ['a soft hyphen', '127\u00ad.0.0.1'],
    ['a right-to-left mark', '\u200f127.0.0.1'],
    ['a combining mark', '127.0.0.1\u0300'],
    ['full-width digits', '１２７.０.０.１'],
    ['full-width throughout', '１２７．０．０．１'],
    ['circled digits', '①②⑦.⓪.⓪.①'],
    ['a circled number of two digits', '⑫7.0.0.1'],
    ['digits in parentheses', '⑴⑵⑺.0.0.1'],
    ['superscripts', '¹²⁷.⁰.⁰.¹'],
    ['subscripts', '₁₂₇.₀.₀.₁'],
    ['mathematical digits', '𝟏𝟐𝟕.𝟎.𝟎.𝟏'],
    ['Arabic-Indic digits', '١٢٧.٠.٠.١'],
    ['extended Arabic-Indic digits', '۱۲۷.۰.۰.۱'],
    ['Devanagari digits', '१२७.०.०.१'],
    ['Roman numeral one', '127.0.0.Ⅰ'],
    ['ideographic full stops', '127。0。0。1'],
    ['full-width full stops', '127．0．0．1'],
    ['half-width ideographic full stops', '127｡0｡0｡1'],
    ['one dot leaders', '127․0․0․1'],
    ['a full stop that is part of a digit', '127.0.0⒈1'],
    ['percent-encoded dots', '127%2e0%2e0%2e1'],
    ['percent-encoded digits', '%31%32%37.0.0.1'],
    ['percent-encoding twice', '%2531%2532%2537.0.0.1'],
    ['percent-encoded full-width digits', '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1'],
    ['a percent-encoded NUL', '127.0.0.1%00.example.org'],
    ['DNS escapes', '127\\0460\\0460\\0461'],
    ['backslashes before dots', '127\\.0\\.0\\.1'],
    ['commas', '127,0,0,1'],
    ['a sign', '+127.0.0.1'],
    ['a minus', '-127.0.0.1'],
    ['digits with underscores', '1_2_7.0.0.1'],
    ['an exponent', '1.27e2.0.0.1'],
    ['binary', '0b1111111.0.0.1'],
    ['an octal prefix', '0o177.0.0.1'],
    ['a BigInt', '127n.0.0.1'],
    ['brackets', '[127.0.0.1]'],
    ['an SMTP literal', '[IPv4:127.0.0.1]'],
    ['a port', '127.0.0.1:25'],
    ['a prefix', '127.0.0.1/32'],
    ['a path', '127.0.0.1/mail.example.org'],
    ['a user', 'mail.example.org@127.0.0.1'],
    ['an address as a user', '127.0.0.1@mail.example.org'],
    ['a fragment', '127.0.0.1#.example.org'],
    ['a query', '127.0.0.1?.example.org'],
    ['a scheme', 'smtp://127.0.0.1'],
    ['a zone on IPv4', '127.0.0.1%lo'],
    ['two addresses', '8.8.8.8,127.0.0.1'],
    ['a list by spaces', '8.8.8.8 127.0.0.1'],
    ['an end in a number', 'mail.example.0'],
    ['an end in a hexadecimal number', 'mail.example.0x7f'],
    ['the name of this machine', 'localhost'],
    ['an empty text', ''],
    ['a dot', '.'],
  ])('%s', (_, text) => {
    expect(readTarget(text).kind).toBe('invalid');
    expect(parseAddress(text)).toBeUndefined();
  });

  test.each([
    ['a zone', 'fe80::1%eth0'],
    ['a numbered zone', 'fe80::1%2'],
    ['an escaped zone', 'fe80::1%25eth0'],
    ['a zone on a public address', '2606:4700::1111%lo'],
    ['an empty zone', '::1%'],
    ['brackets', '[::1]'],
    ['one bracket', '[::1'],
    ['brackets and a port', '[::1]:25'],
    ['an SMTP literal', '[IPv6:::1]'],
    ['the SMTP tag', 'IPv6:::1'],
    ['full-width colons', '：：1'],
    ['full-width digits', '::１'],
    ['letters of another script that look like a to f', 'fе80::1'],
    ['percent-encoded colons', '%3a%3a1'],
    ['five digits', '::00001'],
    ['an octal tail', '::ffff:0177.0.0.1'],
    ['a hexadecimal tail', '::ffff:0x7f.0.0.1'],
    ['a short tail', '::ffff:127.1'],
    ['leading zeros in the tail', '::ffff:127.000.000.001'],
    ['a tail with a trailing dot', '::ffff:127.0.0.1.'],
    ['a tail of full-width digits', '::ffff:１２７.0.0.1'],
    ['a tail in front', '127.0.0.1::'],
    ['a tail in the middle', '::127.0.0.1:0'],
    ['a trailing dot', '::1.'],
    ['a space', '::1 '],
    ['a line feed', '::1\n'],
    ['a NUL', '::1\0'],
    ['a prefix', '::1/128'],
    ['one colon too many', ':::1'],
    ['two shortenings', '0::0::1'],
    ['a shortening of nothing', '0:0:0:0::0:0:0:1'],
    ['nine groups', '0:0:0:0:0:0:0:0:1'],
    ['seven groups', '0:0:0:0:0:0:1'],
    ['an empty group at the end', '0:0:0:0:0:0:1:'],
    ['one hexadecimal number', '0x1'],
    ['base 85', '4)+k&C#VzJ4br>0wv%Yp'],
  ])('IPv6 with %s', (_, text) => {
    expect(readTarget(text).kind).toBe('invalid');
  });
});

describe('an address that carries an IPv4 address is read, as the dialler reads it, and refused', () => {
  test.each([
    ['mapped', '::ffff:127.0.0.1', '::ffff:7f00:1'],
    ['mapped, in groups', '::ffff:7f00:1', '::ffff:7f00:1'],
    ['mapped, in capitals', '::FFFF:7F00:0001', '::ffff:7f00:1'],
    ['mapped, in full', '0000:0000:0000:0000:0000:ffff:127.0.0.1', '::ffff:7f00:1'],
    ['mapped, of a public address', '::ffff:8.8.8.8', '::ffff:808:808'],
    ['compatible', '::127.0.0.1', '::7f00:1'],
    ['compatible, of a public address', '::8.8.8.8', '::808:808'],
    ['translated', '::ffff:0:127.0.0.1', '::ffff:0:7f00:1'],
    ['translated, of a public address', '::ffff:0:8.8.8.8', '::ffff:0:808:808'],
    ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
    ['NAT64 of a public address', '64:ff9b::808:808', '64:ff9b::808:808'],
    ['NAT64, with leading zeros', '0064:ff9b:0:0:0:0:8.8.8.8', '64:ff9b::808:808'],
    ['NAT64 for local use, /96', '64:ff9b:1:ffff:ffff:ffff:8.8.8.8', '64:ff9b:1:ffff:ffff:ffff:808:808'],
    ['NAT64 for local use, /48', '64:ff9b:1:a00:0:100::', '64:ff9b:1:a00:0:100::'],
    ['6to4', '2002:7f00:1::', '2002:7f00:1::'],
    ['6to4 of a public address', '2002:808:808::8', '2002:808:808::8'],
    ['6to4, with a tail', '2002:808:808::127.0.0.1', '2002:808:808::7f00:1'],
    ['Teredo', '2001::80ff:fffe', '2001::80ff:fffe'],
    ['Teredo, in full', '2001:0000:0808:0808:8000:f227:f7f7:f7f7', '2001:0:808:808:8000:f227:f7f7:f7f7'],
    ['ISATAP', '2a00:1450:4001:81b::5efe:127.0.0.1', '2a00:1450:4001:81b:0:5efe:7f00:1'],
    ['ISATAP of an address that is unique', '2a00:1450:4001:81b:200:5efe:8.8.8.8', '2a00:1450:4001:81b:200:5efe:808:808'],
    ['link-local ISATAP', 'fe80::5efe:10.0.0.1', 'fe80::5efe:a00:1'],
    ['loopback', '::1', '::1'],
    ['loopback, in full', '0:0:0:0:0:0:0:1', '::1'],
    ['loopback, by a tail', '::0.0.0.1', '::1'],
    ['unspecified', '::', '::'],
    ['unspecified, by a tail', '::0.0.0.0', '::'],
  ])('%s', (_, text, canonical) => {
    const target = readTarget(text);
    if (target.kind !== 'address') throw new Error(`not an address: ${text}`);
    const { address } = target;
    expect(address.text).toBe(canonical);
    expect(isIP(address.text)).toBe(6);
    const asTheDiallerReads = (each: string) => new SocketAddress({ address: each, family: 'ipv6' }).address;
    expect(asTheDiallerReads(address.text)).toBe(asTheDiallerReads(text));
    expect(forbiddenBecause(address)).toBeDefined();
  });
});
