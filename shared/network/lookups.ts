import { getServers } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { type Address, parseAddress, reverseName } from '../domain/address.ts';
import { type DnsFailure, isVeto } from '../domain/consent.ts';
import { askDns, askServer, type DnsReply } from './dns-client.ts';
import type { DnsMessage, DnsRecord, Question, RecordType } from './dns-message.ts';

/**
 * What DNS says. Only NXDOMAIN, or NOERROR without the record, is absence; anything else that fails is trouble on our side. `alias` is the name that a CNAME
 * leads to. `rememberedMs` is for how long the resolver goes on saying so (RFC 2308 §5).
 */
export type Found<T> =
  | {
      readonly kind: 'found';
      readonly values: readonly T[];
      readonly alias?: string | undefined;
      /** The question for addresses of one family that failed, where the other gave some. */
      readonly failure?: DnsFailure | undefined;
    }
  | {
      readonly kind: 'absent';
      readonly alias?: string | undefined;
      readonly rememberedMs?: number | undefined;
      /** A domain says that it takes no mail (RFC 7505). */
      readonly isNullMx?: boolean | undefined;
    }
  | { readonly kind: 'trouble'; readonly why: string; readonly failure?: DnsFailure | undefined };

/** A mail exchanger of a domain, as its MX record names it: in lower case, without the dot at the end. */
export type MailServer = { readonly name: string; readonly preference: number };

/** A name server of a zone, at the first of its addresses. */
export type NameServer = { readonly name: string; readonly address: Address };

/** The look-ups that consent and probes are made with. They ask DNS alone, never the hosts file. */
export type Lookups = {
  /** IPv4 and IPv6 addresses of a name; those of one family where the other fails. */
  readonly addresses: (name: string) => Promise<Found<Address>>;
  /** TXT records, each joined from its strings; where these are a veto as words, they stay words. */
  readonly texts: (name: string) => Promise<Found<string>>;
  /** Names that an address claims to have (PTR), in one order, in lower case, without the dot at the end. */
  readonly names: (address: Address) => Promise<Found<string>>;
  /** The mail exchangers of a domain, the preferred one first. */
  readonly mailServers: (domain: string) => Promise<Found<MailServer>>;
  /** Name servers of the zone in which a name lies; absent where the zone is signed, since only the resolver checks signatures. */
  readonly unsignedServers?: ((name: string) => Promise<Found<NameServer>>) | undefined;
  /** The TXT records of a name, as one of the zone's own servers has them. */
  readonly textsAt?: ((server: Address, name: string) => Promise<Found<string>>) | undefined;
};

const TIMEOUT_MS = 3_000; // per try; a resolver on the same network answers in milliseconds, a cold one within a second or two
const TRIES = 2;
const SERVERS_MS = 3_000; // to learn which servers a zone has: three questions one after the other
const OWN_SERVER_MS = 2_000; // for a name server of a zone: one that is far away answers in half a second
/** Name servers of a zone that are asked: more than that are copies of one another. */
export const SERVERS_LIMIT = 4;
/** Questions to a resolver that it takes to know them: SOA, NS, DNSKEY, and two for each. */
export const SERVERS_QUESTIONS = 3 + 2 * SERVERS_LIMIT;
const ABSENT = { kind: 'absent' } as const;

/** Looks up by DNS. `servers` are the resolvers to ask, `address` or `address:port`; empty means the system's. */
export function dnsLookups(servers: readonly string[]): Lookups {
  const resolvers = servers.length > 0 ? servers : getServers();
  const ask = async <T>(type: RecordType, name: string, read: (record: DnsRecord) => T | undefined) =>
    foundIn({ type, name }, await askDns({ type, name }, resolvers), read);
  const texts = (name: string) => ask('TXT', name, textOf);
  return {
    async addresses(name) {
      const [four, six] = await Promise.all([ask('A', name, addressOf), ask('AAAA', name, addressOf)]);
      return inOneOrder(bothFamilies(four, six));
    },
    // Of resolvers that an operator has named, two that disagree have told nothing.
    texts: async (name) => {
      const [first, second] = servers;
      if (first === undefined || second === undefined) return texts(name);
      const question = { type: 'TXT', name } as const;
      const both = await Promise.all(
        [
          [first, ...servers.slice(2)],
          [second, ...servers.slice(2)],
        ].map(async (each) => foundIn(question, await askDns(question, each), textOf)),
      );
      return agreed(question, both);
    },
    names: async (address) => inOneOrder(await ask('PTR', reverseName(address), targetOf)),
    mailServers: async (domain) => {
      const found = await ask('MX', domain, (record) =>
        record.type === 'MX' ? { name: record.target, preference: record.preference } : undefined,
      );
      if (found.kind !== 'found') return found;
      const named = found.values.filter(({ name }) => name !== '');
      if (named.length === 0) return { kind: 'absent', isNullMx: true };
      return { ...found, values: named.toSorted((a, b) => a.preference - b.preference || a.name.localeCompare(b.name)) };
    },
    unsignedServers: (name) => inTime(serversOfZone(name, resolvers)),
    async textsAt(server, name) {
      const question = { type: 'TXT', name } as const;
      const reply = await askServer(question, server.text, AbortSignal.timeout(OWN_SERVER_MS), false);
      // A server that has not got the zone says so by answering without authority.
      if (reply.message?.isAuthoritative === false) return trouble(question, { said: 'no authority' });
      return foundIn(question, reply, textOf);
    },
  };
}

// A slow resolver keeps no look waiting for what it can do without.
async function inTime<T>(found: Promise<Found<T>>): Promise<Found<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found<T>>((give) => {
    timer = setTimeout(() => give(ABSENT), SERVERS_MS);
  });
  return await Promise.race([found, late]).finally(() => clearTimeout(timer));
}

// The zone is that of the SOA which comes with a name, or with the word that there is none.
async function serversOfZone(name: string, resolvers: readonly string[]): Promise<Found<NameServer>> {
  const ask = async <T>(type: RecordType, at: string, read: (record: DnsRecord) => T | undefined) =>
    foundIn({ type, name: at }, await askDns({ type, name: at }, resolvers), read);
  const { message } = await askDns({ type: 'SOA', name }, resolvers);
  const zone = [...(message?.answers ?? []), ...(message?.authority ?? [])].find(({ type }) => type === 'SOA')?.name;
  // An alias may have led to a zone of others, whose servers have no say here.
  if (zone === undefined || !`.${name}`.endsWith(`.${zone}`)) return ABSENT;
  const [keys, servers] = await Promise.all([ask('DNSKEY', zone, ({ type }) => type), ask('NS', zone, targetOf)]);
  if (keys.kind !== 'absent' || servers.kind !== 'found') return ABSENT;
  const some = [...new Set(servers.values)].toSorted().slice(0, SERVERS_LIMIT);
  const placed = await Promise.all(
    some.map(async (server) => {
      const four = await ask('A', server, addressOf);
      const found = four.kind === 'found' ? four : await ask('AAAA', server, addressOf);
      const [address] = found.kind === 'found' ? found.values : [];
      return address === undefined ? [] : [{ name: server, address }];
    }),
  );
  return { kind: 'found', values: placed.flat() };
}

function foundIn<T>(question: Question, reply: DnsReply, read: (record: DnsRecord) => T | undefined): Found<T> {
  const { message } = reply;
  if (message === undefined) return trouble(question, reply);
  const { records, alias } = followed(question, message);
  const values = records.flatMap((record) => read(record) ?? []);
  if (values.length < records.length) return trouble(question, { said: 'an answer that cannot be read' });
  const aliased = alias === undefined ? {} : { alias };
  if (values.length > 0) return { kind: 'found', values, ...aliased };
  const soa = message.authority.find((record) => record.type === 'SOA');
  const remembered = soa === undefined ? {} : { rememberedMs: Math.min(soa.ttl, soa.minimum) * 1_000 };
  return { kind: 'absent', ...aliased, ...remembered };
}

// The records of the type that was asked for, at the end of the way that CNAMEs lead.
function followed({ type, name }: Question, { answers }: DnsMessage): { records: readonly DnsRecord[]; alias?: string } {
  const aliases = new Map(answers.flatMap((record) => (record.type === 'CNAME' ? [[record.name, record.target]] : [])));
  const passed = new Set<string>();
  let at = name.toLowerCase();
  for (let next = aliases.get(at); next !== undefined && !passed.has(next); next = aliases.get(at)) {
    passed.add(at);
    at = next;
  }
  const records = answers.filter((record) => record.type === type && record.name === at);
  return { records, ...(passed.size === 0 ? {} : { alias: at }) };
}

function trouble(
  { type, name }: Question,
  { said = 'no answer', details }: { readonly said?: string | undefined; readonly details?: string | undefined },
): Extract<Found<never>, { kind: 'trouble' }> {
  return { kind: 'trouble', why: said, failure: { type, name, said, ...(details === undefined || details === '' ? {} : { details }) } };
}

function bothFamilies(four: Found<Address>, six: Found<Address>): Found<Address> {
  const values = [four, six].flatMap((each) => (each.kind === 'found' ? each.values : []));
  const failed = [four, six].find((each) => each.kind === 'trouble');
  if (values.length === 0) return failed ?? four;
  const alias = four.kind === 'found' ? four.alias : six.kind === 'found' ? six.alias : undefined;
  return {
    kind: 'found',
    values,
    ...(alias === undefined ? {} : { alias }),
    ...(failed?.failure === undefined ? {} : { failure: failed.failure }),
  };
}

function agreed(question: Question, [one, other]: readonly Found<string>[]): Found<string> {
  if (one === undefined || one.kind === 'trouble') return other ?? trouble(question, {});
  if (other === undefined || other.kind === 'trouble') return one;
  const all = (found: Found<string>) => (found.kind === 'found' ? found.values.toSorted().join('\n') : '');
  return all(one) === all(other) ? one : trouble(question, { said: 'two answers of two resolvers' });
}

function addressOf(record: DnsRecord): Address | undefined {
  return 'address' in record ? parseAddress(record.address) : undefined;
}

function targetOf(record: DnsRecord): string | undefined {
  return 'target' in record ? record.target : undefined;
}

function textOf(record: DnsRecord): string | undefined {
  return 'strings' in record ? joined(record.strings) : undefined;
}

// Without quotes a zone file makes two strings of `deny relay-audit`.
function joined(strings: readonly string[]): string {
  const apart = strings.join(' ');
  return isVeto(apart) ? apart : strings.join('');
}

// The same zone gives the same answer, whatever the order in which a server hands out its records; each once.
function inOneOrder<T extends string | Address>(found: Found<T>): Found<T> {
  if (found.kind !== 'found') return found;
  const byText = new Map(found.values.map((value) => [typeof value === 'string' ? value : value.text, value]));
  const rank = (value: T) => (typeof value === 'string' ? value : `${value.family} ${value.text}`);
  return { ...found, values: [...byText.values()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)) };
}

/**
 * Asks each question once, however many ask it, and at most so many a second. For a batch of hosts and no longer: consent
 * is proven afresh for every scan.
 */
export function sharedLookups(lookups: Lookups, perSecond: number): Lookups {
  const { unsignedServers, textsAt } = lookups;
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
    unsignedServers: unsignedServers && ((name) => once(`NS ${name}`, () => unsignedServers(name), SERVERS_QUESTIONS)),
    textsAt: textsAt && ((server, name) => once(`TXT ${name} ${server.text}`, () => textsAt(server, name))),
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
