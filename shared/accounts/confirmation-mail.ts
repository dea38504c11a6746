import type { Mail } from '../mail/letter.ts';
import type { MailTags } from '../mail/mailer.ts';
import { type Confirmation, sealConfirmation } from '../runtime/confirmation-token.ts';
import { loggedError } from '../runtime/logging.ts';
import type { Operations } from './acting.ts';
import { type MailWish, packCause, takeMail } from './stranger-mail.ts';

/**
 * How asking for a confirmation went. `kept-back`: the mailbox has had the mail that it may get today, or takes none of ours; `crowded`:
 * so many ask at this time that strangers' mailboxes get none; `failed`: ours, and it may be asked again.
 */
export type Asked = {
  readonly mailed: 'sent' | 'kept-back' | 'crowded' | 'failed';
  /** What may be told to whoever does not act for an account: the same, whosever the mailbox is. */
  readonly told: 'nothing' | 'crowded' | { readonly kind: 'too-many'; readonly resetAt: number };
};

/** Mails the owner of an address a link by which they confirm, unless they have had so many that one more would be a nuisance. */
export async function askToConfirm(
  services: Operations,
  confirmation: Exclude<Confirmation, { kind: 'sign-in' }>,
  { cause, pastCrowd }: Pick<MailWish, 'cause' | 'pastCrowd'>,
  mailWith: (link: string) => Mail,
): Promise<Asked> {
  const { store, secrets, clock, siteUrl } = services;
  const { kind, email } = confirmation;
  const accountId = kind === 'recipient' ? confirmation.accountId : undefined;
  const [leave, stops] = await Promise.all([takeMail(services, { kind, email, cause, pastCrowd }), store.mailStops(accountId, [email])]);
  const { told } = leave;
  if (!leave.granted || stops.length > 0) return { mailed: leave.mailboxFull || stops.length > 0 ? 'kept-back' : 'crowded', told };
  const packed = packCause(cause);
  const link = `${siteUrl}/confirm?token=${sealConfirmation(secrets, confirmation, clock(), packed)}`;
  if (await handOver(services, mailWith(link), email, { cause: packed, account: accountId })) return { mailed: 'sent', told };
  await leave.giveBack();
  return { mailed: 'failed', told };
}

/** Hands a mail that somebody asked for to SES; false when it was not taken, which the log says. */
export async function handOver(
  { send, note }: Pick<Operations, 'send' | 'note'>,
  mail: Mail,
  recipient: string,
  tags: MailTags,
): Promise<boolean> {
  try {
    const handover = await send(mail, recipient, tags);
    if (handover.kind === 'refused') note('SES refused a confirmation mail', { why: handover.why });
    return handover.kind === 'accepted';
  } catch (error) {
    note('a confirmation mail could not be handed to SES', { error: loggedError(error) });
    return false;
  }
}
