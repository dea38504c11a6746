import { isAny, type Returns } from '../domain/canary.ts';
import { type ConfirmationRules, type Effect, effectOf } from '../domain/change.ts';
import type { Host } from '../domain/host.ts';
import type { LegEvidence, Scan, ScanRef } from '../domain/scan.ts';
import { spanned } from '../domain/timeline.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { decideAgain } from './decide-again.ts';
import { owedNotices } from './owed-notices.ts';
import { type Raising, wake } from './raise-scan.ts';

export type Storing = Pick<Raising, 'wakeNotices' | 'log'> &
  ConfirmationRules & {
    readonly store: Pick<
      AuditStore,
      'findHost' | 'findScan' | 'storeResult' | 'dropOwed' | 'readReturns' | 'confirmedRecipients' | 'findAccount' | 'mailStops'
    >;
    /** Makes of a stored scan what canaries that came back or were bounced prove. */
    readonly raise: (ref: ScanRef, returns: Returns) => Promise<void>;
  };

/** A scan to be stored. */
export type Done = {
  readonly host: Host;
  readonly scan: Scan;
  /** The same without what came back, if it is not stored yet. */
  readonly bare?: Scan | undefined;
  readonly legs: readonly LegEvidence[];
  readonly wasOwed: boolean;
  /** It turns nothing: another scan of the host is under way. */
  readonly historyOnly?: boolean;
};

/**
 * Stores a scan with all that follows from it: what it does to its host, the notices that this owes, which are woken, and what canaries of it
 * prove that came back before. Throws when the host kept changing.
 */
export async function storeScan({ host, scan, bare, legs, wasOwed, historyOnly = false }: Done, services: Storing): Promise<void> {
  const { store } = services;
  const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
  const settled = await decideAgain('a result was to be stored', async (tries) => {
    const isFirst = tries === 0;
    const current = isFirst ? host : await store.findHost(host.accountId, host.id);
    if (current === undefined) return 'gone';
    const there = isFirst ? undefined : await store.findScan(scan.hostId, scan.id);
    const decided: Effect = historyOnly ? { kind: 'late' } : effectOf(current, there ?? scan, services);
    // One that another has overtaken is not counted any more, but what came back is: by whoever raises it, once it is stored.
    const stored: Scan = there ?? (decided.kind === 'late' ? (bare ?? scan) : scan);
    const { effect, span } = spanned(decided, current, stored, legs);
    const notices = await owedNotices(current, stored, effect, legs, store);
    const kept = await store.storeResult({ host: current, scan: stored, effect, notices, wasOwed, span });
    return kept === 'conflict' ? kept : { current, stored, effect, notices };
  });
  if (settled === 'gone') return wasOwed ? store.dropOwed(ref) : undefined;
  const { current, stored, effect, notices } = settled;
  report(current, stored, effect.kind === 'changed' ? effect.change.to : undefined, services);
  await wake(
    notices.map((notice) => notice.id),
    services,
  );
  await raiseArrived(canariesIn(stored, legs), ref, services);
}

// A canary may have come back, or bounced, before its scan was stored. There was no scan to raise then.
async function raiseArrived(canaries: readonly string[], ref: ScanRef, services: Storing): Promise<void> {
  if (canaries.length === 0) return;
  const returns = await services.store.readReturns(ref, canaries);
  if (isAny(returns)) await services.raise(ref, returns);
}

// The scan itself keeps some of them only; and legs that another scan showed alike may stand for those of this one.
function canariesIn({ canaries = [] }: Scan, legs: readonly LegEvidence[]): string[] {
  return [...new Set([...canaries, ...legs.flatMap((leg) => leg.canaries ?? [])])];
}

function report(host: Host, scan: Scan, changedTo: string | undefined, { log }: Storing): void {
  const { verdict, reason, completed, planned } = scan.judgement;
  log.info('scanned', { host: host.settings.name, hostId: host.id, scanId: scan.id, verdict, reason, completed, planned, changedTo });
}
