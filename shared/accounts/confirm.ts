import type { KeyScope } from '../domain/key-scope.ts';
import type { Clock } from '../runtime/clock.ts';
import { readConfirmation, type SealedConfirmation } from '../runtime/confirmation-token.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { LIVE_KEYS, newKey, openAccount } from './account.ts';
import { isEnded } from './sign-in.ts';
import { mailWasWanted } from './stranger-mail.ts';

export type Confirming = { readonly store: AuditStore; readonly secrets: Secrets; readonly clock: Clock };

/** A key that a confirmation brought, shown this once. */
export type GivenKey = {
  readonly kind: 'account';
  readonly accountId: string;
  readonly email: string;
  readonly apiKey: string;
  readonly scope: KeyScope;
  /** `replaced`: the account had no room for another key, so its oldest was revoked. */
  readonly how: 'opened' | 'added' | 'replaced';
};

/** What became of a confirmation. */
export type Confirmed =
  | GivenKey
  | { readonly kind: 'recipient'; readonly email: string }
  | { readonly kind: 'refused'; readonly why: 'unreadable' | 'expired' | 'used' | 'ended' };

const KEY_TRIES = 5; // each time that keys of the account came or went, or the account did, since they were read

/**
 * Acts upon the token of a confirmation mail, once. For an account: makes it with its first key, or gives one that is there
 * another key, which is the way back for whoever has lost theirs. For a recipient: alerts of the account may be mailed to it.
 */
export async function confirm(token: string, services: Confirming): Promise<Confirmed> {
  const read = readConfirmation(services.secrets, token, services.clock());
  if (read.kind !== 'good') return { kind: 'refused', why: read.kind };
  const { confirmation } = read;
  if (confirmation.kind === 'sign-in') return { kind: 'refused', why: 'unreadable' };
  // Used up before it acts, so that two clicks at once make one key. If something fails in between, the reader asks for another mail.
  const isFirst = await services.store.useOnce(confirmation.nonce, confirmation.expires);
  if (!isFirst) return { kind: 'refused', why: 'used' };
  const confirmed =
    confirmation.kind === 'account' ? await giveKey(confirmation, services) : await confirmRecipient(confirmation, services);
  if (confirmed.kind !== 'refused') await mailWasWanted(services, confirmation);
  return confirmed;
}

async function confirmRecipient(
  { accountId, email }: Extract<SealedConfirmation, { kind: 'recipient' }>,
  { store, clock }: Confirming,
): Promise<Confirmed> {
  await store.confirmRecipient(accountId, email, clock());
  return { kind: 'recipient', email };
}

async function giveKey(confirmation: SealedConfirmation, services: Confirming): Promise<Confirmed> {
  const { store, secrets, clock } = services;
  const { email } = confirmation;
  let how: GivenKey['how'] = 'added';
  for (let tries = 0; tries < KEY_TRIES; tries++) {
    if (await isEnded(services, confirmation)) return { kind: 'refused', why: 'ended' };
    const account = await store.findAccountByEmail(email);
    if (account === undefined) {
      const opened = await openAccount(store, secrets, email, clock());
      if (opened !== undefined) return { kind: 'account', ...opened, scope: 'write', how: 'opened' };
      continue;
    }
    const key = newKey(secrets, { accountId: account.id, createdAt: clock(), scope: 'write' });
    if (await store.addKey(key.stored, LIVE_KEYS))
      return { kind: 'account', accountId: account.id, email: account.email, apiKey: key.text, scope: 'write', how };
    if (await revokeOldest(store, account.id)) how = 'replaced';
  }
  throw new Error('the keys of the account kept changing while it was to be given one');
}

async function revokeOldest(store: AuditStore, accountId: string): Promise<boolean> {
  const live = await store.listKeys(accountId);
  const [oldest] = live;
  return oldest !== undefined && live.length >= LIVE_KEYS && (await store.revokeKey(accountId, oldest.prefix));
}
