import { getDomain } from 'tldts';
import { type Address, type Network, reverseName } from '../domain/address.ts';
import {
  type AddressFacts,
  type ClaimedName,
  CONSENT_LABEL,
  type ConsentFacts,
  isOperators,
  isProven,
  type Place,
  sayingOf,
} from '../domain/consent.ts';
import { readName, type Target } from '../domain/host-name.ts';
import { NAMES_LIMIT } from '../domain/look-bounds.ts';
import { type Look, UNASKED } from './look.ts';
import type { Lookups } from './lookups.ts';
import { forbiddenBecause } from './target-policy.ts';

/** Whose consent is looked for and how: `token` is the account's, undefined for a caller without one; `cut` is the look's, where it has bounds. */
export type ConsentRules = {
  readonly token: string | undefined;
  readonly operatorNetworks: readonly Network[];
  readonly lookups: Lookups;
  readonly cut?: Look['cut'] | undefined;
};

const EXCHANGERS_LIMIT = 4; // mail servers of a served domain whose addresses are compared with the host's
const ASKABLE_LABEL = /^[a-z0-9_-]{1,63}$/i;
const PLACE_LIMIT = 253; // characters of a name, RFC 1035 §2.3.4: no record stands at a longer one

/** Looks up, for a host and the addresses that it has now, all that consent is judged by. Sends nothing to any of them. */
export async function lookUpConsent(target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<ConsentFacts> {
  const sides = addresses.map((address) => addressFacts(address, rules));
  // A network of the operator that only it can reach is in no public DNS.
  const known =
    addresses.length > 0 &&
    addresses.every((address) => isOperators(address, rules.operatorNetworks) && forbiddenBecause(address) !== undefined);
  const namePlaces = target.kind === 'name' && !known ? placesAbove(target.name, rules) : undefined;
  const facts = { namePlaces: await namePlaces, addresses: await Promise.all(sides) };
  return { ...facts, cut: rules.cut?.() };
}

async function addressFacts(address: Address, rules: ConsentRules): Promise<AddressFacts> {
  const forbidden = forbiddenBecause(address);
  const operators = isOperators(address, rules.operatorNetworks);
  if (forbidden !== undefined) return { address, forbidden, operators, claims: [], claimsTrouble: false };
  const [reverseZone, names] = await Promise.all([placeAt(placeName(reverseName(address)), rules), rules.lookups.names(address)]);
  const claimed = names.kind === 'found' ? names.values.toSorted() : [];
  const claims = await Promise.all(claimed.slice(0, NAMES_LIMIT).map((name) => claimOf(name, address, rules)));
  const namesBeyond = Math.max(0, claimed.length - NAMES_LIMIT);
  return { address, operators, reverseZone, claims, claimsTrouble: names.kind === 'trouble', namesBeyond };
}

// Whether a name leads back is asked only where that decides anything. One that no host may have proves nothing, but may stand
// below a veto.
async function claimOf(name: string, address: Address, rules: ConsentRules): Promise<ClaimedName> {
  const places = await placesAbove(askablePart(name), rules);
  if (!isProven(places) || readName(name).kind !== 'name') return { name, places, leadsBack: false };
  const back = await rules.lookups.addresses(name);
  if (back.kind === 'trouble') return { name, places, leadsBack: 'trouble' };
  return { name, places, leadsBack: back.kind === 'found' && back.values.some(({ text }) => text === address.text) };
}

// The end of a name, as far as its labels are letters, digits, hyphens and underscores.
function askablePart(name: string): string {
  const labels = name.split('.');
  return labels.slice(labels.findLastIndex((label) => !ASKABLE_LABEL.test(label)) + 1).join('.');
}

async function placesAbove(name: string, rules: ConsentRules): Promise<Place[]> {
  const names = namesAbove(name).map(placeName);
  const places = await Promise.all(names.filter(({ length }) => length <= PLACE_LIMIT).map((place) => placeAt(place, rules)));
  // One that was not asked says that a look was over its bounds; hundreds of them say no more.
  const first = places.findIndex(({ saying }) => saying === 'unasked');
  return places.filter(({ saying }, index) => saying !== 'unasked' || index === first);
}

function placeName(name: string): string {
  return `${CONSENT_LABEL}.${name}`;
}

async function placeAt(place: string, { token, lookups }: ConsentRules): Promise<Place> {
  const texts = await lookups.texts(place);
  if (texts.kind === 'trouble') return { name: place, saying: texts.why === UNASKED ? 'unasked' : 'trouble' };
  return { name: place, saying: sayingOf(texts.kind === 'found' ? texts.values : [], token) };
}

/**
 * The names whose record proves this one: itself and those above it, as far as somebody can have registered them. Public
 * suffixes (publicsuffix.org), the private section included, prove nothing.
 */
export function namesAbove(name: string): string[] {
  const registrable = getDomain(name, { allowPrivateDomains: true, validateHostname: false });
  if (registrable === null) return [];
  const names: string[] = [];
  for (let each = name; each.length >= registrable.length; each = each.slice(each.indexOf('.') + 1)) names.push(each);
  return names;
}

/**
 * Which of its served domains a host may be asked about: those whose MX names it, or has one of its addresses where it is
 * registered by address, and those that carry the account's token. One that DNS is silent about is left out.
 */
export async function provenDomains(
  domains: readonly string[],
  target: Target,
  addresses: readonly Address[],
  rules: ConsentRules,
): Promise<string[]> {
  const proven = await Promise.all(domains.map((domain) => servesDomain(domain, target, addresses, rules)));
  return domains.filter((_, index) => proven[index]);
}

async function servesDomain(domain: string, target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<boolean> {
  const [mail, places] = await Promise.all([rules.lookups.mailServers(domain), placesAbove(domain, rules)]);
  if (isProven(places)) return true;
  if (mail.kind !== 'found') return false;
  if (target.kind === 'name') return mail.values.some(({ name }) => name === target.name);
  const leads = await Promise.all(mail.values.slice(0, EXCHANGERS_LIMIT).map(({ name }) => rules.lookups.addresses(name)));
  return leads.some((lead) => lead.kind === 'found' && lead.values.some(({ text }) => addresses.some((each) => each.text === text)));
}
