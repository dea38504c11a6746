import type { Host, HostSettings } from '../domain/host.ts';
import { readTarget } from '../domain/host-name.ts';
import { hasShown } from '../domain/timeline.ts';
import type { Lookups } from '../network/lookups.ts';
import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { valuesOf } from './lookups.ts';
import { Problem } from './problem.ts';

const LOOKED_AT = 8; // hosts whose names are resolved for one registration, however many the account has

/** What the account has already: the very name, or a further name of a server that a host of it is. */
export type Known = {
  /** The host that it is. */
  readonly host: Host;
  /** The domains to add to that host; none where nothing is left to add. */
  readonly add: readonly string[];
  /** Whether it is the same name, and not a further one. */
  readonly same: boolean;
};

/** The problem of making a second host of a server that a host of the account is already. */
export class KnownServer extends Problem {
  readonly known: Known;

  constructor(detail: string, known: Known) {
    super(409, detail);
    this.known = known;
  }
}

// What a registration finds in this host, which is the same server.
function knownAs(host: Host, { name, servedDomains }: Pick<HostSettings, 'name' | 'servedDomains'>): Known {
  const same = host.settings.name === name;
  const wanted = servedDomains.length > 0 || same || readTarget(name).kind === 'address' ? servedDomains : [name];
  return { host, add: wanted.filter((domain) => !host.settings.servedDomains.includes(domain)), same };
}

/** The problem of registering a server that this host is already. */
export function registeredAlready(host: Host, settings: HostSettings): KnownServer {
  const known = knownAs(host, settings);
  return new KnownServer(detailOf(host, settings.name, known.add), known);
}

/** The problem of giving a host a port at which this other one audits the same server. */
export function auditedAlready(host: Host, name: string, added: readonly number[]): KnownServer {
  const taken = added.filter((port) => host.settings.ports.includes(port));
  const [are, them] =
    taken.length === 1
      ? [`Port ${taken[0]} of this server is`, 'the port']
      : [`Ports ${taken.join(' and ')} of this server are`, 'the ports'];
  const detail = `${are} audited already, by ${host.settings.name} (host ${host.id}). Take ${them} from that host first, or delete that host.`;
  return new KnownServer(detail, { host, add: [], same: host.settings.name === name });
}

function detailOf({ id, settings }: Host, name: string, add: readonly string[]): string {
  const is =
    settings.name === name
      ? `You have ${name} already: it is the host ${id}.`
      : `${name} leads to the server that you audit as ${settings.name}, the host ${id}. A server is audited once: a second host would wait behind the first and find the same.`;
  const patch = `To have it tested with ${add.length === 1 ? add[0] : 'these domains'} too, PATCH /v1/hosts/${id} with the servedDomains that stand under \`instead\`.`;
  const other = `To audit it under ${name} instead, DELETE that host first.`;
  return [is, ...(add.length === 0 ? [] : [patch]), ...(settings.name === name ? [] : [other])].join(' ');
}

/** What makes another host of the account the same: its name alone, or the server that this leads to as well. */
export type Sameness = 'name' | 'server';

type Wanted = Pick<HostSettings, 'name' | 'ports'> & {
  /** The host itself, where it is registered. */
  readonly but?: string;
  readonly same?: Sameness;
};

/**
 * The other host of the account that a host of this name would be the second of at these ports: one of the same name, or one that has all
 * addresses that the name has now, with a port in common, since other ports of an address may lead to another server. Hosts of other
 * accounts play no part.
 */
export async function sameServer(
  acting: Pick<Acting, 'store' | 'accountId'>,
  { name, ports, but, same = 'server' }: Wanted,
  lookups: Lookups,
): Promise<Host | undefined> {
  const addresses = same === 'name' ? [] : addressesNow(name, lookups);
  const hosts: Host[] = [];
  for await (const some of allHosts(acting))
    hosts.push(...some.filter(({ id, settings }) => id !== but && settings.ports.some((port) => ports.includes(port))));
  const twin = hosts.find(({ settings }) => settings.name === name);
  const wanted = await addresses;
  if (twin !== undefined || wanted.length === 0) return twin;
  const likely = likeliest(hosts, wanted);
  const found = await Promise.all(likely.map(({ settings }) => addressesNow(settings.name, lookups)));
  return likely.find((_, index) => wanted.every((each) => found[index]?.includes(each)));
}

// Those that showed one of the addresses in their last scans, then those of which no scan has shown any yet, the newest first.
function likeliest(hosts: readonly Host[], addresses: readonly string[]): Host[] {
  const place = ({ settings, state }: Host) => {
    const target = readTarget(settings.name);
    if (target.kind === 'address') return addresses.includes(target.address.text) ? 0 : undefined;
    return hasShown(state.shown, addresses, settings.ports) ? 1 : state.shown === undefined || state.shown.length === 1 ? 2 : undefined;
  };
  return hosts
    .flatMap((host) => {
      const at = place(host);
      return at === undefined ? [] : [{ host, at }];
    })
    .toSorted((a, b) => a.at - b.at || b.host.createdAt - a.host.createdAt)
    .slice(0, LOOKED_AT)
    .map(({ host }) => host);
}

async function addressesNow(name: string, lookups: Lookups): Promise<string[]> {
  const target = readTarget(name);
  if (target.kind === 'address') return [target.address.text];
  return valuesOf(await lookups.addresses(name)).map(({ text }) => text);
}
