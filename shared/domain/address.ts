/** An IPv4 or IPv6 address as a number, with its one canonical spelling (RFC 5952 for IPv6). */
export type Address = { readonly family: 4 | 6; readonly value: bigint; readonly text: string };

/** A block of addresses in CIDR notation (RFC 4632); no host bits are set. */
export type Network = { readonly family: 4 | 6; readonly value: bigint; readonly prefixLength: number };

const BITS = { 4: 32, 6: 128 } as const;

/**
 * Reads one address in its standard spelling: four decimal numbers without leading zeros, or RFC 4291 §2.2 text
 * without a zone. Every other spelling (octal, hexadecimal, short forms, other scripts' digits) gives undefined, because
 * two readers that disagree about a spelling would check one address and dial another.
 */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseIPv4(text);
  if (v4 !== undefined) return { family: 4, value: v4, text };
  const v6 = parseIPv6(text);
  if (v6 !== undefined) return { family: 6, value: v6, text: formatIPv6(v6) };
  return undefined;
}

/** Reads `address/prefix`; undefined when it is malformed or has host bits set. */
export function parseNetwork(text: string): Network | undefined {
  const [addressText = '', prefixText = '', ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return undefined;
  const prefixLength = Number(prefixText);
  if (prefixLength > BITS[address.family]) return undefined;
  const network = { family: address.family, value: address.value, prefixLength };
  const hostBits = BigInt(BITS[address.family] - prefixLength);
  return (address.value >> hostBits) << hostBits === address.value ? network : undefined;
}

/** Whether the address lies in the block; never across families. */
export function contains(network: Network, address: Address): boolean {
  if (network.family !== address.family) return false;
  const hostBits = BigInt(BITS[network.family] - network.prefixLength);
  return address.value >> hostBits === network.value >> hostBits;
}

/** The address as SMTP writes it in a mailbox (RFC 5321 §4.1.3). */
export function addressLiteral(address: Address): string {
  return address.family === 4 ? `[${address.text}]` : `[IPv6:${address.text}]`;
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256n + BigInt(part);
  }
  return value;
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const tail = last?.at(-1);
  if (last !== undefined && tail?.includes('.')) {
    const v4 = parseIPv4(tail);
    if (v4 === undefined) return undefined;
    last.splice(-1, 1, (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16));
  }
  if (groups.flat().some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const [head = [], rest] = groups;
  const missing = 8 - groups.flat().length;
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = rest === undefined ? head : [...head, ...Array<string>(missing).fill('0'), ...rest];
  return all.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

function formatIPv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(16 * (7 - i))) & 0xffffn).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

/**
 * The first private IPv4 address (RFC 1918) in a text, between brackets or parentheses, as servers write their client's; undefined when
 * there is none.
 */
export function privateAddressIn(text: string): string | undefined {
  return /[[(](10\.\d{1,3}\.\d{1,3}\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3})[\])]/.exec(text)?.[1];
}

/** The name under which DNS keeps what belongs to an address: `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa` (RFC 3596 §2.5). */
export function reverseName({ family, value }: Address): string {
  const digits =
    family === 4
      ? Array.from({ length: 4 }, (_, i) => String((value >> BigInt(8 * i)) & 0xffn))
      : Array.from({ length: 32 }, (_, i) => ((value >> BigInt(4 * i)) & 0xfn).toString(16));
  return `${digits.join('.')}.${family === 4 ? 'in-addr' : 'ip6'}.arpa`;
}
