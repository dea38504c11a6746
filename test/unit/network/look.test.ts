import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import { startLook, UNASKED } from '../../../shared/network/look.ts';
import { type Found, type Lookups, sharedLookups } from '../../../shared/network/lookups.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Look-ups that answer after so many milliseconds, or never, and note what they were asked and how much of it at once. */
function slow(ms: number | 'never') {
  const asked: string[] = [];
  const seen = { most: 0, open: 0 };
  const answer = async (question: string) => {
    asked.push(question);
    seen.most = Math.max(seen.most, ++seen.open);
    await new Promise<void>((done) => (ms === 'never' ? undefined : setTimeout(done, ms)));
    seen.open--;
    return { kind: 'absent' } as const;
  };
  const lookups: Lookups = {
    addresses: (name) => answer(`A ${name}`),
    texts: (name) => answer(`TXT ${name}`),
    names: ({ text }) => answer(`PTR ${text}`),
    mailServers: (domain) => answer(`MX ${domain}`),
  };
  return { lookups, asked, seen };
}

const name = (n: number) => `${n}.example`;
const texts = ({ lookups }: { lookups: Lookups }, many: number) =>
  Promise.all(Array.from({ length: many }, (_, n) => lookups.texts(name(n))));
const kinds = (found: readonly Found<unknown>[]) => found.map((each) => (each.kind === 'trouble' ? each.why : each.kind));

describe('one look', () => {
  test('asks 200 questions and no more, and says so', async () => {
    const dns = slow(0);
    const look = startLook(dns.lookups, 60_000);
    const all = texts(look, 201);
    await vi.runAllTimersAsync();
    expect(kinds(await all)).toEqual([...Array(200).fill('absent'), UNASKED]);
    expect(dns.asked).toHaveLength(200);
    expect(look.cut()).toBe('questions');
  });

  test('counts a question once, however often it is asked, and a name whose addresses are asked for twice', async () => {
    const dns = slow(0);
    const look = startLook(dns.lookups, 60_000);
    const all = Promise.all([...Array.from({ length: 300 }, () => look.lookups.texts(name(0))), texts(look, 199)]);
    await vi.runAllTimersAsync();
    await all;
    expect(look.cut()).toBeUndefined();
    expect(await look.lookups.addresses(name(0))).toMatchObject({ why: UNASKED });
    expect(dns.asked).toHaveLength(199);
  });

  test('asks eight questions at once', async () => {
    const dns = slow(10);
    const look = startLook(dns.lookups, 60_000);
    const address = parseAddress('192.0.2.1') ?? expect.fail();
    const all = Promise.all([texts(look, 50), look.lookups.names(address), look.lookups.mailServers('a.example')]);
    await vi.runAllTimersAsync();
    await all;
    expect([dns.asked.length, dns.seen.most, look.cut()]).toEqual([52, 8, undefined]);
  });

  test('ends when its time is over, asks nothing more, and says so', async () => {
    const dns = slow('never');
    const look = startLook(dns.lookups, 10_000);
    const all = texts(look, 20);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(kinds(await all)).toEqual(Array(20).fill('no answer'));
    expect(await look.lookups.texts('later.example')).toEqual({ kind: 'trouble', why: 'no answer' });
    expect([dns.asked.length, look.cut()]).toEqual([8, 'time']);
  });

  test('that has all its answers is not cut by the end of its time', async () => {
    const look = startLook(slow(0).lookups, 10_000);
    const all = texts(look, 20);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(kinds(await all)).toEqual(Array(20).fill('absent'));
    expect(look.cut()).toBeUndefined();
  });
});

describe('the own servers of a zone', () => {
  const says = async (): Promise<Found<never>> => ({ kind: 'found', values: [] });
  const servers = [1, 2, 3, 4].map((n) => parseAddress(`185.2.2.${n}`) ?? expect.fail());

  test('are asked of a place all or none: one that was not asked has not said that there is no record', async () => {
    const look = startLook({ ...slow(0).lookups, unsignedServers: says, textsAt: says }, 10_000);
    const places = ['a', 'b', 'c', 'd', 'e'].map((label) => `${label}.example`);
    const asked = await Promise.all(places.map(async (place) => (await look.lookups.unsignedServers?.(place))?.kind));
    expect(asked).toEqual(['found', 'found', 'found', 'found', 'trouble']);
    const said = await Promise.all(places.slice(0, 4).flatMap((place) => servers.map((each) => look.lookups.textsAt?.(each, place))));
    expect(said.map((each) => each?.kind)).toEqual(Array(16).fill('found'));
  });

  test('are paid for once, however many addresses have the same name', async () => {
    const look = startLook({ ...slow(0).lookups, unsignedServers: says, textsAt: says }, 10_000);
    for (let n = 0; n < 8; n++) expect((await look.lookups.unsignedServers?.('a.example'))?.kind).toBe('found');
    expect((await look.lookups.unsignedServers?.('b.example'))?.kind).toBe('found');
  });
});

test('49 looks that use up all they may delay a 50th by seconds, not by all their questions', async () => {
  const shared = sharedLookups(slow(0).lookups, 500);
  const greedy = Array.from({ length: 49 }, (_, n) => {
    const { lookups } = startLook(shared, 60_000);
    return Promise.all(Array.from({ length: 200 }, (__, m) => lookups.texts(`${m}.${n}.example`)));
  });
  let done = false;
  const mine = texts(startLook(shared, 60_000), 16).then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(3_000); // 9,800 questions take 20 seconds
  expect(done).toBe(true);
  await vi.advanceTimersByTimeAsync(27_000);
  await Promise.all([mine, ...greedy]);
});
