import { type Address, contains, type Network } from './address.ts';

/** Live proof that an address may be probed. So far the one proof is the operator's word for networks of their own. */
export type Consent = { readonly kind: 'operators-network' };

/** The consent that stands for this address now, or undefined. */
export function consentFor(address: Address, operatorNetworks: readonly Network[]): Consent | undefined {
  return operatorNetworks.some((network) => contains(network, address)) ? { kind: 'operators-network' } : undefined;
}
