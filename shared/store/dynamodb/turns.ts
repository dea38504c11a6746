import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditStore, Turn } from '../audit-store.ts';
import { readRefused, readTurn, type StoredTurn } from '../items.ts';
import { keys } from '../keys.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

const KEPT_MS = 30 * 24 * 60 * 60_000; // after its last turn; a host of the slowest period has one every week
const SCANNERS_LIMIT = 50; // about 2 KB: each turn pays for the whole item. A server that more hosts share starts the list anew

/** Turns at addresses. One item for each address says who has it, when a fresh scan of it last began, and which hosts scan it. */
export function turns(table: Table): Pick<AuditStore, 'takeTurn' | 'endTurn' | 'hostsAt'> {
  return {
    async takeTurn(turn) {
      for (const list of [JOINED, ANEW]) {
        const standing = await take(table, turn, list);
        if (standing === undefined) return { granted: true };
        const retryAt = freeAt(turn, standing);
        if (retryAt > turn.now) return { granted: false, retryAt };
      }
      return { granted: false, retryAt: turn.now + 1 };
    },

    async endTurn(address, attempt, now) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keys.turn(address),
        UpdateExpression: 'SET leaseUntil = :now',
        ConditionExpression: 'holder = :attempt AND leaseUntil > :now',
        ExpressionAttributeValues: { ':now': now, ':attempt': attempt },
      });
      await ifHolds(() => table.client.send(update));
    },

    async hostsAt(address) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.turn(address), ConsistentRead: true }));
      const stored = Item === undefined ? undefined : readTurn(Item);
      return stored === undefined || stored.expiresAt * 1000 <= table.clock() ? [] : [...stored.scanners].map(hostOf);
    },
  };
}

// What a turn does to the list of scanners. When it cannot join, nothing else being in its way, it starts the list anew:
// a list that is full or has expired. That takes a second update, of which each by itself decides who has the turn.
const JOINED = {
  update: ' ADD scanners :scanners',
  condition: ' AND (attribute_not_exists(pk) OR (expiresAt > :seconds AND (size(scanners) < :most OR contains(scanners, :scanner))))',
  values: (turn: Turn) => ({ ':seconds': turn.now / 1000, ':most': SCANNERS_LIMIT, ':scanner': scannerOf(turn) }),
} as const;

const ANEW = { update: ', scanners = :scanners', condition: '', values: () => ({}) } as const;

const FREE = 'attribute_not_exists(pk) OR leaseUntil <= :now OR holder = :attempt';
const DISTANT = 'attribute_not_exists(freshAt) OR freshAt <= :lastFresh OR freshScan = :scan';

// Gives the item that stood in the way; undefined when the turn was taken.
async function take(table: Table, turn: Turn, list: typeof JOINED | typeof ANEW): Promise<StoredTurn | undefined> {
  const { now, attempt, fresh } = turn;
  const begins = fresh ? ', freshAt = :now, freshScan = :scan' : '';
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(turn.address),
    UpdateExpression: `SET leaseUntil = :leaseUntil, holder = :attempt, expiresAt = :expiresAt${begins}${list.update}`,
    ConditionExpression: `(${FREE})${fresh ? ` AND (${DISTANT})` : ''}${list.condition}`,
    ExpressionAttributeValues: {
      ':now': now,
      ':attempt': attempt,
      ':leaseUntil': now + turn.leaseMs,
      ':expiresAt': expiry(now, KEPT_MS),
      ':scanners': new Set([scannerOf(turn)]),
      ...(fresh ? { ':scan': freshScanOf(turn), ':lastFresh': now - turn.spacingMs } : {}),
      ...list.values(turn),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await withoutConflict(() => table.client.send(update));
    return undefined;
  } catch (error) {
    if (isConditionFailure(error)) return readTurn(readRefused(error));
    throw error;
  }
}

// When nothing but the list stands in the way of a turn any more: what the condition of `take` says, as a time.
function freeAt(turn: Turn, standing: StoredTurn): number {
  const lease = standing.holder === turn.attempt ? 0 : standing.leaseUntil;
  if (!turn.fresh || standing.freshAt === undefined || standing.freshScan === freshScanOf(turn)) return lease;
  return Math.max(lease, standing.freshAt + turn.spacingMs);
}

function freshScanOf({ ref }: Turn): string {
  return `${ref.hostId}/${ref.scanId}`;
}

function scannerOf({ ref }: Turn): string {
  return `${ref.accountId}/${ref.hostId}`;
}

function hostOf(scanner: string): { accountId: string; hostId: string } {
  const slash = scanner.indexOf('/');
  return { accountId: scanner.slice(0, slash), hostId: scanner.slice(slash + 1) };
}
