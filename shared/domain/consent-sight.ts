import { type AddressFacts, type ConsentFacts, isProven, type NoConsent, type Place, type Proof, proofsOf, standingOf } from './consent.ts';
import { type Addition, addressAdditions, nameAddition, standingSentence } from './consent-advice.ts';
import type { HostSettings } from './host.ts';
import { ADDRESSES_LIMIT } from './look-bounds.ts';
import type { Contact, LegEvidence } from './scan.ts';

/** What one place in DNS was seen to say, by the full name of its record. */
export type SeenPlace = { record: string; found: Place['saying'] };

/** One address of a host, where it stands, and what would prove it. */
export type SeenAddress = {
  address: string;
  standing: 'proven' | 'paused' | NoConsent;
  proofs: Proof[];
  explanation: string;
  /** When the pause ends; epoch milliseconds. */
  pausedUntil?: number | undefined;
  reverseZone?: SeenPlace | undefined;
  reverseDns: { name: string; places: SeenPlace[]; leadsBack: boolean | 'trouble' | 'unasked' }[];
  /** Any one of them is enough. */
  add: Addition[];
};

/** All that a look at the consent of a host shows its owner. */
export type ConsentSight = {
  token: string;
  /** Whether both sides speak for every address. */
  complete: boolean;
  /** The side of the name; a host given as an address has none. */
  name?: { proven: boolean; places: SeenPlace[] } | undefined;
  addresses: SeenAddress[];
  /** How many addresses its name has in all, where those are more than a scan audits. */
  addressesFound?: number | undefined;
  /** What the side of the name still needs. */
  add: Addition[];
  servedDomains: { domain: string; used: boolean }[];
  /** Why nothing more can be said. */
  trouble?: string | undefined;
};

/** What is known beside DNS. */
export type Around = {
  readonly token: string;
  readonly pauses: readonly { readonly address: string; readonly until: number }[];
  /** Whether the operator's never-list covers an address of the host. */
  readonly isNever: (address: string) => boolean;
  /** The served domains that are proven. */
  readonly used: readonly string[];
  readonly trouble: string | undefined;
  /** How many addresses the name has in all. */
  readonly addressesFound: number;
};

const NEVER = 'It is proven, but the operator of this service has listed it among what is never probed. Ask them to take it off.';

/** Puts together what an owner sees of the consent of their host. */
export function sightOf({ name, servedDomains }: HostSettings, facts: ConsentFacts, around: Around): ConsentSight {
  const { token, used, trouble, addressesFound } = around;
  // A public suffix is a name that nothing proves, so nothing is gained by leading there.
  const ownName = facts.namePlaces === undefined || facts.namePlaces.length === 0 ? undefined : name;
  const addresses = facts.addresses.map((side) => addressOf(facts, side, around, ownName));
  const operators = facts.addresses.length > 0 && facts.addresses.every((side) => side.operators);
  const missing = operators ? undefined : nameAddition(name, facts, token);
  return {
    token,
    complete: addresses.length > 0 && addresses.every(({ standing }) => standing === 'proven'),
    ...(facts.namePlaces === undefined ? {} : { name: { proven: isProven(facts.namePlaces), places: facts.namePlaces.map(placeOf) } }),
    addresses,
    ...(addressesFound > ADDRESSES_LIMIT ? { addressesFound } : {}),
    add: missing === undefined ? [] : [missing],
    servedDomains: servedDomains.map((domain) => ({ domain, used: operators || used.includes(domain) })),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

function addressOf(facts: ConsentFacts, side: AddressFacts, around: Around, ownName: string | undefined): SeenAddress {
  const { token, pauses, isNever } = around;
  const standing = standingOf(facts, side, token);
  const proven = standing.kind === 'consent';
  const told = proven ? 'proven' : standing.reason;
  // Whether an address is paused, and whether that was lifted, is for those to see who have proven it.
  const pause = proven ? pauses.find(({ address }) => address === side.address.text) : undefined;
  const never = proven && isNever(side.address.text);
  return {
    address: side.address.text,
    standing: never ? 'vetoed' : pause !== undefined ? 'paused' : told,
    proofs: proofsOf(side),
    explanation: never ? NEVER : standingSentence(facts, side, token),
    ...(pause === undefined ? {} : { pausedUntil: pause.until }),
    ...(side.reverseZone === undefined ? {} : { reverseZone: placeOf(side.reverseZone) }),
    reverseDns: side.claims.map(({ name, places, leadsBack }) => ({ name, places: tellable(places, facts).map(placeOf), leadsBack })),
    add: proofsOf(side).length > 0 || side.forbidden !== undefined || told === 'vetoed' ? [] : addressAdditions(side, token, ownName),
  };
}

// Of a look that went beyond its bounds, hundreds of empty places tell nobody what to change.
function tellable(places: readonly Place[], { cut }: ConsentFacts): readonly Place[] {
  return cut === 'questions' ? places.filter(({ saying }) => saying !== 'nothing') : places;
}

function placeOf({ name, saying }: Place): SeenPlace {
  return { record: name, found: saying };
}

const KEPT_OUT: readonly Contact[] = ['unproven', 'vetoed', 'too-many-lookups'];
const REFUSES_ALL: readonly SeenAddress['standing'][] = ['forbidden-address', 'dns-trouble']; // of one address, whatever the others say

/**
 * Whether a scan goes further now than the last one, which ended for what DNS said with these legs: every address is proven, or one
 * that the last scan was kept from.
 */
export function goesFurther(
  { complete, addresses }: { readonly complete: boolean; readonly addresses: readonly Pick<SeenAddress, 'address' | 'standing'>[] },
  legs: readonly LegEvidence[],
): boolean {
  if (complete) return true;
  if (addresses.some(({ standing }) => REFUSES_ALL.includes(standing))) return false;
  const reached = new Set(legs.flatMap(({ address, contact }) => (KEPT_OUT.includes(contact) ? [] : [address])));
  return addresses.some(({ address, standing }) => standing === 'proven' && !reached.has(address));
}
