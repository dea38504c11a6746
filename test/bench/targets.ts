import { BlockList, isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import type { Address } from '../../shared/domain/address.ts';
import { readTarget } from '../../shared/domain/host-name.ts';
import { IPV4_SPECIAL, IPV6_SPECIAL, MULTICAST } from '../../shared/network/iana-special-purpose.ts';
import { forbiddenBecause } from '../../shared/network/target-policy.ts';
import type { Figure } from './figure.ts';

const RUNS = 1_000_000;
const BATCH = 10_000;
const SHOWN = 10; // of what is wrong, the first few are printed

/** A million names and addresses, most of them spelt to deceive: none may lead to a dial that the policy forbids. */
export async function measureTargets(): Promise<Figure[]> {
  const taken = { names: 0, permitted: 0, forbidden: 0 };
  const faults = { dial: 0, refusal: 0 };
  let busyMs = 0;
  for (let batch = 0; batch < RUNS / BATCH; batch++) {
    const texts = fc.sample(hostText, { numRuns: BATCH, seed: batch });
    const began = performance.now();
    for (const text of texts) {
      const target = readTarget(text);
      if (target.kind === 'name') taken.names++;
      else if (target.kind === 'address') taken[forbiddenBecause(target.address) === undefined ? 'permitted' : 'forbidden']++;
    }
    busyMs += performance.now() - began;
    for (const text of texts) {
      const fault = faultOf(text);
      if (fault === undefined) continue;
      faults[fault.kind]++;
      if (faults.dial + faults.refusal <= SHOWN) console.error(`${JSON.stringify(text)}: ${fault.why}`);
    }
  }
  return [
    { what: 'hosts as somebody may type them', value: RUNS, unit: '' },
    { what: 'of these, taken as names', value: taken.names, unit: '' },
    { what: 'taken as addresses that may be dialled', value: taken.permitted, unit: '' },
    { what: 'taken as addresses, and forbidden', value: taken.forbidden, unit: '' },
    { what: 'forbidden dials', value: faults.dial, unit: '', limit: 0 },
    { what: 'refused without need', value: faults.refusal, unit: '', limit: 0 },
    { what: 'names per second', value: RUNS / (busyMs / 1_000), unit: '' },
  ];
}

/** `dial`: something is dialled that must not be, or something else than was checked. `refusal`: nothing forbids what is refused. */
export type Fault = { readonly kind: 'dial' | 'refusal'; readonly why: string };

/** What decides: handed in, so that a test can show that a worse decision would be noticed. */
export type Deciders = { readonly read: typeof readTarget; readonly forbidden: (address: Address) => string | undefined };

const OURS: Deciders = { read: readTarget, forbidden: forbiddenBecause };

/**
 * What is wrong with how a host is taken, by a second opinion that shares no code with the first: Node's own reader of
 * addresses, which the dialler uses, its `BlockList`, and rules on bytes written by hand. Undefined when both agree.
 */
export function faultOf(text: string, { read, forbidden }: Deciders = OURS): Fault | undefined {
  const target = read(text);
  if (target.kind === 'invalid') return undefined;
  if (target.kind === 'name') return faultOfName(target.name);
  const dialled = bytesOf(target.address.text);
  if (dialled === undefined || isIP(target.address.text) !== target.address.family) return wrong('the dialler cannot read its text');
  if (numberOf(dialled) !== target.address.value) return wrong('the dialler reads another address');
  const typed = bytesOf(text);
  if (typed === undefined || numberOf(typed) !== target.address.value) return wrong('what was typed is another address');
  const why = forbidden(target.address);
  const second = isForbidden(dialled) || isListed(target.address);
  if (second === (why !== undefined)) return undefined;
  return second ? wrong('may be dialled, and must not') : { kind: 'refusal', why: `refused: ${why}` };
}

function wrong(why: string): Fault {
  return { kind: 'dial', why };
}

// A name goes to DNS as it is. No reader between us and the answer may take it for an address, or for another name.
function faultOfName(name: string): Fault | undefined {
  if (!/^[a-z0-9.-]{3,253}$/.test(name)) return wrong('taken as a name, and is none');
  if (isIP(name) !== 0 || looseIPv4(name) !== undefined) return wrong('taken as a name, and some read it as an address');
  const url = `http://${name}/`;
  if (!URL.canParse(url) || new URL(url).hostname !== name) return wrong('taken as a name that a URL reads otherwise');
  return undefined;
}

/** An IPv4 address as `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal, the last one filling what is left. */
export function looseIPv4(text: string): number | undefined {
  const parts = text.split('.').map((part) => {
    if (/^0x[0-9a-f]*$/i.test(part)) return Number.parseInt(`0${part.slice(2)}`, 16);
    if (/^0[0-7]+$/.test(part)) return Number.parseInt(part, 8);
    return /^\d+$/.test(part) ? Number(part) : Number.NaN;
  });
  const last = parts.pop();
  if (last === undefined || parts.length > 3 || parts.some((part) => !(part < 256)) || !(last < 256 ** (4 - parts.length)))
    return undefined;
  return parts.reduce((value, part, index) => value + part * 256 ** (3 - index), last);
}

/** The bytes of an address as the operating system reads its text. */
function bytesOf(text: string): number[] | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' });
  if (family === 4) return address.split('.').map(Number);
  const [head = '', tail] = address.split('::');
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  return [...front, ...Array<number>(16 - front.length - back.length).fill(0), ...back];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function numberOf(bytes: readonly number[]): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

// One for each family: a list that holds ::ffff:0:0/96 holds every IPv4 address.
const LISTED = { 4: new BlockList(), 6: new BlockList() };
for (const [block] of [...IPV4_SPECIAL, ...IPV6_SPECIAL, ...MULTICAST]) {
  const [address = '', prefix] = block.split('/');
  if (isIP(address) === 4) LISTED[4].addSubnet(address, Number(prefix), 'ipv4');
  else LISTED[6].addSubnet(address, Number(prefix), 'ipv6');
}

function isListed({ text, family }: Address): boolean {
  return LISTED[family].check(text, family === 4 ? 'ipv4' : 'ipv6');
}

function isForbidden(bytes: readonly number[]): boolean {
  return bytes.length === 4 ? isForbidden4(bytes) : isForbidden6(bytes);
}

function isForbidden4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  if (a === 100) return b >= 64 && b <= 127;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b <= 31;
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  if (a === 203) return b === 0 && c === 113;
  if (a !== 192) return false;
  return b === 168 || ['0.0', '0.2', '31.196', '52.193', '88.99', '175.48'].includes(`${b}.${c}`);
}

function isForbidden6(bytes: readonly number[]): boolean {
  const group = (index: number) => (bytes[2 * index] ?? 0) * 256 + (bytes[2 * index + 1] ?? 0);
  if (group(0) < 0x2000 || group(0) > 0x3fff) return true;
  if (group(0) === 0x2001) if (group(1) < 0x200 || group(1) === 0xdb8) return true;
  if (group(0) === 0x2002) return true;
  if (group(0) === 0x2620 && group(1) === 0x4f && group(2) === 0x8000) return true;
  if (group(0) === 0x3fff && group(1) < 0x1000) return true;
  return (group(4) & 0xfcff) === 0 && group(5) === 0x5efe;
}

// From here on: what people type, and what people who want us to dial something type.

const two = (bits: number) => 2n ** BigInt(bits);
const hexOf = (value: bigint, digits: number) => value.toString(16).padStart(digits, '0');

function rangeOf([block]: readonly [string, ...unknown[]]): { first: bigint; last: bigint } {
  const [address = '', prefix] = block.split('/');
  const bytes = bytesOf(address) ?? [];
  const first = numberOf(bytes);
  return { first, last: first + two(bytes.length * 8 - Number(prefix)) - 1n };
}

/** Numbers of one family: anywhere, within a block of the registries, at its ends, and next to them. */
function numbers(bits: 32 | 128, ranges: readonly { first: bigint; last: bigint }[], more: fc.Arbitrary<bigint>): fc.Arbitrary<bigint> {
  const all = fc.bigInt({ min: 0n, max: two(bits) - 1n });
  const range = fc.constantFrom(...ranges);
  return fc.oneof(
    all,
    more,
    range.chain(({ first, last }) => fc.bigInt({ min: first, max: last })),
    range.chain(({ first, last }) => fc.constantFrom(first, last)),
    range.chain(({ first, last }) => fc.constantFrom(first - 1n, last + 1n)).map((value) => (value + two(bits)) % two(bits)),
  );
}

const four = numbers(32, [...IPV4_SPECIAL, ...MULTICAST.slice(0, 1)].map(rangeOf), fc.constantFrom(0x08080808n, 0xa9fea9fen, 0x7f000001n));

/** Every form that carries an IPv4 address inside IPv6. */
const embedded = fc.tuple(four, fc.bigInt({ min: 0n, max: two(64) - 1n }), fc.nat(7)).map(([v4, rest, form]) => {
  const publicPrefix = (0x2an << 120n) | ((rest & (two(56) - 1n)) << 64n);
  const forms = [
    (0xffffn << 32n) | v4, // mapped
    v4, // compatible
    (0xffffn << 48n) | v4, // translated (RFC 2765)
    (0x64ff9bn << 96n) | v4, // NAT64
    (0x64ff9b0001n << 80n) | ((v4 >> 16n) << 64n) | ((v4 & 0xffffn) << 40n), // NAT64 for local use, the address around octet 8 (RFC 6052)
    (0x2002n << 112n) | (v4 << 80n) | rest, // 6to4
    (0x20010000n << 96n) | ((rest >> 32n) << 64n) | (v4 ^ 0xffffffffn), // Teredo
    publicPrefix | ((rest & 1n) === 1n ? 0x02005efen << 32n : 0x5efen << 32n) | v4, // ISATAP
  ];
  return forms[form] ?? 0n;
});

const six = numbers(
  128,
  [...IPV6_SPECIAL, ...MULTICAST.slice(1)].map(rangeOf),
  fc.oneof(embedded, embedded, fc.bigInt({ min: two(125), max: two(126) - 1n }), fc.constant(0x26064700n << 96n)),
);

const digits = (zero: number) => (text: string) => text.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
const quads = (value: bigint, write: (part: bigint, index: number) => unknown) =>
  [24n, 16n, 8n, 0n].map((shift, index) => write((value >> shift) & 255n, index)).join('.');
const dotted = (value: bigint) => quads(value, (part) => part);
const octal = (value: bigint) => quads(value, (part) => `0${part.toString(8)}`);

const SPELLINGS_4: readonly ((value: bigint) => string)[] = [
  ...Array<typeof dotted>(20).fill(dotted),
  octal,
  (value) => quads(value, (part) => `0x${part.toString(16)}`),
  (value) => quads(value, (part) => String(part).padStart(3, '0')),
  (value) => quads(value, (part, index) => (index % 2 === 0 ? `0X${part.toString(16)}` : part)),
  (value) => quads(value, (part) => part + 256n), // each too large by what a byte drops
  String,
  (value) => `0x${value.toString(16)}`,
  (value) => `0${value.toString(8)}`,
  (value) => `${value >> 24n}.${value & 0xffffffn}`,
  (value) => `${value >> 24n}.${(value >> 16n) & 255n}.${value & 0xffffn}`,
  (value) => `${value >> 24n}.0x${(value & 0xffffffn).toString(16)}`,
  (value) => digits(0xff10)(dotted(value)), // full-width
  (value) => digits(0x660)(dotted(value)), // Arabic-Indic
  (value) => digits(0x1d7ce)(dotted(value)), // mathematical bold
  (value) =>
    dotted(value)
      .replace(/[1-9]/g, (digit) => String.fromCodePoint(0x2460 + Number(digit) - 1))
      .replaceAll('0', '\u24ea'), // circled
  (value) => dotted(value).replaceAll('.', '\u3002'),
  (value) => dotted(value).replaceAll('.', '\uff0e'),
  (value) => dotted(value).replaceAll('.', '\uff61'),
  (value) => dotted(value).replaceAll('.', '%2e'),
  (value) => dotted(value).replace(/\d/g, (digit) => `%3${digit}`),
  (value) => dotted(value).replace('.', '\u00ad.'),
  (value) => dotted(value).replace('.', '.\u200b'),
  (value) => dotted(value).replace(/\d/, '+$&'),
  (value) => `${dotted(value)}.example.org`,
  (value) => `${dotted(value).replaceAll('.', '-')}.example.org`,
];

const groups = (value: bigint) => hexOf(value, 32).match(/.{4}/g) ?? [];
const short = (value: bigint) =>
  groups(value)
    .map((group) => group.replace(/^0{1,3}/, ''))
    .join(':');
const canonical = (value: bigint) => new SocketAddress({ address: short(value), family: 'ipv6' }).address;

const SPELLINGS_6: readonly ((value: bigint) => string)[] = [
  ...Array<typeof canonical>(20).fill(canonical),
  short,
  (value) => groups(value).join(':'),
  (value) => canonical(value).toUpperCase(),
  (value) =>
    `${short(value >> 32n)
      .split(':')
      .slice(2)
      .join(':')}:${dotted(value & 0xffffffffn)}`,
  (value) =>
    `${short(value >> 32n)
      .split(':')
      .slice(2)
      .join(':')}:${octal(value & 0xffffffffn)}`,
  (value) => short(value).replace(/(:|^)0(:0)+(:|$)/, '::'),
  (value) => short(value).replace(':0:', '::'),
  (value) => `${canonical(value)}%eth0`,
  (value) => `${canonical(value)}%25eth0`,
  (value) => `${canonical(value)}%0`,
  (value) => `[${canonical(value)}]`,
  (value) => `[${canonical(value)}]:25`,
  (value) => `IPv6:${canonical(value)}`,
  (value) => canonical(value).replaceAll(':', '%3a'),
  (value) => canonical(value).replaceAll(':', '\uff1a'),
  (value) => digits(0xff10)(canonical(value)),
  (value) => short(value).replace(/^/, '0'),
  (value) => `0x${value.toString(16)}`,
  (value) => `${canonical(value).replaceAll(':', '-')}.ipv6-literal.net`,
];

const label = fc.oneof(
  fc.constantFrom(
    'mail',
    'MX',
    'example',
    'org',
    'xn--mnchen-3ya',
    'xn--a',
    'a--b',
    '127',
    '0',
    '0x7f',
    '0x',
    '08',
    '255',
    '0xg',
    '1e3',
    '-a',
  ),
  fc.string({ unit: fc.constantFrom(...'abcxz019-'), minLength: 1, maxLength: 12 }),
);
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));

const spelt = fc.oneof(
  fc.tuple(four, fc.constantFrom(...SPELLINGS_4)).map(([value, spell]) => spell(value)),
  fc.tuple(six, fc.constantFrom(...SPELLINGS_6)).map(([value, spell]) => spell(value)),
  name,
);

const ODD = [
  ...'.:%-[]/@ \t\r\n\0+_*0x8',
  '\u3002',
  '\uff0e',
  '\u2460',
  '\u00ad',
  '\u212a',
  '\u0130',
  '\u{1d7ce}',
  '%00',
  '%2e',
  '::',
  '..',
];
const touched = fc.tuple(spelt, fc.nat(), fc.nat(2), fc.constantFrom(...ODD)).map(([text, where, cut, put]) => {
  const at = where % (text.length + 1);
  return text.slice(0, at) + put + text.slice(at + cut);
});
const dressed = fc
  .tuple(
    fc.constantFrom('', ' ', '\0', 'root@', '[', '//', '.', '\ufeff'),
    spelt,
    fc.constantFrom('.', ' ', '\0', ':25', ']', '/32', '\n', '\0.example.org', '..'),
  )
  .map((parts) => parts.join(''));

/** A host as an owner, or somebody who is none, may type it. */
export const hostText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: spelt },
  { weight: 2, arbitrary: touched },
  { weight: 1, arbitrary: dressed },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 24 }) },
);
