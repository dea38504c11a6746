import { newId } from '../runtime/ids.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { newKey } from './new-key.ts';

/** A new account with its first key, whose text is given here and nowhere else. */
export type OpenedAccount = { readonly accountId: string; readonly email: string; readonly apiKey: string };

/** Makes an account with its first key, which may change things; undefined when the address has an account already. */
export async function openAccount(store: AuditStore, secrets: Secrets, email: string, now: number): Promise<OpenedAccount | undefined> {
  const accountId = newId();
  const key = newKey(secrets, { accountId, createdAt: now, scope: 'write' });
  const isNew = await store.createAccount({ id: accountId, email, createdAt: now }, key.stored);
  return isNew ? { accountId, email, apiKey: key.text } : undefined;
}
