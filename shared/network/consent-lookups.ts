import { getDomain } from 'tldts';
import { type Address, type Network, parseAddress, reverseName } from '../domain/address.ts';
import {
  type AddressFacts,
  type ClaimedName,
  CONSENT_LABEL,
  type ConsentFacts,
  type DomainFacts,
  type ExchangerFacts,
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

/**
 * Whose consent is looked for and how: `token` is the account's, undefined for a caller without one; `cut` is the look's, where it has bounds. A look
 * `forItsOwner` asks further questions, which decide nothing but tell an owner what is wrong. No name server is asked that `isNever` covers.
 */
export type ConsentRules = {
  readonly token: string | undefined;
  readonly operatorNetworks: readonly Network[];
  readonly lookups: Lookups;
  readonly cut?: Look['cut'] | undefined;
  readonly forItsOwner?: boolean | undefined;
  readonly isNever?: ((target: string) => boolean) | undefined;
};

const EXCHANGERS_LIMIT = 4; // mail servers of a served domain whose addresses are compared with the host's
const ASKABLE_LABEL = /^[a-z0-9_-]{1,63}$/i;
const PLACE_LIMIT = 253; // characters of a name, RFC 1035 §2.3.4: no record stands at a longer one
const LIKE_A_TOKEN = /(?<![a-z0-9])ra1-/i;

/** Looks up, for a host and the addresses that it has now, all that consent is judged by. Sends nothing to any of them. */
export async function lookUpConsent(target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<ConsentFacts> {
  const own = target.kind === 'name' ? target.name : undefined;
  // A network of the operator that only it can reach is in no public DNS.
  const known =
    addresses.length > 0 &&
    addresses.every((address) => isOperators(address, rules.operatorNetworks) && forbiddenBecause(address) !== undefined);
  const name = own === undefined || known ? undefined : nameFacts(own, rules);
  const sides = addresses.map((address) => addressFacts(address, own, afterName(rules, name)));
  const facts = { ...(await name), addresses: await Promise.all(sides) };
  return { ...facts, cut: rules.cut?.() };
}

// The own servers of few zones are asked: those of the name come first, for every address needs it.
function afterName(rules: ConsentRules, name: Promise<unknown> | undefined): ConsentRules {
  const { unsignedServers } = rules.lookups;
  if (name === undefined || unsignedServers === undefined) return rules;
  return { ...rules, lookups: { ...rules.lookups, unsignedServers: async (each) => name.then(() => unsignedServers(each)) } };
}

async function nameFacts(name: string, rules: ConsentRules): Promise<Pick<ConsentFacts, 'namePlaces' | 'zone' | 'misplaced'>> {
  const zone = registrableOf(name);
  const places = await placesAbove(name, rules);
  const last = places.length - 1;
  const namePlaces = await Promise.all(
    places.map((place, index) => (index === 0 || index === last ? withOwnServers(place, isProven(places), rules) : place)),
  );
  if (zone === undefined || rules.forItsOwner !== true || isProven(namePlaces)) return { namePlaces, zone };
  const wrong = await Promise.all(usualWrongPlaces(name, zone).map((place) => placeAt(place, rules)));
  const misplaced = wrong.filter(({ saying, texts }) => saying === 'token' || texts?.some((text) => LIKE_A_TOKEN.test(text)));
  return { namePlaces, zone, misplaced };
}

// Where panels and people put the record instead: the zone written twice, no underscore, no label at all.
function usualWrongPlaces(name: string, zone: string): string[] {
  const relative = [`${CONSENT_LABEL}.${name}.${zone}`, `${CONSENT_LABEL}.${zone}.${zone}`];
  const bare = [name, zone].flatMap((each) => [each, `${CONSENT_LABEL.slice(1)}.${each}`]);
  return [...new Set([...relative, ...bare, `www.${zone}`, placeName(`www.${zone}`)])].filter(({ length }) => length <= PLACE_LIMIT);
}

async function addressFacts(address: Address, own: string | undefined, rules: ConsentRules): Promise<AddressFacts> {
  const forbidden = forbiddenBecause(address);
  const operators = isOperators(address, rules.operatorNetworks);
  if (forbidden !== undefined) return { address, forbidden, operators, claims: [], claimsTrouble: false };
  const [at, names] = await Promise.all([placeAt(placeName(reverseName(address)), rules), rules.lookups.names(address)]);
  const claimed = names.kind === 'found' ? names.values.toSorted() : [];
  const asksOwn = at.saying !== 'token';
  const [claims, delegated] = await Promise.all([
    Promise.all(claimed.slice(0, NAMES_LIMIT).map((name, index) => claimOf(name, address, own, asksOwn && index === 0, rules))),
    // The zone of the address hands it over to this name (RFC 2317 §4), and so to whoever has it.
    names.kind === 'trouble' || names.alias === undefined ? undefined : placeAt(placeName(names.alias), rules),
  ]);
  const proven = delegated?.saying === 'token' || claims.some(({ places, leadsBack }) => leadsBack === true && isProven(places));
  const reverseZone = proven ? at : await withOwnServers(at, false, rules);
  const namesBeyond = Math.max(0, claimed.length - NAMES_LIMIT);
  const claimsTrouble = names.kind === 'trouble';
  const claimsFailure = names.kind === 'trouble' ? names.failure : undefined;
  const claimsRememberedMs = names.kind === 'absent' ? names.rememberedMs : undefined;
  return { address, operators, reverseZone, delegated, claims, claimsTrouble, claimsFailure, claimsRememberedMs, namesBeyond };
}

// Whether a name leads back is asked where that decides anything, and of the host's own name, which was asked already. One that no host
// may have proves nothing, but may stand below a veto.
async function claimOf(
  name: string,
  address: Address,
  own: string | undefined,
  asksOwn: boolean,
  rules: ConsentRules,
): Promise<ClaimedName> {
  const asked = await placesAbove(askablePart(name), rules);
  if (readName(name).kind !== 'name') return { name, places: asked, leadsBack: false };
  const places = await Promise.all(
    asked.map((place, index) => (asksOwn && index === 0 ? withOwnServers(place, isProven(asked), rules) : place)),
  );
  if (!isProven(places) && name !== own && rules.forItsOwner !== true) return { name, places, leadsBack: 'unasked' };
  const back = await rules.lookups.addresses(name);
  const values = back.kind === 'found' ? back.values.map(({ text }) => text) : [];
  if (values.includes(address.text)) return { name, places, leadsBack: true };
  const failure = back.kind === 'absent' ? undefined : back.failure; // of the one family that may have it
  if (back.kind === 'trouble' || failure?.type === (address.family === 4 ? 'A' : 'AAAA'))
    return { name, places, leadsBack: 'trouble', failure };
  return { name, places, leadsBack: false, addresses: values };
}

/**
 * Where the resolver knows of no record, or where an owner looks: what the zone's own servers say, if they agree. A record that was added a minute ago is
 * there already, while a resolver may remember for a day that there was none.
 */
async function withOwnServers(place: Place, isProvenBeside: boolean, rules: ConsentRules): Promise<Place> {
  const { token, lookups, operatorNetworks, isNever = () => false } = rules;
  const isAsked = place.saying === 'nothing' ? !isProvenBeside : place.saying === 'token' && rules.forItsOwner === true;
  const all = isAsked ? await lookups.unsignedServers?.(place.name) : undefined;
  if (all?.kind !== 'found') return place;
  const askable = all.values.filter(
    ({ name, address }) =>
      (forbiddenBecause(address) === undefined || isOperators(address, operatorNetworks)) && !isNever(name) && !isNever(address.text),
  );
  const servers = await Promise.all(
    askable.map(async ({ name, address }) => {
      const own = await lookups.textsAt?.(address, place.name);
      // A server does not know what stands at the end of a CNAME that leads to others.
      const said = own?.kind === 'absent' && own.alias !== undefined ? await lookups.texts(own.alias) : own;
      if (said === undefined || said.kind === 'trouble') return { server: name, saying: 'silent', texts: [] } as const;
      const texts = said.kind === 'found' ? said.values : [];
      return { server: name, saying: sayingOf(texts, token), texts };
    }),
  );
  const sayings = new Set(servers.map(({ saying }) => saying).filter((saying) => saying !== 'silent'));
  const [agreed] = sayings.has('deny') ? (['deny'] as const) : sayings.size === 1 ? sayings : [];
  const texts = agreed === 'other' ? [...new Set(servers.flatMap((each) => each.texts))] : place.texts;
  const heard = servers.map(({ server, saying }) => ({ server, saying }));
  return { ...place, saying: agreed ?? place.saying, texts, servers: heard };
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

async function placeAt(name: string, { token, lookups }: ConsentRules): Promise<Place> {
  const texts = await lookups.texts(name);
  if (texts.kind === 'trouble') return { name, saying: texts.why === UNASKED ? 'unasked' : 'trouble', failure: texts.failure };
  if (texts.kind === 'absent') return { name, saying: 'nothing', rememberedMs: texts.rememberedMs };
  const saying = sayingOf(texts.values, token);
  return { name, saying, texts: saying === 'other' ? texts.values : undefined };
}

/**
 * The names whose record proves this one: itself and those above it, as far as somebody can have registered them. Public
 * suffixes (publicsuffix.org), the private section included, prove nothing.
 */
export function namesAbove(name: string): string[] {
  const registrable = registrableOf(name);
  if (registrable === undefined) return [];
  const names: string[] = [];
  for (let each = name; each.length >= registrable.length; each = each.slice(each.indexOf('.') + 1)) names.push(each);
  return names;
}

function registrableOf(name: string): string | undefined {
  return getDomain(name, { allowPrivateDomains: true, validateHostname: false }) ?? undefined;
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
  const facts = await lookUpDomains(domains, target, addresses, rules);
  return facts.filter(({ used }) => used).map(({ domain }) => domain);
}

/** What DNS says of the mail of each served domain, and whether a host may be asked about it. */
export async function lookUpDomains(
  domains: readonly string[],
  target: Target,
  addresses: readonly Address[],
  rules: ConsentRules,
): Promise<DomainFacts[]> {
  return Promise.all(domains.map((domain) => domainFacts(domain, target, addresses, rules)));
}

async function domainFacts(domain: string, target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<DomainFacts> {
  const [mail, places] = await Promise.all([rules.lookups.mailServers(domain), placesAbove(domain, rules)]);
  const proven = isProven(places);
  if (mail.kind === 'trouble') return { domain, used: proven, mail: 'trouble', exchangers: [], failure: mail.failure };
  if (mail.kind === 'absent' && mail.isNullMx === true) return { domain, used: proven, mail: 'null', exchangers: [] };
  // Without an MX a domain takes its mail at its own address; that it meant to, nobody has said.
  const names = mail.kind === 'found' ? [...new Set(mail.values.map(({ name }) => name))] : [domain];
  const asked = names.slice(0, EXCHANGERS_LIMIT);
  const looked = await Promise.all(asked.map((name) => exchangerFacts(name, target, addresses, rules)));
  const leadsHere = target.kind === 'name' ? names.includes(target.name) : looked.some((each) => each.leadsHere);
  const used = proven || (mail.kind === 'found' && leadsHere);
  return { domain, used, mail: mail.kind === 'found' ? 'exchangers' : 'implicit', exchangers: looked.map(({ facts }) => facts) };
}

type Looked = { readonly facts: ExchangerFacts; readonly leadsHere: boolean };

async function exchangerFacts(name: string, target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<Looked> {
  const is = (what: ExchangerFacts['is'], leadsHere = false): Looked => ({ facts: { name, is: what }, leadsHere });
  if (parseAddress(name) !== undefined) return is('literal');
  if (readName(name).kind !== 'name') return is('no-name');
  // Of a host with a name the name alone decides.
  if (target.kind === 'name' && rules.forItsOwner !== true) return is(name === target.name ? 'this-host' : 'elsewhere');
  const lead = await rules.lookups.addresses(name);
  if (lead.kind === 'trouble') return { facts: { name, is: 'trouble', failure: lead.failure }, leadsHere: false };
  const leadsHere = lead.kind === 'found' && lead.values.some(({ text }) => addresses.some((each) => each.text === text));
  if (lead.alias !== undefined) return is('alias', leadsHere);
  if (lead.kind === 'absent') return is('no-address');
  return is(target.kind === 'name' ? (name === target.name ? 'this-host' : 'elsewhere') : leadsHere ? 'this-host' : 'elsewhere', leadsHere);
}
