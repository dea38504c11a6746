import { createHash } from 'node:crypto';
import { signInLetter } from '../mail/confirmations.ts';
import { readConfirmation, SIGN_IN_MINUTES, sealConfirmation } from '../runtime/confirmation-token.ts';
import { newId } from '../runtime/ids.ts';
import type { Account, Session } from '../store/audit-store.ts';
import type { Services } from './acting.ts';
import { giveBack, take } from './budgets.ts';
import { handOver } from './confirmation-mail.ts';
import { admits } from './registration-policy.ts';

const SESSION_DAYS = 14; // a fortnight's holiday, and the next alert is one click away
const DAY_MS = 24 * 60 * 60_000;
const OPEN_TRIES = 3; // each time that the account came or went since it was looked for

/** How asking for a link went. Whoever asks is told nothing of it but `failed`: else they could tell who has an account. */
export type AskedToSignIn = 'sent' | 'kept-back' | 'failed';

const PER_ADDRESS = { known: ['sign-in-hour', 'sign-in-day'], unknown: ['sign-in-new-day', 'sign-in-new-month'] } as const;

/**
 * Mails the owner of an address a link to sign in by; one who has no account yet gets one with it, where registration is open to
 * them. `to` is the page to go on to.
 */
export async function askToSignIn(services: Services, email: string, to: string | undefined): Promise<AskedToSignIn> {
  const { store, secrets, clock, registration, siteUrl } = services;
  const account = await store.findAccountByEmail(email);
  if (account === undefined && !admits(registration, email)) return 'kept-back';
  const address = account?.email ?? email;
  if ((await store.mailStops(undefined, [address])).length > 0) return 'kept-back';
  const who = createHash('sha256').update(address.toLowerCase()).digest('base64url');
  const budgets = PER_ADDRESS[account === undefined ? 'unknown' : 'known'];
  for (const what of budgets) if (!(await take(services, what, who)).granted) return 'kept-back';
  const now = clock();
  const link = `${siteUrl}/sign-in/link?token=${sealConfirmation(secrets, { kind: 'sign-in', email: address, to }, now)}`;
  if (await handOver(services, signInLetter(link, SIGN_IN_MINUTES, account === undefined), address)) return 'sent';
  await Promise.all(budgets.map((what) => giveBack(services, what, who, now)));
  return 'failed';
}

/** What became of a link. */
export type SignedIn =
  | { readonly kind: 'signed-in'; readonly session: Session; readonly isNew: boolean; readonly to: string | undefined }
  | { readonly kind: 'refused'; readonly why: 'unreadable' | 'expired' | 'used' | 'not-admitted' };

/** Whose link it is, before it is used. */
export function whoSignsIn({ secrets, clock }: Pick<Services, 'secrets' | 'clock'>, token: string): string | undefined {
  const read = readConfirmation(secrets, token, clock());
  return read.kind === 'good' && read.confirmation.kind === 'sign-in' ? read.confirmation.email : undefined;
}

/** Acts upon the token of a link, once: starts a session of the account, which it opens if there is none. */
export async function signIn(services: Services, token: string): Promise<SignedIn> {
  const { store, secrets, clock } = services;
  const read = readConfirmation(secrets, token, clock());
  if (read.kind !== 'good') return { kind: 'refused', why: read.kind };
  const { confirmation } = read;
  if (confirmation.kind !== 'sign-in') return { kind: 'refused', why: 'unreadable' };
  if (!(await store.useOnce(confirmation.nonce, confirmation.expires))) return { kind: 'refused', why: 'used' };
  for (let tries = 0; tries < OPEN_TRIES; tries++) {
    const opened = await accountOf(services, confirmation.email);
    if (opened === undefined) return { kind: 'refused', why: 'not-admitted' };
    const { account, isNew } = opened;
    const startedAt = clock();
    const session = { id: newId(), accountId: account.id, email: account.email, startedAt, until: startedAt + SESSION_DAYS * DAY_MS };
    if (await store.startSession(session)) return { kind: 'signed-in', session, isNew, to: confirmation.to };
  }
  throw new Error('the account kept coming and going while somebody signed in to it');
}

async function accountOf(
  { store, clock, registration }: Services,
  email: string,
): Promise<{ account: Account; isNew: boolean } | undefined> {
  const known = await store.findAccountByEmail(email);
  if (known !== undefined) return { account: known, isNew: false };
  if (!admits(registration, email)) return undefined;
  const account = { id: newId(), email, createdAt: clock() };
  if (await store.createAccount(account)) return { account, isNew: true };
  const first = await store.findAccountByEmail(email); // of two clicks at once the other one opened it
  return first === undefined ? undefined : { account: first, isNew: false };
}
