import type { Returns } from '../../shared/domain/canary.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { OwedScan } from '../../shared/domain/scan.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

/** Defects that are planted to see whether they are found. */
export const BUGS = [
  'mark before send',
  'send before claim',
  'removed host is told of',
  'removal is looked for at the claim alone',
  'no version check',
  'canary read before store',
  'no look once it waits',
  'arrival does not wake',
  'waiting scan audits again',
  'bounce taken for an arrival',
  'wait begins anew at each look',
] as const;

export type Bug = (typeof BUGS)[number];

const WAIT_MS = 60 * 60_000;

/** How a sender with a defect finds hosts: as if none were ever removed, or as they were at its first look. */
export function findHostWith(bug: Bug | undefined, findHost: AuditStore['findHost'], registered: Host): AuditStore['findHost'] {
  if (bug === 'removed host is told of') return async () => registered;
  let first: ReturnType<typeof findHost> | undefined;
  if (bug === 'removal is looked for at the claim alone') return (...of) => (first ??= findHost(...of));
  return findHost;
}

/** The store as a handler with a defect uses it; a handler has one of its own. */
export function storeWith(bug: Bug | undefined, store: AuditStore, clock: () => number): AuditStore {
  switch (bug) {
    case 'canary read before store':
      return readingEarly(store);
    case 'no look once it waits':
      return notLookingAgain(store);
    case 'arrival does not wake':
      // Only who takes in arrivals marks them, and leases nothing else.
      return withoutLeaseAfterMark(store);
    case 'waiting scan audits again':
      return { ...store, findOwed: async (...of) => withoutWait(await store.findOwed(...of)) };
    case 'bounce taken for an arrival':
      return { ...store, readReturns: async (...of) => bouncesAsArrivals(await store.readReturns(...of)) };
    case 'wait begins anew at each look':
      return { ...store, continueScan: (host, owed) => store.continueScan(host, waitingAnew(owed, clock())) };
    default:
      return store;
  }
}

// Reads what came back before it stores a result, where it should read afterwards.
function readingEarly(store: AuditStore): AuditStore {
  const early = new Map<string, Returns>();
  return {
    ...store,
    async storeResult(result) {
      const { scan, host } = result;
      const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
      early.set(scan.id, await store.readReturns(ref, scan.canaries ?? []));
      return store.storeResult(result);
    },
    readReturns: async (ref, ids) => early.get(ref.scanId) ?? store.readReturns(ref, ids),
  };
}

// Takes it that nothing can have come back before the wait was stored.
function notLookingAgain(store: AuditStore): AuditStore {
  let waits = false;
  return {
    ...store,
    async continueScan(host, owed) {
      waits = owed.begun?.awaits !== undefined;
      return store.continueScan(host, owed);
    },
    async readReturns(...of) {
      const next = waits;
      waits = false;
      return next ? { arrivals: [], bounces: [] } : store.readReturns(...of);
    },
  };
}

function withoutLeaseAfterMark(store: AuditStore): AuditStore {
  let marked = false;
  return {
    ...store,
    async markCanary(...of) {
      marked = true;
      return store.markCanary(...of);
    },
    leaseScan: async (...of) => (marked ? undefined : store.leaseScan(...of)),
  };
}

function withoutWait(owed: OwedScan | undefined): OwedScan | undefined {
  return owed && { ...owed, begun: owed.begun && { ...owed.begun, awaits: undefined } };
}

function bouncesAsArrivals({ arrivals, bounces }: Returns): Returns {
  return { arrivals: [...arrivals, ...bounces.map((bounce) => ({ ...bounce, path: [] }))], bounces: [] };
}

function waitingAnew(owed: OwedScan, now: number): OwedScan {
  const until = now + WAIT_MS;
  const { begun } = owed;
  return begun?.awaits === undefined ? owed : { ...owed, dueAt: until, begun: { ...begun, awaits: { ...begun.awaits, until } } };
}
