import type { Secrets } from './secrets.ts';

const MAC_BYTES = 16; // 128 bits
const FORM = /^rk1\.(\d{1,16})\.([\w-]+)$/;

/** For how long a browser is remembered in which somebody signed in: as long as browsers keep a cookie at most (RFC 6265bis §5.5). */
export const KNOWN_DAYS = 400;

/** What a browser keeps in which the reader of a mailbox has signed in. It opens nothing, and does not show whose mailbox it is. */
export function sealKnownBrowser(secrets: Secrets, email: string, now: number): string {
  return `rk1.${now}.${secrets.mac('known-browser', textOf(email, now), MAC_BYTES)}`;
}

/** When the reader of this mailbox signed in with the browser that sent the text; undefined when they did not. */
export function knownSince(secrets: Secrets, text: string, email: string): number | undefined {
  const [, since = '', code = ''] = FORM.exec(text) ?? [];
  return since !== '' && secrets.verify('known-browser', textOf(email, Number(since)), code, MAC_BYTES) ? Number(since) : undefined;
}

function textOf(email: string, since: number): string {
  return `${since} ${email.toLowerCase()}`;
}
