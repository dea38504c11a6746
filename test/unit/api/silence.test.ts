import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomOf } from '../../simulation/scheduler.ts';
import { addressOf, nameOf, type Party, type SilentWorld, startWorlds } from './silent-worlds.ts';

const SEQUENCES = Number(process.env.SILENCE_SEQUENCES ?? 8);
const FIRST_SEED = Number(process.env.SILENCE_SEED ?? 1);
let worlds: readonly [SilentWorld, SilentWorld];

beforeAll(async () => {
  worlds = await startWorlds();
});
afterAll(() => Promise.all(worlds.map((world) => world.stop())));

test('P6: whatever another account registers, asks for, pauses and removes, a watcher is told the same to the byte, at the same work', {
  timeout: 60_000 + SEQUENCES * 10_000,
}, async () => {
  const [quiet, busy] = worlds;
  let told = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
    await play(quiet, seed, false);
    await play(busy, seed, true);
    expect(busy.told, `seed ${seed}`).toEqual(quiet.told);
    told += quiet.told.length;
    expect(busy.owner.hosts.length, 'hosts of the owner').toBeGreaterThan(0);
  }
  expect(told).toBeGreaterThan(30 * SEQUENCES);
});

type Move = (world: SilentWorld, random: () => number) => Promise<unknown>;

// Both draw the same chance for the watcher, whatever the owner does in between.
async function play(world: SilentWorld, seed: number, isBusy: boolean): Promise<void> {
  const [when, watching, owning] = [randomOf(seed), randomOf(seed + 1_000_003), randomOf(seed + 2_000_003)];
  await world.begin(seed);
  if (isBusy) await register(world, world.owner, 'owner', owning);
  for (let moves = 40; moves > 0; moves--) {
    const choice = when();
    if (choice < 0.35) await world.minute();
    else if (choice < 0.7) await pick(WATCHERS, watching)(world, watching);
    else if (isBusy) await pick(OWNERS, owning)(world, owning);
  }
  await lookAround(world);
}

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;
const hostOf = ({ hosts }: Party, random: () => number) => hosts[Math.floor(random() * hosts.length)]?.id ?? 'f'.repeat(20);
const serverOf = (random: () => number) => Math.floor(random() * 4);

async function register(world: SilentWorld, party: Party, who: 'owner' | 'watcher', random: () => number): Promise<void> {
  const [server, choice] = [serverOf(random), random()];
  const owners = choice < 0.5 ? nameOf('owner', server) : addressOf('owner', server);
  const name = who === 'owner' || choice > 0.7 ? nameOf(who, server) : owners;
  const { status, body } = await world.ask(party, 'POST', '/v1/hosts', { name, ports: [25], servedDomains: [] });
  if (status === 201) party.hosts.push({ id: (body as { id: string }).id, name });
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
  asks('DELETE', '/v1/hosts/{id}'),
];

const OWNERS: readonly Move[] = [
  ...OF_BOTH.map(
    (ask): Move =>
      (world, random) =>
        ask(world, world.owner, random),
  ),
  (world, random) => register(world, world.owner, 'owner', random),
  (world, random) => register(world, world.owner, 'owner', random),
  (world, random) => world.optOut(world.owner, pick([nameOf, addressOf], random)('owner', serverOf(random))),
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

const WATCHERS: readonly Move[] = [
  ...[...OF_BOTH, ...READS].map(
    (ask): Move =>
      (world, random) =>
        ask(world, world.watcher, random),
  ),
  ...Array.from({ length: 4 }, (): Move => (world, random) => register(world, world.watcher, 'watcher', random)),
  (world, random) => world.optOut(world.watcher, pick([nameOf, addressOf], random)('owner', serverOf(random))),
  (world, random) => world.ask(world.watcher, 'POST', '/v1/accounts', { email: `friend-${serverOf(random)}@example.com` }),
  async ({ zone }, random) => {
    zone.says = pick(['token', 'token', 'nothing', 'deny', 'trouble'] as const, random);
  },
  async ({ zone }, random) => {
    zone.leads.set(nameOf('watcher', serverOf(random)), pick([addressOf('owner', serverOf(random)), addressOf('watcher', 0)], random));
  },
];

// At its end the watcher reads all that it may, and goes.
async function lookAround(world: SilentWorld): Promise<void> {
  const { watcher, api } = world;
  for (const { id } of watcher.hosts)
    for (const path of ['', '/consent', '/scans', '/notices', '/changes']) await world.ask(watcher, 'GET', `/v1/hosts/${id}${path}`);
  for (const path of ['/v1/account', '/v1/hosts', '/v1/keys']) await world.ask(watcher, 'GET', path);
  world.told.push(JSON.stringify(api.mails.filter(({ recipient }) => recipient === watcher.email)));
  await world.ask(watcher, 'DELETE', '/v1/account', { confirm: watcher.email });
  // What the owner has is gone before the next sequence begins.
  await world.ask(world.owner, 'DELETE', '/v1/account', { confirm: world.owner.email });
}
