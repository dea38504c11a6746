export const KEY_SCOPES = ['read', 'write'] as const;

/** What an API key is good for: `read` reads, `write` changes things too. */
export type KeyScope = (typeof KEY_SCOPES)[number];
