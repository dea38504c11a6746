import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditStore, Turn, TurnGiven } from '../audit-store.ts';
import { readNextFree, readRefused, readScanner, readScanners, readTurn, type StoredTurn } from '../items.ts';
import { keys } from '../keys.ts';
import { queryItems } from './batches.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

const DAY_MS = 24 * 60 * 60_000;
const LISTED_MS = 7 * DAY_MS; // how often a host is written down that goes on scanning an address; the slowest period is a week too
const KEPT_MS = 3 * LISTED_MS; // after it was written down: it comes again within two weeks, or it scans the address no more
const LISTED_LIMIT = 50; // about 2 KB: each turn pays for the whole item

/**
 * Turns at addresses. One item for each address says who has it, when a fresh scan of it last began, and which hosts are written down
 * already as its scanners; each of those has an item of its own, so that however many there are, none drives out another.
 */
export function turns(table: Table): Pick<AuditStore, 'takeTurn' | 'endTurn' | 'hostsAt'> {
  return {
    async takeTurn(asked) {
      const { booked } = asked;
      if (booked !== undefined && booked > asked.now) return { granted: false, retryAt: booked, booked };
      // A time that has gone by belongs to whoever is booked behind it.
      const turn = booked !== undefined && asked.now < booked + stepOf(asked) ? asked : { ...asked, booked: undefined };
      for (const list of turn.unlisted === true ? [UNLISTED] : [JOINED, ANEW]) {
        const taken = await take(table, turn, list);
        if (taken.kind === 'granted') {
          if (list === ANEW || (list === JOINED && !taken.listed.has(scannerOf(turn)))) await writeDown(table, turn);
          return { granted: true };
        }
        const retryAt = freeAt(turn, taken.standing);
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
      const { pk, sk } = keys.scanner(address, '', '');
      const found = await queryItems(table, {
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)',
        ExpressionAttributeValues: { ':pk': pk, ':kind': sk.slice(0, sk.indexOf('#') + 1) },
      });
      const now = table.clock();
      return found.map(readScanner).flatMap(({ expiresAt, ...host }) => (expiresAt * 1000 > now ? [host] : []));
    },
  };
}

async function writeDown(table: Table, { address, ref, now }: Turn): Promise<void> {
  const Item = { ...keys.scanner(address, ref.accountId, ref.hostId), expiresAt: expiry(now, KEPT_MS) };
  await table.client.send(new PutCommand({ TableName: table.name, Item }));
}

// What a turn does to the list of those written down. When it cannot join, nothing else being in its way, it starts the list anew:
// a list that is full, a week old or expired. That takes a second update, of which each by itself decides who has the turn.
const JOINED = {
  update: ', listedAt = if_not_exists(listedAt, :now) ADD scanners :scanners',
  condition:
    ' AND (attribute_not_exists(pk) OR (expiresAt > :seconds AND listedAt > :listed AND (size(scanners) < :most OR contains(scanners, :scanner))))',
  values: (turn: Turn) => ({
    ':scanners': new Set([scannerOf(turn)]),
    ':seconds': turn.now / 1000,
    ':listed': turn.now - LISTED_MS,
    ':most': LISTED_LIMIT,
    ':scanner': scannerOf(turn),
  }),
} as const;

const ANEW = {
  update: ', scanners = :scanners, listedAt = :now',
  condition: '',
  values: (turn: Turn) => ({ ':scanners': new Set([scannerOf(turn)]) }),
} as const;

// Of who is not to be remembered the list hears nothing.
const UNLISTED = { update: '', condition: '', values: () => ({}) } as const;

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

type Taken = { readonly kind: 'granted'; readonly listed: Set<string> } | { readonly kind: 'refused'; readonly standing: StoredTurn };

// Gives the list as it was before, or the item that stood in the way.
async function take(table: Table, turn: Turn, list: typeof JOINED | typeof ANEW | typeof UNLISTED): Promise<Taken> {
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
      ...(fresh ? { ':scan': freshScanOf(turn), ':lastFresh': now - turn.spacingMs } : {}),
      ...list.values(turn),
    },
    ReturnValues: 'UPDATED_OLD',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    const { Attributes } = await withoutConflict(() => table.client.send(update));
    return { kind: 'granted', listed: readScanners(Attributes) };
  } catch (error) {
    if (isConditionFailure(error)) return { kind: 'refused', standing: readTurn(readRefused(error)) };
    throw error;
  }
}

// When nothing but the list stands in the way of a turn any more: what the condition of `take` says, as a time.
function freeAt(turn: Turn, standing: StoredTurn): number {
  const lease = standing.holder === turn.attempt ? 0 : standing.leaseUntil;
  if (!turn.fresh || standing.freshScan === freshScanOf(turn)) return lease;
  const distant = standing.freshAt === undefined ? 0 : standing.freshAt + turn.spacingMs;
  const line = turn.booked === undefined ? (standing.nextFree ?? 0) : 0;
  return Math.max(lease, distant, line);
}

function freshScanOf({ ref }: Turn): string {
  return `${ref.hostId}/${ref.scanId}`;
}

function scannerOf({ ref }: Turn): string {
  return `${ref.accountId}/${ref.hostId}`;
}
