import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditStore, Turn, TurnGiven } from '../audit-store.ts';
import { readNextFree, readRefused, readTurn, type StoredTurn } from '../items.ts';
import { keys } from '../keys.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

const KEPT_MS = 30 * 24 * 60 * 60_000; // after its last turn; a host of the slowest period has one every week
const SCANNERS_LIMIT = 50; // about 2 KB: each turn pays for the whole item. A server that more hosts share starts the list anew

/** Turns at addresses. One item for each address says who has it, when a fresh scan of it last began, and which hosts scan it. */
export function turns(table: Table): Pick<AuditStore, 'takeTurn' | 'endTurn' | 'hostsAt'> {
  return {
    async takeTurn(asked) {
      const { booked } = asked;
      if (booked !== undefined && booked > asked.now) return { granted: false, retryAt: booked, booked };
      // A time that has gone by belongs to whoever is booked behind it.
      const turn = booked !== undefined && asked.now < booked + stepOf(asked) ? asked : { ...asked, booked: undefined };
      for (const list of [JOINED, ANEW]) {
        const standing = await take(table, turn, list);
        if (standing === undefined) return { granted: true };
        const retryAt = freeAt(turn, standing);
        if (retryAt > turn.now) return refused(table, turn, retryAt);
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

const BOOK_TRIES = 5; // each time another was booked in the same moment

// Its own time stands, if it has one; otherwise the next is booked that is nobody's.
async function refused(table: Table, turn: Turn, retryAt: number): Promise<TurnGiven> {
  const { booked, fresh, books = false } = turn;
  if (booked !== undefined) return { granted: false, retryAt, booked };
  if (!fresh || !books || turn.spacingMs === 0) return { granted: false, retryAt };
  for (let tries = 0; tries < BOOK_TRIES; tries++) {
    const at = (await bookBehind(table, turn, retryAt)) ?? (await bookFirst(table, turn, retryAt));
    if (at !== undefined) return { granted: false, retryAt: at, booked: at };
  }
  return { granted: false, retryAt };
}

// The time behind the last that was booked, if that is not before `earliest`.
async function bookBehind(table: Table, turn: Turn, earliest: number): Promise<number | undefined> {
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(turn.address),
    UpdateExpression: 'SET nextFree = nextFree + :step',
    ConditionExpression: 'nextFree >= :earliest',
    ExpressionAttributeValues: { ':step': stepOf(turn), ':earliest': earliest },
    ReturnValues: 'UPDATED_OLD',
  });
  try {
    const { Attributes } = await withoutConflict(() => table.client.send(update));
    return readNextFree(Attributes);
  } catch (error) {
    if (isConditionFailure(error)) return undefined;
    throw error;
  }
}

async function bookFirst(table: Table, turn: Turn, at: number): Promise<number | undefined> {
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(turn.address),
    UpdateExpression: 'SET nextFree = :next',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(nextFree) OR nextFree < :at)',
    ExpressionAttributeValues: { ':next': at + stepOf(turn), ':at': at },
  });
  return (await ifHolds(() => table.client.send(update))) ? at : undefined;
}

// What lies between booked times. Whoever is a little late, for dispatch comes once a minute, holds up nobody behind it.
function stepOf({ spacingMs }: Turn): number {
  return spacingMs + spacingMs / 5;
}

const FREE = 'attribute_not_exists(pk) OR leaseUntil <= :now OR holder = :attempt';
const DISTANT = '(attribute_not_exists(freshAt) OR freshAt <= :lastFresh)';
const UNBOOKED = '(attribute_not_exists(nextFree) OR nextFree <= :now)';

// Gives the item that stood in the way; undefined when the turn was taken.
async function take(table: Table, turn: Turn, list: typeof JOINED | typeof ANEW): Promise<StoredTurn | undefined> {
  const { now, attempt, fresh } = turn;
  const far = turn.booked === undefined ? `(${DISTANT} AND ${UNBOOKED})` : DISTANT;
  const begins = fresh ? ', freshAt = :now, freshScan = :scan' : '';
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(turn.address),
    UpdateExpression: `SET leaseUntil = :leaseUntil, holder = :attempt, expiresAt = :expiresAt${begins}${list.update}`,
    ConditionExpression: `(${FREE})${fresh ? ` AND (freshScan = :scan OR ${far})` : ''}${list.condition}`,
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
  const line = turn.booked === undefined ? (standing.nextFree ?? 0) : 0;
  return Math.max(lease, standing.freshAt + turn.spacingMs, line);
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
