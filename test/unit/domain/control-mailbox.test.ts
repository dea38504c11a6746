import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { controlAmong, readControlMailbox, whyElsewhere } from '../../../shared/domain/control-mailbox.ts';

describe('a control mailbox is a plain local part at a domain', () => {
  test.each([
    ['office@example.org', 'office@example.org'],
    ['First.Last@Example.ORG', 'First.Last@example.org'],
    ['a@example.org', 'a@example.org'],
    ['relay-check+audit_1.x@example.org', 'relay-check+audit_1.x@example.org'],
    [`${'a'.repeat(64)}@example.org`, `${'a'.repeat(64)}@example.org`],
    [`office@${'a'.repeat(243)}.org`, `office@${'a'.repeat(243)}.org`],
  ])('%s is one, and only its domain is put into lower case', (text, mailbox) => {
    expect(readControlMailbox(text)).toEqual({ kind: 'mailbox', mailbox });
  });

  test.each([
    ['nothing', '', 'must be a mailbox'],
    ['a domain alone', 'example.org', 'must be a mailbox'],
    ['no local part', '@example.org', 'must be a mailbox'],
    ['no domain', 'office@', 'must be a mailbox'],
    ['two domains', 'office@canary.example@example.org', 'must be a mailbox'],
    ['a route', '@example.org:office@example.org', 'must be a mailbox'],
    ['a quoted @', '"office@canary.example"@example.org', 'must be a mailbox'],
    ['65 characters before the @', `${'a'.repeat(65)}@example.org`, 'at most 64 characters before'],
    ['255 characters', `office@${'a'.repeat(244)}.org`, 'at most 254 characters'],
    ['the percent hack', 'office%canary.example@example.org', 'only letters, digits'],
    ['a bang path', 'canary.example!office@example.org', 'only letters, digits'],
    ['a colon', 'canary.example:office@example.org', 'only letters, digits'],
    ['a quotation', '"office"@example.org', 'only letters, digits'],
    ['a backslash', 'office\\@example.org', 'only letters, digits'],
    ['an angle bracket', 'office>@example.org', 'only letters, digits'],
    ['a space', 'the office@example.org', 'only letters, digits'],
    ['CR and LF', 'office\r\nDATA\r\n@example.org', 'only letters, digits'],
    ['a line end after it', 'office\n@example.org', 'only letters, digits'],
    ['a NUL', 'office\0@example.org', 'only letters, digits'],
    ['letters that are not ASCII', 'büro@example.org', 'only letters, digits'],
    ['a dot first', '.office@example.org', 'no dot at its beginning'],
    ['a dot last', 'office.@example.org', 'no dot at its beginning'],
    ['two dots', 'the..office@example.org', 'no dot at its beginning'],
  ])('%s makes none, and is told what to write instead', (_, text, why) => {
    expect(readControlMailbox(text)).toEqual({ kind: 'invalid', why: expect.stringContaining(why) });
  });

  test('whatever is typed, what goes on the wire before the @ is plain, and short enough for any server', () => {
    const near = fc.stringMatching(/^[a-z.%!:"@+_\\ -]{0,80}@[a-z.@-]{0,20}$/);
    const anyCharacter = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: anyCharacter }), near), (text) => {
        const read = readControlMailbox(text);
        return read.kind === 'invalid' || (/^[\w.+-]{1,64}@[^@]+$/.test(read.mailbox) && !/^[^@]*\.\.|^\.|\.@/.test(read.mailbox));
      }),
    );
  });
});

describe('a control mailbox lies at a served domain', () => {
  test.each([
    ['at one of them', 'office@example.net', ['example.org', 'example.net'], undefined],
    ['at none', 'office@victim.example', ['example.org', 'example.net'], '(example.org, example.net): name a mailbox there'],
    ['below one', 'office@sub.example.org', ['example.org'], '(example.org)'],
    ['above one', 'office@example.org', ['sub.example.org'], '(sub.example.org)'],
    ['with one as its end', 'office@myexample.org', ['example.org'], '(example.org)'],
    [
      'of many',
      'office@victim.example',
      ['a.example', 'b.example', 'c.example', 'd.example'],
      '(a.example, b.example, c.example or another)',
    ],
    ['where there are none', 'office@example.org', [], 'has none yet: name its domain'],
  ])('%s', (_, mailbox, domains, why) => {
    expect(whyElsewhere(mailbox, domains)).toEqual(why === undefined ? undefined : expect.stringContaining(why));
    expect(controlAmong(mailbox, domains)).toBe(why === undefined ? mailbox : undefined);
  });

  test('and none is named where there is none', () => expect(controlAmong(undefined, ['example.org'])).toBeUndefined());
});
