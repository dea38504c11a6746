import { type Address, contains, type Network, parseAddress, parseNetwork } from '../domain/address.ts';
import type { Consent } from '../domain/consent.ts';
import { IPV4_SPECIAL, IPV6_SPECIAL, MULTICAST, type SpecialBlock } from './iana-special-purpose.ts';

declare const permitted: unique symbol;

/**
 * An address that may be dialled now: allowed by the target policy and with live consent. Only this file makes one, and
 * only such a value can be dialled, so forgetting the check is a type error.
 */
export type PermittedAddress = {
  readonly text: string;
  readonly family: 4 | 6;
  readonly [permitted]: true;
};

type Block = { readonly network: Network; readonly why: string };

const BLOCKS: readonly Block[] = [...IPV4_SPECIAL, ...IPV6_SPECIAL, ...MULTICAST].map(readBlock);
const GLOBAL_UNICAST = networkOf('2000::/3'); // the only IPv6 space that IANA hands out (RFC 4291 §2.5.4)

/**
 * Permits the address that a consent was given for. The operator's own networks are allowed whatever the registries say:
 * the operator has stated that they are theirs. Throws when the policy forbids the address, or the consent is another's.
 */
export function permit(address: Address, consent: Consent): PermittedAddress {
  const why = consent.proof === 'operators-network' ? undefined : forbiddenBecause(address);
  if (why !== undefined || consent.address !== address.text) throw new Error(`${address.text} may not be dialled: ${why ?? 'no consent'}`);
  return mint(address);
}

/** Permits an endpoint that the operator's configuration names, such as those that show whether our own way out is open. */
export function permitOperatorsEndpoint(text: string): PermittedAddress | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : mint(address);
}

/** Why nothing may ever be sent to this address, or undefined. */
export function forbiddenBecause(address: Address): string | undefined {
  const block = BLOCKS.find(({ network }) => contains(network, address));
  if (block !== undefined) return block.why;
  if (address.family === 4) return undefined;
  if (!contains(GLOBAL_UNICAST, address)) return 'outside 2000::/3, the IPv6 space in use';
  return embedsIPv4(address.value) ? 'embeds an IPv4 address (ISATAP, RFC 5214)' : undefined;
}

// ISATAP interface identifiers: 00-00-5E-FE, whatever the universal and the group bit say, then the IPv4 address. The other embedding forms
// are registry blocks.
function embedsIPv4(value: bigint): boolean {
  const upper = (value >> 32n) & 0xffffffffn;
  return (upper & 0xfcffffffn) === 0x00005efen;
}

function mint({ text, family }: Address): PermittedAddress {
  return { text, family } as PermittedAddress;
}

function readBlock([text, name, source]: SpecialBlock): Block {
  return { network: networkOf(text), why: `${text} is reserved: ${name} (${source})` };
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw new Error(`not a network: ${text}`);
  return network;
}
