import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalise, printable } from '../../../shared/domain/transcript.ts';

describe('two sessions that behave the same have the same normalised transcript', () => {
  test.each([
    [
      'the date of a greeting',
      'S: 220 mx ESMTP Sendmail 8.18; Tue, 24 Nov 2026 10:31:00 +0100',
      'S: 220 mx ESMTP Sendmail 8.18; Wed, 25 Nov 2026 11:32:01 +0100',
    ],
    ['a full day name', 'S: 220 mx ready at Tuesday, 24 November 2026', 'S: 220 mx ready at Sunday, 1 March 2026'],
    ['a queue id', 'S: 250 2.0.0 Ok 4Xyz9a1b2c3d', 'S: 250 2.0.0 Ok 5Abc8d7e6f5a'],
    ['an id with hyphens and dots', 'S: 250 OK a1b2c3-d4.e5f6', 'S: 250 OK f6e5d4-c3.b2a1'],
    [
      'a token of ours',
      'C: Message-ID: <ra1-abcdefghabcdefgh-ijklmnopijklmnop@probe.example>',
      'C: Message-ID: <ra1-qrstuvwxqrstuvwx-yzabcdefyzabcdef@probe.example>',
    ],
    ['the date of a message of ours', 'C: Date: Tue, 24 Nov 2026 10:31:00 +0000', 'C: Date: Wed, 25 Nov 2026 11:32:01 +0000'],
    ['a counter', 'S: 250 Ok 1764000000', 'S: 250 Ok 1764003600'],
  ])('%s does not count', (_, one, other) => {
    expect(normalise([one])).toBe(normalise([other]));
  });

  test.each([
    ['another code', 'S: 250 Ok', 'S: 550 Ok'],
    ['another enhanced code', 'S: 554 5.7.1 no', 'S: 554 5.1.1 no'],
    ['other words', 'S: 554 Relay access denied', 'S: 554 Recipient unknown'],
    ['another end', '-- the server closed the connection', '-- no answer before the time-out'],
  ])('%s counts', (_, one, other) => {
    expect(normalise([one])).not.toBe(normalise([other]));
  });

  test('a line more counts', () => {
    expect(normalise(['S: 250 Ok'])).not.toBe(normalise(['S: 250 Ok', 'S: 250 Ok']));
  });

  test('a long hostile line costs no more than a moment of work', () => {
    const lines = ['a-'.repeat(1_000), 'mon '.repeat(500), `${'mon '.repeat(500)}\r`, '1'.repeat(2_000), `${'a'.repeat(1_999)}!`];
    for (const line of lines) expect(normalise([line]).length).toBeLessThanOrEqual(line.length);
  });
});

describe('a text of a server is safe to show', () => {
  test.each([
    ['visible ASCII stays', '250 2.1.5 <a@b> "ok" ~', '250 2.1.5 <a@b> "ok" ~'],
    ['NUL', 'a\0b', 'a\\x00b'],
    ['CR and LF', 'a\r\nb', 'a\\x0d\\x0ab'],
    ['a terminal escape', '\x1b[2J', '\\x1b[2J'],
    ['DEL', '\x7f', '\\x7f'],
    ['a byte above ASCII', '\xe9\xff', '\\xe9\\xff'],
    ['a C1 control', '\x9b', '\\x9b'],
  ])('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test('whatever bytes come, only visible ASCII is shown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(printable(Buffer.from(bytes).toString('latin1'))).toMatch(/^[\x20-\x7e]*$/);
      }),
      { numRuns: 300 },
    );
  });
});

test('a line that a server made long is normalised in a moment', () => {
  for (const part of ['a.', 'aaaaaaaa-', 'mon ', 'mon.', '12345 ', '.', '-a'])
    expect(normalise([part.repeat(300_000)]).length).toBeGreaterThan(0);
});
