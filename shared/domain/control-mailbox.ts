import type { Unreadable } from './host-name.ts';

const MAILBOX_LIMIT = 254; // octets, so that with its angle brackets it is a path that every server takes, RFC 5321 §4.5.3.1.3
const LOCAL_LIMIT = 64; // octets, RFC 5321 §4.5.3.1.1
// Nothing that a server may read as a route, a quotation or another domain: no `%`, no `!`, no `:`, no `"`.
const LOCAL = /^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*$/;
const DOMAINS_TOLD = 3; // of those it may lie at; a host may have a hundred

/**
 * Reads the control mailbox as an owner typed it: a plain local part and a domain, which comes back in lower case. Whether the domain is
 * one of theirs is `whyElsewhere`'s to say. The sentence in `why` says what to write instead.
 */
export function readControlMailbox(text: string): { readonly kind: 'mailbox'; readonly mailbox: string } | Unreadable {
  const [local = '', domain = '', ...more] = text.split('@');
  if (local === '' || domain === '' || more.length > 0) return invalid('must be a mailbox such as office@example.org');
  if (local.length > LOCAL_LIMIT) return invalid(`must have at most ${LOCAL_LIMIT} characters before the @`);
  if (text.length > MAILBOX_LIMIT) return invalid(`must have at most ${MAILBOX_LIMIT} characters`);
  if (!LOCAL.test(local))
    return invalid('must have only letters, digits and . _ + - before the @, and no dot at its beginning, at its end or beside another');
  return { kind: 'mailbox', mailbox: `${local}@${domain.toLowerCase()}` };
}

/** Why a mailbox cannot be the control of a host with these served domains; undefined when it lies at one of them. */
export function whyElsewhere(mailbox: string, servedDomains: readonly string[]): string | undefined {
  if (controlAmong(mailbox, servedDomains) !== undefined) return undefined;
  if (servedDomains.length === 0) return 'must be at a served domain, and this host has none yet: name its domain there too';
  const more = servedDomains.length > DOMAINS_TOLD ? ' or another' : '';
  return `must be at a served domain of this host (${servedDomains.slice(0, DOMAINS_TOLD).join(', ')}${more}): name a mailbox there, or add its domain to them`;
}

/** The control mailbox that a scan may use: the one that the owner named, if its domain is among these. */
export function controlAmong(mailbox: string | undefined, domains: readonly string[]): string | undefined {
  return mailbox !== undefined && domains.includes(domainOf(mailbox)) ? mailbox : undefined;
}

/** The domain that a mailbox lies at. */
export function domainOf(mailbox: string): string {
  return mailbox.slice(mailbox.indexOf('@') + 1);
}

function invalid(why: string): Unreadable {
  return { kind: 'invalid', why };
}
