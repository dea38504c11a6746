import { Resolver } from 'node:dns/promises';
import { type Address, parseAddress } from '../domain/address.ts';

/** What DNS says of a name. Only NXDOMAIN or an empty answer is absence; anything else that fails is trouble on our side. */
export type Resolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly Address[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'trouble'; readonly why: string };

export type Resolve = (name: string) => Promise<Resolution>;

const TIMEOUT_MS = 3_000; // per try; a resolver on the same network answers in milliseconds, a cold one within a second or two
const TRIES = 2;
const ADDRESSES_LIMIT = 8; // addresses of one host that are audited; larger pools share one configuration

/** Resolves names to IPv4 and IPv6 addresses by DNS alone, never by the hosts file. `servers` are the resolvers to ask; empty means the system's. */
export function dnsResolver(servers: readonly string[]): Resolve {
  const resolver = newResolver(servers);
  return async (name) => {
    const [four, six] = await Promise.all([ask(() => resolver.resolve4(name)), ask(() => resolver.resolve6(name))]);
    if (four.kind === 'trouble') return four;
    if (six.kind === 'trouble') return six;
    const addresses = [four, six].flatMap((each) => (each.kind === 'addresses' ? each.addresses : []));
    return addresses.length === 0 ? { kind: 'absent' } : { kind: 'addresses', addresses: addresses.slice(0, ADDRESSES_LIMIT) };
  };
}

async function ask(query: () => Promise<string[]>): Promise<Resolution> {
  try {
    return readAnswer(await query());
  } catch (error) {
    return readFailure(error);
  }
}

/** Look-ups of other kinds, as the checks of our own names need them. */
export type Dns = Pick<Resolver, 'resolve4' | 'reverse' | 'resolveMx' | 'resolveTxt'>;

/** A DNS client with bounded time-outs. */
export function newResolver(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

function readAnswer(answer: readonly string[]): Resolution {
  const addresses = [...new Set(answer)].toSorted().map(parseAddress);
  if (addresses.length === 0) return { kind: 'absent' };
  if (addresses.some((address) => address === undefined))
    return { kind: 'trouble', why: 'the resolver gave an address that cannot be read' };
  return { kind: 'addresses', addresses: addresses.flatMap((address) => address ?? []) };
}

function readFailure(error: unknown): Resolution {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'absent' } : { kind: 'trouble', why: code };
}
