import type { Booking, Bookings, ScanRef } from '../../shared/domain/scan.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { newId } from '../../shared/runtime/ids.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { TakeTurn } from './permit-host.ts';

/** The turns of one delivery of a scan at the addresses of its host; `booked` are its places in line, where it must wait. */
export type Turns = { readonly take: TakeTurn; readonly end: () => Promise<void>; readonly booked: () => Bookings };

/**
 * How addresses are shared: for how long one scan has one, and what lies between fresh scans. `soonestMs`: when a scan may follow another
 * at the earliest.
 */
export type TurnRules = { readonly leaseMs: number; readonly spacingMs: number; readonly soonestMs: number };

/** Scans of one process that stand in line for an address, by address: what the last in it resolves when it is done. */
export type Lines = Map<string, Promise<void>>;

const NO_BOOKINGS = { before: {}, books: false };

const STAND_MS = 60_000; // how long a scan stands in line behind those of its own batch; a sitting must still fit behind it

/**
 * Takes turns at addresses. Scans of one process stand in line for one, in the order they came; whoever stands too long asks
 * all the same, and is told when to come again. A turn is ended where its lease would hold up the scan that follows; elsewhere
 * the lease lapses by itself, which costs no write.
 */
export function turnsOf(
  ref: ScanRef,
  fresh: boolean,
  store: Pick<AuditStore, 'takeTurn' | 'endTurn'>,
  clock: Clock,
  rules: TurnRules,
  lines: Lines,
  bookings: { readonly before: Bookings; readonly books: boolean } = NO_BOOKINGS,
): Turns {
  const { leaseMs, spacingMs, soonestMs } = rules;
  const attempt = newId();
  const taken: string[] = [];
  const booked: Record<string, Booking> = { ...bookings.before };
  const stood = new Map<string, () => void>();
  const wish = { ref, attempt, fresh, leaseMs, spacingMs, books: bookings.books };
  return {
    booked: () => booked,
    async take(address, unproven = false) {
      if (!stood.has(address)) stood.set(address, await stand(address, lines));
      const asked = await stand(`${address} asks`, lines); // those that stood too long do so all at once, and would overwrite each other's places
      const given = await store.takeTurn({ ...wish, address, now: clock(), unlisted: unproven, booked: booked[address] }).finally(asked);
      if (given.granted) taken.push(address);
      else if (given.booked !== undefined) booked[address] = given.booked;
      return given;
    },
    async end() {
      try {
        if (soonestMs < leaseMs) await Promise.all(taken.map((address) => store.endTurn(address, attempt, clock())));
      } finally {
        for (const leave of stood.values()) leave();
      }
    },
  };
}

// Waits for those in front, and gives what lets the next one in line go on.
async function stand(address: string, lines: Lines): Promise<() => void> {
  const before = lines.get(address);
  let leave = () => {};
  const mine = new Promise<void>((done) => {
    leave = done;
  });
  const last = Promise.all([before, mine]).then(() => {
    if (lines.get(address) === last) lines.delete(address);
  });
  lines.set(address, last);
  if (before !== undefined) await Promise.race([before, new Promise((done) => setTimeout(done, STAND_MS).unref())]);
  return leave;
}
