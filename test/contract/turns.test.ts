import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Turn, TurnGiven } from '../../shared/domain/turn-line.ts';
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

describe('a place in the line', () => {
  const STEP = 1.2 * SPACING;
  type Wish = Partial<Omit<Turn, 'ref'>> & { readonly account?: string };
  const booking = (address: string, { account = 'account1', ...rest }: Wish = {}): Turn => {
    const turn = turnOf({ address, fresh: true, books: true, ...rest });
    return { ...turn, ref: { ...turn.ref, accountId: account } };
  };
  const placeIn = (given: TurnGiven) => (given.granted || given.booked === undefined ? expect.fail('no place') : given.booked);
  const bookAll = async (turns: readonly Turn[]) => {
    const places = [];
    for (const turn of turns) places.push({ ...turn, booked: placeIn(await take(turn)) });
    return places;
  };
  const comes = (turn: Turn, at = turn.booked?.at ?? expect.fail('not booked')) =>
    take({ ...turn, attempt: `${turn.attempt} at ${at}`, now: at });

  test('is another for each of those that wait, far enough from the next, whoever asks at once', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const given = await Promise.all(Array.from({ length: 20 }, () => take(booking(address))));
    const expected = Array.from({ length: 20 }, (_, index) => NOON + SPACING + index * STEP);
    expect(given.map((each) => placeIn(each).at).toSorted((a, b) => a - b)).toEqual(expected);
  });

  test('gives the turn to who comes at its time, and to nobody who has none', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [first = expect.fail(), second] = await bookAll([booking(address), booking(address)]);
    expect([first, second]).toMatchObject([{ booked: { at: NOON + SPACING } }, { booked: { at: NOON + SPACING + STEP } }]);
    const at = NOON + SPACING;
    expect(await take(booking(address, { now: at, books: false }))).toEqual({ granted: false, retryAt: at + 2 * STEP });
    expect(placeIn(await take(booking(address, { now: at }))).at).toBe(at + 2 * STEP);
    expect(await comes(first)).toEqual({ granted: true });
  });

  test('keeps its distance from the scan before, which may have come late, and stays its own meanwhile', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail(), next = expect.fail(), third = expect.fail()] = await bookAll([1, 2, 3].map(() => booking(address)));
    const late = NOON + SPACING + 5 * 60_000;
    expect(await comes(mine, late)).toEqual({ granted: true });
    const { round } = next.booked;
    expect(await comes(next)).toEqual({ granted: false, retryAt: late + SPACING, booked: { round, at: late + SPACING } });
    expect(await comes({ ...next, booked: { round, at: late + SPACING } })).toEqual({ granted: true });
    expect(placeIn(await comes(third)).at).toBe(late + 2 * SPACING);
  });

  test('that was missed is the next one’s, and who had it joins behind the others', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail(), next = expect.fail()] = await bookAll([1, 2, 3, 4].map(() => booking(address)));
    expect(await comes(next)).toEqual({ granted: true });
    expect(placeIn(await comes(mine, NOON + SPACING + STEP)).at).toBe(NOON + SPACING + 4 * STEP);
  });

  test('is kept by who comes late, for as long as nobody behind it has come', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail()] = await bookAll([booking(address), booking(address)]);
    expect(await comes(mine, NOON + SPACING + STEP)).toEqual({ granted: true });
  });

  test('is behind all others where no fresh scan has ever begun', async () => {
    const { address } = turnOf();
    await take(turnOf({ address }));
    expect(placeIn(await take(booking(address))).at).toBe(NOON + LEASE);
    expect(placeIn(await take(booking(address, { account: 'other' }))).at).toBe(NOON + LEASE + STEP);
    expect(placeIn(await take(booking(address, { now: NOON + LEASE }))).at).toBe(NOON + LEASE + 2 * STEP);
  });

  test('is of no use in a line that began after it', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail()] = await bookAll([booking(address)]);
    const later = NOON + DAY;
    await take(booking(address, { now: later }));
    await bookAll([1, 2].map(() => booking(address, { now: later })));
    expect(placeIn(await comes(mine, later + 1)).at).toBe(later + SPACING + 2 * STEP);
  });

  test('costs a write when it is given, and none for asking before its time', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const mine = booking(address);
    table.meter.reset();
    const booked = placeIn(await take(mine));
    expect(table.meter).toMatchObject({ writeUnits: 1, readUnits: 0, requests: 2 }); // of the update that is refused the engine reports no units
    table.meter.reset();
    expect(await take({ ...mine, now: NOON + 60_000, booked })).toEqual({ granted: false, retryAt: booked.at, booked });
    expect(table.meter).toMatchObject({ writeUnits: 0, requests: 0 });
  });

  test('costs a read to ask for its turn, and no write when that is not there yet', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail()] = await bookAll([booking(address)]);
    await bookAll([booking(address, { account: 'other' })]);
    table.meter.reset();
    const booked = placeIn(await comes(mine));
    expect(table.meter).toMatchObject({ writeUnits: 0, readUnits: 1, requests: 1 });
    table.meter.reset();
    await comes({ ...mine, booked: { ...booked, at: booked.at + STEP } });
    expect(table.meter).toMatchObject({ writeUnits: 2, readUnits: 1, requests: 3 }); // one of them writes the host down
  });

  test('is not taken by a confirmation or a continuation, which wait for the lease alone', async () => {
    const { address } = turnOf();
    await take(booking(address));
    await take(booking(address));
    expect(await take(turnOf({ address, books: true, now: NOON + 1 }))).toEqual({ granted: false, retryAt: NOON + LEASE });
    expect(await take(turnOf({ address, now: NOON + LEASE }))).toEqual({ granted: true });
  });

  test('whose time has come keeps the address from further confirmations and continuations, until it can be taken', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [mine = expect.fail()] = await bookAll([booking(address)]);
    const at = mine.booked.at;
    const going = turnOf({ address, now: at - 60_000 });
    expect(await take(going)).toEqual({ granted: true });
    const free = at - 60_000 + LEASE;
    expect(await comes(mine)).toEqual({ granted: false, retryAt: free, booked: { ...mine.booked, at: free } });
    const held = { granted: false, retryAt: free + 120_000 };
    expect(await take(turnOf({ address, now: free }))).toEqual(held);
    expect(await take(turnOf({ address, now: free + 119_999 }))).toEqual(held);
    expect(await take({ ...going, now: free - 1 })).toEqual({ granted: true }); // who has it already
    const later = free - 1 + LEASE;
    expect(await comes(mine, later)).toEqual({ granted: true });
    expect(await take(turnOf({ address, now: later + LEASE }))).toEqual({ granted: true });
  });

  test('that nobody comes for holds up no confirmation and no continuation', async () => {
    const { address } = turnOf();
    await take(booking(address));
    const [gone = expect.fail()] = await bookAll([booking(address)]);
    expect(await take(turnOf({ address, now: gone.booked.at }))).toEqual({ granted: true });
    expect(await take(turnOf({ address, now: gone.booked.at + LEASE }))).toEqual({ granted: true });
  });

  test('is not lost when the scan before it is delivered again', async () => {
    const { address } = turnOf();
    const first = booking(address);
    await take(first);
    const [mine = expect.fail()] = await bookAll([booking(address)]);
    expect(await comes(first, NOON + LEASE)).toEqual({ granted: true });
    const at = NOON + LEASE + SPACING;
    expect(await comes(mine)).toEqual({ granted: false, retryAt: at, booked: { ...mine.booked, at } });
    expect(await comes(mine, at)).toEqual({ granted: true });
  });

  describe('between accounts', () => {
    test('of an account that has a hundred hosts there is one turn before that of another, the one that is under way', async () => {
      const { address } = turnOf();
      await take(booking(address));
      const many = await bookAll(Array.from({ length: 100 }, () => booking(address)));
      const [other = expect.fail()] = await bookAll([booking(address, { account: 'other' })]);
      expect(other.booked.at).toBe(NOON + SPACING);
      expect(placeIn(await comes(many[0] ?? expect.fail())).at).toBe(NOON + SPACING + STEP);
      expect(await comes(other)).toEqual({ granted: true });
    });

    test('turns alternate while two accounts wait, each in the order of its own scans', async () => {
      const { address } = turnOf();
      await take(booking(address, { account: 'busy' }));
      let waiting = await bookAll(Array.from({ length: 6 }, () => booking(address, { account: 'busy' })));
      waiting.push(...(await bookAll(Array.from({ length: 3 }, () => booking(address, { account: 'other' })))));
      const order: string[] = [];
      const all = waiting.map(({ attempt }) => attempt);
      for (let at = NOON; waiting.length > 0; at += 60_000) {
        const still: typeof waiting = [];
        for (const each of waiting) {
          const given = each.booked.at > at ? undefined : await comes(each, at);
          if (given?.granted) order.push(each.attempt);
          else still.push(given === undefined ? each : { ...each, booked: placeIn(given) });
        }
        waiting = still;
      }
      expect(order.map((attempt) => all.indexOf(attempt))).toEqual([6, 0, 7, 1, 8, 2, 3, 4, 5]);
    });

    test('each of many that wait has a turn before any has a second', async () => {
      const { address } = turnOf();
      await take(booking(address, { account: 'a' }));
      const places = await bookAll(['a', 'b', 'a', 'c', 'b', 'd'].map((account) => booking(address, { account })));
      const last = await Promise.all(
        places.map(async (each) => placeIn(await take({ ...each, attempt: 'again', now: NOON + 1, booked: { ...each.booked, at: 0 } })).at),
      );
      expect(last.map((at) => (at - NOON - SPACING) / STEP)).toEqual([3, 0, 5, 1, 4, 2]);
    });

    test('an account that was away for some rounds has none of them when it comes back', async () => {
      const { address } = turnOf();
      await take(booking(address, { account: 'away' }));
      const stayed = await bookAll(Array.from({ length: 6 }, () => booking(address, { account: 'stayed' })));
      for (const each of stayed.slice(0, 3)) expect(await comes(each)).toEqual({ granted: true });
      const last = stayed[2]?.booked.at ?? expect.fail();
      const back = await bookAll(Array.from({ length: 3 }, () => booking(address, { account: 'away', now: last + 1 })));
      expect(back.map(({ booked }) => (booked.at - last) / STEP)).toEqual([1, 3, 5]);
    });

    test('who waits for an account that is gone waits for one of its turns, not for all', async () => {
      const { address } = turnOf();
      await take(booking(address, { account: 'gone' }));
      await bookAll(Array.from({ length: 100 }, () => booking(address, { account: 'gone' })));
      const now = NOON + 3 * 60 * 60_000;
      expect(await take(booking(address, { account: 'other', now }))).toEqual({ granted: true });
      const [second = expect.fail()] = await bookAll([booking(address, { account: 'other', now: now + 1 })]);
      expect(second.booked.at).toBe(now + SPACING);
      expect(await comes(second)).toEqual({ granted: true });
    });
  });
});
