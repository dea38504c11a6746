import { base32 } from './base32.ts';
import type { Secrets } from './secrets.ts';

const BYTES = 15; // 120 bits, 24 characters and none left over

/**
 * The token of an account: what its proofs of consent hold. `ra1-` and 24 letters and digits, which every form for a TXT
 * record takes. It is no secret, and nobody can make another account's.
 */
export function consentToken(secrets: Secrets, accountId: string): string {
  return `ra1-${base32(Buffer.from(secrets.mac('consent', accountId, BYTES), 'base64url'))}`;
}
