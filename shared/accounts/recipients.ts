import type { Host, HostSettings } from '../domain/host.ts';
import { recipientConfirmation } from '../mail/confirmations.ts';
import { CONFIRMATION_HOURS } from '../runtime/confirmation-token.ts';
import { loggedError } from '../runtime/logging.ts';
import type { MailStop } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { take } from './budgets.ts';
import { askToConfirm } from './confirmation-mail.ts';
import { ownAccount } from './own-account.ts';

/** The alert recipients who get no mail yet, since they have not confirmed that they want it. The account's own address has. */
export async function whoIsUnconfirmed(acting: Acting, { alertRecipients }: HostSettings): Promise<string[]> {
  const confirmed = await acting.store.confirmedRecipients(acting.accountId, alertRecipients);
  return alertRecipients.filter((email) => !confirmed.includes(email));
}

/** Asks recipients by mail whether they want this account's alerts. Trouble with it fails no request: naming them again asks again. */
export async function askRecipients(acting: Acting, emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return;
  try {
    const { email: owner } = await ownAccount(acting);
    await Promise.all(emails.map((email) => askRecipient(acting, email, owner)));
  } catch (error) {
    acting.note('recipients could not be asked', { error: loggedError(error) });
  }
}

async function askRecipient(acting: Acting, email: string, owner: string): Promise<void> {
  const { accountId } = acting;
  if (!(await take(acting, 'recipient-mails', accountId)).granted) return;
  await askToConfirm(acting, { kind: 'recipient', email, accountId }, (link) => recipientConfirmation(link, CONFIRMATION_HOURS, owner));
}

/**
 * Which alert recipients of a host get no mail, and why: those who have not confirmed, and of the others those who bounced, complained
 * or unsubscribed. Of an address that has confirmed nothing here nothing is told: what it did with another account's mail is not theirs.
 `known` are those
 * who have not confirmed, where that was asked already.
 */
export async function recipientsOf(
  acting: Acting,
  { settings }: Pick<Host, 'settings'>,
  known?: readonly string[],
): Promise<{ unconfirmed: string[]; stopped: { email: string; why: MailStop }[] }> {
  const unconfirmed = known === undefined ? await whoIsUnconfirmed(acting, settings) : [...known];
  const confirmed = settings.alertRecipients.filter((email) => !unconfirmed.includes(email));
  return { unconfirmed, stopped: await acting.store.mailStops(acting.accountId, confirmed) };
}
