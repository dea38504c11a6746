import type { MailStop } from '../domain/mail-stop.ts';

/** A recipient who gets no mail, and why. */
export type StoppedRecipient = { readonly email: string; readonly why: MailStop };

const STOPS: Readonly<Record<MailStop, string>> = {
  bounced: 'mail to it bounced',
  complained: 'its reader called a mail of ours spam',
  unsubscribed: 'its reader has unsubscribed',
};

/** Why an address is not mailed, as the end of a sentence. */
export function stopWords(why: StoppedRecipient['why']): string {
  return STOPS[why];
}
