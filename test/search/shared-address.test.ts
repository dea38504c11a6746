import { expect, test } from 'vitest';
import { randomOf } from '../simulation/scheduler.ts';
import { NOON } from '../support/samples.ts';
import { runs } from '../support/searches.ts';
import { type Arrival, type Begun, playAddress } from '../support/shared-address.ts';

const GAMES = runs(40, 400);
const MINUTE = 60_000;
const SPACING = 10 * MINUTE;
const STEP = 12 * MINUTE;
const TICKS = 2 * MINUTE; // dispatch comes once a minute, in each of the two worlds
const HOURS_ARRIVING = 6;

const hostsOf = (account: string, count: number, minuteOf: () => number, more: () => Partial<Arrival> = () => ({})): Arrival[] =>
  Array.from({ length: count }, (_, index) => ({ account, host: `${account}-${index}`, minute: minuteOf(), ...more() }));

function adversarysHosts(random: () => number, accounts: number): Arrival[] {
  const below = (most: number) => Math.floor(random() * most);
  return Array.from({ length: accounts }, (_, index) => {
    const storm = random() < 0.5 ? below(60 * HOURS_ARRIVING) : undefined; // all at once, or one by one
    const minuteOf = () => storm ?? below(60 * HOURS_ARRIVING);
    const slow = random() < 0.5 ? 0.7 : 0; // they go on, and that keeps no distance
    const leaves = random() < 0.3 ? 0.5 : 0;
    const more = () => ({ greylists: random() < slow, ...(random() < leaves ? { removed: below(600) } : {}) });
    return hostsOf(`mallory${index}`, random() < 0.5 ? 100 : 1 + below(100), minuteOf, more);
  }).flat();
}

function inOrder(begun: readonly Begun[]): number[] {
  return begun.flatMap(({ at }) => (at < Number.POSITIVE_INFINITY ? [at] : [])).toSorted((a, b) => a - b);
}

// Of the owner's own scans those that stand in front of one, or have only just begun, and itself.
function ownInLine(scan: Begun, all: readonly Begun[]): number {
  return all.filter(({ askedAt, at }) => askedAt <= scan.askedAt && at > scan.askedAt - STEP).length;
}

test('P4: at an address that others have proven too, each of their accounts delays a scan by one turn at most, however many hosts it has there', {
  timeout: 60_000 + GAMES * 2_000,
}, async () => {
  let [compared, delayed] = [0, 0];
  for (let seed = 1; seed <= GAMES; seed++) {
    const random = randomOf(seed);
    const accounts = 1 + (seed % 4);
    const owners = hostsOf('alice', 1 + Math.floor(random() * 3), () => Math.floor(random() * 60 * HOURS_ARRIVING));
    const others = adversarysHosts(random, accounts);
    const isOwners = ({ arrival }: Begun) => arrival.account === 'alice';
    const alone = await playAddress(owners, 60 * (HOURS_ARRIVING + 6));
    const all = await playAddress(random() < 0.5 ? [...owners, ...others] : [...others, ...owners], 60 * (HOURS_ARRIVING + 6));
    const beside = all.filter(isOwners);
    for (const scan of beside) {
      const before = alone.find(({ arrival }) => arrival === scan.arrival) ?? expect.fail('was not scanned alone');
      const turns = ownInLine(scan, beside) * (accounts + 1) - 1;
      expect(scan.at - before.at, `seed ${seed}: ${scan.arrival.host} of ${owners.length}, ${accounts} others`).toBeLessThanOrEqual(
        turns * STEP + TICKS,
      );
      compared++;
      if (scan.at > before.at) delayed++;
    }
    const starts = inOrder(all);
    for (const [index, at] of starts.slice(1).entries()) expect(at - (starts[index] ?? 0)).toBeGreaterThanOrEqual(SPACING);
  }
  expect(compared).toBeGreaterThanOrEqual(GAMES);
  expect(delayed).toBeGreaterThan(compared / 3);
});

test('every one of 400 hosts of an account at one address is scanned, in the order that they came, beside another account that comes and goes', {
  timeout: 120_000,
}, async () => {
  const random = randomOf(1);
  const minuteOf = () => Math.floor(random() * 60 * 72);
  const many = hostsOf('busy', 400, () => Math.floor(random() * 3));
  const all = await playAddress([...many, ...hostsOf('other', 60, minuteOf)], 60 * 100);
  const ofBusy = all.filter(({ arrival }) => arrival.account === 'busy').map(({ at }) => at);
  expect(ofBusy).toHaveLength(400);
  expect(ofBusy).toEqual(ofBusy.toSorted((a, b) => a - b));
  const starts = inOrder(all);
  expect(starts).toHaveLength(460);
  // The address never stands idle while somebody waits.
  expect((starts.at(-1) ?? 0) - NOON).toBeLessThanOrEqual(460 * STEP);
  expect(Math.max(...all.map(({ refused }) => refused))).toBeLessThanOrEqual(20);
  expect(all.reduce((sum, { refused }) => sum + refused, 0) / all.length).toBeLessThan(8);
});
