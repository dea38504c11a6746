import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Host } from '../../domain/host.ts';
import type { OwedScan, ScanRef } from '../../domain/scan.ts';
import type { OwedScans, Wheel } from '../audit-store.ts';
import { readDueScan, readOwed, readPresence, readTick, readWaiting, readWheelEntry } from '../items.ts';
import { DUE_INDEX, type DueQueue, keys, kindRange } from '../keys.ts';
import { queryItems } from './batches.ts';
import { expiry, ifHolds, type Table } from './table.ts';

const WAITING_MS = 2 * 60_000; // what no dispatch has said again since has been sent

/** The timing wheel, its cursor and the owed scans. */
export function schedule(table: Table): Wheel & OwedScans {
  return { ...wheel(table), ...owedScans(table), ...presences(table) };
}

function presences(table: Table): Pick<OwedScans, 'notePresence' | 'findPresence'> {
  return {
    async notePresence({ hostId, scanId, address, until }) {
      const Item = { ...keys.presence(hostId, scanId), address, until, expiresAt: expiry(until, 0) };
      await table.client.send(new PutCommand({ TableName: table.name, Item }));
    },

    async findPresence(hostId, scanId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.presence(hostId, scanId), ConsistentRead: true }),
      );
      const presence = Item === undefined ? undefined : readPresence(Item);
      return presence === undefined || presence.until <= table.clock() ? undefined : presence;
    },
  };
}

function wheel(table: Table): Wheel {
  return {
    async readCursor() {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.cursor(), ConsistentRead: true }));
      return Item === undefined ? undefined : readTick(Item);
    },

    async moveCursor(from, to) {
      const condition =
        from === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : { ConditionExpression: 'tick = :from', ExpressionAttributeValues: { ':from': from } };
      return ifHolds(() =>
        table.client.send(new PutCommand({ TableName: table.name, Item: { ...keys.cursor(), tick: to }, ...condition })),
      );
    },

    async hostsInSlot(period, slot) {
      const { pk } = keys.wheel(period, slot, '');
      const found = await queryItems(table, { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } });
      return found.map(readWheelEntry);
    },
  };
}

function owedScans(table: Table): Omit<OwedScans, 'notePresence' | 'findPresence'> {
  return {
    async owe(owed) {
      return ifHolds(() => table.client.send(new PutCommand({ ...owedPut(table, owed), ConditionExpression: 'attribute_not_exists(pk)' })));
    },

    async findOwed(hostId, scanId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.owed(hostId, scanId), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : readOwed(Item);
    },

    async owedOf(hostId) {
      const any = keys.owed(hostId, '');
      const { first, last } = kindRange(any);
      const found = await queryItems(table, {
        // Between two bounds: where a partition holds 50,000 scans behind it, the embedded engine looks at all of them for a prefix.
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: { ':pk': any.pk, ':first': first, ':last': last },
      });
      return found.map(readOwed);
    },

    async dueScans(now, limit) {
      return (await queryDue(table, 'OWED', now, limit)).map(readDueScan);
    },

    async noteWaiting(accountId, waiting, now) {
      const Item = { ...keys.waiting(accountId), waiting, at: now, expiresAt: expiry(now, WAITING_MS) };
      await table.client.send(new PutCommand({ TableName: table.name, Item }));
    },

    async waitingScans(accountId, now) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.waiting(accountId) }));
      const noted = Item === undefined ? undefined : readWaiting(Item);
      return noted !== undefined && noted.at + WAITING_MS > now ? noted.waiting : 0;
    },

    async leaseScan(ref, until) {
      await setOfOwed(table, ref, 'dueAt', until);
    },

    async putOff(host, owed, trouble) {
      // Another delivery may have made a sitting meanwhile, and what that found would be lost.
      const further = {
        ConditionExpression: 'attribute_not_exists(sittings) OR sittings <= :sittings',
        ExpressionAttributeValues: { ':sittings': owed.begun?.sittings ?? 0 },
      };
      return keepWaiting(table, host, { ...owed, trouble }, further);
    },

    async continueScan(host, owed) {
      return keepWaiting(table, host, { ...owed, trouble: undefined });
    },

    async dropOwed(ref) {
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: keys.owed(ref.hostId, ref.scanId) }));
    },

    async noteProgress(ref, underWay) {
      await setOfOwed(table, ref, 'underWay', underWay);
    },
  };
}

// The result may have been stored since the scan was read, and the owed scan gone with it: then nothing is written.
async function setOfOwed(table: Table, ref: ScanRef, attribute: 'dueAt' | 'underWay', value: unknown): Promise<void> {
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.owed(ref.hostId, ref.scanId),
    UpdateExpression: `SET ${attribute} = :value`,
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':value': value },
  });
  await ifHolds(() => table.client.send(update));
}

// Makes the scan the one of its host that waits, unless another is or its result is stored.
async function keepWaiting(table: Table, host: Host, owed: OwedScan, unless = {}): Promise<boolean> {
  const claim = {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    UpdateExpression: 'SET #state.putOff = :scan ADD #state.version :one',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(#state.putOff) OR #state.putOff = :scan)',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':scan': owed.scanId, ':one': 1 },
  };
  const ConditionCheck = {
    TableName: table.name,
    Key: keys.scan(host.id, owed.scanId),
    ConditionExpression: 'attribute_not_exists(pk)',
  };
  const TransactItems = [{ Update: claim }, { ConditionCheck }, { Put: { ...owedPut(table, owed), ...unless } }];
  return ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
}

/** The write of an owed scan, for transactions too. */
export function owedPut(table: Table, owed: OwedScan) {
  const { hostId, scanId, begun, ...rest } = owed;
  return { TableName: table.name, Item: { ...keys.owed(hostId, scanId), dueQueue: 'OWED' satisfies DueQueue, ...rest, ...begun } };
}

/** What of one kind is due at `now`, oldest first. The index lags a little behind the table: what it misses it shows a tick later. */
export async function queryDue(table: Table, queue: DueQueue, now: number, limit: number): Promise<Record<string, unknown>[]> {
  const query = {
    IndexName: DUE_INDEX.name,
    ConsistentRead: false, // an index has no other
    KeyConditionExpression: 'dueQueue = :queue AND dueAt <= :now',
    ExpressionAttributeValues: { ':queue': queue, ':now': now },
  };
  return queryItems(table, query, limit);
}
