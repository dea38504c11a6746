import { GetCommand, PutCommand, UpdateCommand, type UpdateCommandOutput } from '@aws-sdk/lib-dynamodb';
import { LONGEST_PERIOD, PERIOD_MINUTES } from '../../domain/schedule.ts';
import { freshScanOf, stepFor, type Turn, type TurnStep } from '../../domain/turn-line.ts';
import type { Turns } from '../audit-store.ts';
import { packLine, readRefused, readScanner, readScanners, readTurn, type StoredTurn } from '../items.ts';
import { keys, kindRange } from '../keys.ts';
import { queryItems } from './batches.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

const DAY_MS = 24 * 60 * 60_000;
const LISTED_MS = 7 * DAY_MS; // how often a host that goes on scanning an address is written down
const LONGEST_PERIOD_MS = PERIOD_MINUTES[LONGEST_PERIOD] * 60_000;
const KEPT_MS = LISTED_MS + 2 * LONGEST_PERIOD_MS; // after that: a host that has not come back within two periods no longer scans it
const LISTED_LIMIT = 50; // about 2 KB: each turn pays for the whole item
const TRIES = 30; // each time another changed the line in the same moment; ten workers are at it at most

/**
 * Turns at addresses. One item for each address says who has it, when a fresh scan of it last began, who waits, and which hosts are written down
 * already as its scanners; each of those has an item of its own, so that however many there are, none drives out another.
 */
export function turns(table: Table): Turns {
  return {
    async takeTurn(turn) {
      const { booked, now } = turn;
      if (booked !== undefined && booked.at > now) return { granted: false, retryAt: booked.at, booked };
      // Who has a place must see the line; anybody else sees it when it is in the way.
      let seen = booked === undefined ? await take(table, turn, { do: 'take' }) : await see(table, turn.address);
      let place = booked;
      for (let tries = 0; tries < TRIES && seen !== 'granted'; tries++) {
        const next = stepFor({ ...turn, booked: place }, seen);
        if (next.do === 'hold') await hold(table, turn.address, next.until);
        if (next.do === 'wait' || next.do === 'hold') return next.given;
        if (next.do === 'take') seen = await take(table, turn, next, seen);
        else {
          const done = await book(table, turn, next);
          if (done === 'booked') [place, seen] = [next.place, next.standing];
          else seen = done;
        }
      }
      return seen === 'granted' ? { granted: true } : { granted: false, retryAt: now + 1 };
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
      const any = keys.scanner(address, '', '');
      const found = await queryItems(table, {
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)',
        ExpressionAttributeValues: { ':pk': any.pk, ':kind': kindRange(any).first },
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

// How a turn changes the list of hosts. A list that is full, a week old or expired is started again.
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

// As the condition of `JOINED` says, once it is known how the address stands.
function listFor(turn: Turn, seen: StoredTurn | undefined): typeof JOINED | typeof ANEW | typeof UNLISTED {
  if (turn.unlisted === true) return UNLISTED;
  if (seen === undefined) return JOINED;
  const { expiresAt, listedAt = 0, scanners } = seen;
  const stands = expiresAt > turn.now / 1000 && listedAt > turn.now - LISTED_MS;
  return stands && (scanners.size < LISTED_LIMIT || scanners.has(scannerOf(turn))) ? JOINED : ANEW;
}

// How an address stands; `undefined` when it was never given to anybody.
type Seen = StoredTurn | undefined;

async function see(table: Table, address: string): Promise<Seen> {
  const get = new GetCommand({ TableName: table.name, Key: keys.turn(address), ConsistentRead: true });
  const { Item } = await table.client.send(get);
  return Item === undefined ? undefined : readTurn(Item);
}

const FREE = '(attribute_not_exists(pk) OR leaseUntil <= :now OR holder = :attempt)';
const NOT_HELD = '(attribute_not_exists(heldUntil) OR heldUntil <= :now OR holder = :attempt)';
const DISTANT = '(attribute_not_exists(freshAt) OR freshAt <= :lastFresh)';
const NOBODY_WAITS = '(attribute_not_exists(nextFree) OR nextFree <= :now)';

// Gives how the address stood when that was in the way.
async function take(
  table: Table,
  turn: Turn,
  { served }: Extract<TurnStep<StoredTurn>, { do: 'take' }>,
  seen?: Seen,
): Promise<'granted' | StoredTurn> {
  const { now, attempt, fresh } = turn;
  const list = listFor(turn, seen);
  const begins = fresh ? ', freshAt = :now, freshScan = :scan' : '';
  const line = served === undefined ? NOBODY_WAITS : 'waiting = :before';
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(turn.address),
    UpdateExpression: `SET leaseUntil = :leaseUntil, holder = :attempt, expiresAt = :expiresAt${begins}${served ? ', waiting = :after' : ''}${list.update}`,
    ConditionExpression: `${FREE} AND ${fresh ? `(freshScan = :scan OR (${DISTANT} AND ${line}))` : NOT_HELD}${list.condition}`,
    ExpressionAttributeValues: {
      ':now': now,
      ':attempt': attempt,
      ':leaseUntil': now + turn.leaseMs,
      ':expiresAt': expiry(now, KEPT_MS),
      ...(fresh ? { ':scan': freshScanOf(turn), ':lastFresh': now - turn.spacingMs } : {}),
      ...(served ? { ':before': packLine(served.before), ':after': packLine(served.after) } : {}),
      ...list.values(turn),
    },
    ReturnValues: 'UPDATED_OLD',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const done = await unlessRefused(table, update);
  if ('refused' in done) return done.refused;
  if (list === ANEW || (list === JOINED && !readScanners(done.Attributes).has(scannerOf(turn)))) await writeDown(table, turn);
  return 'granted';
}

// Gives how the address stood when another had changed its line.
async function book(
  table: Table,
  { address }: Turn,
  { before, after, nextFree }: Extract<TurnStep<StoredTurn>, { do: 'book' }>,
): Promise<'booked' | StoredTurn> {
  const isNew = before.length === 0;
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(address),
    UpdateExpression: 'SET waiting = :after, nextFree = :nextFree',
    ConditionExpression: isNew ? 'attribute_exists(pk) AND attribute_not_exists(waiting)' : 'waiting = :before',
    ExpressionAttributeValues: { ':after': packLine(after), ':nextFree': nextFree, ...(isNew ? {} : { ':before': packLine(before) }) },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const done = await unlessRefused(table, update);
  return 'refused' in done ? done.refused : 'booked';
}

async function hold(table: Table, address: string, until: number): Promise<void> {
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.turn(address),
    UpdateExpression: 'SET heldUntil = :until',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':until': until },
  });
  await ifHolds(() => table.client.send(update));
}

async function unlessRefused({ client }: Table, update: UpdateCommand): Promise<UpdateCommandOutput | { refused: StoredTurn }> {
  try {
    return await withoutConflict(() => client.send(update));
  } catch (error) {
    if (isConditionFailure(error)) return { refused: readTurn(readRefused(error)) };
    throw error;
  }
}

function scannerOf({ ref }: Turn): string {
  return `${ref.accountId}/${ref.hostId}`;
}
