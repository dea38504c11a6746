import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { NeverList, Pauses } from '../audit-store.ts';
import { readNever, readPause } from '../items.ts';
import { keys } from '../keys.ts';
import { queryItems, readItems } from './batches.ts';
import { expiry, ifHolds, type Table } from './table.ts';

/** What is not to be probed: for good, by the never-list, or for a while, by a pause. */
export function optOuts(table: Table): NeverList & Pauses {
  return { ...never(table), ...pauses(table) };
}

// One partition: an operator writes it by hand, and it is read as a whole.
function never(table: Table): NeverList {
  return {
    async neverList() {
      const { pk } = keys.never('');
      const items = await queryItems(table, { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } });
      return items.map(readNever);
    },

    async isNever(target) {
      const get = new GetCommand({ TableName: table.name, Key: keys.never(target), ConsistentRead: true, ProjectionExpression: 'pk' });
      return (await table.client.send(get)).Item !== undefined;
    },

    async addNever({ target, ...entry }) {
      await table.client.send(new PutCommand({ TableName: table.name, Item: { ...keys.never(target), ...entry } }));
    },

    async removeNever(target) {
      const remove = new DeleteCommand({ TableName: table.name, Key: keys.never(target), ConditionExpression: 'attribute_exists(pk)' });
      return ifHolds(() => table.client.send(remove));
    },
  };
}

function pauses(table: Table): Pauses {
  return {
    async pause({ address, ...pause }) {
      const expiresAt = expiry(Math.max(pause.until, pause.heedAgainAt ?? 0), 0);
      const put = new PutCommand({
        TableName: table.name,
        Item: { ...keys.pause(address), ...pause, expiresAt },
        ConditionExpression:
          'attribute_not_exists(pk) OR (#until <= :since AND (attribute_not_exists(heedAgainAt) OR heedAgainAt <= :since))',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':since': pause.since },
      });
      return ifHolds(() => table.client.send(put));
    },

    async pausesOf(addresses, now) {
      const found = (await readItems(table, [...new Set(addresses)].map(keys.pause))).map(readPause);
      return found.filter(({ until }) => until > now);
    },

    async liftPause(address, now, heedAgainAt) {
      await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: keys.pause(address),
          // A pause that was over by itself, and deleted, is lifted as well: what counts is that no other is heeded.
          UpdateExpression: 'SET since = if_not_exists(since, :now), #until = :now, heedAgainAt = :heedAgainAt, expiresAt = :expiresAt',
          ExpressionAttributeNames: { '#until': 'until' },
          ExpressionAttributeValues: { ':now': now, ':heedAgainAt': heedAgainAt, ':expiresAt': expiry(Math.max(now, heedAgainAt), 0) },
        }),
      );
    },
  };
}
