import { Resolver } from 'node:dns/promises';
import { type Address, parseAddress, reverseName } from '../domain/address.ts';
import { isVeto } from '../domain/consent.ts';
import { answerCode, type RecordType } from './answer-code.ts';

/** What DNS says. Only NXDOMAIN, or NOERROR without the record, is absence; anything else that fails is trouble on our side. */
export type Found<T> =
  | { readonly kind: 'found'; readonly values: readonly T[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'trouble'; readonly why: string };

/** A mail exchanger of a domain, as its MX record names it: in lower case, without the dot at the end. */
export type MailServer = { readonly name: string; readonly preference: number };

/** The look-ups that consent and probes are made with. They ask DNS alone, never the hosts file. */
export type Lookups = {
  /** IPv4 and IPv6 addresses of a name. */
  readonly addresses: (name: string) => Promise<Found<Address>>;
  /** TXT records, each joined from its strings; where these are a veto as words, they stay words. */
  readonly texts: (name: string) => Promise<Found<string>>;
  /** Names that an address claims to have (PTR), in one order, in lower case, without the dot at the end. */
  readonly names: (address: Address) => Promise<Found<string>>;
  /** The mail exchangers of a domain, the preferred one first; a null MX (RFC 7505) is absence. */
  readonly mailServers: (domain: string) => Promise<Found<MailServer>>;
};

const TIMEOUT_MS = 3_000; // per try; a resolver on the same network answers in milliseconds, a cold one within a second or two
const TRIES = 2;
const [NOERROR, NXDOMAIN] = [0, 3] as const; // RFC 1035 §4.1.1

/**
 * Looks up by DNS. `servers` are the resolvers to ask, `address` or `address:port`; empty means the system's. Each question has
 * a client of its own: c-ares gives up every question of a client when one answer cannot be read, and strangers write answers.
 */
export function dnsLookups(servers: readonly string[]): Lookups {
  const ask = <T>(type: RecordType, name: string, query: (resolver: Resolver) => Promise<T[]>) =>
    answerTo({ type, name, query }, newResolver(servers));
  return {
    async addresses(name) {
      const [four, six] = await Promise.all([
        ask('A', name, (each) => each.resolve4(name)),
        ask('AAAA', name, (each) => each.resolve6(name)),
      ]);
      if (four.kind === 'trouble') return four;
      if (six.kind === 'trouble') return six;
      const spelled = [four, six].flatMap((each) => (each.kind === 'found' ? inOrder(each.values) : []));
      const addresses = spelled.flatMap((text) => parseAddress(text) ?? []);
      if (addresses.length < spelled.length) return { kind: 'trouble', why: 'the resolver gave an address that cannot be read' };
      return foundOrAbsent(addresses);
    },
    texts: (name) => ask('TXT', name, async (each) => (await each.resolveTxt(name)).map(joined)),
    names: (address) =>
      ask('PTR', reverseName(address), async (each) => inOrder((await each.resolvePtr(reverseName(address))).map(plainName))),
    mailServers: (domain) =>
      ask('MX', domain, async (each) =>
        (await each.resolveMx(domain))
          .map(({ exchange, priority }) => ({ name: plainName(exchange), preference: priority }))
          .filter(({ name }) => name !== '')
          .toSorted((a, b) => a.preference - b.preference || a.name.localeCompare(b.name)),
      ),
  };
}

/**
 * Asks each question once, however many ask it, and at most so many a second. For a batch of hosts and no longer: consent
 * is proven afresh for every scan.
 */
export function sharedLookups(lookups: Lookups, perSecond: number): Lookups {
  const asked = new Map<string, Promise<unknown>>();
  let free = 0; // when the next question may go out; milliseconds of the monotonic clock
  const once = <T>(question: string, ask: () => Promise<T>, questions = 1): Promise<T> => {
    const known = asked.get(question) as Promise<T> | undefined; // what was asked under this name gave this kind of answer
    if (known !== undefined) return known;
    const now = performance.now();
    const wait = Math.max(0, free - now);
    free = Math.max(free, now) + (questions * 1_000) / perSecond;
    const answer = wait < 1 ? ask() : new Promise<void>((done) => setTimeout(done, wait)).then(ask);
    asked.set(question, answer);
    return answer;
  };
  return {
    addresses: (name) => once(`A ${name}`, () => lookups.addresses(name), 2), // A and AAAA
    texts: (name) => once(`TXT ${name}`, () => lookups.texts(name)),
    names: (address) => once(`PTR ${address.text}`, () => lookups.names(address)),
    mailServers: (domain) => once(`MX ${domain}`, () => lookups.mailServers(domain)),
  };
}

/** Look-ups of other kinds, as the checks of our own names need them. */
export type Dns = Pick<Resolver, 'resolve4' | 'reverse' | 'resolveMx' | 'resolveTxt'>;

/** A DNS client with bounded time-outs. */
export function newResolver(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

type Question<T> = {
  readonly type: RecordType;
  readonly name: string;
  readonly query: (resolver: Resolver) => Promise<T[]>;
};

async function answerTo<T>({ type, name, query }: Question<T>, resolver: Resolver): Promise<Found<T>> {
  try {
    const values = await query(resolver);
    if (values.length > 0) return { kind: 'found', values };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOTFOUND') return { kind: 'absent' };
    if (code !== 'ENODATA') return { kind: 'trouble', why: code };
  }
  // "No data" is also what Node's client makes of codes that it does not know.
  const code = await answerCode(name, type, resolver.getServers(), TIMEOUT_MS);
  if (code === NOERROR || code === NXDOMAIN) return { kind: 'absent' };
  return { kind: 'trouble', why: code === undefined ? 'ETIMEOUT' : `ECODE${code}` };
}

function foundOrAbsent<T>(values: readonly T[]): Found<T> {
  return values.length === 0 ? { kind: 'absent' } : { kind: 'found', values };
}

// The same zone gives the same answer, whatever the order in which a server hands out its records.
function inOrder(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}

// Without quotes a zone file makes two strings of `deny relay-audit`.
function joined(strings: readonly string[]): string {
  const apart = strings.join(' ');
  return isVeto(apart) ? apart : strings.join('');
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
