import { type Address, parseAddress } from './address.ts';
import { CONSENT_LABEL } from './consent.ts';

/** What an owner may register: a DNS name, or an address in its standard spelling. */
export type Target = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'address'; readonly address: Address };

export type Unreadable = { readonly kind: 'invalid'; readonly why: string };

const NAME_LIMIT = 253; // octets of a name in text form, RFC 1035 §2.3.4
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/; // letters, digits, hyphens: RFC 1123 §2.1

/** Reads a host as its owner typed it. The sentence in `why` says what to write instead. */
export function readTarget(text: string): Target | Unreadable {
  const address = parseAddress(text);
  if (address !== undefined) return { kind: 'address', address };
  if (text.includes(':')) return invalid('must be a name or an address alone, without https://; a port belongs in "ports"');
  if (!text.includes('.')) return invalid('must be a full name such as mail.example.org, or an address such as 192.0.2.1');
  const name = readName(text);
  if (name.kind === 'name' || !/^[\x20-\x7e]*$/.test(text) || !endsInNumber(text)) return name;
  return invalid('reads as an address in a form we do not accept; write four decimal numbers without leading zeros');
}

const PROVABLE_LIMIT = NAME_LIMIT - `${CONSENT_LABEL}.`.length;

/** Reads a host that is to be registered: its name must leave room for the record that proves it. */
export function readNewHost(text: string): Target | Unreadable {
  const target = readTarget(text);
  if (target.kind !== 'name' || target.name.length <= PROVABLE_LIMIT) return target;
  return invalid(
    `must have at most ${PROVABLE_LIMIT} characters, so that its record of consent, ${CONSENT_LABEL} and then the name, fits into the ${NAME_LIMIT} of DNS`,
  );
}

/** The one spelling in which a host's name or address is kept, however it was typed. */
export function oneSpelling(text: string): string {
  return parseAddress(text)?.text ?? text.toLowerCase();
}

/** Reads a DNS name: strict ASCII letters, digits and hyphens, at least two labels; given back in lower case. */
export function readName(text: string): Extract<Target, { kind: 'name' }> | Unreadable {
  if (/\p{Cc}/u.test(text)) return invalid('must not hold control characters');
  if (/[^\x20-\x7e]/.test(text)) return invalid('must be ASCII; write an international name in its xn-- form');
  if (text.endsWith('.')) return invalid('must not end with a dot');
  if (text.length > NAME_LIMIT) return invalid(`must have at most ${NAME_LIMIT} characters`);
  const name = text.toLowerCase();
  const labels = name.split('.');
  if (labels.length < 2) return invalid('must be a full name such as mail.example.org');
  if (labels.some((label) => !LABEL.test(label))) return invalid('must be labels of letters, digits and hyphens, joined by single dots');
  if (endsInNumber(name)) return invalid('must be a name, and reads as an address');
  return { kind: 'name', name };
}

// A last label that reads as a number (RFC 1123 §2.1, WHATWG URL "ends in a number") makes resolvers read the whole as an address.
function endsInNumber(text: string): boolean {
  return /(^|\.)(\d+|0x[0-9a-f]*)$/i.test(text);
}

function invalid(why: string): Unreadable {
  return { kind: 'invalid', why };
}

/** Whether a name is a domain or one below it, whatever the case of its letters. */
export function isAtOrBelow(name: string, domain: string): boolean {
  const small = name.toLowerCase();
  return small === domain || small.endsWith(`.${domain}`);
}
