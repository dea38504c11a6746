import { digestAt } from '../../shared/domain/noise.ts';
import { isWebhook, noticesOf } from '../../shared/domain/notice.ts';
import { type ScanRef, scanId } from '../../shared/domain/scan.ts';
import { type DueSlot, dueSlots, firstDueTick, tickOf, tickStart } from '../../shared/domain/schedule.ts';
import { inTurn, SCANS_A_MINUTE } from '../../shared/domain/shares.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Counter } from '../../shared/runtime/logging.ts';
import type { Wake } from '../../shared/runtime/queues.ts';
import { withAddressees } from '../../shared/store/addressees.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: AuditStore;
  readonly wakeScans: Wake<ScanRef>;
  readonly wakeNotices: Wake<string>;
  readonly clock: Clock;
  readonly count: Counter;
  /** How long an owed scan is left alone once its message was sent, in milliseconds. */
  readonly owedLeaseMs: number;
};

/** What one dispatch did. `lagMinutes` is how far the cursor still is behind. */
export type Dispatched = {
  readonly scheduled: number;
  readonly owed: number;
  readonly notices: number;
  readonly digests: number;
  readonly erased: number;
  readonly lagMinutes: number;
};

// What one dispatch may do: after an outage the work is spread over minutes instead of flooding probes and servers.
const SCHEDULED_LIMIT = 5_000; // hosts
const TICKS_LIMIT = 2_000; // looked at; a day's outage and a half
const OWED_READ = 20_000; // owed scans looked at, so that those of an account that has very many hide no other's; some 5 MB
const OWED_LIMIT = 500; // of them sent
const NOTICES_LIMIT = 100;
const DIGESTS_LIMIT = 100; // hosts
const ERASURES_LIMIT = 5; // removed hosts
const ERASED_ITEMS = 250; // of each
const SLOTS_AT_ONCE = 25; // ticks whose wheel slots are read side by side

/**
 * One tick of the schedule: sends references for the slots of the wheel that came round since the cursor and for the
 * owed scans that are due, owes digests that are due, wakes notices whose message was lost, and erases what removed hosts left. The cursor moves after the sends of each block of
 * ticks, so a crash in between sends that block again; a scan that is sent twice has the same id twice and is stored once.
 */
export async function dispatch(services: Services): Promise<Dispatched> {
  const now = services.clock();
  const [wheel, owed, digests, notices, erased] = await Promise.allSettled([
    runWheel(services, tickOf(now)),
    wakeOwed(services, now),
    oweDigests(services, now),
    wakeUnsettled(services, now),
    eraseRemoved(services, now),
  ]);
  if (wheel.status === 'fulfilled') services.count('CursorAgeMinutes', wheel.value.lagMinutes);
  return { ...value(wheel), owed: value(owed), digests: value(digests), notices: value(notices), erased: value(erased) };
}

// Throws only after every part has had its turn: what failed is done at the next tick, what did not is done now all the same.
function value<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

async function runWheel(services: Services, now: number): Promise<{ scheduled: number; lagMinutes: number }> {
  const { store } = services;
  const cursor = await store.readCursor();
  if (cursor === undefined) {
    await store.moveCursor(undefined, now - 1);
    return { scheduled: 0, lagMinutes: 0 };
  }
  let scheduled = 0;
  let done = cursor;
  const first = firstDueTick(cursor, now);
  const last = Math.min(now, first + TICKS_LIMIT - 1);
  for (let tick = first; tick <= last && scheduled < SCHEDULED_LIMIT; tick += SLOTS_AT_ONCE) {
    const end = Math.min(tick + SLOTS_AT_ONCE - 1, last);
    const ticks = Array.from({ length: end - tick + 1 }, (_, index) => tick + index);
    const refs = await Promise.all(ticks.flatMap((each) => dueSlots(each, now)).map((slot) => refsIn(store, slot)));
    await services.wakeScans(inTurn(refs.flat(), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).taken);
    scheduled += refs.flat().length;
    if (!(await store.moveCursor(done, end))) break; // another dispatcher is at it
    done = end;
  }
  return { scheduled, lagMinutes: now - Math.max(done, cursor) };
}

async function refsIn(store: AuditStore, { period, slot, tick }: DueSlot): Promise<ScanRef[]> {
  const id = scanId(tickStart(tick), 'scheduled');
  return (await store.hostsInSlot(period, slot)).map((entry) => ({ ...entry, scanId: id }));
}

// Of each account a few, in turn: the messages of one that has very many stand in front of nobody else's.
async function wakeOwed({ store, wakeScans, owedLeaseMs }: Services, now: number): Promise<number> {
  const { taken, left } = inTurn(await store.dueScans(now, OWED_READ), SCANS_A_MINUTE, OWED_LIMIT);
  await wakeScans(taken.map(({ accountId, hostId, scanId: id }) => ({ accountId, hostId, scanId: id })));
  await Promise.all(taken.map((owed) => store.leaseScan(owed, now + owedLeaseMs)));
  await Promise.all([...left].map(([accountId, waiting]) => store.noteWaiting(accountId, waiting, now)));
  return taken.length;
}

// The history of removed hosts goes in pieces. Gives how many hosts have nothing left.
async function eraseRemoved({ store }: Services, now: number): Promise<number> {
  const due = await store.dueErasures(now, ERASURES_LIMIT);
  const gone = await Promise.all(due.map((hostId) => store.eraseSome(hostId, ERASED_ITEMS)));
  return gone.filter(Boolean).length;
}

// A digest that a scan has overtaken is decided anew at the next tick.
async function oweDigests(services: Services, now: number): Promise<number> {
  const { store, wakeNotices } = services;
  const due = await store.dueDigests(now, DIGESTS_LIMIT);
  const owed = await Promise.all(
    due.map(async ({ accountId, hostId }) => {
      const host = await store.findHost(accountId, hostId);
      const told = host === undefined ? undefined : digestAt(host, now);
      if (host === undefined || told?.occasion === undefined) {
        await store.dropDigest(hostId, now);
        return [];
      }
      const notices = noticesOf(await withAddressees(host, store), told.state, told.occasion, now);
      return (await store.storeDigest({ host, state: told.state, notices })) === 'stored' ? notices.map(({ id }) => id) : [];
    }),
  );
  await wakeNotices(owed.flat());
  return owed.flat().length;
}

async function wakeUnsettled({ store, wakeNotices, count }: Services, now: number): Promise<number> {
  const due = await store.dueNotices(now, NOTICES_LIMIT);
  await wakeNotices(due);
  count('NoticesUnsettled', due.filter((id) => !isWebhook(id)).length);
  return due.length;
}
