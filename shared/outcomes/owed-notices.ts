import type { Effect } from '../domain/change.ts';
import type { Host } from '../domain/host.ts';
import { type HostNotice, noticesOf, seenIn } from '../domain/notice.ts';
import type { LegEvidence, Scan } from '../domain/scan.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { withAddressees } from './addressees.ts';

/** The notices that a scan owes for what it does to its host, addressed to those who get that host's alerts now. */
export async function owedNotices(
  host: Host,
  scan: Scan,
  effect: Effect,
  legs: readonly LegEvidence[],
  store: Pick<AuditStore, 'confirmedRecipients' | 'findAccount' | 'mailStops'>,
): Promise<HostNotice[]> {
  if (effect.kind === 'late' || effect.occasion === undefined) return [];
  const { state, occasion } = effect;
  const at = effect.kind === 'changed' ? effect.change.at : scan.finishedAt;
  return noticesOf(await withAddressees(host, store), state, occasion, at, seenIn(scan, legs, state.relay));
}
