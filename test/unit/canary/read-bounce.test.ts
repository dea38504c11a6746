import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBounce } from '../../../functions/canary/read-bounce.ts';
import { BOUNCES, OTHERS } from './bounces.ts';

const TOKEN = 'ra1-abcdefghabcdefgh-ijklmnopijklmnop';

describe('a bounce', () => {
  test.each(Object.entries(BOUNCES))('is known by the message that it quotes. %s', (_, write) => {
    expect(readBounce(write(TOKEN))?.tokens).toEqual([TOKEN]);
  });

  test.each(Object.entries(OTHERS))('is not %s', (_, write) => {
    expect(readBounce(write(TOKEN))).toBeUndefined();
  });

  test.each([
    ['the report', 'Postfix: a report with the whole message', 'mail.example.org'],
    [
      'the report, before the sender of the mail',
      'Microsoft Exchange: a report with a text in HTML, and the headers as a message',
      'EX01.example.org',
    ],
    ['the sender of the mail, where there is no report', 'a text in base64', 'example.org'],
  ])('says who bounced: %s', (_, name, by) => {
    expect(readBounce(BOUNCES[name]?.(TOKEN) ?? '')?.by).toBe(by);
  });

  test('says by its newest hop who bounced, when nothing else does', () => {
    const anonymous = (BOUNCES['a text in base64']?.(TOKEN) ?? '').replace(/^From: .*\r\n/m, '');
    expect(readBounce(anonymous)?.by).toBe('mail.example.org');
  });

  test('names who bounced in a hundred printable characters, whatever it was told', () => {
    const odd = (BOUNCES['Postfix: a report with the whole message']?.(TOKEN) ?? '').replace(
      'dns; mail.example.org',
      `dns; \xff${'y'.repeat(200)}`,
    );
    expect(readBounce(odd)?.by).toBe(`\\xff${'y'.repeat(96)}`);
  });

  test('may be cut off behind the quoted headers', () => {
    const whole = BOUNCES['Postfix: a report with the whole message']?.(TOKEN) ?? '';
    expect(readBounce(whole.slice(0, whole.indexOf('Auto-Submitted: auto-generated')))?.tokens).toEqual([TOKEN]);
  });

  test('of a report that both failed and waits, for two recipients, is one', () => {
    const both = (BOUNCES['Postfix: a report with the whole message']?.(TOKEN) ?? '').replace(
      'Action: failed',
      'Action: delayed\n\nAction: failed',
    );
    expect(readBounce(both)).toBeDefined();
  });
});

describe('whatever a mail says', () => {
  const pieces = fc.constantFrom(
    '\r\n',
    '\r\n\r\n',
    '--b',
    '--b--\r\n',
    'Content-Type: multipart/report; boundary=b\r\n',
    'Content-Type: multipart/mixed; boundary=',
    'Content-Transfer-Encoding: base64\r\n',
    'Content-Transfer-Encoding: quoted-printable\r\n',
    'Message-ID: <',
    'Relay-Audit-Token: ',
    TOKEN,
    '=',
    '> ',
    'Action: failed\r\n',
  );

  test('it is read without a failure, to at most four tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        expect(readBounce(parts.join(''))?.tokens.length ?? 0).toBeLessThanOrEqual(4);
      }),
    );
  });

  test.each([' ', '\t> ', '=', '--b\r\n', '\r\n ', 'Message-ID: ', 'a', 'boundary ', '=\r\n', 'not '])(
    '64 KiB of %j are read in less than a second',
    (piece) => {
      const body = piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536);
      for (const head of [
        'Content-Type: multipart/report; boundary=b\r\n\r\n',
        'Content-Transfer-Encoding: quoted-printable\r\n\r\n',
        '',
        `X: ${body}\r\n\r\n`,
      ]) {
        const began = performance.now();
        readBounce(`${head}${body}\r\nMessage-ID: <${TOKEN}@x>\r\n`);
        expect(performance.now() - began).toBeLessThan(1_000);
      }
    },
  );
});
