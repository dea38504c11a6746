import { type Address, contains, type Network } from './address.ts';
import { meantValue } from './consent-text.ts';
import type { Reason } from './reason.ts';

/** Ways in which an address's side speaks for an account. None of them needs a packet to the address. */
export const PROOFS = ['operators-network', 'reverse-zone', 'reverse-dns'] as const;

export type Proof = (typeof PROOFS)[number];

/** Live consent to send packets to one address. `being-there`: the address itself has asked for this one scan. */
export type Consent = { readonly address: string; readonly proof: Proof | 'being-there' };

/**
 * What one place in DNS says to an account: its token, a veto, something else, nothing; `trouble`: DNS did not answer; `unasked`: the look
 * was over its bounds.
 */
export type Saying = 'token' | 'deny' | 'other' | 'nothing' | 'trouble' | 'unasked';

/** The bound of a look that was met before all was asked. */
export type LookCut = 'questions' | 'time';

/**
 * A question to DNS that failed. `said` is what the resolver answered, such as `SERVFAIL`, `REFUSED`, `no answer` or `unreadable answer`;
 * `details` is its own explanation (RFC 8914), if it gave one.
 */
export type DnsFailure = {
  /** The type of the record, such as `TXT`. */
  readonly type: string;
  readonly name: string;
  readonly said: string;
  readonly details?: string | undefined;
};

/** What one name server of a zone itself says at a place; `silent` when it gave no answer of its own. */
export type ServerSaying = { readonly server: string; readonly saying: Exclude<Saying, 'trouble' | 'unasked'> | 'silent' };

/** A place where a proof is looked for, by its full name such as `_relay-audit.mail.example.org`, and what was found there. */
export type Place = {
  readonly name: string;
  readonly saying: Saying;
  /** The TXT records that are there, as they are, when they are neither the token nor a veto. */
  readonly texts?: readonly string[] | undefined;
  /** For how long the resolver goes on saying that there is no record, in milliseconds: the zone's SOA says so (RFC 2308 §5). */
  readonly rememberedMs?: number | undefined;
  /** Why there is no answer, when `saying` is `trouble`. */
  readonly failure?: DnsFailure | undefined;
  /** What the zone's own servers say, where they were asked; then `saying` is what they agree upon. */
  readonly servers?: readonly ServerSaying[] | undefined;
};

/**
 * A name that an address claims to have, the places that could prove it, and whether it leads back to the address; `unasked` where that
 * decides nothing yet. `addresses` are those that it leads to instead.
 */
export type ClaimedName = {
  readonly name: string;
  readonly places: readonly Place[];
  readonly leadsBack: boolean | 'trouble' | 'unasked';
  readonly addresses?: readonly string[] | undefined;
  readonly failure?: DnsFailure | undefined;
};

/** What was found on the side of one address. `forbidden` says why nobody may ever probe it; then nothing else was looked up. */
export type AddressFacts = {
  readonly address: Address;
  readonly forbidden?: string | undefined;
  readonly operators: boolean;
  readonly reverseZone?: Place | undefined;
  /** The same below the name to which the zone hands this address over by CNAME (RFC 2317). */
  readonly delegated?: Place | undefined;
  readonly claims: readonly ClaimedName[];
  /** DNS did not say which names the address claims. */
  readonly claimsTrouble: boolean;
  readonly claimsFailure?: DnsFailure | undefined;
  /** For how long the resolver goes on saying that the address has no name, in milliseconds. */
  readonly claimsRememberedMs?: number | undefined;
  /** How many names it claims beyond those that were asked. */
  readonly namesBeyond?: number | undefined;
  /** The address itself has asked for the very scan that this is looked up for. */
  readonly there?: boolean | undefined;
};

/** What was found for a host: on its name's side, which a host given as an address does not have, and on each address's. */
export type ConsentFacts = {
  readonly namePlaces?: readonly Place[] | undefined;
  /** The part of the name that somebody has registered, which is most often the zone that its owner edits. */
  readonly zone?: string | undefined;
  readonly addresses: readonly AddressFacts[];
  /** Usual wrong places that hold something, where those were asked: the zone twice in the name, no underscore, no label at all. */
  readonly misplaced?: readonly Place[] | undefined;
  /** The question for the name's addresses that failed: of both families, or of the one that gave none. */
  readonly addressFailure?: DnsFailure | undefined;
  /** For how long the resolver goes on saying that the name has no address, in milliseconds. */
  readonly addressesRememberedMs?: number | undefined;
  /** The bound that kept the look from asking everything. */
  readonly cut?: LookCut | undefined;
};

/** A mail server that a served domain names, and what it is; `alias`: a CNAME, which RFC 2181 §10.3 forbids. */
export type ExchangerFacts = {
  readonly name: string;
  readonly is: 'this-host' | 'elsewhere' | 'alias' | 'no-name' | 'literal' | 'no-address' | 'trouble';
  readonly failure?: DnsFailure | undefined;
};

/**
 * What DNS says about a served domain's mail. `implicit`: it has no MX and takes mail at its own address (RFC 5321 §5.1). `null`: it takes
 * none (RFC 7505).
 */
export type DomainFacts = {
  readonly domain: string;
  readonly used: boolean;
  readonly mail: 'exchangers' | 'implicit' | 'null' | 'trouble';
  readonly exchangers: readonly ExchangerFacts[];
  readonly failure?: DnsFailure | undefined;
};

/** Why an address may not be sent anything. */
export type NoConsent = Extract<Reason, 'forbidden-address' | 'vetoed' | 'too-many-lookups' | 'no-consent' | 'dns-trouble'>;

const OF_DNS: readonly Reason[] = ['forbidden-address', 'vetoed', 'too-many-lookups', 'no-consent', 'dns-trouble', 'no-address'];

/** Whether a scan ended for what DNS said or did not say, so that another is worthwhile when that has changed. */
export function isOfDns(reason: Reason): boolean {
  return OF_DNS.includes(reason);
}

/** Where an address stands: consent, or why nothing may be sent to it. */
export type Standing = { readonly kind: 'consent'; readonly consent: Consent } | { readonly kind: 'none'; readonly reason: NoConsent };

/** The label that all records of consent stand under. */
export const CONSENT_LABEL = '_relay-audit';

/** The TXT record that forbids probes, whatever else is said. */
export const DENY = 'deny';

// In quotes, with a stop or with more words behind it, it is meant all the same. Other words that begin like it are not.
const VETO = new RegExp(`^[^a-z0-9]*${DENY}(?![a-z0-9_-])`, 'i');

/** Whether a TXT record forbids probes: its first word is `deny`, or that of the value in a line that was pasted as a whole. */
export function isVeto(text: string): boolean {
  return VETO.test(text) || VETO.test(meantValue(text));
}

/**
 * What the TXT records of a place say to an account whose token this is. The token counts as it is and as people paste it, where nothing
 * else is said in the same text. A veto beats the token beside it.
 */
export function sayingOf(texts: readonly string[], token: string | undefined): Exclude<Saying, 'trouble' | 'unasked'> {
  if (texts.some(isVeto)) return 'deny';
  if (token !== undefined && texts.some((text) => meantValue(text) === token)) return 'token';
  return texts.length > 0 ? 'other' : 'nothing';
}

/** Whether one of the places holds the token, and so proves the name below it. */
export function isProven(places: readonly Place[]): boolean {
  return places.some(({ saying }) => saying === 'token');
}

/** The proofs that stand for an address by what DNS and the operator say. */
export function proofsOf({ operators, reverseZone, delegated, claims }: AddressFacts): Proof[] {
  return [
    ...(operators ? (['operators-network'] as const) : []),
    ...(reverseZone?.saying === 'token' || delegated?.saying === 'token' ? (['reverse-zone'] as const) : []),
    ...(claims.some(({ places, leadsBack }) => leadsBack === true && isProven(places)) ? (['reverse-dns'] as const) : []),
  ];
}

/** All places that were looked at for one address of a host, those of the name first. */
function placesOf({ namePlaces }: ConsentFacts, { reverseZone, delegated, claims }: AddressFacts): Place[] {
  const reverse = [reverseZone, delegated].filter((place) => place !== undefined);
  return [...(namePlaces ?? []), ...reverse, ...claims.flatMap((claim) => claim.places)];
}

/** The first question that failed of those that consent is judged by. */
export function failureIn(host: ConsentFacts): DnsFailure | undefined {
  const sides = host.addresses.flatMap((side) => [side.claimsFailure, ...placesOf(host, side).map(({ failure }) => failure)]);
  const claims = host.addresses.flatMap((side) => side.claims.map(({ failure }) => failure));
  return [...(host.namePlaces ?? []).map(({ failure }) => failure), ...sides, ...claims].find((failure) => failure !== undefined);
}

/**
 * Where one address of a host stands. Both sides must speak: the name's, unless the host is given as an address, and the
 * address's; an address that has itself asked for a scan of it needs no other proof for that one. A veto at any place that was looked
 * at beats everything; a place that DNS was silent about may hold one, and so may what lies beyond the bounds of a look.
 */
export function standingOf(host: ConsentFacts, facts: AddressFacts, token: string | undefined): Standing {
  const { namePlaces, cut } = host;
  if (facts.forbidden !== undefined && !facts.operators) return none('forbidden-address');
  const places = placesOf(host, facts);
  if (places.some(({ saying }) => saying === 'deny')) return none('vetoed');
  const beyond = cut === 'questions' || (facts.namesBeyond ?? 0) > 0;
  if (beyond || places.some(({ saying }) => saying === 'unasked')) return none('too-many-lookups');
  if (cut === 'time' || facts.claimsTrouble || places.some(({ saying }) => saying === 'trouble')) return none('dns-trouble');
  const [proof] = proofsOf(facts);
  const address = facts.address.text;
  if (proof === 'operators-network') return { kind: 'consent', consent: { address, proof } };
  const nameSpeaks = token !== undefined && (namePlaces === undefined || isProven(namePlaces));
  if (nameSpeaks && proof !== undefined) return { kind: 'consent', consent: { address, proof } };
  if (facts.there === true && namePlaces === undefined) return { kind: 'consent', consent: { address, proof: 'being-there' } };
  if (!nameSpeaks) return none('no-consent');
  return none(facts.claims.some(({ leadsBack }) => leadsBack === 'trouble') ? 'dns-trouble' : 'no-consent');
}

/** Whether an address lies in a network that the operator has stated to be their own. */
export function isOperators(address: Address, operatorNetworks: readonly Network[]): boolean {
  return operatorNetworks.some((network) => contains(network, address));
}

function none(reason: Extract<Standing, { kind: 'none' }>['reason']): Standing {
  return { kind: 'none', reason };
}
