import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readName, readNewHost, readTarget } from '../../../shared/domain/host-name.ts';

describe('a host is a full ASCII name or an address in its standard spelling', () => {
  test.each([
    ['mail.example.org', 'mail.example.org'],
    ['MAIL.Example.ORG', 'mail.example.org'],
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['1.example', '1.example'],
    ['a-b.c--d.example', 'a-b.c--d.example'],
    ['mail.0xyz', 'mail.0xyz'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%s is a name', (text, name) => {
    expect(readTarget(text)).toEqual({ kind: 'name', name });
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
  ])('%s is an address', (text, canonical) => {
    expect(readTarget(text)).toMatchObject({ kind: 'address', address: { text: canonical } });
  });

  test.each([
    ['an international name', 'münchen.example', 'xn--'],
    ['full-width letters', 'ｍail.example.org', 'xn--'],
    ['an ideographic full stop', 'mail。example.org', 'xn--'],
    ['circled digits', '①②⑦.0.0.1', 'xn--'],
    ['full-width digits', '１２７.0.0.1', 'xn--'],
    ['a soft hyphen', 'mail\u00ad.example.org', 'xn--'],
    ['a letter that lower-cases into ASCII (Kelvin sign)', 'mail.\u212aexample.org', 'xn--'],
    ['a NUL', 'mail.example.org\0', 'control'],
    ['CR and LF', 'mail.example.org\r\nDATA', 'control'],
    ['a trailing dot', 'mail.example.org.', 'dot'],
    ['one label', 'localhost', 'full name'],
    ['nothing', '', 'full name'],
    ['one decimal number', '2130706433', 'full name'],
    ['one hexadecimal number', '0x7f000001', 'full name'],
    ['octal', '0177.0.0.1', 'four decimal numbers'],
    ['hexadecimal', '0x7f.0.0.0x1', 'four decimal numbers'],
    ['an empty hexadecimal number', '127.0.0.0x', 'four decimal numbers'],
    ['a short form', '127.1', 'four decimal numbers'],
    ['five numbers', '1.2.3.4.5', 'four decimal numbers'],
    ['a name that ends in a number', 'mail.example.25', 'four decimal numbers'],
    ['a port', 'mail.example.org:25', 'ports'],
    ['an address with a port', '192.0.2.1:25', 'ports'],
    ['a zone', 'fe80::1%eth0', 'ports'],
    ['brackets', '[192.0.2.1]', 'labels'],
    ['an empty label', 'mail..example.org', 'labels'],
    ['a leading dot', '.example.org', 'labels'],
    ['a leading hyphen', '-mail.example.org', 'labels'],
    ['a trailing hyphen', 'mail-.example.org', 'labels'],
    ['an underscore', '_relay-audit.example.org', 'labels'],
    ['a space', 'mail example.org', 'labels'],
    ['a user part', 'root@mail.example.org', 'labels'],
    ['a path', 'mail.example.org/x', 'labels'],
    ['a wildcard', '*.example.org', 'labels'],
    ['a label of 64 letters', `${'a'.repeat(64)}.example`, 'labels'],
    ['254 characters', `${'a.'.repeat(123)}examples`, '253'],
  ])('%s is refused, and the sentence says what to write', (_, text, hint) => {
    const target = readTarget(text);
    expect(target).toMatchObject({ kind: 'invalid', why: expect.stringContaining(hint) });
  });

  test('a host that is registered has room for its record of consent; one that was registered before is still read', () => {
    const provable = `${'a.'.repeat(116)}examples`;
    expect(`_relay-audit.${provable}`).toHaveLength(253);
    expect(readNewHost(provable)).toEqual({ kind: 'name', name: provable });
    expect(readNewHost(`${provable}x`)).toMatchObject({
      kind: 'invalid',
      why: expect.stringMatching(/at most 240 characters.*_relay-audit/),
    });
    expect(readTarget(`${provable}x`)).toMatchObject({ kind: 'name' });
    expect(readNewHost('192.0.2.1')).toMatchObject({ kind: 'address' });
  });

  test('253 characters are the longest name', () => {
    const longest = `${'a.'.repeat(123)}example`;
    expect(longest).toHaveLength(253);
    expect(readName(longest)).toEqual({ kind: 'name', name: longest });
  });

  test('a served domain is a name, never an address', () => {
    expect(readName('192.0.2.1').kind).toBe('invalid');
    expect(readName('::1').kind).toBe('invalid');
  });

  test('whatever is typed, a name that is taken holds lower-case letters, digits, hyphens and single dots only', () => {
    const piece = fc.oneof(fc.constantFrom('mail', 'example', '127', '0x1', '.', '-', ':', '%', '\r', '\n', '@', '。', '７'), fc.string());
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const target = readTarget(pieces.join(''));
        if (target.kind === 'name') expect(target.name).toMatch(/^([a-z0-9-]+\.)+(?!\d+$)[a-z0-9-]+$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
