import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, writeCommand } from '../../../shared/smtp/command.ts';

describe('a command is one line', () => {
  test.each<[Command, string]>([
    [{ verb: 'EHLO', name: 'probe.example' }, 'EHLO probe.example\r\n'],
    [{ verb: 'HELO', name: 'probe.example' }, 'HELO probe.example\r\n'],
    [{ verb: 'MAIL', path: '<>' }, 'MAIL FROM:<>\r\n'],
    [{ verb: 'RCPT', path: '<"a%b@c"@[192.0.2.1]>' }, 'RCPT TO:<"a%b@c"@[192.0.2.1]>\r\n'],
    [{ verb: 'RSET' }, 'RSET\r\n'],
    [{ verb: 'QUIT' }, 'QUIT\r\n'],
    [{ verb: 'HELP' }, 'HELP\r\n'],
    [{ verb: 'DATA' }, 'DATA\r\n'],
    [{ verb: 'STARTTLS' }, 'STARTTLS\r\n'],
    [{ verb: 'XCLIENT', address: '127.0.0.1' }, 'XCLIENT ADDR=127.0.0.1 NAME=localhost\r\n'],
  ])('%j', (command, line) => {
    expect(writeCommand(command)).toBe(line);
  });
});

const withArgument = (argument: string): Command[] => [
  { verb: 'EHLO', name: argument },
  { verb: 'HELO', name: argument },
  { verb: 'MAIL', path: argument },
  { verb: 'RCPT', path: argument },
];

describe('an argument that could smuggle in anything is our defect, and throws', () => {
  test.each([
    ['CR and LF', '<a@b>\r\nDATA'],
    ['CR', '<a@b>\rDATA'],
    ['LF', '<a@b>\nDATA'],
    ['LF at the very end', '<a@b>\n'],
    ['a space', '<a@b> NOTIFY=NEVER'],
    ['a tab', '<a@b>\tX'],
    ['NUL', '<a\0@b>'],
    ['DEL', '<a\x7f@b>'],
    ['a byte above ASCII', '<\xe9@b>'],
    ['a NEL, which some take for a line end', '<a@b>\x85DATA'],
    ['a line separator', '<a@b>\u2028DATA'],
    ['a character whose low byte is LF', '<a@b>\u010aDATA'],
    ['half a surrogate pair', '<\ud83d@b>'],
    ['nothing', ''],
  ])('%s', (_, argument) => {
    for (const command of withArgument(argument)) expect(() => writeCommand(command)).toThrow('not visible ASCII');
  });

  test('a line of 512 octets is written, one of 513 throws', () => {
    for (const command of withArgument('')) {
      const prefix = command.verb === 'MAIL' ? 'MAIL FROM:' : command.verb === 'RCPT' ? 'RCPT TO:' : `${command.verb} `;
      const longest = 'a'.repeat(512 - 2 - prefix.length);
      const write = (argument: string) =>
        writeCommand('path' in command ? { ...command, path: argument } : ({ ...command, name: argument } as Command));
      expect(write(longest)).toHaveLength(512);
      expect(() => write(`${longest}a`)).toThrow('longer than 512');
    }
  });
});

test('whatever the argument, what is written is exactly one line of visible ASCII that ends in CRLF', () => {
  const anyCharacter = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  const argument = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: anyCharacter, maxLength: 20 }),
    fc.constantFrom('\r\n', '\n', '<a@b>\r\n.'),
  );
  fc.assert(
    fc.property(argument, (text) => {
      for (const command of withArgument(text)) {
        let line: string;
        try {
          line = writeCommand(command);
        } catch {
          continue;
        }
        expect(line).toMatch(/^(?:EHLO |HELO |MAIL FROM:|RCPT TO:)[\x21-\x7e]+\r\n$/);
      }
    }),
    { numRuns: 500 },
  );
});
