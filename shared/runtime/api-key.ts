import { randomBytes } from 'node:crypto';
import type { Secrets } from './secrets.ts';

/**
 * An API key: `ra1_<prefix>_<secret>_<checksum>`. `1` names the secret of the deployment that the key hangs on. The
 * checksum is keyed, so that a made-up key is refused without a read.
 */
export type ApiKey = { readonly prefix: string; readonly text: string };

const FORM = /^ra1_([0-9a-f]{12})_([0-9a-f]{48})_([\w-]{11})$/;
const CHECKSUM_BYTES = 8;

/** Makes a new key. Its text is shown once and stored nowhere. */
export function mintApiKey(secrets: Secrets): ApiKey {
  const prefix = randomBytes(6).toString('hex');
  const body = `ra1_${prefix}_${randomBytes(24).toString('hex')}`;
  return { prefix, text: `${body}_${secrets.mac('api-key-checksum', body, CHECKSUM_BYTES)}` };
}

/** Reads a key as a caller sent it; undefined when it is not one that this deployment made. */
export function readApiKey(secrets: Secrets, text: string): ApiKey | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, prefix = '', , checksum = ''] = match;
  const body = text.slice(0, text.length - checksum.length - 1);
  return secrets.verify('api-key-checksum', body, checksum, CHECKSUM_BYTES) ? { prefix, text } : undefined;
}

/** The authentication code under which a key is stored. */
export function apiKeyMac(secrets: Secrets, key: ApiKey): string {
  return secrets.mac('api-key', key.text);
}
