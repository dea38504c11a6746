import { expect, test } from 'vitest';
import { randomOf } from '../simulation/scheduler.ts';
import { memoryTable } from '../support/memory-table.ts';
import { runs } from '../support/searches.ts';
import { startTable } from '../support/table.ts';
import { addressOf, nameOf, onWorlds, type Party, type SilentWorld } from './silent-worlds.ts';

const SEQUENCES = Number(process.env.SILENCE_SEQUENCES ?? runs(60, 1_500));
const FIRST_SEED = Number(process.env.SILENCE_SEED ?? 1);
const ON_ENGINE = runs(2, 8); // a sequence takes seconds there

test(
  'P6: whatever another account registers, asks for, pauses and removes, a watcher is told the same to the byte, at the same work',
  {
    timeout: 60_000 + SEQUENCES * 2_000,
  },
  () =>
    onWorlds([memoryTable, memoryTable], async (quiet, busy) => {
      let told = 0;
      let owned = 0;
      for (const seed of seeds(SEQUENCES)) {
        await play(quiet, seed, 'quiet');
        await play(busy, seed, 'busy');
        expectSame(seed, quiet.told, busy.told);
        told += quiet.told.length;
        owned += busy.owner.hosts.length;
      }
      expect(told).toBeGreaterThan(20 * SEQUENCES);
      expect(owned, 'hosts of the owner').toBeGreaterThan(SEQUENCES);
    }),
);

test('the table in memory tells these games as the embedded engine does, at the same work', { timeout: 60_000 + ON_ENGINE * 10_000 }, () =>
  onWorlds([startTable, memoryTable], async (real, fast) => {
    for (const seed of seeds(ON_ENGINE)) {
      for (const world of [real, fast]) await play(world, seed, 'busy');
      expectSame(seed, real.told, fast.told);
    }
  }),
);

const seeds = (count: number) => Array.from({ length: count }, (_, index) => FIRST_SEED + index);

// The first difference tells more than all of them.
function expectSame(seed: number, told: readonly string[], others: readonly string[]): void {
  const differs = others.findIndex((each, index) => each !== told[index]);
  expect(others[differs], `seed ${seed}, after ${told[differs - 1]?.slice(0, 200)}`).toBe(told[differs]);
  expect(others.length).toBe(told.length);
}

type Move = (world: SilentWorld, random: () => number) => Promise<unknown>;

// Both draw the same chance for the watcher, whatever the owner does in between.
async function play(world: SilentWorld, seed: number, kind: 'quiet' | 'busy'): Promise<void> {
  const isBusy = kind === 'busy';
  const [when, watching, owning] = [randomOf(seed), randomOf(seed + 1_000_003), randomOf(seed + 2_000_003)];
  await world.begin(seed);
  if (isBusy) await register(world, world.owner, 'owner', owning);
  for (let moves = 5 + Math.floor(when() * 35); moves > 0; moves--) {
    const choice = when();
    if (choice < 0.35) await world.later(choice < 0.25 ? 1 : 6);
    else if (choice < 0.7) await pick(pick(WATCHERS, watching), watching)(world, watching);
    else if (isBusy) await pick(pick(OWNERS, owning), owning)(world, owning);
  }
  if (when() < 0.5) await lookAround(world);
  await leave(world);
}

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;
const hostOf = ({ hosts }: Party, random: () => number) => hosts[Math.floor(random() * hosts.length)]?.id ?? 'f'.repeat(20);
const serverOf = (random: () => number) => Math.floor(random() * 4);

async function register(world: SilentWorld, party: Party, who: 'owner' | 'watcher', random: () => number): Promise<void> {
  const [server, choice, other] = [serverOf(random), random(), random()];
  const owners = choice < 0.5 ? nameOf('owner', server) : addressOf('owner', server);
  const name = who === 'owner' || choice > 0.7 ? nameOf(who, server) : owners;
  const reader = `reader-${serverOf(random)}@${who}-desk.com`;
  const body = {
    name,
    ports: [25],
    servedDomains: other < 0.3 ? [`${other < 0.15 ? 'owner' : who}-mail.com`] : [],
    ...(other > 0.2 ? { webhook: `https://hooks.${other > 0.4 ? 'example.com' : 'owner-mail.com'}/` } : {}),
    ...(other > 0.8 ? { alertRecipients: [party.email, reader] } : {}),
  };
  // A key that is repeated gives the first answer again, or a problem when the body is another.
  const headers: Record<string, string> = random() < 0.3 ? { 'idempotency-key': `register-${serverOf(random)}` } : {};
  keep(party, await world.ask(party, 'POST', '/v1/hosts', body, { headers }));
}

function keep(party: Party, { status, body }: { readonly status: number; readonly body: unknown }): void {
  const { id, hostId = id, name = '' } = (body ?? {}) as { id?: string; hostId?: string; name?: string };
  if (status < 300 && hostId !== undefined && !party.hosts.some((host) => host.id === hostId)) party.hosts.push({ id: hostId, name });
}

// From an address of its own, or from none that is public; headers name an address of the owner's.
async function comeHere(world: SilentWorld, who: 'owner' | 'watcher', random: () => number): Promise<void> {
  const party = world[who];
  const sourceIp = random() < 0.8 ? addressOf(who, serverOf(random)) : '10.0.0.1';
  const shown = random() < 0.8 ? sourceIp : addressOf('owner', serverOf(random));
  const headers = { 'x-forwarded-for': addressOf('owner', serverOf(random)), 'x-real-ip': addressOf('owner', 0) };
  if (random() < 0.5) return keep(party, await world.ask(party, 'POST', '/v1/scans/here', undefined, { sourceIp, headers }));
  await world.browse(party, '/here', undefined, { sourceIp, headers });
  await world.browse(party, '/here', { address: shown }, { sourceIp, headers });
}

async function goAndComeBack(world: SilentWorld, who: 'owner' | 'watcher'): Promise<void> {
  const { status } = await world.ask(world[who], 'DELETE', '/v1/account', { confirm: world[who].email });
  expect(status, 'the account is deleted').toBe(204);
  await world.reopen(who);
}

// Settings as the form of the pages sends them.
function save(world: SilentWorld, party: Party, random: () => number): Promise<void> {
  const [host, served, webhook] = [hostOf(party, random), pick(['owner-mail.com', 'watcher-mail.com', ''], random), random()];
  return world.browse(party, `/hosts/${host}/settings`, {
    servedDomains: served,
    alertRecipients: party.email,
    ports: '25',
    period: 'day',
    webhook: webhook < 0.5 ? 'https://hooks.example.com/' : '',
    revision: String(1 + serverOf(random)),
  });
}

const VIEWS = ['', '/consent', '/scans', '/notices', '/changes', '/settings', '/scans.csv', '/scans.json', '/delete'];
const PAGES = ['/hosts', '/account', '/here', '/hosts/new?domain=owner-mail.com', '/hosts/new?domain=watcher-mail.com', '/opt-out'];

function read(world: SilentWorld, party: Party, random: () => number): Promise<void> {
  if (random() < 0.3) return world.browse(party, pick(PAGES, random));
  return world.browse(party, `/hosts/${hostOf(party, random)}${pick(VIEWS, random)}`);
}

const asks =
  (method: string, path: string, body?: object): ((world: SilentWorld, party: Party, random: () => number) => Promise<unknown>) =>
  (world, party, random) =>
    world.ask(party, method, path.replace('{id}', hostOf(party, random)), body);

const OF_BOTH = [
  asks('POST', '/v1/hosts/{id}/scans'),
  asks('POST', '/v1/hosts/{id}/scans'),
  asks('POST', '/v1/hosts/{id}/consent/check'),
  asks('POST', '/v1/hosts/{id}/consent/reaffirm'),
  asks('PATCH', '/v1/hosts/{id}', { period: '6h' }),
  asks('PATCH', '/v1/hosts/{id}', { servedDomains: ['owner-mail.com'] }),
  asks('PATCH', '/v1/hosts/{id}', { webhook: 'https://hooks.example.com/' }),
  asks('DELETE', '/v1/hosts/{id}'),
];

const as =
  (who: 'owner' | 'watcher', ask: (world: SilentWorld, party: Party, random: () => number) => Promise<unknown>): Move =>
  (world, random) =>
    ask(world, world[who], random);

// A kind of move is drawn first, so that none is rare for there being many others of its kind.
const OWNERS: readonly (readonly Move[])[] = [
  OF_BOTH.map((ask) => as('owner', ask)),
  [(world, random) => register(world, world.owner, 'owner', random)],
  [(world, random) => comeHere(world, 'owner', random)],
  [
    as('owner', save),
    (world, random) => world.optOut(world.owner, pick([nameOf, addressOf], random)('owner', serverOf(random))),
    (world) => goAndComeBack(world, 'owner'),
  ],
];

const READS = [
  asks('GET', '/v1/hosts/{id}'),
  asks('GET', '/v1/hosts/{id}/consent'),
  asks('GET', '/v1/hosts/{id}/scans'),
  asks('GET', '/v1/hosts/{id}/notices'),
  asks('GET', '/v1/hosts/{id}/changes'),
  asks('GET', '/v1/hosts?limit=2'),
  asks('GET', '/v1/account'),
  asks('GET', '/v1/proposals?domain=owner-mail.com'),
];

const WATCHERS: readonly (readonly Move[])[] = [
  OF_BOTH.map((ask) => as('watcher', ask)),
  READS.map((ask) => as('watcher', ask)),
  [as('watcher', read)],
  [(world, random) => register(world, world.watcher, 'watcher', random)],
  [(world, random) => comeHere(world, 'watcher', random)],
  [
    as('watcher', save),
    ...['/scans', '/consent/check', '/consent/reaffirm'].map((what) =>
      as('watcher', (world, watcher, random) => world.browse(watcher, `/hosts/${hostOf(watcher, random)}${what}`, {})),
    ),
  ],
  [
    (world, random) => world.optOut(world.watcher, pick([nameOf, addressOf], random)('owner', serverOf(random))),
    (world, random) => world.ask(world.watcher, 'POST', '/v1/accounts', { email: `friend-${serverOf(random)}@example.com` }),
    (world) => goAndComeBack(world, 'watcher'),
  ],
  [
    async ({ zone }, random) => {
      zone.says = pick(['token', 'token', 'nothing', 'deny', 'trouble'] as const, random);
    },
    async ({ zone }, random) => {
      const [owners, own] = [addressOf('owner', serverOf(random)), addressOf('watcher', 0)];
      // Of two addresses the watcher proves its own, and is told nothing of the other.
      zone.leads.set(nameOf('watcher', serverOf(random)), pick([[owners], [own], [own, owners]], random));
    },
  ],
];

// The watcher reads all that it may.
async function lookAround(world: SilentWorld): Promise<void> {
  const { watcher, api } = world;
  for (const { id } of watcher.hosts)
    for (const path of ['', '/consent', '/scans', '/notices', '/changes']) await world.ask(watcher, 'GET', `/v1/hosts/${id}${path}`);
  for (const { id } of watcher.hosts.slice(0, 2)) for (const view of VIEWS) await world.browse(watcher, `/hosts/${id}${view}`);
  for (const each of PAGES) await world.browse(watcher, each);
  for (const path of ['/v1/account', '/v1/hosts', '/v1/keys']) await world.ask(watcher, 'GET', path);
  world.told.push(JSON.stringify(api.mails.filter(({ recipient }) => recipient === watcher.email)));
}

async function leave(world: SilentWorld): Promise<void> {
  await world.ask(world.watcher, 'DELETE', '/v1/account', { confirm: world.watcher.email });
  // What the owner has is gone before the next sequence begins.
  await world.ask(world.owner, 'DELETE', '/v1/account', { confirm: world.owner.email });
}
