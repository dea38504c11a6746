import { signInLetter } from '../mail/confirmations.ts';
import { issuedAt, readConfirmation, type SealedConfirmation, SIGN_IN_MINUTES, sealConfirmation } from '../runtime/confirmation-token.ts';
import { newId } from '../runtime/ids.ts';
import type { Account, Session } from '../store/audit-store.ts';
import { admits } from './account.ts';
import type { Operations } from './acting.ts';
import { giveBack, take } from './budgets.ts';
import { handOver } from './confirmation-mail.ts';
import { type Cause, type MailLeave, mailboxHash, mailWasWanted, packCause, takeMail } from './stranger-mail.ts';

const SESSION_DAYS = 14; // a fortnight's holiday, and the next alert is one click away
const DAY_MS = 24 * 60 * 60_000;
const OPEN_TRIES = 3; // each time that the account came or went since it was looked for, or links of it ended
const LINK_SHOWS_DAYS = 30; // a link of ours in a mailbox, used or too old, shows for so long that whoever has it reads the mailbox

/**
 * How asking for a link went. Whoever asks is told nothing that hangs on whose mailbox it is: not whether a mail is on its way, only
 * whether strangers' mailboxes get any at this time.
 */
export type AskedToSignIn =
  | { readonly kind: 'asked' }
  | { readonly kind: 'crowded' }
  | { readonly kind: 'too-many'; readonly resetAt: number }
  | { readonly kind: 'failed' };

/** Somebody who asks for a link. */
export type SignInWish = {
  readonly email: string;
  /** The page to go on to. */
  readonly to: string | undefined;
  readonly cause: Cause;
  /** Since when whoever asks is known to read the mailbox: their browser has signed in, or they hold a link of ours. */
  readonly readerSince?: number | undefined;
};

/**
 * Mails the owner of an address a link to sign in by; one who has no account yet gets one with it, where registration is open to
 * them. What strangers ask for in the name of a mailbox never keeps a link from its reader.
 */
export async function askToSignIn(services: Operations, wish: SignInWish): Promise<AskedToSignIn> {
  const { store, registration } = services;
  const { email, cause, readerSince } = wish;
  const [account, endedAt] = await Promise.all([store.findAccountByEmail(email), store.linksEndedAt(email)]);
  const address = account?.email ?? email;
  const isReader = readerSince !== undefined && readerSince >= (endedAt ?? 0);
  const asked = { kind: 'sign-in', email: address, cause, pastCrowd: account !== undefined } as const;
  const [leave, stops] = await Promise.all([
    isReader ? takeOwn(services, address) : takeMail(services, asked),
    store.mailStops(undefined, [address], isReader),
  ]);
  if (typeof leave.told !== 'string') return leave.told;
  const told = { kind: leave.told === 'crowded' ? 'crowded' : 'asked' } as const;
  const mayHaveOne = account !== undefined || admits(registration, email);
  if (!leave.granted || !mayHaveOne || stops.length > 0) return told;
  if (await mailLink(services, { ...wish, email: address }, isReader, account === undefined)) return told;
  await leave.giveBack();
  return { kind: 'failed' };
}

async function mailLink(services: Operations, { email, to, cause }: SignInWish, isReader: boolean, isNew: boolean): Promise<boolean> {
  const { secrets, clock, siteUrl } = services;
  const packed = packCause(cause);
  const token = sealConfirmation(secrets, { kind: 'sign-in', email, to }, clock(), isReader ? '' : packed);
  const letter = signInLetter(`${siteUrl}/sign-in/link?token=${token}`, SIGN_IN_MINUTES, isNew);
  return handOver(services, letter, email, { cause: packed });
}

// What the reader of a mailbox asks for counts against nobody but them.
async function takeOwn(services: Operations, email: string): Promise<MailLeave> {
  const who = mailboxHash(email);
  const now = services.clock();
  const budgets = ['own-mails-hour', 'own-mails-day'] as const;
  for (const what of budgets) {
    const { granted, resetAt } = await take(services, what, who);
    if (!granted) return { granted, mailboxFull: true, told: { kind: 'too-many', resetAt }, giveBack: async () => {} };
  }
  const giveAllBack = async () => void (await Promise.all(budgets.map((what) => giveBack(services, what, who, now))));
  return { granted: true, mailboxFull: false, told: 'nothing', giveBack: giveAllBack };
}

/**
 * Mails another link to whoever holds one that is too old or was used, or a confirmation: they read the mailbox. Undefined when the
 * token shows nothing of the kind.
 */
export async function askAgain(services: Operations, token: string, cause: Cause): Promise<AskedToSignIn | undefined> {
  const { secrets, clock } = services;
  const read = readConfirmation(secrets, token, clock());
  if (read.kind === 'unreadable') return undefined;
  const { confirmation } = read;
  const readerSince = issuedAt(confirmation);
  const isOver = clock() - readerSince > LINK_SHOWS_DAYS * DAY_MS || (await isEnded(services, confirmation));
  if (isOver) return undefined;
  const to = confirmation.kind === 'sign-in' ? confirmation.to : undefined;
  return askToSignIn(services, { email: confirmation.email, to, cause, readerSince });
}

/** Whether all links to a mailbox were ended since this one was made: somebody signed out everywhere, or deleted the account. */
export async function isEnded({ store }: Pick<Operations, 'store'>, confirmation: SealedConfirmation): Promise<boolean> {
  const endedAt = await store.linksEndedAt(confirmation.email);
  return endedAt !== undefined && issuedAt(confirmation) < endedAt;
}

/** Signs an account out everywhere: its sessions end, and links that were mailed to its owner open nothing any more. */
export async function signOutEverywhere(
  { store, clock }: Pick<Operations, 'store' | 'clock'>,
  account: Pick<Account, 'id' | 'email'>,
): Promise<void> {
  await store.endLinks(account.email, clock());
  await store.endSessions(account.id);
}

/** What became of a link. */
export type SignedIn =
  | { readonly kind: 'signed-in'; readonly session: Session; readonly isNew: boolean; readonly to: string | undefined }
  | { readonly kind: 'refused'; readonly why: 'unreadable' | 'expired' | 'used' | 'ended' | 'not-admitted' };

/** Whose link it is, before it is used. */
export function whoSignsIn({ secrets, clock }: Pick<Operations, 'secrets' | 'clock'>, token: string): string | undefined {
  const read = readConfirmation(secrets, token, clock());
  return read.kind === 'good' && read.confirmation.kind === 'sign-in' ? read.confirmation.email : undefined;
}

/** Acts upon the token of a link, once: starts a session of the account, which it opens if there is none. */
export async function signIn(services: Operations, token: string): Promise<SignedIn> {
  const { store, secrets, clock } = services;
  const read = readConfirmation(secrets, token, clock());
  if (read.kind !== 'good') return { kind: 'refused', why: read.kind };
  const { confirmation } = read;
  if (confirmation.kind !== 'sign-in') return { kind: 'refused', why: 'unreadable' };
  if (!(await store.useOnce(confirmation.nonce, confirmation.expires))) return { kind: 'refused', why: 'used' };
  for (let tries = 0; tries < OPEN_TRIES; tries++) {
    if (await isEnded(services, confirmation)) return { kind: 'refused', why: 'ended' };
    const opened = await accountOf(services, confirmation.email);
    if (opened === undefined) return { kind: 'refused', why: 'not-admitted' };
    const { account, isNew } = opened;
    const startedAt = clock();
    const session = { id: newId(), accountId: account.id, email: account.email, startedAt, until: startedAt + SESSION_DAYS * DAY_MS };
    if (!(await store.startSession(session))) continue;
    await mailWasWanted(services, confirmation);
    return { kind: 'signed-in', session, isNew, to: confirmation.to };
  }
  throw new Error('the account kept coming and going while somebody signed in to it');
}

async function accountOf(
  { store, clock, registration }: Operations,
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
