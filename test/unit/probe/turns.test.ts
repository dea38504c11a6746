import { describe, expect, test, vi } from 'vitest';
import { turnsOf } from '../../../functions/probe/turns.ts';
import type { Turn } from '../../../shared/domain/turn-line.ts';
import { NOON } from '../../support/samples.ts';

const REF = { accountId: 'account1', hostId: 'host1', scanId: 'scan1' };
const RULES = { leaseMs: 120_000, spacingMs: 600_000, soonestMs: 30_000 };

/** Turns as they are asked for, all granted but those at the addresses of `busy`. */
function noting(busy: readonly string[] = []) {
  const taken: Turn[] = [];
  const ended: { address: string; attempt: string }[] = [];
  return {
    taken,
    ended,
    async takeTurn(turn: Turn) {
      taken.push(turn);
      return busy.includes(turn.address) ? ({ granted: false, retryAt: NOON + 5_000 } as const) : ({ granted: true } as const);
    },
    async endTurn(address: string, attempt: string) {
      ended.push({ address, attempt });
    },
  };
}

const turns = (store: ReturnType<typeof noting>, fresh = true, rules = RULES) => turnsOf(REF, fresh, store, () => NOON, rules, new Map());

test.each([true, false])('a turn is asked for with what the deployment allows, a fresh one told apart: %s', async (fresh) => {
  const store = noting();
  await turns(store, fresh).take('185.1.1.1');
  expect(store.taken).toMatchObject([{ address: '185.1.1.1', ref: REF, fresh, now: NOON, leaseMs: 120_000, spacingMs: 600_000 }]);
});

test('one delivery takes all its addresses as one, and another delivery of the same scan does not', async () => {
  const store = noting();
  const first = turns(store);
  const second = turns(store);
  await first.take('185.1.1.1');
  await first.take('185.1.1.2');
  await second.take('185.1.1.1');
  const [a, b, c] = store.taken.map(({ attempt }) => attempt);
  expect(a).toBe(b);
  expect(c).not.toBe(a);
});

test('who is refused is told when to come again', async () => {
  expect(await turns(noting(['185.1.1.1'])).take('185.1.1.1')).toEqual({ granted: false, retryAt: NOON + 5_000 });
});

describe('at the end', () => {
  test('what was taken is given back, and nothing else', async () => {
    const store = noting(['185.1.1.2']);
    const own = turns(store);
    for (const address of ['185.1.1.1', '185.1.1.2', '185.1.1.3']) await own.take(address);
    await own.end();
    expect(store.ended.map(({ address }) => address)).toEqual(['185.1.1.1', '185.1.1.3']);
    expect(new Set(store.ended.map(({ attempt }) => attempt))).toEqual(new Set([store.taken[0]?.attempt]));
  });

  test('the lease is left to lapse where no scan may follow before it has', async () => {
    const store = noting();
    const own = turns(store, true, { ...RULES, soonestMs: RULES.leaseMs });
    await own.take('185.1.1.1');
    await own.end();
    expect(store.ended).toEqual([]);
  });
});

test('scans of one process stand in line for an address, and each goes on when the one in front has ended', async () => {
  const lines = new Map<string, Promise<void>>();
  const order: string[] = [];
  const scan = async (name: string) => {
    const each = turnsOf(REF, true, noting(), () => NOON, RULES, lines);
    await each.take('192.0.2.1');
    order.push(`${name} begins`);
    await new Promise((done) => setTimeout(done, 5));
    order.push(`${name} ends`);
    await each.end();
  };
  await Promise.all([scan('a'), scan('b'), scan('c')]);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(lines.size).toBe(0);
});

test('scans that stood in line for too long ask all the same, one after the other', async () => {
  vi.useFakeTimers();
  try {
    const lines = new Map<string, Promise<void>>();
    let [asking, most, asked] = [0, 0, 0];
    const store = {
      ...noting(),
      async takeTurn() {
        most = Math.max(most, ++asking);
        await new Promise((done) => setTimeout(done, 10));
        asking--;
        asked++;
        return { granted: true } as const;
      },
    };
    const scans = Array.from({ length: 10 }, () => turnsOf(REF, true, store, () => NOON, RULES, lines));
    const all = Promise.all(scans.map((each) => each.take('192.0.2.1')));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    await all;
    expect({ asked, most }).toEqual({ asked: 10, most: 1 });
    await Promise.all(scans.map((each) => each.end()));
    await vi.advanceTimersByTimeAsync(0);
    expect(lines.size).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
