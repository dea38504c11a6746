import type * as z from 'zod';
import type { registeredHostResponse } from '../contract/responses.ts';
import type { Address } from '../domain/address.ts';
import { isOperators } from '../domain/consent.ts';
import type { Host } from '../domain/host.ts';
import { readName, readTarget } from '../domain/host-name.ts';
import { adviceFor } from '../domain/proposal.ts';
import type { Found, Lookups } from '../network/lookups.ts';
import { forbiddenBecause } from '../network/target-policy.ts';
import type { Acting } from './acting.ts';
import { lookUpDeliveries, valuesOf } from './lookups.ts';
import { Problem } from './problem.ts';
import { registeredAlready, type Sameness, sameServer } from './same-server.ts';

type Told = Pick<z.input<typeof registeredHostResponse>, 'next' | 'exempt' | 'recipientWarning'>;

/**
 * What its owner hears when a host is registered: what comes next, what to tell ban tools, and whether anybody would read an alert.
 * A domain without an address is no server: it is refused, and the answer leads to its servers. So is what a host of the account is
 * already, by what makes it the `same`.
 */
export async function adviceAtRegistration(
  acting: Acting,
  { id, settings }: Pick<Host, 'id' | 'settings'>,
  lookups: Lookups,
  same: Sameness = 'server',
): Promise<Told> {
  const { name, servedDomains, alertRecipients } = settings;
  const [known, found, mail] = await Promise.all([
    sameServer(acting, { ...settings, same }, lookups),
    addressesOf(name, lookups),
    serversOfDomain(name, lookups),
  ]);
  if (known !== undefined) throw registeredAlready(known, settings);
  if (found.kind === 'absent' && mail.length > 0) throw noServer(name, mail);
  const deliveries = await lookUpDeliveries(alertRecipients, lookups); // a hundred questions, so of no host that is refused
  const addresses = valuesOf(found);
  const ourselves = { addresses: acting.egressAddresses, ehloName: acting.ehloName };
  const facts = { addresses: addresses.map(({ text }) => text), deliveries, ourselves };
  return { next: nextFor(acting, id, name, addresses, mail), ...adviceFor({ name, servedDomains, alertRecipients, facts }) };
}

async function addressesOf(name: string, lookups: Lookups): Promise<Found<Address>> {
  const target = readTarget(name);
  if (target.kind === 'address') return { kind: 'found', values: [target.address] };
  return lookups.addresses(name);
}

// The mail servers that the name has as a domain, but for itself.
async function serversOfDomain(name: string, lookups: Lookups): Promise<string[]> {
  if (readTarget(name).kind === 'address') return [];
  const mail = valuesOf(await lookups.mailServers(name)).map((server) => server.name);
  return mail.includes(name) ? [] : [...new Set(mail)].filter((each) => readName(each).kind === 'name');
}

function noServer(name: string, mail: readonly string[]): Problem {
  const some = mail.length > 2 ? `${mail.slice(0, 2).join(', ')} and others` : mail.join(' and ');
  const detail = `${name} is a domain without an address of its own; its mail goes to ${some}. GET /v1/proposals?name=${name} says which servers may be yours to audit, and how to register them.`;
  return new Problem(422, detail, [{ field: 'name', message: 'names no server' }]);
}

function nextFor(acting: Acting, hostId: string, name: string, addresses: readonly Address[], mail: readonly string[]): string {
  const elsewhere = mail.length === 0 ? [] : [`Mail for ${name} goes to other servers: GET /v1/proposals?name=${name} names them.`];
  return [proofFor(acting, hostId, addresses), ...elsewhere].join(' ');
}

function proofFor({ accountId, operatorNetworksOf }: Acting, hostId: string, addresses: readonly Address[]): string {
  const networks = operatorNetworksOf(accountId);
  const everyIs = (what: (address: Address) => boolean) => addresses.length > 0 && addresses.every(what);
  if (everyIs((address) => isOperators(address, networks)))
    return `It lies in a network of this service's operator and is scanned within a minute or two: GET /v1/hosts/${hostId}/scans shows what came of it.`;
  if (everyIs((address) => forbiddenBecause(address) !== undefined))
    return 'No address of it is public, so nothing is probed. Correct its DNS, or register the server by its public name or address.';
  return `Nothing is probed before DNS shows that it is yours: GET /v1/hosts/${hostId}/consent says which records are missing, ready to be copied.`;
}
