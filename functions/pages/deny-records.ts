import type { Address } from '../../shared/domain/address.ts';
import { type AddressFacts, CONSENT_LABEL, type Place } from '../../shared/domain/consent.ts';
import { readName, type Target } from '../../shared/domain/host-name.ts';
import { lookUpConsent } from '../../shared/network/consent-lookups.ts';
import type { Look } from '../../shared/network/look.ts';
import type { Lookups } from '../../shared/network/lookups.ts';

/** Whether a deny record speaks for an address, and the names at which one would. */
export type AddressDenial = { readonly address: Address; readonly denied: boolean; readonly places: readonly string[] };

/** What deny records say of a target: of the name that it is given by, and of each address. */
export type Denials = { readonly nameDenied: boolean; readonly addresses: readonly AddressDenial[] };

/**
 * Looks for deny records. A record at a name speaks for the hosts that are registered under this name, and for an address
 * only if the address's reverse DNS is a name that it covers and that leads back: else whoever owns any domain could point it
 * at a stranger's server and have that never audited again. What lies beyond the look is no proof.
 */
export async function lookUpDenials(target: Target, addresses: readonly Address[], { lookups }: Look): Promise<Denials> {
  // By the resolver alone: a stranger has no name server of others asked.
  const asked = { ...lookups, unsignedServers: undefined };
  const facts = await lookUpConsent(target, addresses, { token: undefined, operatorNetworks: [], lookups: asked });
  const sides = facts.addresses.map((side) => addressDenial(side, lookups));
  return { nameDenied: (facts.namePlaces ?? []).some(denies), addresses: await Promise.all(sides) };
}

async function addressDenial(side: AddressFacts, lookups: Lookups): Promise<AddressDenial> {
  const { address } = side;
  // Nothing about it is in public DNS, so nothing can be proven there.
  if (side.forbidden !== undefined) return { address, denied: false, places: [] };
  const claims = side.claims.filter(({ name }) => readName(name).kind === 'name');
  const leading = await Promise.all(claims.map(({ name }) => leadsTo(name, address, lookups)));
  const own = claims.filter((_, index) => leading[index]);
  const reverse = [side.reverseZone, side.delegated].filter((place) => place !== undefined);
  return {
    address,
    denied: reverse.some(denies) || own.some(({ places }) => places.some(denies)),
    places: [...reverse.map(({ name }) => name), ...own.map(({ name }) => `${CONSENT_LABEL}.${name}`)],
  };
}

async function leadsTo(name: string, address: Address, lookups: Lookups): Promise<boolean> {
  const found = await lookups.addresses(name);
  return found.kind === 'found' && found.values.some(({ text }) => text === address.text);
}

function denies({ saying }: Place): boolean {
  return saying === 'deny';
}
