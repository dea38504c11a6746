import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import { type Lookups, sharedLookups } from '../../../shared/network/lookups.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const ADDRESS = parseAddress('185.1.1.1');
if (ADDRESS === undefined) throw new Error('not an address');
const address = ADDRESS;

/** Look-ups that note when they are asked, and answer with how often that was. */
function counting(): { readonly lookups: Lookups; readonly asked: string[] } {
  const asked: string[] = [];
  const note = async (question: string) => {
    asked.push(question);
    return { kind: 'found', values: [String(asked.length)] } as never;
  };
  return {
    asked,
    lookups: {
      addresses: (name) => note(`A ${name}`),
      texts: (name) => note(`TXT ${name}`),
      names: ({ text }) => note(`PTR ${text}`),
      mailServers: (name) => note(`MX ${name}`),
    },
  };
}

describe('in a batch', () => {
  test('each question is asked once, however many ask it', async () => {
    const { lookups, asked } = counting();
    const shared = sharedLookups(lookups, 1e6);
    const [first, second] = await Promise.all([shared.texts('a.com'), shared.texts('a.com')]);
    expect(first).toBe(second);
    await shared.texts('a.com');
    expect(asked).toEqual(['TXT a.com']);
  });

  test('questions of different kinds and names are different questions', async () => {
    const { lookups, asked } = counting();
    const shared = sharedLookups(lookups, 1e6);
    await Promise.all([
      shared.texts('a.com'),
      shared.addresses('a.com'),
      shared.mailServers('a.com'),
      shared.texts('b.com'),
      shared.names(address),
    ]);
    expect(asked.toSorted()).toEqual(['A a.com', 'MX a.com', 'PTR 185.1.1.1', 'TXT a.com', 'TXT b.com']);
  });
});

test('the next batch asks anew: no proof outlives its batch', async () => {
  const { lookups, asked } = counting();
  const first = await sharedLookups(lookups, 1e6).texts('a.com');
  const second = await sharedLookups(lookups, 1e6).texts('a.com');
  expect(asked).toHaveLength(2);
  expect(second).not.toEqual(first);
});

test('questions go out at most so many a second', async () => {
  const { lookups, asked } = counting();
  const shared = sharedLookups(lookups, 10);
  const all = Promise.all(Array.from({ length: 25 }, (_, index) => shared.texts(`${index}.com`)));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.length).toBeGreaterThanOrEqual(10);
  expect(asked.length).toBeLessThanOrEqual(11);
  await vi.advanceTimersByTimeAsync(2_000);
  await all;
  expect(asked).toHaveLength(25);
});

test('time in which nothing was asked is not saved up', async () => {
  const { lookups, asked } = counting();
  const shared = sharedLookups(lookups, 10);
  await vi.advanceTimersByTimeAsync(60_000);
  const all = Promise.all(Array.from({ length: 10 }, (_, index) => shared.texts(`${index}.com`)));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  await all;
});
