import { apiKeyMac, mintApiKey } from '../runtime/api-key.ts';
import type { Registration } from '../runtime/config.ts';
import { newId } from '../runtime/ids.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { Account, AuditStore, StoredKey } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { Problem } from './problem.ts';

/** API keys that an account may have at once: the one in use, and the one that takes its place. */
export const LIVE_KEYS = 2;

/** A new key: its text, which is shown once, and what is stored of it. */
export type NewKey = { readonly text: string; readonly stored: StoredKey };

/** Makes a key for an account. It opens nothing until it is stored. */
export function newKey(secrets: Secrets, of: Pick<StoredKey, 'accountId' | 'createdAt' | 'scope' | 'label'>): NewKey {
  const key = mintApiKey(secrets);
  return { text: key.text, stored: { prefix: key.prefix, mac: apiKeyMac(secrets, key), ...of } };
}

/** A new account with its first key, whose text is given here and nowhere else. */
export type OpenedAccount = { readonly accountId: string; readonly email: string; readonly apiKey: string };

/** Makes an account with its first key, which may change things; undefined when the address has an account already. */
export async function openAccount(store: AuditStore, secrets: Secrets, email: string, now: number): Promise<OpenedAccount | undefined> {
  const accountId = newId();
  const key = newKey(secrets, { accountId, createdAt: now, scope: 'write' });
  const isNew = await store.createAccount({ id: accountId, email, createdAt: now }, key.stored);
  return isNew ? { accountId, email, apiKey: key.text } : undefined;
}

/** The account that somebody acts for. */
export async function ownAccount({ store, accountId }: Pick<Acting, 'store' | 'accountId'>): Promise<Account> {
  const account = await store.findAccount(accountId);
  if (account === undefined) throw accountGone();
  return account;
}

/** The problem when the account has been removed. */
export function accountGone(): Problem {
  return new Problem(401, 'This account is gone.');
}

/** Whether the owner of a mail address may open an account here. */
export function admits(registration: Registration, email: string): boolean {
  if (registration.kind !== 'domains') return registration.kind === 'open';
  return registration.domains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase());
}
