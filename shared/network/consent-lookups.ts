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
import type { Lookups } from './lookups.ts';
import { forbiddenBecause } from './target-policy.ts';

/** Whose consent is looked for and how: `token` is the account's, undefined for a caller without one. */
export type ConsentRules = {
  readonly token: string | undefined;
  readonly operatorNetworks: readonly Network[];
  readonly lookups: Lookups;
};

const CLAIMS_LIMIT = 4; // names of an address that are followed: a reverse zone may list thousands
const NAMES_LIMIT = 8; // a name and those above it that are asked; deeper names than that are nobody's mail server

/** Looks up, for a host and the addresses that it has now, all that consent is judged by. Sends nothing to any of them. */
export async function lookUpConsent(target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<ConsentFacts> {
  const sides = addresses.map((address) => addressFacts(address, rules));
  // A network of the operator that only it can reach is in no public DNS.
  const known =
    addresses.length > 0 &&
    addresses.every((address) => isOperators(address, rules.operatorNetworks) && forbiddenBecause(address) !== undefined);
  const namePlaces = target.kind === 'name' && !known ? placesAbove(target.name, rules) : undefined;
  return { namePlaces: await namePlaces, addresses: await Promise.all(sides) };
}

async function addressFacts(address: Address, rules: ConsentRules): Promise<AddressFacts> {
  const forbidden = forbiddenBecause(address);
  const operators = isOperators(address, rules.operatorNetworks);
  if (forbidden !== undefined) return { address, forbidden, operators, claims: [], claimsTrouble: false };
  const [reverseZone, names] = await Promise.all([placeAt(reverseName(address), rules), rules.lookups.names(address)]);
  const readable = names.kind === 'found' ? names.values.flatMap((name) => (readName(name).kind === 'name' ? name : [])) : [];
  const claims = await Promise.all(readable.slice(0, CLAIMS_LIMIT).map((name) => claimOf(name, address, rules)));
  return { address, operators, reverseZone, claims, claimsTrouble: names.kind === 'trouble' };
}

// Whether a name leads back is asked only where that decides anything.
async function claimOf(name: string, address: Address, rules: ConsentRules): Promise<ClaimedName> {
  const places = await placesAbove(name, rules);
  if (!isProven(places)) return { name, places, leadsBack: false };
  const back = await rules.lookups.addresses(name);
  if (back.kind === 'trouble') return { name, places, leadsBack: 'trouble' };
  return { name, places, leadsBack: back.kind === 'found' && back.values.some(({ text }) => text === address.text) };
}

async function placesAbove(name: string, rules: ConsentRules): Promise<Place[]> {
  return Promise.all(namesAbove(name).map((each) => placeAt(each, rules)));
}

async function placeAt(name: string, { token, lookups }: ConsentRules): Promise<Place> {
  const place = `${CONSENT_LABEL}.${name}`;
  const texts = await lookups.texts(place);
  if (texts.kind === 'trouble') return { name: place, saying: 'trouble' };
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
  // The host's own name and the ones nearest to the registered domain, where records are likeliest.
  return names.length <= NAMES_LIMIT ? names : [...names.slice(0, 1), ...names.slice(1 - NAMES_LIMIT)];
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
  const leads = await Promise.all(mail.values.slice(0, CLAIMS_LIMIT).map(({ name }) => rules.lookups.addresses(name)));
  return leads.some((lead) => lead.kind === 'found' && lead.values.some(({ text }) => addresses.some((each) => each.text === text)));
}
