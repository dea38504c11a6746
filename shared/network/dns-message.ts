/** Types of records that we ask for or read; RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 4034 §2. */
const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, DNSKEY: 48 } as const;
const TYPE_OPT = 41; // RFC 6891 §6.1.1
const OPTION_EXPLANATION = 15; // RFC 8914 §2
const CLASS_IN = 1;
const HEADER = 12; // bytes; RFC 1035 §4.1.1
const [IS_ANSWER, IS_AUTHORITATIVE, IS_TRUNCATED, RECURSION_DESIRED, CODE] = [0x8000, 0x0400, 0x0200, 0x0100, 0x000f] as const;
const UDP_BYTES = 1_232; // what passes everywhere in one packet
const [LABEL_LIMIT, NAME_LIMIT] = [63, 255] as const; // bytes; RFC 1035 §2.3.4
const POINTER = 0xc0; // RFC 1035 §4.1.4

export type RecordType = keyof typeof TYPES;

export type Question = { readonly type: RecordType; readonly name: string };

/**
 * One record. Names are in lower case, without the dot at the end, with a dot or backslash inside of a label behind a backslash, and what is no
 * printable ASCII as `\DDD` (RFC 1035 §5.1).
 */
export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'NS' | 'CNAME' | 'PTR'; readonly target: string }
  | { readonly type: 'MX'; readonly preference: number; readonly target: string }
  | { readonly type: 'TXT'; readonly strings: readonly string[] }
  | { readonly type: 'SOA'; readonly minimum: number }
  | { readonly type: 'DNSKEY' }
);

/** A message as a server sends it. `explanation` is its own (RFC 8914): a code, and words if it has some. */
export type DnsMessage = {
  readonly code: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly explanation?: { readonly code: number; readonly words: string } | undefined;
};

/** A question as it is sent; undefined when it is none that DNS can carry. Without `recurse` a server answers from its own zones alone. */
export function encodeQuestion(id: number, { type, name }: Question, recurse: boolean, extended = true): Buffer | undefined {
  const asked = encodeName(name);
  if (asked === undefined) return undefined;
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(recurse ? RECURSION_DESIRED : 0, 2);
  header.writeUInt16BE(1, 4); // one question
  header.writeUInt16BE(extended ? 1 : 0, 10); // one record beside it, which says what size we take
  const rest = Buffer.alloc(extended ? 15 : 4);
  rest.writeUInt16BE(TYPES[type], 0);
  rest.writeUInt16BE(CLASS_IN, 2);
  if (extended) {
    rest.writeUInt16BE(TYPE_OPT, 5); // after the root's empty name
    rest.writeUInt16BE(UDP_BYTES, 7);
  }
  return Buffer.concat([header, asked, rest]);
}

/** Reads the answer to this question with this id; undefined when it cannot be read or answers another. */
export function decodeAnswer(bytes: Buffer, id: number, { type, name }: Question): DnsMessage | undefined {
  try {
    return readMessage(bytes, id, encodeName(name), TYPES[type]);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // beyond the end of the message
    throw error;
  }
}

function readMessage(bytes: Buffer, id: number, name: Buffer | undefined, type: number): DnsMessage | undefined {
  const flags = bytes.readUInt16BE(2);
  if (bytes.readUInt16BE(0) !== id || (flags & IS_ANSWER) === 0 || bytes.readUInt16BE(4) !== 1 || name === undefined) return undefined;
  const end = HEADER + name.length;
  if (inLowerCase(bytes.subarray(HEADER, end)) !== inLowerCase(name) || bytes.readUInt16BE(end) !== type) return undefined;
  let at = end + 4;
  const section = (count: number) =>
    Array.from({ length: count }, () => {
      const record = readRecord(bytes, at);
      at = record.end;
      return record;
    });
  const [answers, authority, beside] = [6, 8, 10].map((offset) => section(bytes.readUInt16BE(offset)));
  const known = (records: readonly RawRecord[] = []) => records.flatMap((record) => recordOf(bytes, record) ?? []);
  return {
    code: flags & CODE,
    isAuthoritative: (flags & IS_AUTHORITATIVE) !== 0,
    isTruncated: (flags & IS_TRUNCATED) !== 0,
    answers: known(answers),
    authority: known(authority),
    explanation: beside?.map((record) => explanationIn(bytes, record)).find((each) => each !== undefined),
  };
}

type RawRecord = {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly start: number;
  readonly end: number;
};

function readRecord(bytes: Buffer, at: number): RawRecord {
  const { name, end: fixed } = readName(bytes, at);
  const start = fixed + 10;
  const end = start + bytes.readUInt16BE(fixed + 8);
  if (end > bytes.length) throw new RangeError('a record that is longer than its message');
  return { name, type: bytes.readUInt16BE(fixed), class: bytes.readUInt16BE(fixed + 2), ttl: bytes.readUInt32BE(fixed + 4), start, end };
}

function recordOf(bytes: Buffer, record: RawRecord): DnsRecord | undefined {
  const { name, start, end, class: ofClass } = record;
  const ttl = record.ttl > 0x7fff_ffff ? 0 : record.ttl; // RFC 2181 §8
  if (ofClass !== CLASS_IN) return undefined;
  const target = (at: number) => readName(bytes, at).name;
  switch (record.type) {
    case TYPES.A:
      return { name, ttl, type: 'A', address: ofLength(bytes, record, 4).join('.') };
    case TYPES.AAAA:
      return {
        name,
        ttl,
        type: 'AAAA',
        address: ofLength(bytes, record, 16)
          .toString('hex')
          .replace(/(....)(?!$)/g, '$1:'),
      };
    case TYPES.NS:
      return { name, ttl, type: 'NS', target: target(start) };
    case TYPES.CNAME:
      return { name, ttl, type: 'CNAME', target: target(start) };
    case TYPES.PTR:
      return { name, ttl, type: 'PTR', target: target(start) };
    case TYPES.MX:
      return { name, ttl, type: 'MX', preference: bytes.readUInt16BE(start), target: target(start + 2) };
    case TYPES.TXT:
      return { name, ttl, type: 'TXT', strings: readStrings(bytes, start, end) };
    case TYPES.SOA:
      return { name, ttl, type: 'SOA', minimum: bytes.readUInt32BE(end - 4) };
    case TYPES.DNSKEY:
      return { name, ttl, type: 'DNSKEY' };
    default:
      return undefined;
  }
}

function ofLength(bytes: Buffer, { start, end }: RawRecord, length: number): Buffer {
  if (end - start !== length) throw new RangeError('an address of another length');
  return bytes.subarray(start, end);
}

// At least one string, and none that is longer than its record; RFC 1035 §3.3.14.
function readStrings(bytes: Buffer, start: number, end: number): string[] {
  const strings: string[] = [];
  let at = start;
  do {
    const next = at + 1 + bytes.readUInt8(at);
    if (next > end) throw new RangeError('a string that is longer than its record');
    strings.push(bytes.toString('utf8', at + 1, next));
    at = next;
  } while (at < end);
  return strings;
}

function explanationIn(bytes: Buffer, { type, start, end }: RawRecord): DnsMessage['explanation'] {
  if (type !== TYPE_OPT) return undefined;
  for (let at = start; at + 4 <= end; at += 4 + bytes.readUInt16BE(at + 2)) {
    const length = bytes.readUInt16BE(at + 2);
    if (bytes.readUInt16BE(at) === OPTION_EXPLANATION && length >= 2)
      return { code: bytes.readUInt16BE(at + 4), words: bytes.toString('utf8', at + 6, Math.min(at + 4 + length, end)) };
  }
  return undefined;
}

// A pointer leads back, so that no name goes round in a circle.
function readName(bytes: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let [at, before, length] = [from, from, 1];
  let end: number | undefined;
  for (let size = bytes.readUInt8(at); size !== 0; size = bytes.readUInt8(at)) {
    if ((size & POINTER) === POINTER) {
      end ??= at + 2;
      at = bytes.readUInt16BE(at) & 0x3fff;
      if (at >= before) throw new RangeError('a pointer that does not lead back');
      before = at;
      continue;
    }
    length += size + 1;
    if (size > LABEL_LIMIT || length > NAME_LIMIT) throw new RangeError('a name that is too long');
    if (at + 1 + size > bytes.length) throw new RangeError('a label that is longer than its message');
    labels.push(labelText(bytes.subarray(at + 1, at + 1 + size)));
    at += size + 1;
  }
  return { name: labels.join('.'), end: end ?? at + 1 };
}

function labelText(label: Buffer): string {
  return inLowerCase(label)
    .replace(/[.\\]/g, '\\$&')
    .replace(/[^!-~]/g, (byte) => `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`);
}

// Letters of ASCII alone (RFC 4343 §3).
function inLowerCase(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const PART = /\\(\d{3})|\\(.)|([^.\\])|(\.)/gs;

// The reverse of what a name is read as.
function encodeName(name: string): Buffer | undefined {
  const labels: number[][] = [[]];
  for (const [, decimal, escaped, plain, dot] of name.matchAll(PART)) {
    if (dot !== undefined) labels.push([]);
    else labels.at(-1)?.push(decimal === undefined ? (escaped ?? plain ?? '').charCodeAt(0) : Number(decimal));
  }
  if (labels.some((label) => label.length === 0 || label.length > LABEL_LIMIT || label.some((byte) => byte > 0xff))) return undefined;
  const encoded = Buffer.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
  return encoded.length > NAME_LIMIT ? undefined : encoded;
}
