import type { HostSettings } from '../../shared/domain/host.ts';
import { recipientConfirmation } from '../../shared/mail/confirmations.ts';
import { CONFIRMATION_HOURS } from '../../shared/runtime/confirmation-token.ts';
import { loggedError } from '../../shared/runtime/logging.ts';
import { ownAccount } from './accounts.ts';
import { take } from './budgets.ts';
import type { Call } from './call.ts';
import { askToConfirm } from './confirmation-mail.ts';

/** The alert recipients who get no mail yet, since they have not confirmed that they want it. The account's own address has. */
export async function whoIsUnconfirmed(call: Call, { alertRecipients }: HostSettings): Promise<string[]> {
  const confirmed = await call.store.confirmedRecipients(call.accountId, alertRecipients);
  return alertRecipients.filter((email) => !confirmed.includes(email));
}

/** Asks recipients by mail whether they want this account's alerts. Trouble with it fails no request: naming them again asks again. */
export async function askRecipients(call: Call, emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return;
  try {
    const { email: owner } = await ownAccount(call);
    await Promise.all(emails.map((email) => askRecipient(call, email, owner)));
  } catch (error) {
    call.log(call.event, 'recipients could not be asked', { error: loggedError(error) });
  }
}

async function askRecipient(call: Call, email: string, owner: string): Promise<void> {
  const { accountId } = call;
  if (!(await take(call, 'recipient-mails', accountId)).granted) return;
  await askToConfirm(call, { kind: 'recipient', email, accountId }, (link) => recipientConfirmation(link, CONFIRMATION_HOURS, owner));
}
