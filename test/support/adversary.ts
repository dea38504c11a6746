import { AsyncLocalStorage } from 'node:async_hooks';
import { auditHost } from '../../functions/probe/audit-host.ts';
import { judgementOf } from '../../functions/probe/finding.ts';
import { watchNeverList } from '../../functions/probe/never-list.ts';
import type { Gate } from '../../functions/probe/permit-host.ts';
import { turnsOf } from '../../functions/probe/turns.ts';
import { parseNetwork } from '../../shared/domain/address.ts';
import type { Host } from '../../shared/domain/host.ts';
import { PRESENCE_MS, speaksFor } from '../../shared/domain/presence.ts';
import { type LegEvidence, scanId } from '../../shared/domain/scan.ts';
import { sharedLookups } from '../../shared/network/lookups.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { takeOverDials, type Wire } from './adversary-net.ts';
import {
  ADDRESSES,
  allowedBy,
  emptyWorld,
  type Facts,
  lookupsOf,
  NAMES,
  neverForbids,
  noteFacts,
  noteServed,
  OPERATORS,
  type Person,
  type Server,
  SUFFIXES,
  servedBy,
  TOKENS,
  UNSPOKEN,
  type World,
} from './adversary-world.ts';
import { sampleHost } from './samples.ts';

/** What came of sequences: how much was dialled, by what right, and every dial that nobody allowed. */
export type Played = {
  sequences: number;
  scans: number;
  dials: number;
  /** Connections with everything proven, ones of the operator's, and ones that the address itself has asked for and nothing else allows. */
  readonly rights: { proven: number; operators: number; there: number };
  readonly breaches: string[];
};

const LIMITS = { connectMs: 60_000, replyMs: 60_000, sessionMs: 60_000, sittingMs: 60_000, pauseMs: 0 };
const LEASE_MS = 120_000;
const REFRESH_MS = 20_000; // of the never-list
const HONEST = ['alice', 'bob'] as const;
const ALL_NAMES = [...Object.values(NAMES).flat(), ...SUFFIXES.filter((each) => each.includes('.'))];
const ALL_ADDRESSES = Object.keys(ADDRESSES);

// Reproducible chance (mulberry32).
type Chance = { next(): number; below(limit: number): number; of<T>(values: readonly T[]): T; is(probability: number): boolean };

function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { next, below, of: (values) => values[below(values.length)] as never, is: (probability) => next() < probability };
}

type Registered = { readonly person: Person; readonly host: Host; before?: readonly LegEvidence[] };

// A scan in flight: what it has lived through, and what is still to happen under its feet.
type Flight = {
  readonly id: string;
  /** The scan that it makes, as the gate knows it. */
  readonly scanId: string;
  readonly person: Person;
  readonly hostId: string;
  readonly target: string;
  readonly servedDomains: readonly string[];
  readonly token: string | undefined;
  readonly lived: Map<string, number>;
  readonly facts: Facts;
  readonly interjections: Map<number, () => void>;
  /** What its timers would do every twenty seconds. */
  readonly everyTwentySeconds: (() => void)[];
  awaits: number;
};

// Somebody's request for a scan of the address that it came from. An honest one, and Mallory's too, comes from an address of its own.
type Asked = { readonly hostId: string; readonly scanId: string; readonly address: string; readonly at: number };

type Game = {
  readonly asked: Asked[];
  readonly world: World;
  readonly chance: Chance;
  readonly hosts: Registered[];
  readonly flights: Set<Flight>;
  readonly holders: Map<string, { attempt: string; flight: string; until: number }>;
  readonly log: string[];
  readonly played: Played;
  readonly seed: number;
  scanCount: number;
};

const flying = new AsyncLocalStorage<{ game: Game; flight: Flight }>();

/** Plays sequences with these seeds, the dials of this process being taken over for as long. */
export async function playSequences(first: number, count: number): Promise<Played> {
  const played: Played = { sequences: 0, scans: 0, dials: 0, rights: { proven: 0, operators: 0, there: 0 }, breaches: [] };
  const putBack = takeOverDials(dialled);
  const { setInterval: realInterval } = globalThis;
  // Timers of a scan go by the clock of its world.
  globalThis.setInterval = ((tick: () => void) => {
    flying.getStore()?.flight.everyTwentySeconds.push(tick);
  }) as unknown as typeof setInterval;
  try {
    for (let seed = first; seed < first + count; seed++) await playSequence(seed, played);
  } finally {
    putBack();
    globalThis.setInterval = realInterval;
  }
  return played;
}

async function playSequence(seed: number, played: Played): Promise<void> {
  const game: Game = {
    world: emptyWorld(),
    chance: chanceFrom(Math.imul(seed, 0x9e3779b1)),
    asked: [],
    hosts: [],
    flights: new Set(),
    holders: new Map(),
    log: [],
    played,
    seed,
    scanCount: 0,
  };
  const { chance } = game;
  setTheScene(game);
  for (let moves = 5 + chance.below(12); moves > 0; moves--) {
    if (chance.is(0.45)) await scanSome(game);
    else move(game);
  }
  played.sequences++;
}

// ---- Moves

// What owners have said before it begins, most of it in good order.
function setTheScene(game: Game): void {
  const { world, chance } = game;
  for (const person of [...HONEST, 'mallory', 'third'] as const) {
    const own = ALL_ADDRESSES.filter((address) => ADDRESSES[address]?.owner === person).filter(
      (address) => address.startsWith('185') || address.startsWith('2a02'),
    );
    for (const name of NAMES[person]) if (chance.is(0.8)) edit(game, name, { a: own.filter(() => chance.is(0.8)) });
    for (const name of NAMES[person]) if (chance.is(0.4)) say(game, person, name);
    for (const address of own) {
      const reverse = ADDRESSES[address]?.reverse ?? '';
      if (chance.is(0.3)) say(game, person, reverse);
      if (chance.is(0.6)) edit(game, reverse, { ptr: [chance.of(NAMES[person])] });
      runServer(game, person, address);
    }
  }
  world.servers.set('185.9.9.9', { up: true, where: 'ehlo', echoes: false, accepts: false, defers: false });
  for (let count = 2 + chance.below(3); count > 0; count--) register(game);
}

function edit({ world, log }: Game, name: string, records: Parameters<Map<string, object>['set']>[1]): void {
  world.records.set(name, records as never);
  log.push(`DNS ${name} ${JSON.stringify(records)}`);
}

// Honest owners say their own token, or a veto; Mallory any.
function say(game: Game, person: Person, name: string): void {
  const { chance } = game;
  const token = TOKENS[person] ?? 'v=spf1 -all';
  const foreign = Object.values(TOKENS);
  const options =
    person === 'mallory'
      ? [[token], [token], [...foreign], [chance.of(foreign)]]
      : [[token], [token], [token], ['v=spf1 -all', token], ['deny', token], ['deny'], ['hello'], []];
  edit(game, `_relay-audit.${name}`, { txt: chance.of(options) });
}

function runServer({ world, chance, log }: Game, person: Person, address: string): void {
  const word = person === 'mallory' ? chance.of([undefined, ...Object.values(TOKENS)]) : chance.is(0.5) ? TOKENS[person] : undefined;
  const server: Server = {
    up: chance.is(0.8),
    where: chance.of(['greeting', 'ehlo']),
    echoes: chance.is(0.5),
    accepts: chance.is(0.2),
    defers: chance.is(0.3),
    ...(word === undefined ? {} : { word }),
  };
  world.servers.set(address, server);
  log.push(`server ${address} ${JSON.stringify(server)}`);
}

function register(game: Game): void {
  const { chance, hosts, log } = game;
  const person = chance.of(['alice', 'bob', 'mallory', 'mallory'] as const);
  const own = NAMES[person];
  const name = chance.is(0.6) ? chance.of(own) : chance.is(0.5) ? chance.of(ALL_NAMES) : chance.of(ALL_ADDRESSES);
  const ports = chance.of([[25], [25, 2525]]);
  const servedDomains = chance.is(0.5) ? [chance.of(ALL_NAMES)] : [];
  hosts.push({ person, host: { ...sampleHost({ name, ports, servedDomains }), accountId: person } });
  log.push(`${person} registers ${name} ${ports}`);
}

// The request is for the host that is named as the address, which is registered when there is none. Mallory says in headers, and as
// the name of a host, whatever helps; where it comes from it cannot say.
function comeHere({ chance, hosts, world, asked, log }: Game): void {
  const person = chance.of(['alice', 'bob', 'mallory', 'mallory'] as const);
  const source = chance.of(ALL_ADDRESSES.filter((address) => ADDRESSES[address]?.owner === person));
  const known = hosts.find((each) => each.person === person && each.host.settings.name === source);
  // A host of Mallory's under another name keeps the note of an address that is not its own.
  const others = hosts.filter((each) => each.person === 'mallory');
  const odd = person === 'mallory' && others.length > 0 && chance.is(0.3) ? chance.of(others) : undefined;
  const ports = chance.of([[25], [25, 2525], [2525]]);
  const one = odd ?? known ?? { person, host: { ...sampleHost({ name: source, ports, servedDomains: [] }), accountId: person } };
  if (odd === undefined && known === undefined) hosts.push(one);
  asked.push({ hostId: one.host.id, scanId: scanId(world.clock, 'on-demand'), address: source, at: world.clock });
  log.push(`${person} comes from ${source} and asks for ${one.host.settings.name}`);
}

function leave({ chance, hosts, log }: Game): void {
  const person = chance.of(['alice', 'bob', 'mallory'] as const);
  for (let index = hosts.length - 1; index >= 0; index--) if (hosts[index]?.person === person && hosts.length > 1) hosts.splice(index, 1);
  log.push(`${person} deletes the account`);
}

function remove({ hosts, log }: Game, { host }: Registered): void {
  const at = hosts.findIndex((each) => each.host.id === host.id);
  if (at < 0 || hosts.length === 1) return;
  hosts.splice(at, 1);
  log.push(`${host.settings.name} of ${host.accountId} is removed`);
}

function move(game: Game): void {
  changed(game);
  const { world, chance, log } = game;
  const person = chance.of(['alice', 'bob', 'mallory', 'mallory', 'mallory', 'third'] as const);
  const own = ALL_ADDRESSES.filter((address) => ADDRESSES[address]?.owner === person && !['10.', '200'].includes(address.slice(0, 3)));
  const name = chance.of(NAMES[person]);
  const address = chance.of(own);
  const reverse = ADDRESSES[address]?.reverse ?? '';
  const moves: Record<string, () => unknown> = {
    'point a name': () => edit(game, name, { a: [chance.of(ALL_ADDRESSES), chance.of(ALL_ADDRESSES)].slice(chance.below(2)) }),
    alias: () => edit(game, name, { cname: chance.of(ALL_NAMES) }),
    // An honest owner's alias of a proof is as good as the proof.
    'alias a proof': () =>
      edit(game, `_relay-audit.${name}`, { cname: `_relay-audit.${chance.of(person === 'mallory' ? ALL_NAMES : NAMES[person])}` }),
    'say at a name': () => say(game, person, name),
    'say at a reverse name': () => say(game, person, reverse),
    unsay: () => edit(game, `_relay-audit.${chance.of([name, reverse])}`, {}),
    // Honest owners give their addresses names of their own alone.
    claim: () => edit(game, reverse, { ptr: [chance.of(person === 'mallory' ? ALL_NAMES : NAMES[person]), chance.of(NAMES[person])] }),
    serve: () => runServer(game, person, address),
    register: () => register(game),
    'come here': () => comeHere(game),
    'delete the account': () => chance.is(0.3) && leave(game),
    break: () => toggle(world.down, chance.of([name, reverse, `=${name}`, `=${reverse}`]), log),
    mail: () => edit(game, name, { a: [address], mx: [chance.of(ALL_NAMES)] }),
    pause: () => toggle(world.paused, chance.of(ALL_ADDRESSES), log),
    never: () => toggleNever(game),
    // In a scan time moves on by what its own interjections say, for it may not last longer than a sitting.
    later: () => game.flights.size === 0 && later(game, chance.of([5_000, 30_000, 61_000, 700_000, 700_000, 20 * 60 * 60_000])),
    wildcard: () => edit(game, `*.${NAMES[person].at(-1)}`, { txt: [TOKENS[person] ?? 'x', 'y'], a: [chance.of(ALL_ADDRESSES)] }),
    'take a public suffix': () => edit(game, `_relay-audit.${chance.of(SUFFIXES)}`, { txt: [TOKENS.mallory ?? ''] }),
  };
  const what = chance.of(Object.keys(moves));
  log.push(`${person}: ${what}`);
  moves[what]?.();
  changed(game);
}

function toggle(set: Set<string>, value: string, log: string[]): void {
  if (!set.delete(value)) set.add(value);
  log.push(`${set.has(value) ? '+' : '-'} ${value}`);
}

function toggleNever({ world, chance, log }: Game): void {
  const entry = chance.of([
    '185.1.1.1',
    '2a02:6::6',
    '185.2.2.0/24',
    '185.6.6.0/24',
    'alice-mail.com',
    'mx.bob.co.uk',
    'mallory.net',
    '185.9.9.9',
  ]);
  if (!world.never.delete(entry)) world.never.set(entry, world.clock);
  log.push(`never ${entry} ${world.never.has(entry)}`);
}

function later({ world, log, flights }: Game, ms: number): void {
  const until = world.clock + ms;
  for (world.clock += REFRESH_MS; world.clock < until && flights.size > 0; world.clock += REFRESH_MS)
    for (const { everyTwentySeconds } of flights) for (const tick of everyTwentySeconds) tick();
  world.clock = until;
  log.push(`${ms} ms later`);
}

// What held within a minute of this dial; of pauses and of being registered, within a second.
function lately({ lived }: Flight, { clock }: World): ReadonlySet<string> {
  const since = (fact: string) => clock - (fact.startsWith('unpaused ') || fact === 'registered' ? 1_000 : 60_000);
  return new Set([...lived].flatMap(([fact, at]) => (at >= since(fact) ? fact : [])));
}

// Every scan in flight has lived through this moment.
function changed({ world, flights, hosts }: Game): void {
  for (const { hostId, target, servedDomains, token, facts } of flights) {
    if (hosts.some(({ host }) => host.id === hostId)) facts.add('registered');
    noteFacts(world, target, token, facts);
    noteServed(world, target, servedDomains, token, facts);
  }
}

// ---- Scans

async function scanSome(game: Game): Promise<void> {
  const { chance, hosts, world } = game;
  const host = chance.of(hosts);
  // Now and then one host again and again, each scan going on from the one before, while its owners change their minds.
  const rounds = chance.is(0.1) ? 3 + chance.below(4) : 1;
  for (let round = 0; round < rounds; round++) {
    const several = chance.is(0.3) ? 2 : 1;
    await Promise.all(Array.from({ length: several }, (_, index) => scan(game, index === 0 ? host : chance.of(hosts), rounds > 1)));
    if (rounds > 1 && chance.is(0.6))
      for (const [address, { owner }] of Object.entries(ADDRESSES))
        if (world.servers.has(address) && owner !== 'operator') runServer(game, owner, address);
    // Some scans come at their time, some at once.
    if (chance.is(0.6)) later(game, 700_000);
    for (const [address, { until }] of game.holders) if (until <= world.clock) game.holders.delete(address);
  }
}

// Of the schedule, or one that was asked for: of this host, or, as nothing must allow, of another.
function scanIdFor({ chance, asked, world }: Game, { id }: Host): string {
  const own = asked.filter(({ hostId }) => hostId === id);
  if (own.length > 0 && chance.is(0.7)) return chance.of(own).scanId;
  return asked.length > 0 && chance.is(0.2) ? chance.of(asked).scanId : scanId(world.clock, chance.of(['scheduled', 'on-demand'] as const));
}

async function scan(game: Game, registered: Registered, goesOn: boolean): Promise<void> {
  const { chance, world, flights, played, log } = game;
  const { host, person } = registered;
  const target = host.settings.name;
  const token = TOKENS[person];
  const lived = new Map<string, number>();
  const flight: Flight = {
    id: `scan${game.scanCount++}`,
    scanId: scanIdFor(game, host),
    person,
    hostId: host.id,
    target,
    servedDomains: host.settings.servedDomains,
    token,
    lived,
    facts: { add: (fact) => lived.set(fact, world.clock), led: new Set() },
    interjections: new Map(),
    everyTwentySeconds: [],
    awaits: 0,
  };
  for (let count = chance.is(0.4) ? 1 + chance.below(3) : 0; count > 0; count--)
    flight.interjections.set(chance.below(24), () => (chance.is(0.3) ? toggleNever(game) : move(game)));
  // A scan may last a minute and a half, and see an entry of the never-list come into force.
  if (chance.is(0.2)) flight.interjections.set(4 + chance.below(20), () => later(game, chance.of([10_000, 65_000])));
  if (chance.is(0.1))
    flight.interjections.set(chance.below(24), () => {
      remove(game, registered);
      later(game, 2_000);
    });
  log.push(`${flight.id} of ${target} for ${person}`);
  flights.add(flight);
  changed(game);
  played.scans++;
  await flying.run({ game, flight }, async () => {
    const { gate, close } = await gateOf(game, flight);
    const ref = { accountId: person, hostId: host.id, scanId: flight.scanId };
    const turns = turnsOf(
      ref,
      chance.is(0.7),
      turnStore(game, flight),
      () => world.clock,
      {
        leaseMs: LEASE_MS,
        spacingMs: 600_000,
        soonestMs: 1_000,
      },
      new Map(),
    );
    const before = goesOn || chance.is(0.3) ? registered.before : undefined;
    const rules = {
      gate,
      families: chance.of([[4, 6], [4, 6], [4]] as const),
      ehloName: 'probe.example',
      canaryDomain: 'canary.example',
      optOutAddress: 'postmaster@probe.example',
      limits: LIMITS,
    };
    const finding = await auditHost(
      host,
      { scanId: flight.scanId, scope: { rotation: chance.below(5) }, takeTurn: turns.take, before },
      rules,
    );
    if (finding.legs.length > 0) registered.before = finding.legs;
    log.push(
      `${flight.id}: ${judgementOf(finding, []).reason} ${finding.legs.map((leg) => `${leg.address}:${leg.port} ${leg.contact}`).join(', ')}`,
    );
    await turns.end();
    close();
  });
  flights.delete(flight);
}

async function gateOf(game: Game, flight: Flight): Promise<{ gate: Gate; close: () => void }> {
  const { world, chance } = game;
  const wait = () => step(game, flight);
  const never = await watchNeverList(
    { neverList: async () => [...world.never].map(([target, since]) => ({ target, since, why: '' })) },
    () => world.clock,
    () => {},
  );
  const lookups = lookupsOf(world, wait);
  const gate: Gate = {
    lookups: chance.is(0.5) ? sharedLookups(lookups, 1e9) : lookups,
    operatorNetworks: OPERATORS.flatMap((each) => parseNetwork(each) ?? []),
    tokenOf: (person) => TOKENS[person as Person],
    lookAgain: () => lookups,
    now: () => world.clock,
    isVetoed: never.isVetoed,
    pausedAmong: async (addresses) => {
      await wait();
      return addresses.filter((each) => world.paused.has(each));
    },
    isThere: async (host, asked, address) => {
      await wait();
      const found = game.asked.find((each) => each.hostId === host.id && each.scanId === asked);
      return speaksFor(found === undefined ? undefined : { ...found, until: found.at + PRESENCE_MS }, address, world.clock);
    },
    async isRegistered({ id }) {
      await wait();
      return game.hosts.some(({ host }) => host.id === id);
    },
  };
  return { gate, close: never.stop };
}

function turnStore(game: Game, flight: Flight): Pick<AuditStore, 'takeTurn' | 'endTurn'> {
  const { world, holders } = game;
  return {
    async takeTurn({ address, attempt, leaseMs, now }) {
      await step(game, flight);
      const held = holders.get(address);
      if (held !== undefined && held.until > world.clock && held.attempt !== attempt) return { granted: false, retryAt: held.until };
      holders.set(address, { attempt, flight: flight.id, until: now + leaseMs });
      return { granted: true };
    },
    async endTurn(address, attempt) {
      if (holders.get(address)?.attempt === attempt) holders.delete(address);
    },
  };
}

// Scans side by side take their steps in any order, and things happen between them.
async function step({ chance }: Game, flight: Flight): Promise<void> {
  for (let ticks = chance.below(4); ticks > 0; ticks--) await null;
  flight.interjections.get(flight.awaits++)?.();
}

// ---- Dials

function breach({ played, log, seed }: Game, what: string): void {
  if (played.breaches.length < 5) played.breaches.push(`seed ${seed}: ${what}\n  ${log.slice(-60).join('\n  ')}`);
  else played.breaches.push(`seed ${seed}: ${what}`);
}

function dialled(address: string, port: number): Wire | undefined {
  const flight = flying.getStore();
  if (flight === undefined) throw new Error(`nobody's dial of ${address}:${port}`);
  return judgedDial(flight.game, flight.flight, address, port);
}

// What being there means, by the rules alone: the very scan that the address asked for, of the host that is named as the address,
// within a day (and the minute that an answer may be old), at the ports of mail.
function isThere({ asked, world, hosts }: Game, { scanId: made, target, person }: Flight, address: string, port: number): boolean {
  return (
    target === address &&
    [25, 465, 587].includes(port) &&
    asked.some(
      (each) =>
        each.scanId === made &&
        each.address === address &&
        world.clock < each.at + 24 * 60 * 60_000 + 60_000 &&
        hosts.every(({ host, person: owner }) => host.id !== each.hostId || (owner === person && host.settings.name === target)),
    )
  );
}

function judgedDial(game: Game, flight: Flight, address: string, port: number): Wire | undefined {
  const { world, played, holders } = game;
  played.dials++;
  const { target, person } = flight;
  changed(game);
  const lived = lately(flight, world);
  const right = allowedBy(lived, target, address);
  const who = `${flight.id} of ${target} for ${person} dials ${address}`;
  const there = right === UNSPOKEN && isThere(game, flight, address, port);
  if (right !== 'all' && !there) breach(game, `${who}:${port}: ${right}`);
  if (!lived.has('registered')) breach(game, `${who}: its host is removed`);
  if (neverForbids(world, target, address)) breach(game, `${who}: on the never-list for a minute`);
  if (holders.get(address)?.flight !== flight.id) breach(game, `${who}: not its turn`);
  const owner = ADDRESSES[address]?.owner;
  if (owner === 'operator') played.rights.operators++;
  else if (there) played.rights.there++;
  else played.rights.proven++;
  const server = world.servers.get(address);
  flight.interjections.get(flight.awaits++)?.();
  if (server === undefined || !server.up) return undefined;
  return wireOf(game, flight, address, server);
}

// What the server says, and what it may be told.
function wireOf(game: Game, flight: Flight, address: string, server: Server): Wire {
  const word = server.word === undefined ? '' : server.word;
  const owner = ADDRESSES[address]?.owner;
  return {
    greeting: `220 mx ESMTP ${server.where === 'greeting' ? word.toUpperCase() : ''}\r\n`,
    answer(line) {
      const foreign = owner !== 'mallory' && owner !== 'operator' && owner !== flight.person;
      if (foreign) breach(game, `${flight.id} for ${flight.person} says ${line} to ${address} of ${owner}`);
      for (const domain of flight.servedDomains)
        if (domain !== flight.target && line.includes(`@${domain}>`) && !servedBy(new Set(flight.lived.keys()), flight.target, domain))
          breach(game, `${flight.id} of ${flight.target} names ${domain}: ${line}`);
      if (/ra1-/i.test(line)) breach(game, `${flight.id} says a token: ${line}`);
      return answerOf(server, line, word);
    },
  };
}

function answerOf(server: Server, line: string, word: string): string {
  const echoed = server.echoes ? line : 'what?';
  if (line.startsWith('EHLO'))
    return `250-mx ${echoed}\r\n250-${echoed}\r\n${server.where === 'ehlo' && word !== '' ? `250-${word}\r\n` : ''}250 8BITMIME\r\n`;
  if (line.startsWith('QUIT')) return '221 bye\r\n';
  if (line.startsWith('RCPT'))
    return server.defers ? '451 4.3.0 later\r\n' : server.accepts ? '250 ok\r\n' : '554 5.7.1 Relay access denied\r\n';
  return /^(MAIL|RSET|HELO)/.test(line) ? '250 ok\r\n' : `500 ${echoed}\r\n`;
}
