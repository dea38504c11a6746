export const MAIL_STOPS = ['complained', 'bounced', 'unsubscribed'] as const;

/** Why an address gets no mail: its reader called ours spam, it does not take mail, or its reader wants none of this account's. */
export type MailStop = (typeof MAIL_STOPS)[number];
