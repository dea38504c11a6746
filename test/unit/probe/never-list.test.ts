import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type NeverList, watchNeverList } from '../../../functions/probe/never-list.ts';
import { connect } from '../../../shared/network/connect.ts';
import { permitted } from '../../support/gate.ts';
import { NOON } from '../../support/samples.ts';
import { mailServer, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const entry = (target: string) => ({ target, since: NOON, why: 'asked for by letter' });

describe('the list as it stands', () => {
  let entries: string[];
  let readable: boolean;
  let now: number;
  let watched: NeverList | undefined;
  const errors: unknown[] = [];
  const store = {
    async neverList() {
      if (!readable) throw new Error('no table');
      return entries.map(entry);
    },
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    entries = [];
    readable = true;
    now = NOON;
    errors.length = 0;
  });
  afterEach(() => {
    watched?.stop();
    vi.useRealTimers();
  });

  async function watch(from = store): Promise<NeverList> {
    watched = await watchNeverList(
      from,
      () => now,
      (error) => errors.push(error),
    );
    return watched;
  }
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      now += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
  }

  test('is in force from the beginning', async () => {
    entries = ['185.1.1.1'];
    expect((await watch()).isVetoed('185.1.1.1')).toBe(true);
  });

  test.each([0, 1, 19, 20, 21, 39])('has a new entry in force within a minute, added after %i seconds', async (after) => {
    const never = await watch();
    await pass(after);
    expect(never.isVetoed('185.1.1.1')).toBe(false);
    entries = ['185.1.1.1', 'example.com'];
    await pass(60);
    expect(never.isVetoed('185.1.1.1')).toBe(true);
    expect(never.isVetoed('mx.example.com')).toBe(true);
    expect(never.isVetoed('185.1.1.2')).toBe(false);
  });

  test('lets an entry go that was removed', async () => {
    entries = ['185.1.1.1'];
    const never = await watch();
    entries = [];
    await pass(60);
    expect(never.isVetoed('185.1.1.1')).toBe(false);
  });

  test('vetoes everything when it has not been readable for a minute, and says why', async () => {
    const never = await watch();
    readable = false;
    await pass(50);
    expect(never.isVetoed('185.1.1.1')).toBe(false);
    await pass(10);
    expect(never.isVetoed('185.1.1.1')).toBe(true);
    expect(never.isVetoed('example.com')).toBe(true);
    expect(errors).toHaveLength(3);
    readable = true;
    await pass(21);
    expect(never.isVetoed('185.1.1.1')).toBe(false);
  });

  test('is trusted from when reading began, for what was added since is not in it', async () => {
    const slow = {
      async neverList() {
        now += 30_000; // a table that answers late
        return [];
      },
    };
    const never = await watch(slow);
    now += 29_000;
    expect(never.isVetoed('185.1.1.1')).toBe(true);
  });

  test('opens no gate when it cannot be read at all', async () => {
    readable = false;
    await expect(watch()).rejects.toThrow('no table');
  });

  test('is asked at the dial', async () => {
    const server = await startScriptedServer([mailServer()]);
    try {
      const never = await watch();
      const dial = () =>
        connect(permitted('127.0.0.1'), server.port, 1_000, async (address) => (never.isVetoed(address) ? 'vetoed' : undefined));
      const first = await dial();
      expect(first.kind).toBe('connected');
      if (first.kind === 'connected') first.socket.destroy();
      entries = ['127.0.0.0/8'];
      await pass(60);
      expect(await dial()).toEqual({ kind: 'failed', contact: 'vetoed' });
      expect(server.heard).toHaveLength(1);
    } finally {
      await server.stop();
    }
  });
});
