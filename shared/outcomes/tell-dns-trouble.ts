import type { DnsFailure } from '../domain/consent.ts';
import { troubleTold } from '../domain/noise.ts';
import { noticesOf } from '../domain/notice.ts';
import type { ScanRef } from '../domain/scan.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { withAddressees } from './addressees.ts';
import { decideAgain } from './decide-again.ts';
import { type Raising, wake } from './raise-scan.ts';

export type Telling = Pick<Raising, 'wakeNotices' | 'log'> & {
  readonly store: Pick<AuditStore, 'findHost' | 'storeTold' | 'confirmedRecipients' | 'findAccount' | 'mailStops'>;
  readonly clock: () => number;
};

/** Tells the owner of a host that DNS fails for it since `since`, unless they know; the note that they do is stored with the notices. */
export async function tellDnsTrouble(ref: ScanRef, since: number, failure: DnsFailure | undefined, services: Telling): Promise<void> {
  const { store, clock } = services;
  const notices = await decideAgain('trouble of DNS was to be told', async () => {
    const host = await store.findHost(ref.accountId, ref.hostId);
    const told = host === undefined ? undefined : troubleTold(host, since, failure);
    if (host === undefined || told?.occasion === undefined) return [];
    const owed = noticesOf(await withAddressees(host, store), told.state, told.occasion, clock());
    return (await store.storeTold({ host, state: told.state, notices: owed })) === 'conflict' ? 'conflict' : owed;
  });
  await wake(
    notices.map(({ id }) => id),
    services,
  );
}
