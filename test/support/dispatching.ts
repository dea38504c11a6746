import { dispatch } from '../../functions/dispatch/dispatch.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

/** Makes one tick of the schedule at `now`, whose scans nobody makes; gives the ids of the notices that it wakes. */
export async function tickOn(store: AuditStore, now: number): Promise<string[]> {
  const woken: string[] = [];
  await dispatch({
    store,
    wakeScans: async () => {},
    wakeNotices: async (ids) => void woken.push(...ids),
    clock: () => now,
    count: () => {},
    owedLeaseMs: 60_000,
  });
  return woken;
}
