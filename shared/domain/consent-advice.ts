import { type Address, reverseName } from './address.ts';
import {
  type AddressFacts,
  type ClaimedName,
  CONSENT_LABEL,
  type ConsentFacts,
  isProven,
  type Place,
  placesOf,
  standingOf,
} from './consent.ts';
import { readName } from './host-name.ts';
import { NAMES_LIMIT, QUESTIONS_LIMIT, REQUEST_LOOK_MS } from './look-bounds.ts';

/** Something to add that would prove a side, and what it proves. */
export type Addition = {
  readonly side: 'name' | 'address';
  readonly proof: 'name' | 'reverse-zone' | 'reverse-dns';
  readonly record?: string | undefined;
  /** The other records that this way needs. */
  readonly also?: string[] | undefined;
  readonly what: string;
};

/** The TXT record that carries a token, as a zone file has it. */
function tokenRecord(name: string, token: string): string {
  return `${CONSENT_LABEL}.${name}. IN TXT "${token}"`;
}

/** What to add so that the name's side speaks; undefined when it does, or when the host has no name. */
export function nameAddition(hostName: string, { namePlaces }: ConsentFacts, token: string): Addition | undefined {
  // Beside a veto a token proves nothing.
  if (namePlaces === undefined || isProven(namePlaces) || namePlaces.some(isDenial)) return undefined;
  const [own] = namePlaces;
  if (own === undefined)
    return {
      side: 'name',
      proof: 'name',
      what: `${hostName} is a public suffix, under which anybody may register: nothing proves it. Register the server by its address.`,
    };
  const above = namePlaces.slice(1).map(({ name }) => name);
  const also = above.length === 0 ? '' : ` A record at ${above.join(' or ')} does as well, and proves every name below it.`;
  return {
    side: 'name',
    proof: 'name',
    record: tokenRecord(hostName, token),
    what: `Add this record where the zone of ${hostName} is kept.${also}`,
  };
}

/**
 * What would make the address's side speak, the easiest first: any one of them is enough. `hostName` is missing where a host is given as an
 * address.
 */
export function addressAdditions(facts: AddressFacts, token: string, hostName?: string): Addition[] {
  const { address, claims } = facts;
  const claim = leastLacking(claims);
  return [
    {
      side: 'address',
      proof: 'reverse-dns',
      ...(claim === undefined ? setReverseDns(address, token, hostName) : mendClaim(address, claim, token, hostName)),
    },
    {
      side: 'address',
      proof: 'reverse-zone',
      record: tokenRecord(reverseName(address), token),
      what: `Or, where the reverse zone of ${address.text} is yours, add this record to it.`,
    },
  ];
}

function leastLacking(claims: readonly ClaimedName[]): ClaimedName | undefined {
  const usable = claims.filter(({ name }) => readName(name).kind === 'name');
  const back = usable.filter(({ leadsBack }) => leadsBack === true);
  const open = usable.filter(({ leadsBack }) => leadsBack !== false);
  return usable.find(({ places }) => isProven(places)) ?? back[0] ?? open[0] ?? usable[0];
}

type Way = Pick<Addition, 'record' | 'also' | 'what'>;

const STAND_IN = 'mail.example.org'; // where no name of the owner's is known

function setReverseDns(address: Address, token: string, hostName: string | undefined): Way {
  const { text } = address;
  if (hostName !== undefined)
    return {
      also: [pointerRecord(address, hostName)],
      what: `Have whoever provides ${text} set its reverse DNS (PTR) to ${hostName}, or to another name that you have proven and that leads back to it.`,
    };
  return {
    record: tokenRecord(STAND_IN, token),
    also: [pointerRecord(address, STAND_IN), addressRecord(STAND_IN, address)],
    what: `Put a name of yours in the place of ${STAND_IN} in these three records; all of them are needed. The first and the last go where that name’s zone is kept. Whoever provides ${text} sets the PTR record, its reverse DNS.`,
  };
}

function mendClaim(address: Address, { name, places, leadsBack }: ClaimedName, token: string, hostName: string | undefined): Way {
  const calls = `${address.text} calls itself ${name} in reverse DNS`;
  const back = leadsBack === false ? { also: [addressRecord(name, address)] } : {};
  if (isProven(places))
    return { ...back, what: `${calls}. You have proven that name, but it does not lead back to the address: add its address record.` };
  // The record of the host's own name is told with the name.
  if (name === hostName)
    return leadsBack === false
      ? { ...back, what: `${calls}, which does not lead back to the address: add its address record too.` }
      : { what: `${calls}. Once that name is proven, nothing more is needed for the address.` };
  const proves = {
    true: 'which leads back to the address. Where that name is yours, this record proves it',
    false: 'which does not lead back to the address. Where that name is yours, these records prove it',
    unasked: 'Where that name is yours and leads back to the address, this record proves it',
    trouble: 'Where that name is yours and leads back to the address, this record proves it',
  }[`${leadsBack}` as const];
  return {
    record: tokenRecord(name, token),
    ...back,
    what: `${calls}${proves.startsWith('which') ? ',' : '.'} ${proves}; otherwise have its reverse DNS changed to a name of yours.`,
  };
}

function pointerRecord(address: Address, name: string): string {
  return `${reverseName(address)}. IN PTR ${name}.`;
}

function addressRecord(name: string, { family, text }: Address): string {
  return `${name}. IN ${family === 4 ? 'A' : 'AAAA'} ${text}`;
}

/** One sentence on where an address stands. */
export function standingSentence(facts: ConsentFacts, side: AddressFacts, token: string): string {
  const { text } = side.address;
  const standing = standingOf(facts, side, token);
  if (standing.kind === 'consent') return PROVEN[standing.consent.proof](text);
  switch (standing.reason) {
    case 'forbidden-address':
      return `${text} may never be probed: ${side.forbidden ?? 'it is reserved'}.`;
    case 'vetoed':
      return `A deny record stands at ${placesOf(facts, side).find(isDenial)?.name}. As long as it does, nothing is sent to ${text}: remove it first if it is yours.`;
    case 'too-many-lookups':
      return tooMany(text, side.namesBeyond ?? 0);
    case 'dns-trouble':
      if (facts.cut === 'time')
        return `DNS took more than ${REQUEST_LOOK_MS / 1_000} seconds to answer our questions about ${text} and its name, so a veto cannot be ruled out. Nothing is sent until it answers faster.`;
      return `DNS did not answer every question about ${text}, so a veto cannot be ruled out. Nothing is sent until it does.`;
    case 'no-consent':
      return isNameMissing(facts)
        ? `Nothing is sent to ${text}: the name's side has not been proven.`
        : `Nothing is sent to ${text}: DNS does not show that it is yours.`;
  }
}

function isDenial({ saying }: Place): boolean {
  return saying === 'deny';
}

function tooMany(address: string, namesBeyond: number): string {
  const why =
    namesBeyond > 0
      ? `Reverse DNS gives ${address} ${NAMES_LIMIT + namesBeyond} names. We ask ${NAMES_LIMIT} names of an address for vetoes`
      : `To look for vetoes would take more than ${QUESTIONS_LIMIT} questions to DNS, and we ask no more for one server`;
  return `${why}, so one may go unseen. Nothing is sent to ${address} until its reverse DNS (PTR) has fewer names, or shorter ones.`;
}

const PROVEN = {
  'operators-network': (address: string) => `${address} lies in a network of the operator.`,
  'reverse-zone': (address: string) => `The reverse zone of ${address} holds your token.`,
  'reverse-dns': (address: string) => `${address} has a name of yours in reverse DNS, which leads back to it.`,
  'being-there': (address: string) => `${address} has itself asked for this scan.`,
} as const;

function isNameMissing({ namePlaces }: ConsentFacts): boolean {
  return namePlaces !== undefined && !isProven(namePlaces);
}
