/** The names and numbers that the envelopes of one leg are made of. Nothing here is chosen freely by an account. */
export type Cast = {
  /** Our domain: the one we say EHLO with. */
  readonly ourDomain: string;
  /** The domain of our own sender, below the canary domain: bounces come back to one of our mailboxes. */
  readonly senderDomain: string;
  /** Where foreign recipients live: a domain of ours, so that a message that gets through reaches nobody else. It takes every name below it too. */
  readonly canaryDomain: string;
  /** The host's registered name, or undefined when it is registered by address. */
  readonly hostName: string | undefined;
  readonly addressLiteral: string;
  readonly servedDomains: readonly string[];
  /** The mailbox at a served domain that the owner named as the positive control, in the place of its postmaster. */
  readonly controlMailbox?: string | undefined;
  /** How local parts of recipients begin, the same for every scan of a host, so that greylisting sees the same triplet again. */
  readonly localPart: string;
  /** Days since the epoch, for the timestamps of SRS addresses. */
  readonly srsDay: number;
};

/** The name that a test claims: `srv` in the published forms. */
export type Place = 'server' | 'literal' | 'greeting' | 'served' | 'main';

/** What a form is written with: `srv` is the place's name, `user` and `domain` the recipient to be reached. */
export type Names = {
  /** The name that we say EHLO with. */
  readonly us: string;
  /** The domain of our own sender. */
  readonly sender: string;
  readonly srv: string;
  readonly user: string;
  readonly domain: string;
  /** Local part of an invented sender. */
  readonly nobody: string;
  /** Timestamp of an SRS address. */
  readonly day: string;
};

const SENDER = 'relay-audit'; // local part of our own sender

/** MAIL FROM forms, as they go over the wire. */
export const SENDER_FORMS = {
  us: ({ sender }: Names) => `<${SENDER}@${sender}>`,
  null: () => '<>',
  bare: () => `<${SENDER}>`,
  srv: ({ srv }: Names) => `<${SENDER}@${srv}>`,
  postmaster: ({ srv }: Names) => `<postmaster@${srv}>`,
  invented: ({ srv, nobody }: Names) => `<${nobody}@${srv}>`,
  localhost: () => `<${SENDER}@localhost>`,
  // Nothing below the canary domain is nonexistent.
  nonexistent: ({ us }: Names) => `<${SENDER}@nonexistent.${us}>`,
  bang: ({ sender }: Names) => `<${sender}!${SENDER}>`,
  recipient: ({ user, domain }: Names) => `<${user}@${domain}>`,
  'below-srv': ({ srv, sender }: Names) => `<${SENDER}@${srv}.${sender}>`,
  'ending-srv': ({ srv, sender }: Names) => `<${SENDER}@x${srv}.${sender}>`,
} as const;

const SRS_HASH = 'r3Ay'; // of no secret

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
  'below-srv': (names: Names) => `<${MAILBOXES['below-srv'](names)}>`,
  'ending-srv': (names: Names) => `<${MAILBOXES['ending-srv'](names)}>`,
  'dashed-srv': (names: Names) => `<${MAILBOXES['dashed-srv'](names)}>`,
  'within-srv': (names: Names) => `<${MAILBOXES['within-srv'](names)}>`,
  'srs0-srv': ({ user, domain, srv, day }: Names) => `<SRS0=${SRS_HASH}=${day}=${domain}=${user}@${srv}>`,
  // What stands behind the first forwarder is that one's own affair, and the name of the second level counts.
  'srs1-srv': ({ user, domain, srv }: Names) => `<SRS1=${SRS_HASH}=${domain}==${user}@${srv}>`,
  'percent-twice-srv': ({ user, domain, srv }: Names) => `<${user}%${domain}%localhost@${srv}>`,
  'bang-percent-srv': ({ user, domain, srv }: Names) => `<${domain}!${user}%localhost@${srv}>`,
  'equals-srv': ({ user, domain, srv }: Names) => `<${user}=${domain}@${srv}>`,
  'list-srv': ({ user, domain, srv }: Names) => `<"${SENDER},${user}@${domain}"@${srv}>`,
  'imcea-srv': ({ user, domain, srv }: Names) => `<IMCEASMTP-${encapsulated(`${user}@${domain}`)}@${srv}>`,
} as const;

/** Recipient forms that reach another of our mailboxes than `user` at the canary domain, and which one. */
const MAILBOXES = {
  'below-srv': ({ user, domain, srv }: Names) => `${user}@${srv}.${domain}`,
  'ending-srv': ({ user, domain, srv }: Names) => `${user}@x${srv}.${domain}`,
  'dashed-srv': ({ user, domain, srv }: Names) => `${user}@x${srv.replaceAll('.', '-')}.${domain}`,
  'within-srv': ({ user, domain, srv }: Names) => `${user}.${srv}@${domain}`,
  // SRS1 goes back to the first forwarder, as the SRS0 address that it once wrote.
  'srs1-srv': ({ user, domain }: Names) => `SRS0=${user}@${domain}`,
} as const;

/** The mailbox that a recipient leads to when it is let through, without brackets. */
export function mailboxOf(to: RecipientForm, names: Names): string {
  return isKeyOf(MAILBOXES, to) ? MAILBOXES[to](names) : `${names.user}@${names.domain}`;
}

function isKeyOf<T extends object>(record: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(record, key);
}

// As Exchange does ([MS-OXCMAIL] §2.1.3.1.8): letters, digits, - and = stay, / is _, all else its code in hexadecimal.
function encapsulated(address: string): string {
  return address.replace(/[^A-Za-z0-9=-]/g, (character) =>
    character === '/' ? '_' : `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

const SRS_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
// An address that stays the same for some days lets greylisting see the same triplet again; Exim takes timestamps of the last ten.
const SRS_DAYS = 8;

/** The timestamp of an SRS address: the day, modulo 1024, in two characters of base 32. */
export function srsTimestamp(day: number): string {
  const even = day - (day % SRS_DAYS);
  return `${SRS_ALPHABET[Math.floor(even / 32) % 32]}${SRS_ALPHABET[even % 32]}`;
}

export type SenderForm = keyof typeof SENDER_FORMS;
export type RecipientForm = keyof typeof RECIPIENT_FORMS;
/** What EHLO says: our own name, `localhost`, or the name of the test's place. */
export type EhloForm = 'us' | 'localhost' | 'srv';

/** An envelope as it goes over the wire, with the name that EHLO gave before it. */
export type Envelope = {
  readonly ehlo: string;
  readonly from: string;
  readonly to: string;
  /** A recipient of the server's own in the same transaction, named before ours (`first`) or after it. */
  readonly beside?: { readonly to: string; readonly first: boolean };
};

// Strict parsers take these for syntax errors, and count them (Exim: smtp_max_synprot_errors, 3 by default).
const ODD_SENDERS: readonly SenderForm[] = ['bare', 'bang'];
const ODD_RECIPIENTS: readonly RecipientForm[] = ['quoted', 'percent', 'percent-quoted', 'trailing-at', 'bang', 'double-at-srv'];

/** Whether a strict parser takes the envelope for a syntax error. */
export function isOdd(from: SenderForm, to: RecipientForm): boolean {
  return ODD_SENDERS.includes(from) || ODD_RECIPIENTS.includes(to);
}

// Foreign by their domain, whatever stands in the local part.
const FOREIGN_RECIPIENTS: readonly RecipientForm[] = [
  'plain',
  'unbracketed',
  'route-srv',
  'below-srv',
  'ending-srv',
  'dashed-srv',
  'within-srv',
];

/** Whether a server that does not take this recipient form apart reads it as one of its own local parts. */
export function readsAsLocal(to: RecipientForm): boolean {
  return !FOREIGN_RECIPIENTS.includes(to);
}

const LOCAL_PART_OCTETS = 64; // RFC 5321 §4.5.3.1.1
const DOMAIN_OCTETS = 253; // RFC 1035 §2.3.4, as text
const LABEL_OCTETS = 63;

/** Whether the local part of a path is as short as servers must take it; a source route in front does not count. */
export function hasShortLocalPart(path: string): boolean {
  const address = path.replace(/^<?(?:@.*:)?/, '').replace(/>$/, '');
  const at = address.lastIndexOf('@');
  return (at < 0 ? address : address.slice(0, at)).length <= LOCAL_PART_OCTETS;
}

/** Whether the domain of a path is a name that DNS can hold; a path without a domain has nothing to be held. */
export function hasDnsName(path: string): boolean {
  const domain = path.replace(/>$/, '').split('@').at(-1) ?? '';
  return domain.length <= DOMAIN_OCTETS && domain.split('.').every((label) => label.length <= LABEL_OCTETS);
}

/** Our own sender, as it goes over the wire. */
export function ownSender({ senderDomain }: Pick<Cast, 'senderDomain'>): string {
  return `<${SENDER}@${senderDomain}>`;
}

/** Who must be accepted at a served domain, in brackets: the mailbox that the owner named, else its postmaster (RFC 5321 §4.5.1). */
export function controlPath({ controlMailbox }: Cast, domain: string): string {
  return `<${controlMailbox ?? `postmaster@${domain}`}>`;
}

/** The positive control at a served domain, from our own sender. */
export function postmasterEnvelope(cast: Cast, domain: string): Envelope {
  return { ehlo: cast.ourDomain, from: ownSender(cast), to: controlPath(cast, domain) };
}

// A server that decodes the first of these forms most likely decodes the others too.
const FAMILIES: Partial<Record<RecipientForm, RecipientForm>> = {
  percent: 'percent-srv',
  'percent-quoted': 'percent-srv',
  'percent-twice-srv': 'percent-srv',
  'bang-percent-srv': 'percent-srv',
  quoted: 'quoted-srv',
  'trailing-at': 'double-at-srv',
  bang: 'bang-srv',
};

/** What a recipient form is one way of writing: its own, unless there is a plainer one. */
export function familyOf(form: RecipientForm): RecipientForm {
  return FAMILIES[form] ?? form;
}
