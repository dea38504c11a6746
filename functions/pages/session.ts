import { spend } from '../../shared/accounts/budgets.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { KNOWN_DAYS, knownSince, sealKnownBrowser } from '../../shared/runtime/known-browser.ts';
import { formToken, isFormToken, openSession, type SessionRef, sealSession } from '../../shared/runtime/session-token.ts';
import type { Session } from '../../shared/store/audit-store.ts';
import { type Answer, baseUrlOf, type Call, page, type SignedCall, type SignedVerb, seeOther, type Verb } from './call.ts';
import { readForm, refusalOf } from './read-form.ts';

const SESSION = 'relay-audit';
const KNOWN = 'relay-audit-known';

/**
 * A verb for those who are signed in: whoever is not is led to the page where one signs in, and back. What changes something must
 * come from a form of this very session.
 */
export function signed(verb: SignedVerb): Verb {
  return async (call) => {
    const signedCall = await signedIn(call);
    if (signedCall === undefined) return toSignIn(call);
    if (call.event.requestContext.http.method === 'POST') {
      const refusal = refusalOf(call) ?? forged(signedCall);
      if (refusal !== undefined) return refusal;
    }
    await spend(call, 'pages', signedCall.accountId, 'There were too many requests from this account.');
    return verb(signedCall);
  };
}

/** The call of somebody who is signed in; undefined when nobody is. */
export async function signedIn(call: Call): Promise<SignedCall | undefined> {
  const ref = sessionRefOf(call);
  const session = ref === undefined ? undefined : await call.store.findSession(ref.accountId, ref.sessionId, call.clock());
  if (ref === undefined || session === undefined) return undefined;
  const visitor = { email: session.email, formToken: formToken(call.secrets, ref) };
  return { ...call, accountId: ref.accountId, visitor, session: ref };
}

/** The answer with the cookie of a session that has begun. */
export function withSession(call: Call, given: Answer, session: Session): Answer {
  const seconds = Math.floor((session.until - call.clock()) / 1000);
  const value = sealSession(call.secrets, { accountId: session.accountId, sessionId: session.id });
  const known = sealKnownBrowser(call.secrets, session.email, call.clock());
  return { ...given, cookies: [cookie(call, value, seconds), cookie(call, known, KNOWN_DAYS * 24 * 60 * 60, KNOWN)] };
}

/** Since when this browser is known as one in which the reader of the mailbox signed in; it stays so when they sign out. */
export function knownReaderSince(call: Call, email: string): number | undefined {
  const text = cookieOf(call, KNOWN);
  return text === undefined ? undefined : knownSince(call.secrets, text, email);
}

/** The answer with the cookie taken away. */
export function withoutSession(call: Call, given: Answer): Answer {
  return { ...given, cookies: [cookie(call, '', 0)] };
}

// With the prefix a browser takes the cookie from us alone, over HTTPS alone (RFC 6265bis §4.1.3.2). Without HTTPS, on one machine, it
// would refuse it. Lax, so that a link in a mail of ours finds its reader signed in; forms carry a token of their own.
function cookie(call: Call, value: string, seconds: number, name = SESSION): string {
  const secure = isSecure(call) ? '; Secure' : '';
  return `${cookieName(call, name)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

function cookieName(call: Call, name: string): string {
  return isSecure(call) ? `__Host-${name}` : name;
}

function isSecure(call: Call): boolean {
  return baseUrlOf(call).startsWith('https://');
}

function sessionRefOf(call: Call): SessionRef | undefined {
  const text = cookieOf(call, SESSION);
  return text === undefined ? undefined : openSession(call.secrets, text);
}

function cookieOf(call: Call, name: string): string | undefined {
  const start = `${cookieName(call, name)}=`;
  return (call.event.cookies ?? []).find((each) => each.startsWith(start))?.slice(start.length);
}

function forged(call: SignedCall): Answer | undefined {
  const field = readForm(call).get('form') ?? '';
  if (isFormToken(call.secrets, call.session, field)) return undefined;
  const text = 'This form belongs to an earlier session, or to another site. Nothing was changed. Open the page anew and send it again.';
  return page(403, messagePage('Nothing was changed', text));
}

// A form that was sent after the session had ended is not sent again by itself.
function toSignIn({ event }: Call): Answer {
  const { method, path } = event.requestContext.http;
  const to =
    method === 'POST'
      ? '/hosts'
      : `${path}${event.rawQueryString === '' || event.rawQueryString === undefined ? '' : `?${event.rawQueryString}`}`;
  return seeOther(to === '/hosts' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(to)}`);
}
