import { parseAddress } from '../../shared/domain/address.ts';
import type { Found, Lookups } from '../../shared/network/lookups.ts';
import { NOON } from './samples.ts';

/** Who owns things in this world. Mallory breaks rules; `third` has no account; the operator's addresses are open to every account. */
export const PEOPLE = ['alice', 'bob', 'mallory', 'third', 'operator'] as const;

export type Person = (typeof PEOPLE)[number];

/** The token of each person's account. */
export const TOKENS: Partial<Record<Person, string>> = {
  alice: `ra1-${'a'.repeat(24)}`,
  bob: `ra1-${'b'.repeat(24)}`,
  mallory: `ra1-${'m'.repeat(24)}`,
};

/** Every address of the world: its true owner, and the name of its reverse zone, spelled by hand. */
export const ADDRESSES: Record<string, { readonly owner: Person; readonly reverse: string }> = {
  '185.1.1.1': { owner: 'alice', reverse: '1.1.1.185.in-addr.arpa' },
  '2a02:1::1': { owner: 'alice', reverse: `1.0.0.0.${'0.'.repeat(20)}1.0.0.0.2.0.a.2.ip6.arpa` },
  '185.2.2.2': { owner: 'bob', reverse: '2.2.2.185.in-addr.arpa' },
  '185.6.6.6': { owner: 'mallory', reverse: '6.6.6.185.in-addr.arpa' },
  '2a02:6::6': { owner: 'mallory', reverse: `6.0.0.0.${'0.'.repeat(20)}6.0.0.0.2.0.a.2.ip6.arpa` },
  '185.3.3.3': { owner: 'third', reverse: '3.3.3.185.in-addr.arpa' },
  '185.9.9.9': { owner: 'operator', reverse: '9.9.9.185.in-addr.arpa' },
  '127.0.0.1': { owner: 'operator', reverse: '1.0.0.127.in-addr.arpa' },
  '10.0.0.1': { owner: 'third', reverse: '1.0.0.10.in-addr.arpa' },
  '2002:b901:101::1': { owner: 'third', reverse: 'none.ip6.arpa' },
};

/** The operator's networks, and which of the addresses nobody but the operator may have probed. */
export const OPERATORS = ['185.9.9.0/24', '127.0.0.0/8'];
const LOOPBACK = '127.0.0.1';
const BAD = ['10.0.0.1', '2002:b901:101::1'];

/** The names of the world by owner. Those under public suffixes are there for anyone to take. */
export const NAMES: Record<Exclude<Person, 'operator'>, readonly string[]> = {
  alice: ['mx.alice-mail.com', 'alice-mail.com', 'mx.alice.github.io', 'alice.github.io'],
  bob: ['mx.bob.co.uk', 'deep.mx.bob.co.uk', 'bob.co.uk'],
  mallory: ['mx.mallory.net', 'mallory.net', 'a.b.mx.mallory.net', 'x.mallory.github.io', 'mallory.github.io'],
  third: ['v1.hoster.net', 'hoster.net'],
};

/** Public suffixes. Mallory has got hold of the label for proofs right under each. */
export const SUFFIXES = ['com', 'net', 'io', 'uk', 'co.uk', 'github.io'];

type Records = { a?: string[]; txt?: string[]; ptr?: string[]; mx?: string[]; cname?: string };

/** What a mail server does: shows a word in its 220 or as a keyword, which proves nothing, and echoes what it is told, or not. */
export type Server = {
  readonly up: boolean;
  readonly word?: string;
  readonly where: 'greeting' | 'ehlo';
  readonly echoes: boolean;
  readonly accepts: boolean;
  readonly defers: boolean;
};

/** All that can change. Whoever moves something tells `changed`, so that scans in flight know which moments they lived through. */
export type World = {
  clock: number;
  readonly records: Map<string, Records>;
  /** Zones that do not answer, and single names (`=name`). */
  readonly down: Set<string>;
  readonly servers: Map<string, Server>;
  readonly never: Map<string, number>;
  readonly paused: Set<string>;
};

/** A world in which nobody has said anything. */
export function emptyWorld(): World {
  return { clock: NOON, records: new Map(), down: new Set(), servers: new Map(), never: new Map(), paused: new Set() };
}

/** What DNS says of a name now: undefined when its zone does not answer. Follows aliases and wildcards. */
function recordsAt(world: World, name: string, hops = 0): Records | undefined {
  if (world.down.has(`=${name}`) || [...world.down].some((zone) => name === zone || name.endsWith(`.${zone}`))) return undefined;
  const exact = world.records.get(name);
  const labels = name.split('.');
  const wild =
    exact === undefined ? labels.map((_, index) => world.records.get(`*.${labels.slice(index + 1).join('.')}`)).find(Boolean) : undefined;
  const found = exact ?? wild ?? {};
  if (found.cname === undefined) return found;
  return hops > 4 ? {} : recordsAt(world, found.cname, hops + 1);
}

/** Look-ups that the world answers, each after `wait`, with what holds at that moment. */
export function lookupsOf(world: World, wait: () => Promise<void>): Lookups {
  const ask = async <T>(name: string, read: (records: Records) => readonly T[] | undefined): Promise<Found<T>> => {
    await wait();
    const records = recordsAt(world, name);
    if (records === undefined) return { kind: 'trouble', why: 'SERVFAIL' };
    const values = read(records) ?? [];
    return values.length === 0 ? { kind: 'absent' } : { kind: 'found', values: [...values] };
  };
  return {
    addresses: (name) => ask(name, ({ a }) => a?.flatMap((text) => parseAddress(text) ?? [])),
    texts: (name) => ask(name, ({ txt }) => txt),
    names: ({ text }) => ask(ADDRESSES[text]?.reverse ?? 'nowhere.arpa', ({ ptr }) => ptr),
    mailServers: (name) => ask(name, ({ mx }) => mx?.map((each) => ({ name: each, preference: 10 }))),
  };
}

// ---- The judge: written from the rules, with nothing of the code that it judges.

function selfAndAbove(name: string): string[] {
  const all: string[] = [];
  for (let each = name; each !== '' && !SUFFIXES.includes(each); each = each.split('.').slice(1).join('.')) all.push(each);
  return all;
}

/** What a scan has lived through: each fact with the last moment at which it held. */
export type Facts = {
  add(fact: string): unknown;
  /** The addresses that its target has led to at any moment: what is asked of them is asked after that. */
  readonly led: Set<string>;
};

/**
 * Notes everything that holds at this moment and matters to a scan of this target for this token. A scan asks one thing
 * after the other, so each fact may have held at another moment of the minute before a dial.
 */
export function noteFacts(world: World, target: string, token: string | undefined, facts: Facts): void {
  const literal = target in ADDRESSES;
  const led = literal ? [target] : (recordsAt(world, target)?.a ?? []);
  if (!led.some((each) => BAD.includes(each))) facts.add('clean');
  if (led.every((each) => each === LOOPBACK)) facts.add('loopback only');
  const notePlaces = (name: string) => {
    for (const each of selfAndAbove(name)) notePlace(world, each, token, facts);
  };
  if (!literal) notePlaces(target);
  for (const address of Object.keys(ADDRESSES)) if (!world.paused.has(address)) facts.add(`unpaused ${address}`);
  for (const address of led) {
    facts.add(`leads ${address}`);
    facts.led.add(address);
  }
  for (const address of facts.led) {
    const reverse = ADDRESSES[address]?.reverse ?? '';
    notePlace(world, reverse, token, facts);
    const claimed = recordsAt(world, reverse);
    if (claimed === undefined) continue;
    facts.add(`claims ${address} ${(claimed.ptr ?? []).join(' ')}`);
    for (const name of claimed.ptr ?? []) {
      notePlaces(name);
      if (recordsAt(world, name)?.a?.includes(address)) facts.add(`back ${name} ${address}`);
    }
  }
}

/** Notes what holds now of the domains that a host is said to serve. */
export function noteServed(world: World, target: string, domains: readonly string[], token: string | undefined, facts: Facts): void {
  const led = target in ADDRESSES ? [target] : (recordsAt(world, target)?.a ?? []);
  if (led.every((each) => ADDRESSES[each]?.owner === 'operator')) facts.add("all the operator's");
  for (const domain of domains) {
    for (const each of selfAndAbove(domain)) notePlace(world, each, token, facts);
    for (const server of recordsAt(world, domain)?.mx ?? []) {
      facts.add(`mx ${domain} ${server}`);
      for (const address of recordsAt(world, server)?.a ?? []) facts.add(`a ${server} ${address}`);
    }
  }
}

/** Whether a served domain may be named to the servers of a host. */
export function servedBy(facts: ReadonlySet<string>, target: string, domain: string): boolean {
  if (facts.has("all the operator's") || selfAndAbove(domain).some((each) => facts.has(`token ${each}`))) return true;
  const servers = [...facts].filter((fact) => fact.startsWith(`mx ${domain} `)).map((fact) => fact.split(' ')[2] ?? '');
  return servers.includes(target) || servers.some((server) => facts.has(`a ${server} ${target}`));
}

function notePlace(world: World, name: string, token: string | undefined, facts: Facts): void {
  const texts = recordsAt(world, `_relay-audit.${name}`);
  if (texts === undefined || texts.txt?.includes('deny')) return;
  facts.add(`quiet ${name}`);
  if (token !== undefined && texts.txt?.includes(token)) facts.add(`token ${name}`);
}

/** Why nothing may be done at an address that no veto is against, and of which no DNS says whose it is. */
export const UNSPOKEN = 'the side of the address has not spoken';

/** What a scan may do at an address by the facts that it has lived through: everything, or nothing and why. */
export function allowedBy(facts: ReadonlySet<string>, target: string, address: string): 'all' | string {
  const literal = target in ADDRESSES;
  const quiet = (name: string) => selfAndAbove(name).every((each) => facts.has(`quiet ${each}`));
  const proven = (name: string) => selfAndAbove(name).some((each) => facts.has(`token ${each}`));
  const operators = ADDRESSES[address]?.owner === 'operator';
  if (!facts.has(`leads ${address}`)) return 'the host does not lead there';
  if (!facts.has('clean')) return 'the host leads to a forbidden address too';
  if (!facts.has(`unpaused ${address}`)) return 'paused';
  if (!literal && !facts.has('loopback only') && !quiet(target)) return 'a veto, or silence, on the side of the name';
  if (address === LOOPBACK) return 'all';
  const reverse = ADDRESSES[address]?.reverse ?? '';
  if (!facts.has(`quiet ${reverse}`)) return 'a veto, or silence, at the reverse name';
  const lists = [...facts].filter((fact) => fact.startsWith(`claims ${address} `)).map((fact) => fact.split(' ').slice(2).filter(Boolean));
  const calm = lists.filter((names) => names.every(quiet));
  if (calm.length === 0) return 'a veto, or silence, at a claimed name';
  if (operators) return 'all';
  if (!literal && !proven(target)) return 'the side of the name has not spoken';
  if (facts.has(`token ${reverse}`)) return 'all';
  return calm.some((names) => names.some((name) => proven(name) && facts.has(`back ${name} ${address}`))) ? 'all' : UNSPOKEN;
}

/** Whether the never-list forbids a dial at this moment: an entry of an address, a network or a name that has stood for a minute. */
export function neverForbids({ never, clock }: World, target: string, address: string): boolean {
  return [...never].some(([entry, since]) => {
    if (clock - since < 60_000) return false;
    if (entry.endsWith('.0/24')) return address.startsWith(entry.slice(0, -'0/24'.length));
    return entry === address || entry === target || target.endsWith(`.${entry}`);
  });
}
