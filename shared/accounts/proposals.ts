import type { Address, Network } from '../domain/address.ts';
import { isOperators } from '../domain/consent.ts';
import { readName, readTarget, type Target } from '../domain/host-name.ts';
import { POOL_LIMIT } from '../domain/look-bounds.ts';
import { type FoundAddress, type FoundDomain, type FoundServer, type Proposal, proposalFor } from '../domain/proposal.ts';
import { printable } from '../domain/transcript.ts';
import { namesAbove } from '../network/consent-lookups.ts';
import type { Found, Lookups } from '../network/lookups.ts';
import { forbiddenBecause } from '../network/target-policy.ts';
import { ownAccount } from './account.ts';
import type { Acting } from './acting.ts';
import { spend } from './budgets.ts';
import { defaultPorts } from './hosts.ts';
import { EXCHANGERS_LIMIT, lookUpDeliveries, lookupsOfRequest, untilDeadline, valuesOf } from './lookups.ts';
import { auditedServers } from './same-server.ts';

const NAMES_LIMIT = 4; // reverse names looked up for one server, and names followed of one address: pools are named alike
const DOMAINS_LIMIT = 8; // a name and those above it whose mail servers are asked for
const TIME_LIMIT_MS = 10_000; // for all look-ups of one request: half of what the function has, and longer than a person waits

/**
 * What to register for a domain or a server. Asks DNS alone and sends no packet to any address it finds. `name` must be one that
 * `readTarget` takes.
 */
export async function propose(acting: Acting, name: string): Promise<Proposal> {
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new Error('the name was checked to be a target');
  const { email } = await ownAccount(acting);
  await spend(acting, 'proposals', acting.accountId, 'This account has asked for proposals too often.');
  return untilDeadline(lookupsOfRequest(acting.lookups), TIME_LIMIT_MS, async (lookups) => {
    const asked = asking(lookups, acting.operatorNetworksOf(acting.accountId));
    const [findings, [delivery]] = await Promise.all([lookUp(target, asked), lookUpDeliveries([email], lookups)]);
    const servers = [findings.itself, ...findings.exchangers].map(({ name: each, addresses }) => ({
      name: each,
      addresses: addresses.map(({ text }) => text),
    }));
    const audited = await auditedServers(acting, servers, defaultPorts(acting), lookups);
    const ourselves = { addresses: acting.egressAddresses, ehloName: acting.ehloName };
    return proposalFor({ ...findings, delivery, ourselves, audited, trouble: asked.trouble() });
  });
}

type Asking = ReturnType<typeof asking>;

async function lookUp(target: Target, asked: Asking) {
  if (target.kind === 'address') return lookUpAddress(target.address, asked);
  const itself = asked.server(target.name);
  const above = Promise.all(domainsAbove(target.name).slice(1).map(asked.domain));
  const domain = await asked.domain(target.name);
  const exchangers = Promise.all(domain.mail.map(({ name }) => asked.server(name)));
  return { domain, itself: await itself, above: await above, exchangers: await exchangers };
}

// An address is no domain, but reverse DNS may say by which names it is known, and so which domains' MX may lead to it.
async function lookUpAddress(address: Address, asked: Asking) {
  const found = await asked.address(address);
  const alsoCalled = await asked.namesThatLeadTo(address, found.names);
  const above = [...new Set(alsoCalled.flatMap(domainsAbove))];
  const domain: FoundDomain = { name: address.text, mail: [], unknown: false };
  const itself: FoundServer = { name: address.text, addresses: [found], unknown: false, alsoCalled };
  return { domain, itself, above: await Promise.all(above.map(asked.domain)), exchangers: [] };
}

// The name itself and those nearest to the registered domain, where mail is likeliest.
function domainsAbove(name: string): string[] {
  const names = namesAbove(name);
  return names.length <= DOMAINS_LIMIT ? names : [...names.slice(0, 1), ...names.slice(1 - DOMAINS_LIMIT)];
}

/** Asks DNS and keeps, in sentences, what it did not answer. */
function asking(lookups: Lookups, operatorNetworks: readonly Network[]) {
  const troubles = new Set<string>();
  const take = <T>(found: Found<T>, missing: string): readonly T[] => {
    if (found.kind === 'trouble')
      troubles.add(`DNS did not say ${missing}: ${troubleInWords(found.failure ?? { said: found.why })}. Ask again later.`);
    return valuesOf(found);
  };
  const about = (address: Address, names: readonly string[]): FoundAddress => {
    const forbidden = forbiddenBecause(address);
    return { text: address.text, names, forbidden, operators: isOperators(address, operatorNetworks) };
  };
  const address = async (each: Address): Promise<FoundAddress> => {
    // What nobody outside can reach has no name in public DNS, or one that says nothing.
    if (forbiddenBecause(each) !== undefined) return about(each, []);
    const names = take(await lookups.names(each), `what ${each.text} is called, by which shared hosting is known`);
    return about(each, names.filter((name) => readName(name).kind === 'name').slice(0, NAMES_LIMIT));
  };
  return {
    address,
    trouble: () => [...troubles].toSorted(),
    async server(name: string): Promise<FoundServer> {
      const found = await lookups.addresses(name);
      const addresses = take(found, `which addresses ${name} has`);
      if (addresses.length > POOL_LIMIT) {
        troubles.add(`${name} has ${addresses.length} addresses. At most ${POOL_LIMIT} of one name are looked at.`);
        return { name, addresses: [], unknown: true };
      }
      const known = addresses.map((each, index) => (index < NAMES_LIMIT ? address(each) : about(each, [])));
      return { name, addresses: await Promise.all(known), unknown: found.kind === 'trouble' };
    },
    async domain(name: string): Promise<FoundDomain> {
      const found = await lookups.mailServers(name);
      const mail = take(found, `which servers take mail for ${name}`);
      const named = mail.filter(({ name: each }, index) => mail.findIndex((other) => other.name === each) === index);
      const readable = named.filter((server) => readName(server.name).kind === 'name');
      for (const { name: bad } of named.filter((server) => !readable.includes(server)))
        troubles.add(`An MX record of ${name} points to ${printable(bad)}, which is no name of a server; it is left out.`);
      if (readable.length > EXCHANGERS_LIMIT) troubles.add(`Only the first ${EXCHANGERS_LIMIT} mail servers of ${name} were looked at.`);
      return { name, mail: readable.slice(0, EXCHANGERS_LIMIT), unknown: found.kind === 'trouble' };
    },
    async namesThatLeadTo({ text }: Address, names: readonly string[]): Promise<string[]> {
      const leads = await Promise.all(names.map((name) => lookups.addresses(name)));
      return names.filter((_, index) => leads[index]?.kind === 'found' && valuesOf(leads[index]).some((each) => each.text === text));
    },
  };
}

function troubleInWords({ said, details }: { readonly said: string; readonly details?: string | undefined }): string {
  if (said === 'no answer') return 'there was no answer in time';
  if (details !== undefined) return `the answer was ${said} (${details})`;
  return said === 'SERVFAIL' ? 'the name servers failed (SERVFAIL), as with broken DNSSEC' : `the answer was ${said}`;
}
