import { digestAt } from '../../shared/domain/noise.ts';
import { noticesOf } from '../../shared/domain/notice.ts';
import { type ScanRef, scanId } from '../../shared/domain/scan.ts';
import { type DueSlot, dueSlots, firstDueTick, tickOf, tickStart } from '../../shared/domain/schedule.ts';
import { inTurn, SCANS_A_MINUTE, shareOf, startingAt } from '../../shared/domain/shares.ts';
import { withAddressees } from '../../shared/outcomes/addressees.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Counter } from '../../shared/runtime/logging.ts';
import type { Wake } from '../../shared/runtime/queues.ts';
import type { AuditStore, DueScan } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: AuditStore;
  readonly wakeScans: Wake<ScanRef>;
  readonly wakeNotices: Wake<string>;
  readonly clock: Clock;
  readonly count: Counter;
  /** How long an owed scan is left alone once its message was sent, in milliseconds. */
  readonly owedLeaseMs: number;
};

/**
 * What one dispatch did. `scheduled` are the hosts whose slot came round, `owed` the owed scans that were sent; `lagMinutes` is how far the
 * cursor still is behind.
 */
export type Dispatched = {
  readonly scheduled: number;
  readonly owed: number;
  readonly notices: number;
  readonly digests: number;
  readonly erased: number;
  readonly lagMinutes: number;
};

// What one dispatch may do: after an outage the work is spread over minutes instead of flooding probes and servers.
const SCHEDULED_LIMIT = 5_000; // hosts of the wheel
const TICKS_LIMIT = 2_000; // looked at; a day's outage and a half
const OWED_READ = 20_000; // owed scans looked at, so that those of an account that has very many hide no other's; some 5 MB
const OWED_LIMIT = 500; // sent beside as many as there are hosts of the wheel
const MAILS_LIMIT = 100;
const WEBHOOKS_READ = 40_000; // calls looked at, so that those of accounts that have very many hide no other's; some 6 MB
const WEBHOOKS_LIMIT = 40; // of them: when all fail they keep the ten senders of `notify` for 44 seconds, and mails go out beside them
const DIGESTS_LIMIT = 100; // hosts
const ERASURES_READ = 20_000; // removed hosts looked at, so that those of accounts that have very many hide no other's; some 3 MB
const ERASURES_LIMIT = 20; // of them
const ERASED_ITEMS = 250; // of each
const SLOTS_AT_ONCE = 25; // ticks whose wheel slots are read side by side

/**
 * One tick of the schedule: sends references for the slots of the wheel that came round since the cursor and for the owed scans that are due, of each
 * account its share, owes digests that are due, wakes notices whose message was lost, and erases what removed hosts left. The cursor moves last, when
 * all hosts of its slots were sent or are owed, so a crash before that does it all again; a scan that is sent or owed twice has the same id
 * twice and is stored once.
 */
export async function dispatch(services: Services): Promise<Dispatched> {
  const now = services.clock();
  const [scans, digests, notices, erased] = await Promise.allSettled([
    sendScans(services, now),
    oweDigests(services, now),
    wakeUnsettled(services, now),
    eraseRemoved(services, now),
  ]);
  return { ...value(scans), digests: value(digests), notices: value(notices), erased: value(erased) };
}

// Throws only after every part has had its turn: what failed is done at the next tick, what did not is done now all the same.
function value<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

// What an account has too much of waits: what is owed stays so, and hosts of the wheel become owed, so that no slot comes round in vain. Those of the
// wheel come first within an account, for they cost no write when they are sent at once.
async function sendScans(services: Services, now: number): Promise<Pick<Dispatched, 'scheduled' | 'owed' | 'lagMinutes'>> {
  const { store, wakeScans, owedLeaseMs } = services;
  // Trouble with the one keeps the other from nothing.
  const [wheel, owed] = await Promise.allSettled([readWheel(store, tickOf(now)), store.dueScans(now, OWED_READ)]);
  const scheduled = wheel.status === 'fulfilled' ? wheel.value.scheduled : [];
  const due = [...scheduled, ...(owed.status === 'fulfilled' ? owed.value : [])];
  const { taken, left } = inTurn(due, await sharesAmong(due, store), scheduled.length + OWED_LIMIT);
  const ofWheel = new Set(scheduled);
  const sentOwed = taken.filter((each) => !ofWheel.has(each));
  await wakeScans(taken.map(({ accountId, hostId, scanId: id }) => ({ accountId, hostId, scanId: id })));
  await Promise.all([
    ...sentOwed.map((each) => store.leaseScan(each, now + owedLeaseMs)),
    ...left.filter((each) => ofWheel.has(each)).map((each) => store.owe(each)),
  ]);
  const { cursor, end } = value(wheel);
  if (cursor !== end) await store.moveCursor(cursor, end);
  const lagMinutes = tickOf(now) - end;
  services.count('CursorAgeMinutes', lagMinutes);
  // Only shown, and so last. What waits for another scan of its host waits for no share.
  const going = new Set(taken.map(({ hostId }) => hostId));
  const waiting = Map.groupBy(
    left.filter(({ hostId }) => !going.has(hostId)),
    ({ accountId }) => accountId,
  );
  await Promise.all([...waiting].map(([accountId, all]) => store.noteWaiting(accountId, all.length, now)));
  value(owed);
  return { scheduled: scheduled.length, owed: sentOwed.length, lagMinutes };
}

type Wheel = { readonly cursor: number | undefined; readonly end: number; readonly scheduled: readonly DueScan[] };

// The scans of all slots that came round since the cursor, up to the one where it is to stand next.
async function readWheel(store: AuditStore, now: number): Promise<Wheel> {
  const cursor = await store.readCursor();
  if (cursor === undefined) return { cursor, end: now - 1, scheduled: [] };
  const scheduled: DueScan[] = [];
  const first = firstDueTick(cursor, now);
  const last = Math.min(now, first + TICKS_LIMIT - 1);
  let end = cursor;
  for (let tick = first; tick <= last && scheduled.length < SCHEDULED_LIMIT; tick = end + 1) {
    end = Math.min(tick + SLOTS_AT_ONCE - 1, last);
    const ticks = Array.from({ length: end - tick + 1 }, (_, index) => tick + index);
    const slots = ticks.flatMap((each) => dueSlots(each, now));
    scheduled.push(...(await Promise.all(slots.map((slot) => scansIn(store, slot)))).flat());
  }
  return { cursor, end, scheduled };
}

async function scansIn(store: AuditStore, { period, slot, tick }: DueSlot): Promise<DueScan[]> {
  const dueAt = tickStart(tick);
  return (await store.hostsInSlot(period, slot)).map((entry) => ({ ...entry, scanId: scanId(dueAt, 'scheduled'), dueAt, tries: 0 }));
}

// A larger share matters only to an account with more due than the usual share. One that cannot be read now gets the usual share,
// and holds up nobody.
async function sharesAmong(due: readonly DueScan[], store: AuditStore): Promise<(accountId: string) => number> {
  const many = [...Map.groupBy(due, ({ accountId }) => accountId)].filter(([, all]) => all.length > SCANS_A_MINUTE);
  const shares = new Map(
    await Promise.all(
      many.map(async ([accountId]) => {
        const account = await store.findAccount(accountId).catch(() => undefined);
        return [accountId, shareOf(account?.hosts ?? 0)] as const;
      }),
    ),
  );
  return (accountId) => shares.get(accountId) ?? SCANS_A_MINUTE;
}

// The history of removed hosts goes in pieces, and the accounts take turns. Gives how many hosts have nothing left.
async function eraseRemoved({ store }: Services, now: number): Promise<number> {
  const due = await store.dueErasures(now, ERASURES_READ);
  const { taken } = inTurn(startingAt(due, tickOf(now) * ERASURES_LIMIT), () => ERASURES_LIMIT, ERASURES_LIMIT);
  const gone = await Promise.all(taken.map(({ hostId }) => store.eraseSome(hostId, ERASED_ITEMS)));
  return gone.filter(Boolean).length;
}

// If a scan came in between, the digest is decided again at the next tick.
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
  const [mails, calls] = await Promise.all([store.dueMails(now, MAILS_LIMIT), store.dueWebhooks(now, WEBHOOKS_READ)]);
  // Webhooks of an account may all be down, and then all are due at once when its hour begins.
  const { taken } = inTurn(startingAt(calls, tickOf(now) * WEBHOOKS_LIMIT), () => WEBHOOKS_LIMIT, WEBHOOKS_LIMIT);
  const due = [...mails, ...taken.map(({ id }) => id)];
  await wakeNotices(due);
  count('NoticesUnsettled', mails.length); // webhooks wait for servers of others, and say nothing about our mail
  return due.length;
}
