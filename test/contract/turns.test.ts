import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Turn } from '../../shared/store/audit-store.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const LEASE = 5 * 60_000;
const SPACING = 10 * 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

let count = 0;

// A turn of a scan of its own, at an address of its own unless one is given.
function turnOf(rest: Partial<Turn> & { readonly host?: string } = {}): Turn {
  const { host = `host-${++count}`, ...others } = rest;
  return {
    address: `2001:db8::${(++count).toString(16)}`,
    ref: { accountId: 'account1', hostId: host, scanId: `scan-${count}` },
    attempt: `attempt-${count}`,
    fresh: false,
    now: NOON,
    leaseMs: LEASE,
    spacingMs: SPACING,
    ...others,
  };
}

const take = (turn: Turn) => table.store.takeTurn(turn);

test('of many scans that want an address at once one gets it, and the others are told when it is free again', async () => {
  const address = '192.0.2.1';
  const given = await Promise.all(Array.from({ length: 20 }, () => take(turnOf({ address }))));
  expect(given.filter(({ granted }) => granted)).toHaveLength(1);
  expect(given.filter(({ granted }) => !granted)).toEqual(Array(19).fill({ granted: false, retryAt: NOON + LEASE }));
});

test('two addresses are given at the same time', async () => {
  expect(await take(turnOf())).toEqual({ granted: true });
  expect(await take(turnOf())).toEqual({ granted: true });
});

test('a lease that has run out leaves the address to the next', async () => {
  const { address } = turnOf();
  await take(turnOf({ address }));
  expect(await take(turnOf({ address, now: NOON + LEASE - 1 }))).toEqual({ granted: false, retryAt: NOON + LEASE });
  expect(await take(turnOf({ address, now: NOON + LEASE }))).toEqual({ granted: true });
});

test('who has an address gets it again, and the lease begins anew', async () => {
  const turn = turnOf();
  await take(turn);
  expect(await take({ ...turn, now: NOON + 1_000 })).toEqual({ granted: true });
  expect(await take(turnOf({ address: turn.address, now: NOON + LEASE }))).toEqual({ granted: false, retryAt: NOON + LEASE + 1_000 });
});

test('a second delivery of the same scan does not get the address while the first has it', async () => {
  const turn = turnOf({ fresh: true });
  await take(turn);
  expect(await take({ ...turn, attempt: 'second delivery' })).toEqual({ granted: false, retryAt: NOON + LEASE });
});

test('a fresh scan of another keeps its distance from the last one, also when the lease is over', async () => {
  const { address } = turnOf();
  await take(turnOf({ address, fresh: true }));
  expect(await take(turnOf({ address, fresh: true }))).toEqual({ granted: false, retryAt: NOON + SPACING });
  expect(await take(turnOf({ address, fresh: true, now: NOON + LEASE }))).toEqual({ granted: false, retryAt: NOON + SPACING });
  expect(await take(turnOf({ address, fresh: true, now: NOON + SPACING }))).toEqual({ granted: true });
});

test('a scan that is not fresh keeps no distance, and keeps no fresh one at a distance', async () => {
  const { address } = turnOf();
  await take(turnOf({ address, fresh: true }));
  expect(await take(turnOf({ address, now: NOON + LEASE }))).toEqual({ granted: true });
  expect(await take(turnOf({ address, fresh: true, now: NOON + 2 * LEASE }))).toEqual({ granted: true });
});

test('a fresh scan that is delivered again keeps no distance from itself', async () => {
  const turn = turnOf({ fresh: true });
  await take(turn);
  expect(await take({ ...turn, attempt: 'second delivery', now: NOON + LEASE })).toEqual({ granted: true });
});

test('another scan of the same host is another scan', async () => {
  const turn = turnOf({ fresh: true });
  await take(turn);
  const other = { ...turn, ref: { ...turn.ref, scanId: 'another' }, attempt: 'another', now: NOON + LEASE };
  expect(await take(other)).toEqual({ granted: false, retryAt: NOON + SPACING });
});

test('a turn that is ended leaves the address to the next at once', async () => {
  const turn = turnOf();
  await take(turn);
  await table.store.endTurn(turn.address, turn.attempt, NOON + 1);
  expect(await take(turnOf({ address: turn.address, now: NOON + 1 }))).toEqual({ granted: true });
});

test('who has lost its turn does not end that of the next, and ends none at an address without one', async () => {
  const turn = turnOf();
  await take(turn);
  await take(turnOf({ address: turn.address, now: NOON + LEASE }));
  await table.store.endTurn(turn.address, turn.attempt, NOON + LEASE + 1);
  expect(await take(turnOf({ address: turn.address, now: NOON + LEASE + 1 }))).toMatchObject({ granted: false });
  await table.store.endTurn('192.0.2.99', turn.attempt, NOON);
  expect(await table.store.hostsAt('192.0.2.99')).toEqual([]);
});

test('the end of a turn that has lapsed does not set its lease to a later time', async () => {
  const turn = turnOf();
  await take(turn);
  await table.store.endTurn(turn.address, turn.attempt, NOON + 2 * LEASE);
  expect(await take(turnOf({ address: turn.address, now: NOON + LEASE }))).toEqual({ granted: true });
});

test('the hosts at an address are those that have had a turn, each once; who was refused is none', async () => {
  const { address } = turnOf();
  await take(turnOf({ address, host: 'a' }));
  await take(turnOf({ address, host: 'refused' }));
  await take(turnOf({ address, host: 'b', now: NOON + LEASE }));
  await take(turnOf({ address, host: 'a', now: NOON + 2 * LEASE }));
  const found = await table.store.hostsAt(address);
  expect(found.map(({ hostId }) => hostId).toSorted()).toEqual(['a', 'b']);
  expect(found[0]?.accountId).toBe('account1');
});

test('hosts that had their last turn more than three weeks ago are forgotten, whether or not DynamoDB has deleted them', async () => {
  const { address } = turnOf();
  await take(turnOf({ address, host: 'a' }));
  now = NOON + 21 * DAY - 1_000;
  expect(await table.store.hostsAt(address)).toHaveLength(1);
  now = NOON + 21 * DAY;
  expect(await table.store.hostsAt(address)).toEqual([]);
  now = NOON + 31 * DAY;
  expect(await take(turnOf({ address, host: 'b', now }))).toEqual({ granted: true });
  expect(await table.store.hostsAt(address)).toEqual([{ accountId: 'account1', hostId: 'b' }]);
});

test('an address that many hosts share is given to each in turn, and remembers every one of them', async () => {
  const { address } = turnOf();
  const hosts = Array.from({ length: 120 }, (_, index) => `shared-${String(index).padStart(20, '0')}`);
  for (const [index, host] of hosts.entries())
    expect(await take(turnOf({ address, host, now: NOON + index * LEASE }))).toEqual({ granted: true });
  expect((await table.store.hostsAt(address)).map(({ hostId }) => hostId)).toEqual(hosts);
});

test('a host that goes on scanning an address once a week is remembered for as long as it does', async () => {
  const { address } = turnOf();
  for (let week = 0; week < 8; week++) {
    now = NOON + week * 7 * DAY;
    await take(turnOf({ address, host: 'weekly', now }));
    await take(turnOf({ address, host: 'other', now: now + DAY }));
    now += 7 * DAY;
    expect((await table.store.hostsAt(address)).map(({ hostId }) => hostId)).toContain('weekly');
  }
});

test('where very many hosts have had a turn, one is still refused for the reason that it is', async () => {
  const { address } = turnOf();
  for (let i = 0; i < 50; i++) await take(turnOf({ address, fresh: true, now: NOON + i * SPACING }));
  const last = NOON + 49 * SPACING;
  expect(await take(turnOf({ address, now: last + 1 }))).toEqual({ granted: false, retryAt: last + LEASE });
  expect(await take(turnOf({ address, fresh: true, now: last + LEASE }))).toEqual({ granted: false, retryAt: last + SPACING });
  expect(await table.store.hostsAt(address)).toHaveLength(50);
});

test('a turn costs one write unit and no read, given or refused; and once a week another, for its host to be remembered', async () => {
  const turn = turnOf({ fresh: true });
  const { address } = turn;
  table.meter.reset();
  await take(turn);
  expect(table.meter).toMatchObject({ writeUnits: 2, readUnits: 0, requests: 2 });
  table.meter.reset();
  await take({ ...turn, now: NOON + SPACING });
  expect(table.meter).toMatchObject({ writeUnits: 1, readUnits: 0, requests: 1 });
  table.meter.reset();
  await take(turnOf({ address, fresh: true }));
  expect(table.meter.readUnits).toBe(0);
});

describe('a booked time', () => {
  const STEP = 1.2 * SPACING;
  const booking = (address: string, rest: Partial<Turn> = {}) => turnOf({ address, fresh: true, books: true, ...rest });

  test('is another for each of those that wait, far enough from the next, whoever asks at once', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const given = await Promise.all(Array.from({ length: 20 }, () => take(booking(address))));
    const times = given.map((each) => (each.granted ? expect.fail('granted twice') : each.booked));
    const expected = Array.from({ length: 20 }, (_, index) => NOON + SPACING + index * STEP);
    expect(times.toSorted((a = 0, b = 0) => a - b)).toEqual(expected);
  });

  test('is given to who comes at it, and to nobody who has booked none; they are booked behind the last', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const mine = booking(address);
    const [first, second] = [await take(mine), await take(booking(address))];
    expect([first, second]).toMatchObject([{ booked: NOON + SPACING }, { booked: NOON + SPACING + STEP }]);
    const at = NOON + SPACING;
    expect(await take(booking(address, { now: at }))).toMatchObject({ granted: false, booked: at + 2 * STEP });
    expect(await take({ ...mine, attempt: 'at its time', now: at, booked: at })).toEqual({ granted: true });
  });

  test('keeps its distance from the scan before, which may have come late, and stays its own meanwhile', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const mine = booking(address);
    await take(mine);
    await take(booking(address, { now: NOON + SPACING - 1 })); // books behind
    const late = NOON + SPACING + 60_000;
    expect(await take({ ...mine, now: late, booked: NOON + SPACING })).toEqual({ granted: true });
    const next = { ...booking(address, { now: NOON + SPACING + STEP }), booked: NOON + SPACING + STEP };
    expect(await take(next)).toEqual({ granted: true });
    const early = { ...booking(address, { now: NOON + SPACING + STEP + 1 }), booked: NOON + SPACING + STEP };
    expect(await take(early)).toEqual({ granted: false, retryAt: NOON + 2 * SPACING + STEP, booked: NOON + SPACING + STEP });
  });

  test('that has gone by belongs to whoever is behind it: its owner is booked anew', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const mine = booking(address);
    const given = await take(mine);
    for (let count = 0; count < 3; count++) await take(booking(address));
    const booked = given.granted ? 0 : given.booked;
    expect(await take({ ...mine, now: NOON + SPACING + STEP, booked })).toMatchObject({ booked: NOON + SPACING + 4 * STEP });
  });

  test('holds its place where no fresh scan has ever begun: who comes later is booked behind it', async () => {
    const { address } = turnOf();
    await take(turnOf({ address }));
    expect(await take(booking(address))).toMatchObject({ booked: NOON + LEASE });
    expect(await take(booking(address, { now: NOON + LEASE }))).toMatchObject({ booked: NOON + LEASE + STEP });
  });

  test('costs a write when it is booked, and none for asking before it', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const mine = booking(address);
    table.meter.reset();
    const given = await take(mine);
    expect(table.meter.writeUnits).toBeLessThanOrEqual(3);
    table.meter.reset();
    const booked = given.granted ? 0 : (given.booked ?? 0);
    expect(await take({ ...mine, now: NOON + 60_000, booked })).toEqual({ granted: false, retryAt: booked, booked });
    expect(table.meter).toMatchObject({ writeUnits: 0, requests: 0 });
  });

  test('is not taken by a confirmation or a continuation, which wait for the lease alone', async () => {
    const { address } = turnOf();
    await take(booking(address));
    await take(booking(address));
    expect(await take(turnOf({ address, books: true, now: NOON + 1 }))).toEqual({ granted: false, retryAt: NOON + LEASE });
    expect(await take(turnOf({ address, now: NOON + LEASE }))).toEqual({ granted: true });
  });
});
