import { dispatch } from '../../functions/dispatch/dispatch.ts';
import { type Gate, permitHost, type TakeTurn } from '../../functions/probe/permit-host.ts';
import { probeScans } from '../../functions/probe/probe-scans.ts';
import { turnsOf } from '../../functions/probe/turns.ts';
import type { Host } from '../../shared/domain/host.ts';
import { type LegEvidence, type ScanRef, scanId } from '../../shared/domain/scan.ts';
import { slotOf } from '../../shared/domain/schedule.ts';
import type { Account, AuditStore } from '../../shared/store/audit-store.ts';
import { memoryStore } from '../simulation/memory-store.ts';
import { memoryTurns } from '../simulation/memory-turns.ts';
import { randomOf } from '../simulation/scheduler.ts';
import { ADVERSARYS, type AdversaryZone, lookupsIn, OWNERS, tokenOf } from './fair-names.ts';
import { QUIET_PROBING } from './probing.ts';
import { NOON, registerSample, sampleHost, sampleLeg } from './samples.ts';

/**
 * What came of a game: how many scans of the owner's were compared, the latest against the world without the adversary, and all that were
 * too late.
 */
export type Fairness = {
  games: number;
  compared: number;
  adversarysScans: number;
  adversarysTurns: number;
  latestMs: number;
  readonly breaches: string[];
};

const MINUTE = 60_000;
const WORKERS = 10; // as many as the queue feeds at once
const REFS_PER_MESSAGE = 50;
const LOOK_MS = 30_000; // at DNS that is slow
const STAND_MS = 60_000; // behind scans of the same message
const SITTING_MS = 90_000;
const END_MS = 20_000; // of the last session, and storing
const SLOWEST_MS = LOOK_MS + SITTING_MS + END_MS;
const HOSTS = 100; // of an account
const FEW_HOSTS = 8; // of one in a small game: ten of those cost less than a large one
const DAILY_PER_HOST = 2; // registrations, and scans on demand
const RAISED = 8; // times as many hosts where the operator allows more
// With the owner's they have at most the 150 scans a minute that the workers can do of the slowest; more accounts that do all they can at
// once would keep everybody waiting (decision 29).
const ACCOUNTS = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'];
const MINUTES = 40;
const LATE_MS = MINUTE;

type Begun = Map<string, number>;

type World = {
  readonly store: AuditStore;
  readonly random: () => number;
  readonly zone: AdversaryZone;
  readonly accounts: Set<string>;
  readonly hosts: Map<string, Host>;
  readonly spent: Map<string, { registered: number; scans: number }>;
  readonly begun: Begun;
  readonly queue: { readonly at: number; readonly refs: readonly ScanRef[] }[];
  readonly gate: Gate;
  readonly log: string[];
  turns: number;
  scans: number;
  clock: number;
};

type Move = { readonly at: number; readonly what: (world: World) => Promise<void> };

/** Plays games with these seeds, each in a world with the adversary and in one without. */
export async function playFairness(first: number, count: number): Promise<Fairness> {
  const fairness: Fairness = { games: 0, compared: 0, adversarysScans: 0, adversarysTurns: 0, latestMs: 0, breaches: [] };
  for (let seed = first; seed < first + count; seed++) {
    const owners = ownersMoves(randomOf(seed));
    const adversaries = ACCOUNTS.slice(0, 1 + (seed % ACCOUNTS.length));
    const alone = await play(seed, owners, []);
    const random = randomOf(seed ^ 0x5bd1e995);
    // By other digits of the seed than the number of accounts, so that every number of them plays large games too.
    const means = meansFrom(random, adversaries, Math.floor(seed / ACCOUNTS.length) % 4 === 0 ? HOSTS : FEW_HOSTS);
    const beside = await play(seed, [...owners, ...adversarysMoves(random, means)], adversaries);
    fairness.games++;
    fairness.adversarysScans += beside.scans - alone.scans;
    fairness.adversarysTurns += beside.turns - alone.turns;
    compare(seed, alone.begun, beside, fairness);
  }
  return fairness;
}

function compare(seed: number, alone: Begun, { begun, log }: World, fairness: Fairness): void {
  for (const [scan, at] of alone) {
    if (at + LATE_MS > NOON + (MINUTES - 3) * MINUTE) continue; // the game may have ended before it
    fairness.compared++;
    const late = (begun.get(scan) ?? Number.POSITIVE_INFINITY) - at;
    fairness.latestMs = Math.max(fairness.latestMs, late);
    if (late > LATE_MS) fairness.breaches.push(`seed ${seed}: ${scan} begins ${late} ms later\n  ${log.slice(0, 80).join('\n  ')}`);
  }
}

async function play(seed: number, moves: readonly Move[], adversaries: readonly string[]): Promise<World> {
  const world = newWorld(randomOf(seed ^ 0x2545f491), adversaries);
  const waiting = moves.toSorted((a, b) => a.at - b.at);
  const free = Array.from({ length: WORKERS }, () => NOON);
  let tick = NOON - MINUTE;
  for (;;) {
    const idle = free.indexOf(Math.min(...free));
    const message = Math.max(free[idle] ?? 0, world.queue[0]?.at ?? Number.POSITIVE_INFINITY);
    const next = Math.min(waiting[0]?.at ?? Number.POSITIVE_INFINITY, tick, message);
    if (next > NOON + MINUTES * MINUTE) return world;
    world.clock = next;
    if (waiting[0]?.at === next) await waiting.shift()?.what(world);
    else if (message === next) free[idle] = next + (await work(world, world.queue.shift()?.refs ?? []));
    else {
      await send(world);
      tick += MINUTE;
    }
  }
}

function newWorld(random: () => number, adversaries: readonly string[]): World {
  const zone: AdversaryZone = { leads: new Map(), claims: new Map(), says: 'tokens' };
  const { store } = memoryStore(() => world.clock);
  const lookups = lookupsIn(zone, adversaries);
  const world: World = {
    store: {
      ...store,
      ...memoryTurns(),
      findAccount: async (id: string) => (world.accounts.has(id) ? accountIn(world, id) : undefined),
      hostsInSlot: async (period: Host['settings']['period'], slot: number) =>
        [...world.hosts.values()].flatMap(({ id: hostId, accountId, settings }) =>
          settings.period === period && slotOf(hostId, period) === slot ? { accountId, hostId } : [],
        ),
    } as unknown as AuditStore,
    random,
    zone,
    accounts: new Set(['alice', ...adversaries]),
    hosts: new Map(),
    spent: new Map(),
    begun: new Map(),
    queue: [],
    gate: {
      lookups,
      lookAgain: () => lookups,
      isThere: async () => false,
      isRegistered: async () => true,
      now: () => world.clock,
      operatorNetworks: [],
      tokenOf,
      isVetoed: () => false,
      pausedAmong: async () => [],
    },
    log: [],
    turns: 0,
    scans: 0,
    clock: NOON,
  };
  return world;
}

// ---- Dispatch, queue and workers

async function send(world: World): Promise<void> {
  const batches: (readonly ScanRef[])[] = [];
  await dispatch({
    store: world.store,
    wakeScans: async (refs) => void batches.push(refs),
    wakeNotices: async () => {},
    clock: () => world.clock,
    count: () => {},
    owedLeaseMs: 15 * MINUTE,
  });
  for (const refs of batches)
    for (let start = 0; start < refs.length; start += REFS_PER_MESSAGE)
      world.queue.push({ at: world.clock, refs: refs.slice(start, start + REFS_PER_MESSAGE) });
}

// A message is done when its slowest scan is. The queue gives first what came first.
async function work(world: World, refs: readonly ScanRef[]): Promise<number> {
  let lastsMs = 0;
  const lines = new Set<string>();
  const stand = (address: string) => {
    if (lines.has(address)) lastsMs = STAND_MS + SLOWEST_MS;
    lines.add(address);
  };
  const { store, clock } = world;
  const now = () => clock;
  const failed = await probeScans(refs, {
    ...QUIET_PROBING,
    store,
    audit: async (host, { takeTurn }) => {
      world.scans++;
      lastsMs = Math.max(lastsMs, host.accountId === 'alice' ? world.random() * SITTING_MS : lastingOf(host));
      return audit(world, host, (address) => {
        stand(address);
        return takeTurn(address);
      });
    },
    turns: (ref, fresh, bookings) =>
      noting(
        world,
        ref,
        turnsOf(ref, fresh, store, now, { leaseMs: 120_000, spacingMs: 600_000, soonestMs: 300_000 }, new Map(), bookings),
      ),
    clock: now,
    log: { info: () => {}, error: (message, fields) => void world.log.push(`${message} ${JSON.stringify(fields)}`) },
  });
  if (failed.length > 0) throw new Error(`not stored: ${JSON.stringify(failed[0])} ${world.log.at(-1)}`);
  return lastsMs;
}

// A scan begins when it has its turn.
function noting(world: World, ref: ScanRef, turns: ReturnType<typeof turnsOf>): ReturnType<typeof turnsOf> {
  return {
    ...turns,
    async take(address) {
      const given = await turns.take(address);
      const scan = `${ref.hostId} ${ref.scanId}`;
      if (given.granted) world.turns++;
      if (given.granted && ref.accountId === 'alice') begin(world, scan);
      if (!given.granted && ref.accountId === 'alice')
        world.log.push(`${timeOf(world)} ${scan} is told to wait until ${given.retryAt - NOON}`);
      return given;
    },
  };
}

// Each sitting of a scan by itself.
function begin({ begun, clock }: World, scan: string): void {
  let sitting = 1;
  while (begun.has(`${scan} ${sitting}`)) sitting++;
  begun.set(`${scan} ${sitting}`, clock);
}

// The adversary's servers are as slow as they may be, but for some, whose number says so.
function lastingOf({ settings }: Host): number {
  return /[05]\./.test(settings.name) ? 1_000 : SLOWEST_MS;
}

async function audit(world: World, host: Host, takeTurn: TakeTurn) {
  const permission = await permitHost(host, [4], takeTurn, world.gate);
  if ('untested' in permission) return permission;
  return { legs: /[123]\./.test(host.settings.name) ? UNFINISHED : FINISHED };
}

const FINISHED: readonly LegEvidence[] = [{ ...sampleLeg(), tests: sampleLeg().tests.slice(0, 8), transcript: [] }];
const UNFINISHED: readonly LegEvidence[] = FINISHED.map((leg) => ({
  ...leg,
  tests: leg.tests.map((each) => ({ ...each, outcome: 'greylisted' as const, reply: '451 4.7.1 Greylisted' })),
}));

// ---- Moves

function idFrom(random: () => number): string {
  const part = () =>
    Math.floor(random() * 2 ** 40)
      .toString(16)
      .padStart(10, '0');
  return `${part()}${part()}`;
}

async function register({ store, hosts, clock, log }: World, accountId: string, id: string, name: string): Promise<void> {
  const host = { ...sampleHost({ name, period: 'hour' }), accountId, id, createdAt: clock };
  hosts.set(id, host);
  await registerSample(store, host, { accountId, hostId: id, scanId: scanId(clock, 'first'), dueAt: clock, tries: 0 });
  if (accountId === 'alice') log.push(`${(clock - NOON) / 1_000} s: ${id} is ${name}, slot ${slotOf(id, 'hour')}`);
}

async function demand({ store, clock }: World, { accountId, id }: Host): Promise<boolean> {
  return store.owe({ accountId, hostId: id, scanId: scanId(clock, 'on-demand'), dueAt: clock, tries: 0 });
}

// The owner's hosts are registered at some time, scanned by the hour, and asked to be scanned once or twice.
function ownersMoves(random: () => number): Move[] {
  const moves: Move[] = [];
  const count = random() < 0.1 ? 20 : 1 + Math.floor(random() * 3);
  for (let number = 0; number < count; number++) {
    const id = idFrom(random);
    const registeredAt = NOON + Math.floor(random() * 10 * MINUTE);
    moves.push({ at: registeredAt, what: (world) => register(world, 'alice', id, OWNERS.name(number)) });
    const asks = async (world: World) => {
      const host = world.hosts.get(id);
      if (host !== undefined) await demand(world, host);
    };
    moves.push({ at: registeredAt + Math.floor((5 + random() * 20) * MINUTE), what: asks });
  }
  return moves;
}

/** What the adversary's accounts have: how many hosts each may, the slot of the wheel that all of them are in, and numbers for names. */
type Means = {
  readonly accounts: readonly string[];
  readonly allowed: (accountId: string) => number;
  readonly slot: number | undefined;
  readonly nextNumber: () => number;
};

function meansFrom(random: () => number, accounts: readonly string[], hosts: number): Means {
  const raisedBy = random() < 0.1 ? RAISED : 1;
  const slot = random() < 0.3 ? Math.floor(random() * 60) : undefined; // whoever has registered for weeks may have all its hosts in one slot
  let number = 0;
  return { accounts, slot, nextNumber: () => number++, allowed: (accountId) => (accountId === accounts[0] ? raisedBy * hosts : hosts) };
}

function adversarysMoves(random: () => number, means: Means): Move[] {
  const { accounts } = means;
  if (random() < 0.3) return storm(randomOf(Math.floor(random() * 2 ** 31)), means);
  return Array.from({ length: 4 + Math.floor(random() * 8) }, (): Move => {
    const accountId = accounts[Math.floor(random() * accounts.length)] ?? 'm1';
    const choice = random();
    const at = NOON + Math.floor(random() ** 2 * 35 * MINUTE);
    const own = randomOf(Math.floor(random() * 2 ** 31));
    if (choice < 0.4)
      return { at, what: (world) => registerMany(world, accountId, own, means, own() < 0.5 ? 1_000 : Math.floor(own() * 60)) };
    if (choice < 0.65) return { at, what: (world) => demandMany(world, accountId, means) };
    if (choice < 0.9) return { at, what: async (world) => changeDns(world, own) };
    return { at, what: (world) => removeSome(world, accountId, own) };
  });
}

// Everything at once, from every account, and again as soon as it may be asked for.
function storm(random: () => number, means: Means): Move[] {
  const at = NOON + Math.floor(random() * 15 * MINUTE);
  return means.accounts.flatMap((accountId, index): Move[] => {
    const own = randomOf(Math.floor(random() * 2 ** 31));
    return [
      { at: at + index, what: (world) => registerMany(world, accountId, own, means) },
      ...[3, 10, 15].map((minutes) => ({
        at: at + Math.floor((minutes + random()) * MINUTE),
        what: (world: World) => demandMany(world, accountId, means),
      })),
    ];
  });
}

// As many as it may, and tries more. Names of its own, of its own that lead to the owner's address, the owner's, and its address.
async function registerMany(world: World, accountId: string, random: () => number, means: Means, wanted = 1_000): Promise<void> {
  const { slot, nextNumber } = means;
  const allowed = means.allowed(accountId);
  const spent = spentBy(world, accountId);
  const owned = hostsOf(world, accountId).length;
  const count = Math.min(wanted, allowed - owned, DAILY_PER_HOST * allowed - spent.registered);
  if (!world.accounts.has(accountId)) return;
  world.log.push(`${timeOf(world)} ${accountId} registers ${count}`);
  for (let index = 0; index < count; index++) {
    let id = idFrom(random);
    while (slot !== undefined && slotOf(id, 'hour') !== slot) id = idFrom(random);
    const own = ADVERSARYS.name(nextNumber());
    const victim = Math.floor(random() * 3);
    const choice = random();
    if (choice < 0.1) world.zone.leads.set(own, OWNERS.address(victim));
    const name = choice > 0.95 ? OWNERS.name(victim) : choice > 0.9 ? OWNERS.address(victim) : own;
    spent.registered++;
    await register(world, accountId, id, name);
  }
}

async function demandMany(world: World, accountId: string, means: Means): Promise<void> {
  const spent = spentBy(world, accountId);
  world.log.push(`${timeOf(world)} ${accountId} asks for scans`);
  for (const host of hostsOf(world, accountId))
    if (spent.scans < DAILY_PER_HOST * means.allowed(accountId) && (await demand(world, host))) spent.scans++;
}

function changeDns(world: World, random: () => number): void {
  const { zone } = world;
  zone.says = (['tokens', 'tokens', 'nothing', 'deny', 'trouble'] as const)[Math.floor(random() * 5)] ?? 'tokens';
  const number = Math.floor(random() * 50);
  const choices = [OWNERS.address(number % 3), ADVERSARYS.address(0), ADVERSARYS.address(number)];
  // Many names may lead to one address, where their scans stand in line.
  for (let each = 0; each < number; each++) zone.leads.set(ADVERSARYS.name(each), choices[Math.floor(random() * 3)] ?? '');
  zone.claims.set(ADVERSARYS.address(number), random() < 0.5 ? OWNERS.name(number % 3) : ADVERSARYS.name(number));
  world.log.push(`${timeOf(world)} the adversary's DNS says ${zone.says}`);
}

async function removeSome(world: World, accountId: string, random: () => number): Promise<void> {
  const all = random() < 0.5;
  world.log.push(`${timeOf(world)} ${accountId} ${all ? 'deletes its account' : 'removes hosts'}`);
  for (const host of hostsOf(world, accountId)) {
    if (!all && random() < 0.5) continue;
    world.hosts.delete(host.id);
    const there = await world.store.findHost(accountId, host.id);
    if (there !== undefined) await world.store.removeHost(there);
  }
  if (all) world.accounts.delete(accountId);
}

// Its hosts are counted when somebody asks, which is seldom.
function accountIn(world: World, id: string): Account {
  return {
    id,
    email: `${id}@example.org`,
    createdAt: 0,
    get hosts() {
      return hostsOf(world, id).length;
    },
  };
}

function hostsOf({ hosts }: World, accountId: string): Host[] {
  return [...hosts.values()].filter((host) => host.accountId === accountId);
}

function spentBy({ spent }: World, accountId: string): { registered: number; scans: number } {
  const there = spent.get(accountId) ?? { registered: 0, scans: 0 };
  spent.set(accountId, there);
  return there;
}

function timeOf({ clock }: World): string {
  return `${(clock - NOON) / 1_000} s:`;
}
