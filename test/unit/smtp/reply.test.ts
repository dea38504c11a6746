import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { READ_LIMITS, type Reply, type ReplyEvent, ReplyReader, replyLines, replyText } from '../../../shared/smtp/reply.ts';

function read(text: string): ReplyEvent[] {
  return new ReplyReader().feed(text);
}

/** The events as short words: the code of each reply, or the violation. */
function heard(events: readonly ReplyEvent[]): (number | string)[] {
  return events.map((event) => (event.kind === 'reply' ? event.reply.code : event.violation));
}

function onlyReply(text: string): Reply {
  const [event, ...more] = read(text);
  if (event?.kind !== 'reply' || more.length > 0) throw new Error('not one reply');
  return event.reply;
}

describe('a reply', () => {
  test.each([
    ['one line', '250 2.1.5 Ok\r\n', 250, ['2.1.5 Ok']],
    ['a code alone', '250\r\n', 250, ['']],
    ['a code and a space', '250 \r\n', 250, ['']],
    ['several lines', '250-mx.example\r\n250-SIZE 1000\r\n250 HELP\r\n', 250, ['mx.example', 'SIZE 1000', 'HELP']],
    ['an empty continuation', '220-\r\n220 mx\r\n', 220, ['', 'mx']],
    ['a code alone as last line', '250-mx\r\n250\r\n', 250, ['mx', '']],
    ['bare line feeds', '220-mx.example\n220 ESMTP\n', 220, ['mx.example', 'ESMTP']],
    ['a carriage return within', '550 a\rb\r\n', 550, ['a\rb']],
    ['two carriage returns at the end', '550 a\r\r\n', 550, ['a\r']],
    ['a NUL', '550 a\0b\r\n', 550, ['a\0b']],
    ['bytes above ASCII', '550 caf\xe9 \xff\r\n', 550, ['caf\xe9 \xff']],
  ])('%s is read, one character per byte', (_, text, code, lines) => {
    const reply = onlyReply(text);
    expect([reply.code, replyLines(reply)]).toEqual([code, lines]);
  });

  test('keeps its lines as they came', () => {
    expect(onlyReply('250-mx\r\n250 HELP\r\n').raw).toEqual(['250-mx', '250 HELP']);
  });

  test('is one line of text for people', () => {
    expect(replyText(onlyReply('550-5.7.1 Relaying\r\n550 5.7.1 denied\r\n'))).toBe('550 5.7.1 Relaying 5.7.1 denied');
    expect(replyText(onlyReply('250\r\n'))).toBe('250');
  });

  test('is not told before its last line has ended', () => {
    const reader = new ReplyReader();
    expect(reader.feed('250-mx\r\n250 HE')).toEqual([]);
    expect(reader.unfinished()).toEqual(['250-mx', '250 HE']);
    expect(heard(reader.feed('LP\r\n'))).toEqual([250]);
    expect(reader.unfinished()).toEqual([]);
  });

  test('may come with others at once', () => {
    expect(heard(read('220 mx\r\n250-a\r\n250 b\r\n421 bye\r\n'))).toEqual([220, 250, 421]);
  });
});

describe('what is not SMTP', () => {
  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['POP3', '+OK ready\r\n'],
    ['IMAP', '* OK ready\r\n'],
    ['an empty line', '\r\n'],
    ['two codes in one reply', '250-mx\r\n550 no\r\n'],
    ['another continuation’s code', '250-mx\r\n251-x\r\n'],
    ['a line without code within a reply', '250-mx\r\nSIZE\r\n'],
    ['a code of the first class', '150 wait\r\n'],
    ['a code of the sixth class', '650 no\r\n'],
    ['two digits', '25 Ok\r\n'],
    ['four digits', '2500 Ok\r\n'],
    ['a letter behind the code', '250Ok\r\n'],
    ['a tab behind the code', '250\tOk\r\n'],
    ['a space before the code', ' 250 Ok\r\n'],
    ['full-width digits in UTF-8', '\xef\xbc\x92\xef\xbc\x95\xef\xbc\x90 Ok\r\n'],
    ['a NUL before the code', '\x00250 Ok\r\n'],
    ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x0a'],
  ])('%s is told once, and nothing behind it is read', (_, text) => {
    const reader = new ReplyReader();
    expect(heard(reader.feed(`${text}250 Ok\r\n`))).toEqual(['not-smtp']);
    expect(reader.feed('250 Ok\r\n')).toEqual([]);
  });
});

describe('reading is bounded', () => {
  const line = (length: number, code = '250-') => `${code}${'x'.repeat(length - code.length - 2)}\r\n`;

  test('a line of 2 KiB is read, one byte more is not', () => {
    expect(heard(read(`${line(READ_LIMITS.lineBytes + 1, '250 ')}`))).toEqual([250]); // its LF ends the line and is not counted
    expect(heard(read('x'.repeat(READ_LIMITS.lineBytes)))).toEqual([]);
    expect(heard(read('x'.repeat(READ_LIMITS.lineBytes + 1)))).toEqual(['line-too-long']);
  });

  test('a reply of 16 KiB is read, one byte more is not', () => {
    const lines = line(1_024).repeat(15);
    expect(heard(read(lines + line(1_024, '250 ')))).toEqual([250]);
    expect(heard(read(lines + line(1_025, '250 ')))).toEqual(['reply-too-long']);
  });

  test('a session of 64 KiB is read, one byte more is not', () => {
    const replies = line(1_024, '250 ').repeat(64);
    expect(heard(read(replies))).toEqual(Array(64).fill(250));
    expect(heard(read(`${replies}2`)).at(-1)).toBe('session-too-long');
  });

  test('whatever a server sends, no more than a reply and a line is kept, and reading stops within the session’s bytes', () => {
    const chunk = fc.oneof(
      fc.constantFrom('250-x\r\n', '250 Ok\r\n', '\n', line(1_500)),
      fc.string({ maxLength: 50 }),
      fc.nat({ max: 2_100 }).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 80 }), (chunks) => {
        const reader = new ReplyReader();
        let told = 0;
        for (const each of chunks) {
          for (const event of reader.feed(each)) if (event.kind === 'reply') told += event.reply.raw.join('\n').length + 1;
          expect(reader.unfinished().join('').length).toBeLessThanOrEqual(READ_LIMITS.replyBytes + 1);
        }
        expect(told).toBeLessThanOrEqual(READ_LIMITS.sessionBytes);
      }),
      { numRuns: 300 },
    );
  });
});

test('however the bytes are split on their way, the events are the same', () => {
  const piece = fc.oneof(
    fc.constantFrom('220 mx\r\n', '250-mx\r\n', '250 Ok\r\n', '550 5.7.1 no\n', '421 bye\r\n', '\r', '\n', '250-', '\0', 'x', '2'),
    fc.string({ maxLength: 8 }),
    fc.constantFrom(READ_LIMITS.lineBytes - 4, READ_LIMITS.lineBytes).map((length) => `250-${'y'.repeat(length)}\r\n`),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat({ max: 400 }), { maxLength: 30 }), (pieces, cuts) => {
      const all = pieces.join('');
      const whole = new ReplyReader();
      const split = new ReplyReader();
      const expected = whole.feed(all);
      const events: ReplyEvent[] = [];
      let from = 0;
      for (const cut of [...cuts, all.length]) {
        events.push(...split.feed(all.slice(from, from + cut)));
        from += cut;
      }
      expect(events).toEqual(expected);
      expect(split.unfinished()).toEqual(whole.unfinished());
    }),
    { numRuns: 1_500 },
  );
});

test('byte by byte, the events are the same', () => {
  const text = '220-mx.example\r\n220 ESMTP\r\n250 Ok\n550 5.7.1 \xe9\r\nHTTP/1.1 400\r\n';
  const reader = new ReplyReader();
  expect([...text].flatMap((byte) => reader.feed(byte))).toEqual(read(text));
});

test('P7: what was read of a session before TLS counts towards its 64 KiB', () => {
  const clear = new ReplyReader();
  clear.feed('220 mx\r\n'.repeat(1_000));
  const inside = new ReplyReader(clear.sessionBytes);
  const left = READ_LIMITS.sessionBytes - clear.sessionBytes;
  const line = '250 Ok\r\n';
  expect(heard(inside.feed(line.repeat(Math.floor(left / line.length))))).not.toContain('session-too-long');
  expect(heard(inside.feed(line))).toEqual(['session-too-long']);
});
