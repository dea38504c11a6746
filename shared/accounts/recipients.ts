import type { Host, HostSettings } from '../domain/host.ts';
import type { MailStop } from '../domain/mail-stop.ts';
import { recipientConfirmation } from '../mail/confirmations.ts';
import { CONFIRMATION_HOURS } from '../runtime/confirmation-token.ts';
import { loggedError } from '../runtime/logging.ts';
import { ownAccount } from './account.ts';
import type { Acting } from './acting.ts';
import { type Asked, askToConfirm } from './confirmation-mail.ts';
import { causeOfAccount } from './stranger-mail.ts';

/** The alert recipients who get no mail yet, since they have not confirmed that they want it. The account's own address has. */
export async function whoIsUnconfirmed(acting: Acting, { alertRecipients }: HostSettings): Promise<string[]> {
  const confirmed = await acting.store.confirmedRecipients(acting.accountId, alertRecipients);
  return alertRecipients.filter((email) => !confirmed.includes(email));
}

/** A recipient who was not mailed the question whether they want the alerts, and why. */
export type NotAsked = { readonly email: string; readonly why: 'kept-back' | 'crowded' | 'too-many' | 'failed' };

const HOSTS_LOOKED_AT = 100; // for one that was ever audited

/**
 * Asks recipients by mail whether they want this account's alerts, and gives those that no mail went to. Trouble with it fails no request:
 * naming them again asks again.
 */
export async function askRecipients(acting: Acting, emails: readonly string[]): Promise<NotAsked[]> {
  if (emails.length === 0) return [];
  try {
    const [{ email: owner }, pastCrowd] = await Promise.all([ownAccount(acting), hasProven(acting)]);
    const asked = await Promise.all(emails.map((email) => askRecipient(acting, email, owner, pastCrowd)));
    return asked.flatMap((each) => each ?? []);
  } catch (error) {
    acting.note('recipients could not be asked', { error: loggedError(error) });
    return emails.map((email) => ({ email, why: 'failed' }));
  }
}

async function askRecipient(acting: Acting, email: string, owner: string, pastCrowd: boolean): Promise<NotAsked | undefined> {
  const { accountId, secrets } = acting;
  const wish = { cause: causeOfAccount(secrets, accountId), pastCrowd };
  const letter = (link: string) => recipientConfirmation(link, CONFIRMATION_HOURS, owner);
  const why = whyNotAsked(await askToConfirm(acting, { kind: 'recipient', email, accountId }, wish, letter));
  return why === undefined ? undefined : { email, why };
}

function whyNotAsked({ mailed, told }: Asked): NotAsked['why'] | undefined {
  if (mailed === 'sent') return undefined;
  return typeof told === 'string' ? mailed : 'too-many';
}

// Who has had a server audited has shown consent to it: no crowd of strangers keeps them from naming recipients.
async function hasProven({ store, accountId }: Acting): Promise<boolean> {
  const { items } = await store.listHosts(accountId, HOSTS_LOOKED_AT);
  return items.some(({ state }) => state.relay !== 'unknown');
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
