import { randomBytes } from 'node:crypto';
import { base32, bytesOf } from './base32.ts';
import type { Secrets } from './secrets.ts';

/**
 * What a canary carries: `ra1-<id>-<code>`, in letters that a header and a Message-ID take as they are. `1` names the
 * secret of the deployment that it hangs on. The code makes a made-up token known without a read.
 */
export type CanaryToken = { readonly id: string; readonly token: string };

const FORM = /^ra1-([a-z2-7]{16})-([a-z2-7]{16})$/;
const BYTES = 10; // 80 bits, sixteen characters and none left over

/** Makes a new token, with an id that nobody can guess. */
export function mintCanaryToken(secrets: Secrets): CanaryToken {
  const id = base32(randomBytes(BYTES));
  return { id, token: `ra1-${id}-${base32(Buffer.from(secrets.mac('canary', id, BYTES), 'base64url'))}` };
}

/** The id in a token as it arrived; undefined when it is not one that this deployment made. Compares in constant time. */
export function readCanaryToken(secrets: Secrets, text: string): string | undefined {
  const [, id = '', code = ''] = FORM.exec(text) ?? [];
  return id !== '' && secrets.verify('canary', id, bytesOf(code).toString('base64url'), BYTES) ? id : undefined;
}
