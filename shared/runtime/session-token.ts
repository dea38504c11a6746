import type { Secrets } from './secrets.ts';

/** Which session of which account a browser holds. */
export type SessionRef = { readonly accountId: string; readonly sessionId: string };

const MAC_BYTES = 16; // 128 bits
const FORM = /^rs1\.(\w+)\.(\w+)\.([\w-]+)$/;

/** Makes the token of a session, which is its cookie's value: `rs1.<account>.<session>.<code>`. */
export function sealSession(secrets: Secrets, { accountId, sessionId }: SessionRef): string {
  return `rs1.${accountId}.${sessionId}.${secrets.mac('session', `${accountId}.${sessionId}`, MAC_BYTES)}`;
}

/**
 * Reads a token as a browser sent it; undefined when it is not one that this deployment made. Whether the session goes on is for the store
 * to say.
 */
export function openSession(secrets: Secrets, text: string): SessionRef | undefined {
  const [, accountId = '', sessionId = '', code = ''] = FORM.exec(text) ?? [];
  const isOurs = accountId !== '' && secrets.verify('session', `${accountId}.${sessionId}`, code, MAC_BYTES);
  return isOurs ? { accountId, sessionId } : undefined;
}

/** The hidden field of this session's forms: a page elsewhere cannot know it, so a form without it is not ours. */
export function formToken(secrets: Secrets, { sessionId }: SessionRef): string {
  return secrets.mac('session', `form ${sessionId}`, MAC_BYTES);
}

/** Whether a hidden field is that of this session. */
export function isFormToken(secrets: Secrets, { sessionId }: SessionRef, text: string): boolean {
  return secrets.verify('session', `form ${sessionId}`, text, MAC_BYTES);
}
