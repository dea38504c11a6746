import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ApiKeys, StoredKey } from '../audit-store.ts';
import { readKey, readLiveKeys } from '../items.ts';
import { keys } from '../keys.ts';
import { readItems } from './batches.ts';
import { ifHolds, refusedWrites, type Table, withoutConflict } from './table.ts';

/** API keys. Each is an item; the account holds the prefixes of its live keys, and so counts them. */
export function apiKeys(table: Table): ApiKeys {
  return {
    async findKey(prefix) {
      // Read as it is now: a revoked key opens nothing any more, and a new one opens at once.
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.apiKey(prefix), ConsistentRead: true }));
      return Item === undefined ? undefined : readKey(Item);
    },

    async listKeys(accountId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.account(accountId), ConsistentRead: true }),
      );
      const prefixes = Item === undefined ? [] : readLiveKeys(Item);
      const found = (await readItems(table, prefixes.map(keys.apiKey))).map(readKey);
      return found.toSorted((a, b) => a.createdAt - b.createdAt || (a.prefix < b.prefix ? -1 : 1));
    },

    async addKey(key, most) {
      const count = {
        TableName: table.name,
        Key: keys.account(key.accountId),
        UpdateExpression: 'ADD liveKeys :key',
        ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(liveKeys) OR size(liveKeys) < :most)',
        ExpressionAttributeValues: { ':key': new Set([key.prefix]), ':most': most },
      };
      const TransactItems = [{ Update: count }, { Put: apiKeyPut(table, key) }];
      try {
        await withoutConflict(() => table.client.send(new TransactWriteCommand({ TransactItems })));
        return true;
      } catch (error) {
        const [noRoom] = refusedWrites(error);
        if (noRoom) return false;
        throw error;
      }
    },

    async revokeKey(accountId, prefix) {
      const uncount = {
        TableName: table.name,
        Key: keys.account(accountId),
        UpdateExpression: 'DELETE liveKeys :key',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':key': new Set([prefix]) },
      };
      const Delete = {
        TableName: table.name,
        Key: keys.apiKey(prefix),
        ConditionExpression: 'accountId = :account',
        ExpressionAttributeValues: { ':account': accountId },
      };
      const TransactItems = [{ Update: uncount }, { Delete }];
      return ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
    },

    async touchKey(prefix, now) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keys.apiKey(prefix),
        UpdateExpression: 'SET lastUsedAt = :now',
        ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :now)',
        ExpressionAttributeValues: { ':now': now },
      });
      await ifHolds(() => table.client.send(update));
    },
  };
}

/** The write of a new key, for the transaction that counts it. */
export function apiKeyPut(table: Table, { prefix, ...stored }: StoredKey) {
  return { TableName: table.name, Item: { ...keys.apiKey(prefix), ...stored }, ConditionExpression: 'attribute_not_exists(pk)' };
}
