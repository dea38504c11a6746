import { dispatch } from '../../functions/dispatch/dispatch.ts';
import { probeScans } from '../../functions/probe/probe-scans.ts';
import { turnsOf } from '../../functions/probe/turns.ts';
import { type ScanRef, scanId } from '../../shared/domain/scan.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { memoryStore } from '../simulation/memory-store.ts';
import { memoryTurns } from '../simulation/memory-turns.ts';
import { QUIET_PROBING } from './probing.ts';
import { NOON, registerSample, sampleHost, sampleLeg } from './samples.ts';

const MINUTE = 60_000;
const ADDRESS = '185.1.1.1';
const RULES = { leaseMs: 2 * MINUTE, spacingMs: 10 * MINUTE, soonestMs: 5 * MINUTE };

/** In which minute a host is registered at the one address, for its first scan; in which it is removed, if ever; and whether its server greylists. */
export type Arrival = {
  readonly account: string;
  readonly host: string;
  readonly minute: number;
  readonly removed?: number;
  readonly greylists?: boolean;
};

/** A first scan of an arrival's: when it first asked for its turn, when it had it, and how often it asked in vain. */
export type Begun = { readonly arrival: Arrival; readonly askedAt: number; at: number; refused: number };

/** Plays so many minutes at one address that all these hosts have proven, and gives the scans in the order that they asked. */
export async function playAddress(arrivals: readonly Arrival[], minutes: number): Promise<Begun[]> {
  let now = NOON;
  const asked = new Map<string, Begun>();
  const byHost = new Map(arrivals.map((each) => [each.host, each]));
  const memory = memoryStore(() => now);
  const store = {
    ...memory.store,
    ...memoryTurns(),
    findAccount: async (id: string) => ({ id, email: `${id}@example.org`, createdAt: 0 }),
    hostsInSlot: async () => [],
  } as unknown as AuditStore;
  const noting = (ref: ScanRef, turns: ReturnType<typeof turnsOf>): typeof turns => ({
    ...turns,
    async take(address) {
      const given = await turns.take(address);
      const arrival = byHost.get(ref.hostId);
      if (arrival === undefined) throw new Error('a scan of nobody');
      const begun = asked.get(ref.hostId) ?? { arrival, askedAt: now, at: Number.POSITIVE_INFINITY, refused: 0 };
      asked.set(ref.hostId, begun);
      if (!given.granted) begun.refused++;
      else begun.at = Math.min(begun.at, now);
      return given;
    },
  });
  for (let minute = 0; minute < minutes; minute++, now += MINUTE) {
    for (const each of arrivals) {
      if (each.minute === minute) await register(each, store, now);
      if (each.removed === minute) await remove(each, store);
    }
    const batches: (readonly ScanRef[])[] = [];
    await dispatch({
      store,
      wakeScans: async (refs) => void batches.push(refs),
      wakeNotices: async () => {},
      clock: () => now,
      count: () => {},
      owedLeaseMs: 15 * MINUTE,
    });
    for (const ref of batches.flat()) await probe(ref, { store, noting, byHost, clock: () => now });
  }
  return [...asked.values()];
}

async function register({ account, host: id }: Arrival, store: AuditStore, now: number): Promise<void> {
  const host = { ...sampleHost({ period: 'week' }), accountId: account, id, createdAt: now };
  await registerSample(store, host, { accountId: account, hostId: id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 });
}

async function remove({ account, host }: Arrival, store: AuditStore): Promise<void> {
  const there = await store.findHost(account, host);
  if (there !== undefined) await store.removeHost(there);
}

type Workers = {
  readonly store: AuditStore;
  readonly noting: (ref: ScanRef, turns: ReturnType<typeof turnsOf>) => ReturnType<typeof turnsOf>;
  readonly byHost: ReadonlyMap<string, Arrival>;
  readonly clock: () => number;
};

async function probe(ref: ScanRef, { store, noting, byHost, clock }: Workers): Promise<void> {
  const failed = await probeScans([ref], {
    ...QUIET_PROBING,
    store,
    async audit(host, { takeTurn }) {
      const turn = await takeTurn(ADDRESS);
      if (!turn.granted) return { untested: 'address-busy', legs: [], retryAt: turn.retryAt };
      const tests = sampleLeg().tests.slice(0, 8);
      const greylisted = tests.map((each) => ({ ...each, outcome: 'greylisted' as const, reply: '451 4.7.1 Greylisted' }));
      const legs = [{ ...sampleLeg(), tests: byHost.get(host.id)?.greylists ? greylisted : tests, transcript: [] }];
      return { legs };
    },
    turns: (own, fresh, bookings) => noting(own, turnsOf(own, fresh, store, clock, RULES, new Map(), bookings)),
    clock,
  });
  if (failed.length > 0) throw new Error('a scan could not be stored');
}
