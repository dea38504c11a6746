import type { Gate } from '../../functions/probe/permit-host.ts';
import { type Address, parseAddress, parseNetwork } from '../../shared/domain/address.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import { type PermittedAddress, permit } from '../../shared/network/target-policy.ts';

/** DNS that knows nothing but the addresses of any name. */
export function lookupsTo(...addresses: readonly string[]): Lookups {
  const values = addresses.flatMap((text) => parseAddress(text) ?? []);
  const absent = async () => ({ kind: 'absent' }) as const;
  return {
    addresses: async () => (values.length === 0 ? { kind: 'absent' } : { kind: 'found', values }),
    texts: absent,
    names: absent,
    mailServers: absent,
  };
}

/** What stands before a probe where nothing but these networks of the operator may be probed. */
export function gateTo(networks: readonly string[], more: Partial<Gate> = {}): Gate {
  return {
    lookups: lookupsTo(),
    lookAgain: () => more.lookups ?? lookupsTo(),
    now: Date.now,
    operatorNetworks: networks.flatMap((text) => parseNetwork(text) ?? []),
    tokenOf: () => undefined,
    isVetoed: () => false,
    pausedAmong: async () => [],
    isThere: async () => false,
    isRegistered: async () => true,
    ...more,
  };
}

/** An address that may be dialled because it is the operator's. */
export function permitted(text: string): PermittedAddress {
  const address: Address | undefined = parseAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return permit(address, { address: address.text, proof: 'operators-network' });
}

/** A turn at any address, at any time. */
export const ANY_TURN = async () => ({ granted: true }) as const;
