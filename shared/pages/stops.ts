/** A recipient who gets no mail, and why. */
export type StoppedRecipient = { readonly email: string; readonly why: 'complained' | 'bounced' | 'unsubscribed' };

const STOPS: Readonly<Record<StoppedRecipient['why'], string>> = {
  bounced: 'mail to it bounced',
  complained: 'its reader called a mail of ours spam',
  unsubscribed: 'its reader has unsubscribed',
};

/** Why an address is not mailed, as the end of a sentence. */
export function stopWords(why: StoppedRecipient['why']): string {
  return STOPS[why];
}
