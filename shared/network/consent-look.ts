import type { Address } from '../domain/address.ts';
import type { ConsentFacts, DnsFailure, DomainFacts } from '../domain/consent.ts';
import { readTarget } from '../domain/host-name.ts';
import { ADDRESSES_LIMIT, POOL_LIMIT } from '../domain/look-bounds.ts';
import { type ConsentRules, lookUpConsent, lookUpDomains } from './consent-lookups.ts';
import type { Found } from './lookups.ts';
import { forbiddenBecause } from './target-policy.ts';

/** What a look at the consent of one host has seen. */
export type ConsentSeen = {
  readonly facts: ConsentFacts;
  /** How many addresses its name has in all. */
  readonly addressesFound: number;
  readonly domains: readonly DomainFacts[];
};

/** Asks DNS all that its owner is told of the consent of a host: its name’s side, the addresses that a scan would audit, its served domains. */
export async function seeConsent(name: string, servedDomains: readonly string[], rules: ConsentRules): Promise<ConsentSeen> {
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const found =
    target.kind === 'address' ? ({ kind: 'found', values: [target.address] } as const) : await rules.lookups.addresses(target.name);
  const all = found.kind === 'found' ? found.values : [];
  const addresses = all.length > POOL_LIMIT ? [] : lookedAt(all);
  const owners = { ...rules, forItsOwner: true };
  const facts = await lookUpConsent(target, addresses, owners);
  const domains = await lookUpDomains(servedDomains, target, all, owners); // with what the look has left
  const addressFailure = found.kind === 'absent' ? undefined : (found.failure ?? silence(name, found));
  const addressesRememberedMs = found.kind === 'absent' ? found.rememberedMs : undefined;
  return { facts: { ...facts, addressFailure, addressesRememberedMs }, addressesFound: all.length, domains };
}

function silence(name: string, found: Found<Address>): DnsFailure | undefined {
  return found.kind === 'trouble' ? { type: 'A', name, said: found.why } : undefined;
}

// Those that a scan would audit, and those beside that keep it from auditing any.
function lookedAt(addresses: readonly Address[]): readonly Address[] {
  const forbidden = addresses.slice(ADDRESSES_LIMIT).filter((address) => forbiddenBecause(address) !== undefined);
  return [...addresses.slice(0, ADDRESSES_LIMIT), ...forbidden.slice(0, ADDRESSES_LIMIT)];
}
