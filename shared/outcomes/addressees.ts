import type { Host } from '../domain/host.ts';
import type { AuditStore } from '../store/audit-store.ts';

/**
 * The host with those of its alert recipients who have confirmed that they want its alerts and can be mailed, or with the
 * account's own address when there is none: an alert is never lost for want of a confirmation.
 */
export async function withAddressees(
  host: Host,
  store: Pick<AuditStore, 'confirmedRecipients' | 'findAccount' | 'mailStops'>,
): Promise<Host> {
  const confirmed = await store.confirmedRecipients(host.accountId, host.settings.alertRecipients);
  const stopped = await store.mailStops(host.accountId, confirmed);
  const mailed = confirmed.filter((email) => !stopped.some((each) => each.email === email));
  const account = mailed.length > 0 ? undefined : await store.findAccount(host.accountId);
  const alertRecipients = account === undefined ? mailed : [account.email];
  return { ...host, settings: { ...host.settings, alertRecipients } };
}
