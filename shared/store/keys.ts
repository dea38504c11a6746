import { compactTime } from '../domain/scan.ts';
import type { Period } from '../domain/schedule.ts';

/** The key of one item of the table. */
export type Key = { readonly pk: string; readonly sk: string };

/** The table's shape, for whoever creates it. */
export const TABLE = { partitionKey: 'pk', sortKey: 'sk', expiry: 'expiresAt' } as const;

/**
 * The sparse index of what waits to be done: owed scans and unsettled notices carry `dueQueue` and `dueAt` (epoch
 * milliseconds) until they are settled. Hosts and scans are never in it, so their writes cost nothing here.
 */
export const DUE_INDEX = {
  name: 'due',
  partitionKey: 'dueQueue',
  sortKey: 'dueAt',
  included: ['accountId', 'tries', 'trouble', 'soFar', 'sittings', 'startedAt'],
} as const;

export type DueQueue = 'OWED' | 'NOTICE';

/** The key table as code: every key of every item is made here. */
export const keys = {
  account: (accountId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: 'ACCOUNT' }),
  apiKey: (prefix: string): Key => ({ pk: `KEY#${prefix}`, sk: 'KEY' }),
  host: (accountId: string, hostId: string): Key => ({ pk: `ACCOUNT#${accountId}`, sk: `HOST#${hostId}` }),
  wheel: (period: Period, slot: number, hostId: string): Key => ({ pk: `WHEEL#${period}#${slot}`, sk: `HOST#${hostId}` }),
  cursor: (): Key => ({ pk: 'WHEEL', sk: 'CURSOR' }),
  scan: (hostId: string, scanId: string): Key => ({ pk: `HOST#${hostId}`, sk: `SCAN#${scanId}` }),
  owed: (hostId: string, scanId: string): Key => ({ pk: `HOST#${hostId}`, sk: `OWED#${scanId}` }),
  change: (hostId: string, version: number): Key => ({ pk: `HOST#${hostId}`, sk: `CHANGE#${String(version).padStart(10, '0')}` }),
  evidence: (hostId: string, hash: string): Key => ({ pk: `TRANSCRIPT#${hostId}`, sk: hash }),
  canary: (canaryId: string): Key => ({ pk: `CANARY#${canaryId}`, sk: 'CANARY' }),
  notice: (noticeId: string): Key => ({ pk: `NOTICE#${noticeId}`, sk: 'NOTICE' }),
};

/** The part of a key behind its `#`: `HOST#abc` gives `abc`. */
export function idIn(keyPart: string): string {
  return keyPart.slice(keyPart.indexOf('#') + 1);
}

/** Bounds of the scans between two times, inclusive, as sort keys. `~` sorts behind every scan kind. */
export function scanRange(fromMs: number, toMs: number): { readonly first: string; readonly last: string } {
  return { first: `SCAN#${compactTime(fromMs)}`, last: `SCAN#${compactTime(toMs)}~` };
}
