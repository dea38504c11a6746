import type { Address } from '../domain/address.ts';
import type { Host, HostSettings } from '../domain/host.ts';
import { readTarget } from '../domain/host-name.ts';
import { hasShown } from '../domain/timeline.ts';
import type { Lookups } from '../network/lookups.ts';
import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { valuesOf } from './lookups.ts';
import { Problem } from './problem.ts';

const LOOKED_AT = 8; // hosts whose names are resolved for one registration, however many the account has

/** The problem of registering what the account has already: the very name, or a further name of a server that a host of it is. */
export class KnownServer extends Problem {
  /** The host that it is. */
  readonly host: Host;
  /** The domains to add to that host; none where nothing is left to add. */
  readonly add: readonly string[];
  /** Whether it is the same name, and not a further one. */
  readonly same: boolean;

  constructor(host: Host, { name, servedDomains }: HostSettings) {
    const same = host.settings.name === name;
    const wanted = servedDomains.length > 0 || same || readTarget(name).kind === 'address' ? servedDomains : [name];
    const add = wanted.filter((domain) => !host.settings.servedDomains.includes(domain));
    super(409, detailOf(host, name, add));
    this.host = host;
    this.add = add;
    this.same = same;
  }
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

/**
 * The host of the account that a registration would be the second of: one of the same name, or one that has all of these addresses, with
 * a port in common, since other ports of an address may lead to another server. Hosts of other accounts play no part.
 */
export async function sameServer(
  acting: Pick<Acting, 'store' | 'accountId'>,
  { name, ports }: HostSettings,
  addresses: Promise<readonly Address[]>,
  lookups: Lookups,
): Promise<Host | undefined> {
  const hosts: Host[] = [];
  for await (const some of allHosts(acting))
    hosts.push(...some.filter(({ settings }) => settings.ports.some((port) => ports.includes(port))));
  const twin = hosts.find(({ settings }) => settings.name === name);
  const wanted = (await addresses).map(({ text }) => text);
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
