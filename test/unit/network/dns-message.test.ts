import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAnswer, encodeQuestion, type Question } from '../../../shared/network/dns-message.ts';

const ASKED: Question = { type: 'TXT', name: '_relay-audit.mx.example.org' };

/** What a server answers to ASKED, as a library of others writes it. */
function answer(answers: readonly Answer[], more: object = {}): Buffer {
  return encode({ type: 'response', id: 7, flags: 0x0180, questions: [ASKED], answers: [...answers], ...more });
}

function read(bytes: Buffer) {
  return decodeAnswer(bytes, 7, ASKED);
}

describe('an answer', () => {
  test('is read with every type of record that we use', () => {
    const name = 'it.example';
    const message = read(
      answer([
        { type: 'A', name, ttl: 60, data: '192.0.2.1' },
        { type: 'AAAA', name, ttl: 61, data: '2001:db8::1' },
        { type: 'CNAME', name, ttl: 62, data: 'Other.Example' },
        { type: 'PTR', name, ttl: 63, data: 'mx.example' },
        { type: 'NS', name, ttl: 64, data: 'ns.example' },
        { type: 'MX', name, ttl: 65, data: { preference: 10, exchange: 'mx.example' } },
        { type: 'TXT', name, ttl: 66, data: ['ra1-abc', 'def'] },
        {
          type: 'SOA',
          name,
          ttl: 67,
          data: { mname: 'ns.example', rname: 'me.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 86_400 },
        },
      ]),
    );
    expect(message?.answers).toEqual([
      { type: 'A', name, ttl: 60, address: '192.0.2.1' },
      { type: 'AAAA', name, ttl: 61, address: '2001:0db8:0000:0000:0000:0000:0000:0001' },
      { type: 'CNAME', name, ttl: 62, target: 'other.example' },
      { type: 'PTR', name, ttl: 63, target: 'mx.example' },
      { type: 'NS', name, ttl: 64, target: 'ns.example' },
      { type: 'MX', name, ttl: 65, preference: 10, target: 'mx.example' },
      { type: 'TXT', name, ttl: 66, strings: ['ra1-abc', 'def'] },
      { type: 'SOA', name, ttl: 67, minimum: 86_400 },
    ]);
  });

  test('is read with the words that a resolver has for its failure (RFC 8914)', () => {
    const additionals = [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        flags: 0,
        options: [{ code: 15, data: Buffer.concat([Buffer.of(0, 6), Buffer.from('bad signature')]) }],
      },
    ];
    expect(read(answer([], { flags: 0x0182, additionals }))).toMatchObject({ code: 2, explanation: { code: 6, words: 'bad signature' } });
  });

  test.each<[string, Buffer]>([
    ['with another id', encode({ type: 'response', id: 8, questions: [ASKED] })],
    ['to another name', encode({ type: 'response', id: 7, questions: [{ ...ASKED, name: 'mx.example.org' }] })],
    ['to another type', encode({ type: 'response', id: 7, questions: [{ ...ASKED, type: 'A' }] })],
    ['to nothing', encode({ type: 'response', id: 7, questions: [] })],
    ['that is a question', encode({ type: 'query', id: 7, questions: [ASKED] })],
  ])('%s is none to ours', (_, bytes) => {
    expect(read(bytes)).toBeUndefined();
  });

  test('that is cut short or changed anywhere is read or is not, and never hangs or throws', () => {
    const whole = answer([
      { type: 'TXT', name: ASKED.name, ttl: 60, data: ['one', 'two'] },
      { type: 'MX', name: 'example.org', ttl: 60, data: { preference: 10, exchange: 'mx.example.org' } },
    ]);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (length, changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        read(bytes.subarray(0, length));
      }),
    );
  });

  test('whose name goes round in a circle is not read', () => {
    const bytes = answer([{ type: 'PTR', name: 'example.org', ttl: 60, data: 'mx.example.org' }]);
    const end = bytes.length - 2;
    bytes.writeUInt16BE(0xc000 | end, end);
    expect(read(bytes)).toBeUndefined();
  });
});

describe('a name', () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 20 });

  test('of any bytes is asked for as it was read', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
        const wire = Buffer.concat([...labels.flatMap((each) => [Buffer.of(each.length), Buffer.from(each)]), Buffer.of(0)]);
        const head = encodeQuestion(7, ASKED, true, false) ?? expect.fail();
        head.writeUInt16BE(0x8180, 2);
        head.writeUInt16BE(1, 6);
        const record = Buffer.alloc(10);
        record.writeUInt16BE(12, 0); // PTR
        record.writeUInt16BE(1, 2);
        record.writeUInt16BE(wire.length, 8);
        const [found] = read(Buffer.concat([head, Buffer.of(0), record, wire]))?.answers ?? [];
        const target = found !== undefined && 'target' in found ? found.target : expect.fail();
        const asked = encodeQuestion(7, { type: 'PTR', name: target }, true, false);
        expect(asked?.subarray(12, -4).toString('latin1')).toBe(wire.toString('latin1').replace(/[A-Z]/g, (each) => each.toLowerCase()));
      }),
    );
  });

  test.each(['', 'a..b', '.a', `${'a'.repeat(64)}.b`, `${'a.'.repeat(127)}ab`])(
    'that no message can carry is not asked for: %s',
    (name) => {
      expect(encodeQuestion(7, { type: 'A', name }, true)).toBeUndefined();
    },
  );
});
