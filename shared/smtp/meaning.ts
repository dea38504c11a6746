import type { Outcome, Says } from '../domain/scan.ts';
import { type Reply, replyWords } from './reply.ts';

// Wordings of real servers, matched on the whole text. Order matters: greylisting often borrows the class and words of a
// relay denial ("4.7.1"), so it is looked for first; a relay denial often names "client", so it goes before "about us".
const GREYLISTING = /gr[ae]y-?list/i;
const TRY_AGAIN = /try again (?:later|in )|please retry|temporarily (?:rejected|deferred) to/i; // of limits too
const RELAY_DENIED =
  /relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|prohibited|rejected)|unable to relay|(?:can'?t|cannot|do(?:es)? not|not permitted to|not allowed to|won'?t) relay|not (?:an? )?open relay|we do not relay|relay not|rcpthosts|cannot deliver mail for/i;
const AUTHENTICATION =
  /auth(?:entication|enticate)? (?:is )?required|must (?:be )?auth|requires auth|(?:log ?in|logon) (?:first|required)|not authenticated/i;
const STARTTLS_FIRST = /starttls|encryption (?:is )?(?:required|needed)|requires? (?:tls|encryption)|must use (?:tls|encryption)/i;
const TOO_MUCH =
  /too many (?:\w+ ){0,2}(?:connections|errors|messages|mails|recipients|commands|sessions|hosts|unknown)|too much mail|rate.?limit|exceed(?:s|ed)? (?:\w+ ){0,3}limit|slow down|quota exceeded/i;
const ABOUT_US =
  /block ?list|black ?list|dnsbl|\brbl\b|spamhaus|spamcop|barracudacentral|\bpbl\b|\bbanned\b|poor reputation|client host (?:rejected|\[)|your (?:ip|host|address|server)\b|your access to|access from your|helo command rejected|cannot find your (?:hostname|reverse)|reverse dns|\bptr\b/i;

/**
 * What a refusal means. Codes alone do not tell: Postfix refuses relaying with 454 by default, greylisting answers with
 * the class of a policy refusal, and a blocklisting of our address is no answer about relaying at all.
 */
export function meaningOf(reply: Reply): Outcome {
  if (reply.code < 300) return 'accepted'; // none is below 200: the reader takes no such code
  const text = replyWords(reply);
  const temporary = isTemporary(reply);
  if (temporary && (GREYLISTING.test(text) || (TRY_AGAIN.test(text) && !TOO_MUCH.test(text)))) return 'greylisted';
  if (RELAY_DENIED.test(text)) return 'refused';
  if (!temporary && STARTTLS_FIRST.test(text)) return 'starttls-first';
  if (TOO_MUCH.test(text)) return 'deferred';
  if (reply.code === 530 || reply.code === 535 || (!temporary && AUTHENTICATION.test(text))) return 'authentication-required';
  if (ABOUT_US.test(text)) return temporary ? 'deferred' : 'about-us';
  return temporary ? 'deferred' : 'refused';
}

/** Whether a refusal is for now (RFC 5321 §4.2.1, 4yz). */
export function isTemporary({ code }: Reply): boolean {
  return code >= 400 && code < 500;
}

/** Whether a refusal is a limit of the session or transaction: the same asked alone, or later, may be answered. */
export function isLimit(reply: Reply): boolean {
  return reply.code >= 400 && TOO_MUCH.test(replyWords(reply)) && meaningOf(reply) === 'deferred';
}

const UNKNOWN_USER =
  /\b[45]\.1\.[16]\b|(?:unknown|no such|invalid|nonexistent) (?:local )?(?:user|recipient|mailbox|person|address|account)|(?:user|recipient|mailbox|account|address)(?: \S+)? (?:is )?(?:unknown|not (?:found|known|here|local)|does(?:n'?t| not) exist|unavailable|invalid)|no mailbox/i;

const SYNTAX = [500, 501, 502, 503, 504, 555]; // RFC 5321 §4.2.2

/** What a refusal says for itself, if it does: that there is no such user (RFC 3463, X.1.1), or that it does not relay. */
export function saysOf(reply: Reply): Says | undefined {
  if (reply.code < 400) return undefined;
  const text = replyWords(reply);
  if (RELAY_DENIED.test(text)) return 'no-relaying';
  // What a parser does not understand is no user that it does not know.
  return UNKNOWN_USER.test(text) && !SYNTAX.includes(reply.code) ? 'unknown-user' : undefined;
}

/** Whether a refusal says that the sender's domain cannot be found (RFC 3463 §3.2, X.1.8). */
export function isSenderUnknown(text: string): boolean {
  return /\b[45]\.1\.8\b|sender address rejected: domain not found|domain of sender address .* does not (?:resolve|exist)/i.test(text);
}
