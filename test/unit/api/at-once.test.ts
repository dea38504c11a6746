import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { take } from '../../../shared/accounts/budgets.ts';
import { parseAddress } from '../../../shared/domain/address.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import { type Answered, type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { lookupsTo } from '../../support/gate.ts';
import { memoryTable } from '../../support/memory-table.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const FOUND = { kind: 'found', values: [parseAddress('9.9.9.1') ?? expect.fail()] } as const;

/** Lets time pass until it has come about. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  while (!done) await vi.advanceTimersByTimeAsync(5);
  return ended;
}

async function start(lookups: Partial<Lookups> = {}) {
  const api = await startApi({ wait, lookups: { ...lookupsTo(), ...lookups } }, memoryTable);
  const { key, accountId } = await api.account();
  const register = (name: string) => api.call('POST', '/v1/hosts', { key, body: { name, ports: [25] } });
  const change = (id: string, ports: number[]) => api.call('PATCH', `/v1/hosts/${id}`, { key, body: { ports } });
  const hosts = async () => (await api.table.store.listHosts(accountId, 100)).items.map(({ settings }) => settings.name);
  return { api, accountId, register, change, hosts };
}

/** Two names of one server, registered at once: the first of them while DNS keeps the second waiting for longer than a look takes. */
async function whileTheOtherWaits(addresses: Lookups['addresses']): Promise<{ first: Answered; second: Answered; hosts: string[] }> {
  const asked = Promise.withResolvers<void>();
  const mailServers = async (domain: string): Promise<Found<never>> => {
    if (domain === 'second.example.org') {
      asked.resolve();
      await wait(5_000);
    }
    return { kind: 'absent' };
  };
  const { register, hosts } = await start({ addresses, mailServers });
  const second = register('second.example.org');
  await inTime(asked.promise);
  const first = await inTime(register('first.example.org'));
  return { first, second: await inTime(second), hosts: await hosts() };
}

test('a server that is registered under another name while DNS keeps the first look waiting is still found to be the same', async () => {
  const { first, second, hosts } = await whileTheOtherWaits(async () => {
    await wait(50);
    return FOUND;
  });
  expect([first.status, second.status, hosts]).toEqual([201, 409, ['first.example.org']]);
  expect(second.body.instead).toMatchObject({ host: first.body.id });
});

test('a further look that DNS does not answer in time registers nothing: it is tried again a second later', async () => {
  let asked = 0;
  const { second, hosts } = await whileTheOtherWaits(async (name) =>
    name === 'first.example.org' && asked++ > 0 ? new Promise<never>(() => {}) : FOUND,
  );
  expect([second.status, second.headers['retry-after'], hosts]).toEqual([409, '1', ['first.example.org']]);
  expect(second.body.instead).toBeUndefined();
});

/** How many tries of the hour an account has left, but for the one that asks. */
async function triesLeft({ services }: ApiOnTable, accountId: string): Promise<number> {
  return (await take(services, 'registration-tries', accountId)).remaining;
}

test('further ports for ten hosts at once are given to all of them, and each is paid for once', async () => {
  const { api, accountId, register, change } = await start();
  const ids: string[] = [];
  for (let n = 0; n < 10; n++) ids.push((await inTime(register(`9.9.8.${n}`))).body.id);
  const answers = await inTime(Promise.all(ids.map((id) => change(id, [25, 465]))));
  expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
  expect(await triesLeft(api, accountId)).toBe(200 - 10 - 10 - 1);
});

test('a port that others of the account keep from being given costs one try, and the answer says when to come again', async () => {
  const { api, accountId, register, change } = await start();
  const { body } = await inTime(register('9.9.8.1'));
  vi.spyOn(api.services.store, 'changeSettings').mockResolvedValue(undefined);
  const refused = await inTime(change(body.id, [25, 465]));
  expect([refused.status, refused.headers['retry-after'], refused.body.detail]).toEqual([409, '1', expect.stringContaining('at once')]);
  expect(await triesLeft(api, accountId)).toBe(200 - 1 - 1 - 1);
});
