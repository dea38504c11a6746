import { printable } from '../../shared/domain/transcript.ts';
import { TOKEN_HEADER } from '../../shared/smtp/canary-message.ts';
import { type Header, mailParts, type Part, valuesOf } from './mail-parts.ts';
import { receivedPath } from './received-path.ts';

/** What a bounce says: the tokens in the message that it quotes, which may be forged, and who bounced it. */
export type ReadBounce = { readonly tokens: readonly string[]; readonly by?: string | undefined };

const TOKENS_LIMIT = 4; // a bounce quotes one message, in which the token stands twice
const WORDS_LIMIT = 4_000; // characters of a text in which the reason is looked for; it comes before what is quoted
const NAME_LIMIT = 100; // characters of a name that are kept

// The message that came back, by a line of its headers: bounces quote it whole, by its headers, or behind marks such as "> ".
const QUOTED = new RegExp(
  `^[ \\t>|]{0,20}(?:${TOKEN_HEADER}:|Message-ID:\\s{0,20}<)[ \\t]{0,20}(ra1-[a-z2-7]{1,40}-[a-z2-7]{1,40})(?![\\w-])`,
  'gim',
);

/**
 * Reads a mail as the bounce of a message of ours (RFC 5321 §6.1); undefined when it is none. That it comes from the null sender
 * is for the caller to see. A report (RFC 3464) is read by what it says of each recipient, whatever its words; other servers write
 * for people (Exim, qmail by QSBMF), and there the words must say that delivery failed for good. No bounce is the warning of a
 * delay, the answer of somebody who is away, or a wish to be confirmed: those have not given the message up.
 */
export function readBounce(raw: string): ReadBounce | undefined {
  const { headers, parts } = mailParts(raw);
  const texts = parts.filter(({ type }) => type !== 'text/html');
  const tokens = [...new Set(texts.flatMap(({ text }) => [...text.matchAll(QUOTED)].map(([, token = '']) => token.toLowerCase())))];
  if (tokens.length === 0) return undefined;
  const report = parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type));
  const gaveUp = report === undefined ? saysItGaveUp(headers, texts) : /^Action:[ \t]*failed\b/im.test(report.text);
  return gaveUp ? { tokens: tokens.slice(0, TOKENS_LIMIT), by: whoIn(headers, report) } : undefined;
}

const FAILED =
  /undeliver(ed|able)|(not|n't|n&#39;t|unable to|failed to) (be )?deliver|deliver\w* (of \S+ )?(has )?(permanently )?fail|fail(ed|ure) (of )?deliver|failure notice|returned mail|mail (is )?return(ed|ing)|permanent(ly)? (fatal )?(error|fail)|giv(en|ing) up/i;
const NOT_YET =
  /delay|not yet|still (be )?try|(will|to) (keep|continue|be) (on )?(re-?)?try|will try again|warning: could not send|no action is required/i;
const WAITS =
  /being held|out of (the )?office|(on|auto\w*) (vacation|holiday|leave)|to (release|complete|confirm)|click (on )?(this|the)|confirm (that|your)/i;

function saysItGaveUp(headers: readonly Header[], texts: readonly Part[]): boolean {
  // A report about something else: that a mail was read (RFC 8098), or was called spam (RFC 5965).
  if (valuesOf(headers, 'Content-Type').some((value) => /\breport-type\s*=\s*"?(?!delivery-status)/i.test(value))) return false;
  const subject = valuesOf(headers, 'Subject').join(' ');
  const words = texts.map(({ text }) => text.slice(0, Math.min(WORDS_LIMIT, startOfQuote(text)))).join('\n');
  const said = `${subject}\n${words.slice(0, WORDS_LIMIT)}`.replace(/\s+/g, ' ');
  if (NOT_YET.test(said) || WAITS.test(said)) return false;
  const isQsbmf = texts.some(({ text }) => /^\s*Hi\. This is the /.test(text)); // QSBMF knows no other reports
  return isQsbmf || valuesOf(headers, 'X-Failed-Recipients').length > 0 || FAILED.test(said);
}

function startOfQuote(text: string): number {
  const at = text.search(new RegExp(QUOTED.source, 'im'));
  return at < 0 ? text.length : at;
}

// Who reports, by the report; else the domain that the bounce is from; else who handed it over.
function whoIn(headers: readonly Header[], report: Part | undefined): string | undefined {
  const reporter = /^Reporting-MTA:[ \t]*[\w-]{1,40}[ \t]*;[ \t]*(\S{1,255})/im.exec(report?.text ?? '')?.[1];
  const from = /@([^\s@<>()",;:]{1,255})/.exec(valuesOf(headers, 'From')[0] ?? '')?.[1];
  const name = reporter ?? from ?? receivedPath(valuesOf(headers, 'Received').slice(0, 1))[0]?.from;
  return name === undefined ? undefined : printable(name).slice(0, NAME_LIMIT);
}
