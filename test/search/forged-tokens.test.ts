import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cursors } from '../../functions/api/cursor.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { mintApiKey, readApiKey } from '../../shared/runtime/api-key.ts';
import { secretsFrom } from '../../shared/runtime/secrets.ts';
import { type Given, type Owner, startWorld, type World } from '../support/openapi-world.ts';
import { runs } from '../support/searches.ts';

const FORGERIES = runs(20_000, 100_000);
const ROUTED = runs(400, 2_000);
const AT_ONCE = 50;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SEED = 20_261_125;
const SECRETS = secretsFrom('a secret of this deployment, long enough');
const STRANGERS = secretsFrom('a secret of another deployment, as long');

type Forgery = { readonly text: string; readonly how: string };

/** Whole numbers below a bound, the same ones in every run (a linear congruential generator). */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STRANGE = [...'.=-_+/ \t!~%*', '\0', '\r\n', 'é', '\u0661', '💥', '\ud800', '%00', '..', '=='];

/** Changes that anybody can make to a text: a bit, a character, a cut, a piece twice, other letters, two texts crossed. */
function forge(roll: (below: number) => number, real: readonly string[]): Forgery {
  const pick = <T>(from: readonly T[]) => from[roll(from.length)] as T;
  const [text, other] = [pick(real), pick(real)];
  const at = roll(text.length);
  const to = at + 1 + roll(6);
  const put = (piece: string, until = at) => text.slice(0, at) + piece + text.slice(until);
  const bit = String.fromCharCode(text.charCodeAt(at) ^ (1 << roll(7)));
  const ways: Record<string, string> = {
    'a bit': put(bit, at + 1),
    'a character': put(pick([...'0123456789abcdefABCDEFghz_-']), at + 1),
    'cut short': text.slice(0, at),
    'its end alone': text.slice(at + 1),
    'a piece taken out': put('', to),
    'a piece twice': put(text.slice(at, to)),
    'something strange put in': put(pick(STRANGE)),
    'something strange before it': pick(STRANGE) + text,
    'something strange behind it': text + pick(STRANGE),
    'two crossed': text.slice(0, at) + other.slice(at),
    'other letters': roll(2) === 0 ? text.toUpperCase() : text.toLowerCase(),
    'its parts swapped': text
      .split(/([._])/)
      .toReversed()
      .join(''),
    'a part of another': partOf(text, other, roll),
    'two characters changed about': put((text[at + 1] ?? '') + (text[at] ?? ''), at + 2),
  };
  const [how, forged] = pick(Object.entries(ways));
  return { text: forged, how };
}

function partOf(text: string, other: string, roll: (below: number) => number): string {
  const [parts, others] = [text.split(/([._])/), other.split(/([._])/)];
  const which = roll(parts.length);
  return parts.with(which, others[which] ?? '').join('');
}

/** Forged texts, none of them one of those that they were made from. */
function* forgeries(count: number, seed: number, real: readonly string[]): Generator<Forgery> {
  const roll = dice(seed);
  for (let made = 0; made < count; ) {
    const forgery = forge(roll, real);
    if (real.includes(forgery.text)) continue;
    made++;
    yield forgery;
  }
}

let world: World;
let owners: Owner[];
let strangers: string[];

beforeAll(async () => {
  world = await startWorld();
  owners = await Promise.all([world.owner(), world.owner(), world.owner()]);
  strangers = Array.from({ length: 3 }, () => mintApiKey(STRANGERS).text);
});
afterAll(() => world.api.stop());

const GET = { method: 'GET', query: [], headers: {}, body: undefined, isBase64Encoded: false, sourceIp: '203.0.113.9' };
const withKey = (text: string) => ({ authorization: `Bearer ${text}` });

/** Sends a request with each of the keys, so few at once and so spread over time that budgets let them through. */
async function sendKeys(texts: readonly string[]): Promise<Given[]> {
  const answers: Given[] = [];
  for (let from = 0; from < texts.length; from += AT_ONCE) {
    world.api.now += MINUTE;
    const batch = texts.slice(from, from + AT_ONCE);
    answers.push(...(await Promise.all(batch.map((text) => world.send({ ...GET, path: '/v1/account', headers: withKey(text) })))));
  }
  return answers;
}

describe('a forged API key', () => {
  test(`is none that this deployment made, whatever was changed: of ${FORGERIES} not one is read`, () => {
    const real = Array.from({ length: 20 }, () => mintApiKey(SECRETS).text);
    const ways = new Map<string, number>();
    const taken: Forgery[] = [];
    for (const forgery of forgeries(FORGERIES, SEED, [...real, ...strangers])) {
      ways.set(forgery.how, (ways.get(forgery.how) ?? 0) + 1);
      if (readApiKey(SECRETS, forgery.text) !== undefined) taken.push(forgery);
    }
    for (const text of strangers) expect(readApiKey(SECRETS, text)).toBeUndefined();
    expect(taken).toEqual([]);
    expect(real.every((text) => readApiKey(SECRETS, text)?.text === text)).toBe(true);
    expect(Math.min(...ways.values())).toBeGreaterThan(FORGERIES / 50);
  });

  test('costs no read as long as its checksum is wrong, and the one write of a budget', async () => {
    const { meter } = world.api.table;
    const real = owners.map(({ key }) => key);
    const changed = [...forgeries(ROUTED, SEED + 1, [...real, ...strangers])].map(({ text }) => text);
    // Any number of spaces may stand before a key (RFC 9110 §11.4).
    const forged = [...strangers, ...changed.filter((text) => !real.includes(text.replace(/^ +/, '')))];
    meter.reset();
    const answers = await sendKeys(forged);
    expect(forged.filter((_, index) => answers[index]?.status !== 401)).toEqual([]);
    expect(forged.length).toBeGreaterThan(ROUTED * 0.98);
    expect(meter).toMatchObject({ readUnits: 0, requests: forged.length, writeUnits: forged.length });
  });

  test('of the right form and checksum, yet stored nowhere, opens nothing and costs the read that finds nothing', async () => {
    const made = Array.from({ length: 200 }, () => mintApiKey(SECRETS).text);
    world.api.table.meter.reset();
    const answers = await sendKeys(made);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(world.api.table.meter.requests).toBe(2 * made.length);
  });

  test('with the prefix of a live key and a secret of its own, checksum and all, opens nothing', async () => {
    const made = owners.map(({ key }) => {
      const body = `ra1_${key.slice(4, 16)}_${'0'.repeat(48)}`;
      return `${body}_${SECRETS.mac('api-key-checksum', body, 8)}`;
    });
    expect(made.every((text) => readApiKey(SECRETS, text) !== undefined)).toBe(true);
    const answers = await sendKeys(made);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });
});

/** Lists of an account with the place that a cursor of each is made for. */
function placesOf({ accountId, hosts: [first, second] }: Pick<Owner, 'accountId' | 'hosts'>): string[][] {
  return [
    [accountId, 'hosts'],
    ...[first, second].flatMap((host) => [
      [accountId, 'changes', host],
      [accountId, 'scans', host, '', '', ''],
      [accountId, 'scans', host, 'closed', '', ''],
      [accountId, 'scans', host, '', '2026-01-01T00:00:00Z', ''],
      [accountId, 'scans', host, '', '', '2026-01-01T00:00:00Z'],
    ]),
  ];
}

describe('a forged cursor', () => {
  const mine = cursors(SECRETS);
  const opens = (place: readonly string[], cursor: string): boolean => {
    try {
      return mine.open(place, cursor) !== undefined;
    } catch (error) {
      if (error instanceof Problem && error.status === 422) return false;
      throw error;
    }
  };
  const AFTERS = ['f'.repeat(20), '20260601T120000Z-scheduled', '0000000001', 'ü💥', 'a'];

  test(`is refused, whatever was changed and wherever it is from: of ${FORGERIES} not one is taken`, () => {
    const places = ['a', 'b'].flatMap((letter) =>
      placesOf({ accountId: letter.repeat(20), hosts: [`${letter}1`.repeat(10), `${letter}2`.repeat(10)] }),
    );
    const sealed = places.map((place) => AFTERS.map((after) => mine.seal(place, after) ?? ''));
    const taken: unknown[] = [];
    let tried = 0;
    const take = (place: readonly string[], { text, how }: Forgery) => {
      tried++;
      if (opens(place, text)) taken.push({ place, text, how });
    };
    // Every real one at every place but its own, and those of another deployment at their own.
    for (const [index, place] of places.entries()) {
      for (const [from, texts] of sealed.entries())
        if (from !== index) for (const text of texts) take(place, { text, how: 'of another list' });
      for (const after of AFTERS) take(place, { text: cursors(STRANGERS).seal(place, after) ?? '', how: 'of another deployment' });
    }
    for (const [index, place] of places.entries())
      for (const forgery of forgeries(Math.ceil((FORGERIES - tried) / (places.length - index)), SEED + index, sealed[index] ?? []))
        take(place, forgery);
    expect(tried).toBe(FORGERIES);
    expect(taken).toEqual([]);
    for (const [index, place] of places.entries()) expect(mine.open(place, sealed[index]?.[0])).toBe(AFTERS[0]);
  });

  test('costs what any request costs, and no read of the list', async () => {
    const [owner, other] = owners as [Owner, Owner];
    const headers = withKey(owner.key);
    const foreign = [...Object.values(owner.cursors), ...Object.values(other.cursors)];
    for (const [path, cursor] of Object.entries(owner.cursors)) {
      const asked = (text: string) => world.send({ ...GET, path, headers, query: [['cursor', text]] });
      const changed = [...forgeries(Math.ceil(ROUTED / 3), SEED + path.length, [cursor])].map(({ text }) => text);
      world.api.now += HOUR;
      expect((await asked(cursor)).status).toBe(200); // with it the key's use is noted for an hour
      const costs = new Set<number>();
      for (const [index, text] of [...foreign.filter((each) => each !== cursor), ...changed].entries()) {
        if (index % 500 === 0) world.api.now += MINUTE;
        world.api.table.meter.reset();
        const { status, body } = await asked(text);
        expect([status, JSON.parse(body ?? '').errors?.[0]?.field], `${path} ${JSON.stringify(text)}`).toEqual([422, 'cursor']);
        costs.add(world.api.table.meter.requests);
      }
      expect([...costs]).toEqual([path === '/v1/hosts' ? 2 : 3]); // key, budget, and the host that the path names
    }
  });
});
