/** The names and numbers that the envelopes of one leg are made of. Nothing here is chosen freely by an account. */
export type Cast = {
  /** Our domain: the one we say EHLO with. */
  readonly ourDomain: string;
  /** Where foreign recipients live: a domain of ours, so that a message that gets through reaches nobody else. */
  readonly canaryDomain: string;
  /** The host's registered name, or undefined when it is registered by address. */
  readonly hostName: string | undefined;
  readonly addressLiteral: string;
  readonly servedDomains: readonly string[];
  /** The mailbox at a served domain that the owner named as the positive control, in the place of its postmaster. */
  readonly controlMailbox?: string | undefined;
  /** How local parts of recipients begin, the same for every scan of a host, so that greylisting sees the same triplet again. */
  readonly localPart: string;
};

/** Whom a test pretends to know: what stands for `srv` in the published forms. */
export type Place = 'server' | 'literal' | 'greeting' | 'served';

/** What a form is written with: `srv` is the place's name, `user` and `domain` the recipient to be reached. */
export type Names = {
  readonly us: string;
  readonly srv: string;
  readonly user: string;
  readonly domain: string;
  /** Local part of an invented sender. */
  readonly nobody: string;
};

const SENDER = 'relay-audit'; // local part of our own sender

/** MAIL FROM forms, as they go over the wire. */
export const SENDER_FORMS = {
  us: ({ us }: Names) => `<${SENDER}@${us}>`,
  null: () => '<>',
  bare: () => `<${SENDER}>`,
  srv: ({ srv }: Names) => `<${SENDER}@${srv}>`,
  postmaster: ({ srv }: Names) => `<postmaster@${srv}>`,
  invented: ({ srv, nobody }: Names) => `<${nobody}@${srv}>`,
  localhost: () => `<${SENDER}@localhost>`,
  nonexistent: ({ us }: Names) => `<${SENDER}@nonexistent.${us}>`,
  bang: ({ us }: Names) => `<${us}!${SENDER}>`,
  recipient: ({ user, domain }: Names) => `<${user}@${domain}>`,
} as const;

/** RCPT TO forms, as they go over the wire. */
export const RECIPIENT_FORMS = {
  plain: ({ user, domain }: Names) => `<${user}@${domain}>`,
  unbracketed: ({ user, domain }: Names) => `${user}@${domain}`,
  quoted: ({ user, domain }: Names) => `<"${user}@${domain}">`,
  percent: ({ user, domain }: Names) => `<${user}%${domain}>`,
  'percent-quoted': ({ user, domain }: Names) => `<"${user}%${domain}">`,
  'trailing-at': ({ user, domain }: Names) => `<${user}@${domain}@>`,
  bang: ({ user, domain }: Names) => `<${domain}!${user}>`,
  'percent-srv': ({ user, domain, srv }: Names) => `<${user}%${domain}@${srv}>`,
  'double-at-srv': ({ user, domain, srv }: Names) => `<${user}@${domain}@${srv}>`,
  'quoted-srv': ({ user, domain, srv }: Names) => `<"${user}@${domain}"@${srv}>`,
  'route-srv': ({ user, domain, srv }: Names) => `<@${srv}:${user}@${domain}>`,
  'bang-srv': ({ user, domain, srv }: Names) => `<${domain}!${user}@${srv}>`,
} as const;

export type SenderForm = keyof typeof SENDER_FORMS;
export type RecipientForm = keyof typeof RECIPIENT_FORMS;
/** What EHLO says: our own name, `localhost`, or the name of the test's place. */
export type EhloForm = 'us' | 'localhost' | 'srv';

/** An envelope as it goes over the wire, with the name that EHLO gave before it. */
export type Envelope = { readonly ehlo: string; readonly from: string; readonly to: string };

// Strict parsers take these for syntax errors, and count them (Exim: smtp_max_synprot_errors, 3 by default).
const ODD_SENDERS: readonly SenderForm[] = ['bare', 'bang'];
const ODD_RECIPIENTS: readonly RecipientForm[] = ['quoted', 'percent', 'percent-quoted', 'trailing-at', 'bang', 'double-at-srv'];

/** Whether a strict parser takes the envelope for a syntax error. */
export function isOdd(from: SenderForm, to: RecipientForm): boolean {
  return ODD_SENDERS.includes(from) || ODD_RECIPIENTS.includes(to);
}

/** The postmaster of a domain, whom every server must accept for a domain it serves (RFC 5321 §4.5.1), from our own sender. */
export function postmasterEnvelope({ ourDomain }: Cast, domain: string): Envelope {
  return { ehlo: ourDomain, from: `<${SENDER}@${ourDomain}>`, to: `<postmaster@${domain}>` };
}
