import { createHash } from 'node:crypto';
import { compactTime } from '../domain/scan.ts';
import type { Period } from '../domain/schedule.ts';

/** The key of one item of the table. */
export type Key = { readonly pk: string; readonly sk: string };

/** The table's shape, used to create it. */
export const TABLE = { partitionKey: 'pk', sortKey: 'sk', expiry: 'expiresAt' } as const;

/**
 * The sparse index of what waits to be done: owed scans, unsettled notices and owed erasures carry `dueQueue` and `dueAt`
 * (epoch milliseconds) until they are settled. Hosts and scans are never in it, so their writes cost nothing here.
 */
export const DUE_INDEX = {
  name: 'due',
  partitionKey: 'dueQueue',
  sortKey: 'dueAt',
  included: ['accountId', 'tries', 'trouble', 'soFar', 'sittings', 'startedAt'],
} as const;

export type DueQueue = 'OWED' | 'NOTICE' | 'WEBHOOK' | 'DIGEST' | 'ERASE';

/** The key table as code: every key of every item is made here. */
export const keys = {
  account: (accountId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: 'ACCOUNT' }),
  email: (email: string): Key => ({ pk: `EMAIL#${mailboxHash(email)}`, sk: 'EMAIL' }),
  apiKey: (prefix: string): Key => ({ pk: `KEY#${prefix}`, sk: 'KEY' }),
  recipient: (accountId: string, email: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: `RECIPIENT#${mailboxHash(email)}` }),
  host: (accountId: string, hostId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: `HOST#${hostId}` }),
  wheel: (period: Period, slot: number, hostId: string): Key => ({ pk: `WHEEL#${period}#${slot}`, sk: `HOST#${hostId}` }),
  cursor: (): Key => ({ pk: 'WHEEL', sk: 'CURSOR' }),
  scan: (hostId: string, scanId: string): Key => ({ pk: `HOST#${hostId}`, sk: `SCAN#${scanId}` }),
  owed: (hostId: string, scanId: string): Key => ({ pk: `HOST#${hostId}`, sk: `OWED#${scanId}` }),
  presence: (hostId: string, scanId: string): Key => ({ pk: `HOST#${hostId}`, sk: `PRESENCE#${scanId}` }),
  waiting: (accountId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: 'WAITING' }),
  change: (hostId: string, version: number): Key => ({ pk: `HOST#${hostId}`, sk: `CHANGE#${String(version).padStart(10, '0')}` }),
  /** `kind` tells what canaries made of a scan from what it showed by itself; it sorts behind it. */
  span: (hostId: string, from: number, kind: 'scan' | 'raised' = 'scan'): Key => ({
    pk: `HOST#${hostId}`,
    sk: `SPAN#${new Date(from).toISOString()}${kind === 'raised' ? '#raised' : ''}`,
  }),
  evidence: (hostId: string, hash: string): Key => ({ pk: `TRANSCRIPT#${hostId}`, sk: hash }),
  canary: (canaryId: string): Key => ({ pk: `CANARY#${canaryId}`, sk: 'CANARY' }),
  notices: (ownerId: string): string => `NOTICES#${ownerId}`,
  /** A notice lies with those of its host, or of its account when it tells of several hosts: its id begins with theirs. */
  notice: (noticeId: string): Key => ({
    pk: `NOTICES#${noticeId.slice(0, noticeId.indexOf('-'))}`,
    sk: noticeId.slice(noticeId.indexOf('-') + 1),
  }),
  digest: (hostId: string): Key => ({ pk: `HOST#${hostId}`, sk: 'DIGEST' }),
  alertWindow: (accountId: string, recipient: string): Key => ({ pk: `WINDOW#${accountId}`, sk: mailboxHash(recipient) }),
  mailbox: (email: string): Key => ({ pk: `MAILBOX#${mailboxHash(email)}`, sk: 'MAILBOX' }),
  unsubscribed: (accountId: string, email: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: `UNSUBSCRIBED#${mailboxHash(email)}` }),
  budget: (what: string, who: string, windowMs: number, start: number): Key => ({
    pk: `BUDGET#${what}#${who}`,
    sk: `${windowMs}#${start}`,
  }),
  once: (id: string): Key => ({ pk: `ONCE#${id}`, sk: 'ONCE' }),
  turn: (address: string): Key => ({ pk: `TURN#${address}`, sk: 'TURN' }),
  scanner: (address: string, accountId: string, hostId: string): Key => ({ pk: `TURN#${address}`, sk: `SCANNER#${accountId}/${hostId}` }),
  never: (target: string): Key => ({ pk: 'NEVER', sk: target }),
  pause: (address: string): Key => ({ pk: `PAUSE#${address}`, sk: 'PAUSE' }),
  request: (accountId: string, key: string): Key => ({ pk: `REQUEST#${accountId}`, sk: sha256(key) }),
  session: (accountId: string, sessionId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: `SESSION#${sessionId}` }),
  ended: (email: string): Key => ({ pk: `ENDED#${mailboxHash(email)}`, sk: 'ENDED' }),
  erasure: (hostId: string): Key => ({ pk: `ERASE#${hostId}`, sk: 'ERASE' }),
};

// Two spellings of a mail address that differ in case only are one mailbox to us: no host of note tells them apart.
function mailboxHash(email: string): string {
  return sha256(email.toLowerCase());
}

// Of what others choose freely, or what is not to be read off a key: it has one length, and no `#`.
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The id of the notice with this key. */
export function noticeIdOf({ pk, sk }: Key): string {
  return `${idIn(pk)}-${sk}`;
}

/** The part of a key behind its `#`: `HOST#abc` gives `abc`. */
export function idIn(keyPart: string): string {
  return keyPart.slice(keyPart.indexOf('#') + 1);
}

/** Bounds of all items of the kind of a key that lie with it, as sort keys, which begin with `first`. `~` sorts behind whatever follows. */
export function kindRange({ sk }: Key): { readonly first: string; readonly last: string } {
  const first = sk.slice(0, sk.indexOf('#') + 1);
  return { first, last: `${first}~` };
}

/** Bounds of the scans between two times, inclusive, as sort keys. `~` sorts behind every scan kind. */
export function scanRange(fromMs: number, toMs: number): { readonly first: string; readonly last: string } {
  return { first: `SCAN#${compactTime(fromMs)}`, last: `SCAN#${compactTime(toMs)}~` };
}
