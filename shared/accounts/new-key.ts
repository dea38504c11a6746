import { apiKeyMac, mintApiKey } from '../runtime/api-key.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { StoredKey } from '../store/audit-store.ts';

/** API keys that an account may have at once: the one in use, and the one that takes its place. */
export const LIVE_KEYS = 2;

/** A new key: its text, which is shown once, and what is stored of it. */
export type NewKey = { readonly text: string; readonly stored: StoredKey };

/** Makes a key for an account. It opens nothing until it is stored. */
export function newKey(secrets: Secrets, of: Pick<StoredKey, 'accountId' | 'createdAt' | 'scope' | 'label'>): NewKey {
  const key = mintApiKey(secrets);
  return { text: key.text, stored: { prefix: key.prefix, mac: apiKeyMac(secrets, key), ...of } };
}
