// How owners write the value of a record. Forms of DNS providers take a value alone, and people paste it with its quotes or the whole line.

const LINE_LIMIT = 512; // characters of a text that is read as more than a bare value: the longest name, a TTL, the type and a token fit

// White space of every kind and quotes; then the same where each byte of UTF-8 was read as a character of its own, or HTML escaped it.
const AROUND =
  /[\s"'`´‘-‟‹›«»「」()\u00ad\u200b-\u200f\u2060\ufeff]+|\\(?=["'])|\u00c2[\u00a0\u00ab\u00bb]|\u00e2\u0080[\u0080-\u00bf]|&quot;|&#3[49];/g;

// What stands before the value in a line of a zone file; RFC 1035 §5.1 takes class and TTL in either order, or neither.
const LINE = /^(?:(?:@|_relay-audit(?:\.[a-z0-9._-]*)?) )?(?:\d[\dsmhdw]* )?(?:in )?(?:\d[\dsmhdw]* )?txt:? /;

// Names that say what the value is, and nothing against it: `not=` or `old=` would leave a doubt.
const WORD = '(?:_?relay-?audit|token|key|value|txt|consent|verification)';
const KEY = new RegExp(`^${WORD}(?:[-_.]${WORD})* ?[=:] ?`);

/** The value that a text of a TXT record means, in lower case: without quotes, white space, `key=` or the zone file's line around it. */
export function meantValue(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length > LINE_LIMIT) return trimmed.toLowerCase();
  const words = trimmed.replace(AROUND, ' ').replace(/ +/g, ' ').trim();
  return words.toLowerCase().replace(LINE, '').replace(KEY, '');
}

/** Why a text is not the token, as far as it shows what its owner meant; `other` shows nothing of that. */
export type Mistake = 'words-beside' | 'other-token' | 'damaged-token' | 'name-as-value' | 'other';

const TOKEN_BEGINS = 'ra1-';
const BEGUN_TOKEN = /(?<![a-z0-9])ra1-/; // and not the end of a word, such as the name of a host in SPF
const WHOLE_TOKEN = /(?<![a-z0-9])ra1-[a-z2-7]{24}(?![a-z0-9])/;
/** Whether a text is the token of some account and nothing else. */
export function isToken(text: string): boolean {
  return WHOLE_TOKEN.exec(text)?.[0] === text;
}

const TELLING = 8; // characters of a token that nothing else begins with by chance

/** What is wrong with a text that is not the token. */
export function mistakeIn(text: string, token: string): Mistake {
  const value = meantValue(text);
  if (value.split(/[^a-z0-9-]+/).includes(token)) return 'words-beside';
  if (WHOLE_TOKEN.test(value)) return 'other-token';
  const body = token.slice(TOKEN_BEGINS.length);
  if (BEGUN_TOKEN.test(value) || value.includes(body.slice(0, TELLING))) return 'damaged-token';
  return /^_?relay-?audit/.test(value) ? 'name-as-value' : 'other';
}
