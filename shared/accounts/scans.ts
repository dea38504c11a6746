import type { Host } from '../domain/host.ts';
import { kindOf, type OwedScan, scanId } from '../domain/scan.ts';
import type { Acting } from './acting.ts';
import { spend } from './budgets.ts';

/** Owes a scan of a host, unless one that was asked for is owed already: then that one is given. */
export async function requestScan(acting: Acting, host: Host): Promise<OwedScan> {
  const { store, accountId } = acting;
  const now = acting.clock();
  const waiting = (await store.owedOf(host.id)).find((owed) => kindOf(owed.scanId) === 'on-demand');
  if (waiting !== undefined) return waiting;
  await spend(acting, 'host-scans', host.id, 'This host was scanned on demand as often as it may be in an hour.');
  const fresh = { accountId, hostId: host.id, scanId: scanId(now, 'on-demand'), dueAt: now, tries: 0 };
  await store.owe(fresh);
  return fresh;
}
