import { waysOf } from './address-findings.ts';
import {
  type AddressFacts,
  type ConsentFacts,
  type DomainFacts,
  isProven,
  type NoConsent,
  type Place,
  type Proof,
  proofsOf,
  standingOf,
} from './consent.ts';
import { type ConsentFinding, type Draft, type FindingKind, type Looked, zoneLine } from './consent-finding.ts';
import { findingsOf } from './consent-findings.ts';
import { ADDRESSES_LIMIT } from './look-bounds.ts';
import type { Contact, LegEvidence } from './scan.ts';

/** Something to add that would prove a side: its TXT record, and the other records that this way needs, as a zone file has them. */
export type Addition = {
  side: 'name' | 'address';
  proof: 'name' | 'reverse-zone' | 'reverse-dns';
  record?: string;
  also?: string[];
  what: string;
};

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
  /** What would prove it; any one of them is enough. */
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
  /** What is not as it should be, and the one change that would mend each. */
  findings: ConsentFinding[];
  /** The zone that the host's name is in, as far as its owner can be told what to enter there. */
  zone?: string | undefined;
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
  /** What DNS says of the mail of the served domains. */
  readonly domains: readonly DomainFacts[];
  /** How many addresses the name has in all. */
  readonly addressesFound: number;
};

const NEVER = 'It is proven, but the operator of this service has listed it among what is never probed. Ask them to take it off.';

/** What an owner sees of the consent of their host; `name` is the host's, or its address. */
export function sightOf(name: string, facts: ConsentFacts, around: Around): ConsentSight {
  const { token, domains, addressesFound } = around;
  const looked: Looked = { host: name, token, facts, domains, addressesFound };
  const findings = findingsOf(looked);
  const addresses = facts.addresses.map((side) => addressOf(side, looked, findings, around));
  const operators = facts.addresses.length > 0 && facts.addresses.every((side) => side.operators);
  const trouble = facts.addresses.length === 0 ? findings.find(keepsAddresses(facts)) : undefined;
  return {
    token,
    complete: addresses.length > 0 && addresses.every(({ standing }) => standing === 'proven'),
    ...(facts.namePlaces === undefined ? {} : { name: { proven: isProven(facts.namePlaces), places: facts.namePlaces.map(placeOf) } }),
    addresses,
    ...(addressesFound > ADDRESSES_LIMIT ? { addressesFound } : {}),
    add: findings.filter(({ proves }) => proves === 'name').flatMap(additionOf),
    findings,
    ...(facts.zone === undefined ? {} : { zone: facts.zone }),
    servedDomains: domains.map(({ domain, used }) => ({ domain, used: operators || used })),
    ...(trouble === undefined ? {} : { trouble: trouble.means }),
  };
}

function keepsAddresses({ addressFailure }: ConsentFacts): (finding: ConsentFinding) => boolean {
  const kinds: readonly FindingKind[] = [
    'no-address',
    'too-many-addresses',
    ...(addressFailure === undefined ? [] : (['dns-failure'] as const)),
  ];
  return ({ side, kind }) => side === 'name' && kinds.includes(kind);
}

function addressOf(side: AddressFacts, looked: Looked, findings: readonly ConsentFinding[], around: Around): SeenAddress {
  const { token, pauses, isNever } = around;
  const { facts } = looked;
  const standing = standingOf(facts, side, token);
  const proven = standing.kind === 'consent';
  const told = proven ? 'proven' : standing.reason;
  // Whether an address is paused, and whether that was lifted, is for those to see who have proven it.
  const pause = proven ? pauses.find(({ address }) => address === side.address.text) : undefined;
  const never = proven && isNever(side.address.text);
  const { text } = side.address;
  return {
    address: text,
    standing: never ? 'vetoed' : pause !== undefined ? 'paused' : told,
    proofs: proofsOf(side),
    explanation: never ? NEVER : proven ? PROVEN[standing.consent.proof](text) : whyNone(text, standing.reason, findings, facts),
    ...(pause === undefined ? {} : { pausedUntil: pause.until }),
    ...(side.reverseZone === undefined ? {} : { reverseZone: placeOf(side.reverseZone) }),
    reverseDns: side.claims.map(({ name, places, leadsBack }) => ({ name, places: tellable(places, facts).map(placeOf), leadsBack })),
    add: waysOf(side, looked).flatMap(additionOf),
  };
}

const PROVEN = {
  'operators-network': (address: string) => `${address} lies in a network of the operator.`,
  'reverse-zone': (address: string) => `The reverse zone of ${address} holds your token.`,
  'reverse-dns': (address: string) => `${address} has a name of yours in reverse DNS, which leads back to it.`,
  'being-there': (address: string) => `${address} has itself asked for this scan.`,
} as const;

const DECIDING: Readonly<Record<Exclude<NoConsent, 'no-consent'>, readonly FindingKind[]>> = {
  'forbidden-address': ['forbidden-address'],
  vetoed: ['veto'],
  'too-many-lookups': ['too-many-names', 'too-many-questions'],
  'dns-trouble': ['slow-dns', 'dns-failure', 'servers-disagree'],
};

// What was found that decides; it is about the address, or about the name that it has.
function whyNone(address: string, reason: NoConsent, findings: readonly ConsentFinding[], { namePlaces }: ConsentFacts): string {
  if (reason === 'no-consent')
    return namePlaces !== undefined && !isProven(namePlaces)
      ? `Nothing is sent to ${address}: the name’s side has not been proven.`
      : `Nothing is sent to ${address}: DNS does not show that it is yours.`;
  const deciding = DECIDING[reason];
  const found = findings.filter(({ side, about }) => side === 'name' || about === address);
  return (
    found.find(({ kind }) => deciding.includes(kind))?.means ??
    `DNS did not answer every question about ${address}, so a deny record may have gone unseen. Nothing is sent until it does.`
  );
}

function additionOf({ proves, change: { what, records = [] } }: Draft): Addition[] {
  if (proves === undefined) return [];
  const own = records.find(({ type }) => type === 'TXT');
  const also = records.filter((record) => record !== own).map(zoneLine);
  return [
    {
      side: proves === 'name' ? 'name' : 'address',
      proof: proves,
      ...(own === undefined ? {} : { record: zoneLine(own) }),
      ...(also.length === 0 ? {} : { also }),
      what,
    },
  ];
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
