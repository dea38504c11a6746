import type { Returns } from '../domain/canary.ts';
import { raise } from '../domain/change.ts';
import type { Scan, ScanRef } from '../domain/scan.ts';
import { spannedByArrival } from '../domain/timeline.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { decideAgain } from './decide-again.ts';
import { owedNotices } from './owed-notices.ts';

export type Raising = {
  readonly store: Pick<
    AuditStore,
    'findHost' | 'findScan' | 'readEvidence' | 'storeRaised' | 'confirmedRecipients' | 'findAccount' | 'mailStops'
  >;
  readonly wakeNotices: (noticeIds: readonly string[]) => Promise<void>;
  readonly log: { info: (message: string, fields: object) => void; error: (message: string, fields: object) => void };
};

/**
 * Raises a stored scan by canaries of it that came back, notes those that were bounced, and wakes the notices that this owes.
 * Gives the scan as it then is; undefined when it is not stored, or its host is gone. Whoever stores a scan and whoever marks a
 * canary both call it afterwards: whichever comes second finds the work of the other. What the scan has already costs two reads.
 */
export async function raiseScan(services: Raising, ref: ScanRef, returns: Returns): Promise<Scan | undefined> {
  const { store, log } = services;
  return decideAgain('a scan was to be raised', async () => {
    const [host, before] = await Promise.all([store.findHost(ref.accountId, ref.hostId), store.findScan(ref.hostId, ref.scanId)]);
    if (host === undefined || before === undefined) return undefined;
    const { scan, effect: raised } = raise(host, before, returns);
    if (scan === before) return scan;
    const { effect, span } = spannedByArrival(raised, host, scan);
    const change = effect.kind === 'changed' ? effect.change : undefined;
    const tells = effect.kind !== 'late' && effect.occasion !== undefined && scan.evidence !== undefined;
    const legs = tells ? await store.readEvidence(host.id, scan.evidence ?? '') : undefined;
    const notices = await owedNotices(host, scan, effect, legs ?? [], store);
    if ((await store.storeRaised({ host, before, scan, effect, notices, span })) === 'conflict') return 'conflict';
    const { verdict } = scan.judgement;
    log.info('raised', {
      ...ref,
      host: host.settings.name,
      arrivals: scan.arrivals?.length,
      bounces: scan.bounces?.length,
      verdict,
      changedTo: change?.to,
    });
    await wake(
      notices.map(({ id }) => id),
      services,
    );
    return scan;
  });
}

/** Wakes notices that were stored. The message only saves time: what it would wake is found unsettled by the next dispatch. */
export async function wake(noticeIds: readonly string[], { wakeNotices, log }: Pick<Raising, 'wakeNotices' | 'log'>): Promise<void> {
  if (noticeIds.length === 0) return;
  try {
    await wakeNotices(noticeIds);
  } catch (error) {
    log.error('notices could not be woken', { noticeIds, error });
  }
}
