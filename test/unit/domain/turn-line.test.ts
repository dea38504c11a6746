import { describe, expect, test } from 'vitest';
import type { Booking } from '../../../shared/domain/scan.ts';
import { freshScanOf, type Standing, stepFor, type Turn } from '../../../shared/domain/turn-line.ts';
import { memoryTurns } from '../../simulation/memory-turns.ts';
import { NOON } from '../../support/samples.ts';

const MINUTE = 60_000;
const SPACING = 10 * MINUTE;
const STEP = 12 * MINUTE;
const TURN: Turn = {
  address: '185.1.1.1',
  ref: { accountId: 'a', hostId: 'host', scanId: 'scan' },
  attempt: 'mine',
  fresh: false,
  now: NOON,
  leaseMs: 2 * MINUTE,
  spacingMs: SPACING,
};
const FRESH: Partial<Turn> = { fresh: true };
const STANDING: Standing = { leaseUntil: NOON - 1, holder: 'other', waiting: [] };

/** When a turn may be asked for again, in minutes from now; `taken` when it is given. */
function answer(turn: Partial<Turn>, standing: Partial<Standing> | undefined): number | string {
  const step = stepFor({ ...TURN, ...turn }, standing && { ...STANDING, ...standing });
  if (step.do === 'wait' && !step.given.granted && step.given.booked === undefined) return (step.given.retryAt - NOON) / MINUTE;
  return step.do;
}

describe('an address is given', () => {
  const leased = { leaseUntil: NOON + MINUTE };
  const held = { heldUntil: NOON + 3 * MINUTE };
  const fresh = { freshAt: NOON - 4 * MINUTE, freshScan: 'a/host/earlier' };
  const own = { ...fresh, freshScan: freshScanOf(TURN) };
  test.each<[string, Partial<Turn>, Partial<Standing> | undefined, number | string]>([
    ['at once where it was never given', {}, undefined, 'take'],
    ['at once when nobody has it', {}, {}, 'take'],
    ['after the lease of another', {}, leased, 1],
    ['at the very end of that lease', {}, { leaseUntil: NOON }, 'take'],
    ['again to who has it', {}, { ...leased, holder: 'mine' }, 'take'],
    ['to a confirmation after the hold', {}, held, 3],
    ['to a confirmation after lease and hold, whichever is later', {}, { ...leased, ...held }, 3],
    ['to a confirmation after the lease, where the hold is over before', {}, { ...leased, heldUntil: NOON - 1 }, 1],
    ['to who has it, held or not', {}, { ...leased, ...held, holder: 'mine' }, 'take'],
    ['to a confirmation without any distance', {}, fresh, 'take'],
    ['to a confirmation whatever line there is', {}, { nextFree: NOON + STEP }, 'take'],
    ['to a fresh scan at a distance from the last', FRESH, fresh, 6],
    ['to a fresh scan that is far enough from the last', FRESH, { freshAt: NOON - SPACING }, 'take'],
    ['to a fresh scan after the lease', FRESH, leased, 1],
    ['to a fresh scan after the line', FRESH, { ...leased, nextFree: NOON + STEP }, 12],
    ['to the fresh scan that had it, without a distance', FRESH, own, 'take'],
    ['to the fresh scan that had it, after the lease alone', FRESH, { ...own, ...leased, ...held }, 1],
    ['to a fresh scan without a place, where none is wanted', { ...FRESH, books: false }, fresh, 6],
    ['to a fresh scan without a place, where scans keep no distance', { ...FRESH, books: true, spacingMs: 0 }, leased, 1],
    ['to a fresh scan that has a place in the line', { ...FRESH, books: true }, fresh, 'book'],
  ])('%s', (_, turn, standing, expected) => expect(answer(turn, standing)).toBe(expected));
});

describe('the line at an address', () => {
  type Waiting = { readonly index: number; readonly turn: Turn; booked: Booking };

  /** Who has had the address last is `a`; then these accounts join, one scan each. */
  async function lineOf(accounts: string) {
    const turns = memoryTurns();
    const turnOf = (accountId: string, index: number): Turn => ({
      ...TURN,
      ref: { accountId, hostId: `host${index}`, scanId: 'scan' },
      attempt: `attempt ${index}`,
      fresh: true,
      books: true,
    });
    expect(await turns.takeTurn(turnOf('a', -1))).toEqual({ granted: true });
    const waiting: Waiting[] = [];
    for (const [index, account] of [...accounts].entries()) {
      const turn = turnOf(account, index);
      const given = await turns.takeTurn(turn);
      if (given.granted || given.booked === undefined) return expect.fail('no place');
      waiting.push({ index, turn, booked: given.booked });
    }
    return { turns, waiting };
  }

  /** Asks for every scan when its time has come, minute by minute, until none waits: who has had a turn, and in which minute. */
  async function play(accounts: string, stays: (index: number) => boolean = () => true) {
    const { turns, waiting } = await lineOf(accounts);
    let left = waiting.filter(({ index }) => stays(index));
    const had: [account: string, minute: number][] = [];
    for (let now = NOON; left.length > 0 && now < NOON + 1_000 * MINUTE; now += MINUTE)
      for (const each of left) {
        if (each.booked.at > now) continue;
        const given = await turns.takeTurn({ ...each.turn, attempt: `${each.turn.attempt} at ${now}`, now, booked: each.booked });
        if (!given.granted && given.booked !== undefined) each.booked = given.booked;
        if (!given.granted) continue;
        had.push([each.turn.ref.accountId, (now - NOON) / MINUTE]);
        left = left.filter((other) => other !== each);
      }
    return had;
  }
  const orderOf = (had: readonly (readonly [string, number])[]) => had.map(([account]) => account).join('');

  test.each([
    ['of one account is served in order', 'aaa', 'aaa'],
    ['lets each of the others have a turn before any has a second', 'abacbd', 'bcdaba'],
    ['lets two accounts alternate, however many scans each has', 'aaaaabbb', 'bababaaa'],
    ['lets a newcomer before the second of an account that had the last', 'aab', 'baa'],
    ['lets who has had no turn yet before', 'bbbc', 'bcbb'],
  ])('%s', async (_, accounts, order) => expect(orderOf(await play(accounts))).toBe(order));

  test('gives its turns far enough from each other, and one step apart where all come in time', async () => {
    const minutes = (await play('abab')).map(([, minute]) => minute);
    expect(minutes[0]).toBe(10);
    for (const [index, minute] of minutes.slice(1).entries()) expect(minute - (minutes[index] ?? 0)).toBeGreaterThanOrEqual(10);
    expect(minutes.at(-1)).toBeLessThanOrEqual(10 + (3 * STEP) / MINUTE);
  });

  test('waits for nobody who does not come, longer than its turn', async () => {
    const minutes = (await play('bcd', (index) => index === 2)).map(([, minute]) => minute);
    expect(minutes).toEqual([10 + (2 * STEP) / MINUTE]);
  });

  test('tells each the time of its turn when it joins', async () => {
    const { turns, waiting } = await lineOf('bbcb');
    const asked = await Promise.all(
      waiting.map(({ turn, booked }) => turns.takeTurn({ ...turn, now: NOON + 1, booked: { ...booked, at: 0 } })),
    );
    expect(asked.map((each) => (each.granted ? undefined : (each.retryAt - NOON - SPACING) / STEP))).toEqual([0, 2, 1, 3]);
  });

  test('has no place any more for who has missed it: that one joins behind', async () => {
    const { turns, waiting } = await lineOf('bbb');
    const [first = expect.fail(), second = expect.fail()] = waiting;
    expect(await turns.takeTurn({ ...second.turn, now: second.booked.at, booked: second.booked })).toEqual({ granted: true });
    const again = await turns.takeTurn({ ...first.turn, now: second.booked.at + MINUTE, booked: first.booked });
    expect(again).toMatchObject({ granted: false, retryAt: NOON + SPACING + 3 * STEP });
  });

  test('keeps an address for who comes in time and finds a confirmation there, for two minutes after that', () => {
    const line = [{ account: 'a', served: 0, issued: 1 }];
    const standing = { leaseUntil: NOON + MINUTE, waiting: line, nextFree: NOON };
    const booked = { round: 1, at: NOON };
    const step = stepFor({ ...TURN, ...FRESH, booked }, { ...STANDING, ...standing });
    const given = { granted: false, retryAt: NOON + MINUTE, booked: { round: 1, at: NOON + MINUTE } };
    expect(step).toEqual({ do: 'hold', until: NOON + 3 * MINUTE, given });
    expect(stepFor({ ...TURN, ...FRESH, booked }, { ...STANDING, ...standing, freshAt: NOON - MINUTE })).toMatchObject({ do: 'wait' });
    expect(stepFor({ ...TURN, ...FRESH, booked }, { ...STANDING, ...standing, nextFree: NOON + STEP })).toMatchObject({ do: 'hold' });
    const free = stepFor({ ...TURN, ...FRESH, booked }, { ...STANDING, ...standing, leaseUntil: NOON });
    expect(free).toEqual({ do: 'take', served: { before: line, after: [{ account: 'a', served: 1, issued: 1 }] } });
  });

  test('knows no place that was had or missed, nor one of a line that began later', () => {
    const line = [{ account: 'a', served: 1, issued: 2 }];
    const asks = (round: number) =>
      stepFor({ ...TURN, ...FRESH, booked: { round, at: NOON } }, { ...STANDING, waiting: line, nextFree: NOON + 2 * STEP });
    expect([1, 2, 3].map((round) => asks(round))).toMatchObject([
      { do: 'wait', given: { retryAt: NOON + 2 * STEP } },
      { do: 'wait', given: { retryAt: NOON + STEP, booked: { round: 2 } } },
      { do: 'wait', given: { retryAt: NOON + 2 * STEP } },
    ]);
  });

  test('forgets accounts that wait for nothing more', () => {
    const line = [
      { account: 'gone', served: 4, issued: 4 },
      { account: 'a', served: 4, issued: 5 },
    ];
    const step = stepFor({ ...TURN, ...FRESH, booked: { round: 5, at: NOON } }, { ...STANDING, waiting: line });
    expect(step).toMatchObject({ do: 'take', served: { after: [{ account: 'a', served: 5, issued: 5 }] } });
  });

  test('is not moved by a confirmation that has the address for longer', () => {
    const waiting = [{ account: 'b', served: 0, issued: 1 }];
    const standing = { ...STANDING, waiting, nextFree: NOON + MINUTE, leaseUntil: NOON + 30 * MINUTE };
    expect(stepFor({ ...TURN, ...FRESH, books: true }, standing)).toMatchObject({ do: 'book', nextFree: NOON + MINUTE + STEP });
  });

  test('begins with nobody where no fresh scan was ever made', () => {
    const step = stepFor({ ...TURN, ...FRESH, books: true }, { ...STANDING, leaseUntil: NOON + MINUTE });
    expect(step).toMatchObject({ do: 'book', after: [{ account: '', served: NOON, issued: NOON }, { account: 'a' }] });
  });

  test('begins anew where it had come to its end, with rounds that were never those of another', () => {
    const old = [{ account: 'b', served: 1, issued: 9 }];
    const standing = { ...STANDING, freshAt: NOON - MINUTE, freshScan: 'last/host/scan', waiting: old, nextFree: NOON };
    const step = stepFor({ ...TURN, ...FRESH, books: true }, standing);
    const after = [
      { account: 'last', served: NOON, issued: NOON },
      { account: 'a', served: NOON - 1, issued: NOON },
    ];
    expect(step).toMatchObject({
      do: 'book',
      before: old,
      after,
      place: { round: NOON, at: NOON },
      nextFree: NOON - MINUTE + SPACING + STEP,
    });
  });
});
