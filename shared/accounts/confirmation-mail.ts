import { createHash } from 'node:crypto';
import type { Mail } from '../mail/letter.ts';
import { type Confirmation, sealConfirmation } from '../runtime/confirmation-token.ts';
import { loggedError } from '../runtime/logging.ts';
import type { Services } from './acting.ts';
import { giveBack, take } from './budgets.ts';

/** How asking for a confirmation went. `spent`: the address has had the mails that it may get; `failed`: ours, and it may be asked again. */
export type Asked = 'sent' | 'spent' | 'failed';

const PER_ADDRESS = ['confirm-day', 'confirm-month'] as const;

/** Mails the owner of an address a link by which they confirm, unless they have had so many that one more would be a nuisance. */
export async function askToConfirm(services: Services, confirmation: Confirmation, mailWith: (link: string) => Mail): Promise<Asked> {
  const { store, secrets, clock, siteUrl } = services;
  const now = clock();
  const { email } = confirmation;
  if ((await store.mailStops(confirmation.kind === 'recipient' ? confirmation.accountId : undefined, [email])).length > 0) return 'spent';
  const who = createHash('sha256').update(email.toLowerCase()).digest('base64url');
  for (const what of PER_ADDRESS) if (!(await take(services, what, who)).granted) return 'spent';
  const link = `${siteUrl}/confirm?token=${sealConfirmation(secrets, confirmation, now)}`;
  if (await handOver(services, mailWith(link), email)) return 'sent';
  await Promise.all(PER_ADDRESS.map((what) => giveBack(services, what, who, now)));
  return 'failed';
}

/** Hands a mail that somebody asked for to SES; false when it was not taken, which the log says. */
export async function handOver({ send, note }: Pick<Services, 'send' | 'note'>, mail: Mail, recipient: string): Promise<boolean> {
  try {
    const handover = await send(mail, recipient);
    if (handover.kind === 'refused') note('SES refused a confirmation mail', { why: handover.why });
    return handover.kind === 'accepted';
  } catch (error) {
    note('a confirmation mail could not be handed to SES', { error: loggedError(error) });
    return false;
  }
}
