import type { Host, HostSettings } from '../domain/host.ts';
import { readTarget } from '../domain/host-name.ts';
import { addSentences, isSameName, type Known, knownAs, knownSentence } from '../domain/known-server.ts';
import type { ServerAddresses } from '../domain/proposal.ts';
import { hasShown } from '../domain/timeline.ts';
import type { Lookups } from '../network/lookups.ts';
import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { valuesOf } from './lookups.ts';
import { Problem } from './problem.ts';

const LOOKED_AT = 8; // hosts whose names are resolved for one registration or proposal, however many the account has

/** The problem of making a second host of a server that a host of the account is already. */
export class KnownServer extends Problem {
  readonly known: Known;

  constructor(detail: string, known: Known) {
    super(409, detail);
    this.known = known;
  }
}

/** The problem of registering a server that this host is already. */
export function registeredAlready(host: Host, settings: HostSettings): KnownServer {
  const known = knownAs(host, settings);
  const why = 'A server is audited once: a second host would wait behind the first and find the same.';
  const other = `To audit it under ${settings.name} instead, DELETE that host first.`;
  const further = !isSameName(known);
  const detail = [knownSentence(known), ...(further ? [why] : []), ...addSentences(known, 'instead'), ...(further ? [other] : [])];
  return new KnownServer(detail.join(' '), known);
}

/** The problem of giving a host a port at which this other one audits the same server. */
export function auditedAlready(host: Host, name: string, added: readonly number[]): KnownServer {
  const taken = added.filter((port) => host.settings.ports.includes(port));
  const [are, them] =
    taken.length === 1
      ? [`Port ${taken[0]} of this server is`, 'the port']
      : [`Ports ${taken.join(' and ')} of this server are`, 'the ports'];
  const detail = `${are} audited already, by ${host.settings.name} (host ${host.id}). Take ${them} from that host first, or delete that host.`;
  return new KnownServer(detail, { name, host, add: [] });
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
  const [addresses, hosts] = await Promise.all([same === 'name' ? [] : addressesNow(name, lookups), hostsAt(acting, ports, but)]);
  return (await auditedAmong(hosts, [{ name, addresses }], lookups)).get(name);
}

/** Of servers by their names and addresses: the hosts of the account that they are already, at one of these ports, by name. */
export async function auditedServers(
  acting: Pick<Acting, 'store' | 'accountId'>,
  servers: readonly ServerAddresses[],
  ports: readonly number[],
  lookups: Lookups,
): Promise<ReadonlyMap<string, Host>> {
  return auditedAmong(await hostsAt(acting, ports), servers, lookups);
}

async function hostsAt(acting: Pick<Acting, 'store' | 'accountId'>, ports: readonly number[], but?: string): Promise<Host[]> {
  const hosts: Host[] = [];
  for await (const some of allHosts(acting))
    hosts.push(...some.filter(({ id, settings }) => id !== but && settings.ports.some((port) => ports.includes(port))));
  return hosts;
}

async function auditedAmong(hosts: readonly Host[], servers: readonly ServerAddresses[], lookups: Lookups): Promise<Map<string, Host>> {
  const known = new Map(
    servers.flatMap(({ name }) => hosts.flatMap((host) => (host.settings.name === name ? [[name, host] as const] : []))),
  );
  const others = servers.filter(({ name, addresses }) => !known.has(name) && addresses.length > 0);
  if (others.length === 0) return known;
  const likely = likeliest(
    hosts,
    others.flatMap(({ addresses }) => addresses),
  );
  const found = await Promise.all(likely.map(({ settings }) => addressesNow(settings.name, lookups)));
  for (const { name, addresses } of others) {
    // Its very twin before one that has more addresses.
    const fits = likely
      .map((host, index) => ({ host, has: found[index] ?? [] }))
      .filter(({ has }) => addresses.every((each) => has.includes(each)))
      .toSorted((a, b) => a.has.length - b.has.length);
    if (fits[0] !== undefined) known.set(name, fits[0].host);
  }
  return known;
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
