import type { Host } from '../domain/host.ts';
import type { AuditStore } from './audit-store.ts';

/**
 * The host with those of its alert recipients who have confirmed that they want its alerts, or with the account's own
 * address when none has: an alert is never lost for want of a confirmation.
 */
export async function withAddressees(host: Host, store: Pick<AuditStore, 'confirmedRecipients' | 'findAccount'>): Promise<Host> {
  const confirmed = await store.confirmedRecipients(host.accountId, host.settings.alertRecipients);
  const account = confirmed.length > 0 ? undefined : await store.findAccount(host.accountId);
  const alertRecipients = account === undefined ? confirmed : [account.email];
  return { ...host, settings: { ...host.settings, alertRecipients } };
}
