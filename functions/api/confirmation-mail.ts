import { createHash } from 'node:crypto';
import type { Mail } from '../../shared/mail/letter.ts';
import { type Confirmation, sealConfirmation } from '../../shared/runtime/confirmation-token.ts';
import { loggedError } from '../../shared/runtime/logging.ts';
import { giveBack, take } from './budgets.ts';
import type { OpenCall } from './call.ts';

/** How asking for a confirmation went. `spent`: the address has had the mails that it may get; `failed`: ours, and it may be asked again. */
export type Asked = 'sent' | 'spent' | 'failed';

const PER_ADDRESS = ['confirm-day', 'confirm-month'] as const;

/** Mails the owner of an address a link by which they confirm, unless they have had so many that one more would be a nuisance. */
export async function askToConfirm(call: OpenCall, confirmation: Confirmation, mailWith: (link: string) => Mail): Promise<Asked> {
  const now = call.clock();
  const stops = await call.store.mailStops(confirmation.kind === 'recipient' ? confirmation.accountId : '', [confirmation.email]);
  if (stops.length > 0) return 'spent';
  const who = createHash('sha256').update(confirmation.email.toLowerCase()).digest('base64url');
  for (const what of PER_ADDRESS) if (!(await take(call, what, who)).granted) return 'spent';
  const link = `${baseUrlOf(call)}/confirm?token=${sealConfirmation(call.secrets, confirmation, now)}`;
  if (await handOver(call, mailWith(link), confirmation.email)) return 'sent';
  await Promise.all(PER_ADDRESS.map((what) => giveBack(call, what, who, now)));
  return 'failed';
}

async function handOver(call: OpenCall, mail: Mail, recipient: string): Promise<boolean> {
  try {
    const handover = await call.send(mail, recipient);
    if (handover.kind === 'refused') call.log(call.event, 'SES refused a confirmation mail', { why: handover.why });
    return handover.kind === 'accepted';
  } catch (error) {
    call.log(call.event, 'a confirmation mail could not be handed to SES', { error: loggedError(error) });
    return false;
  }
}

function baseUrlOf({ baseUrl, event }: OpenCall): string {
  return baseUrl === '' ? `https://${event.requestContext.domainName}` : baseUrl;
}
