import { GetCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Accounts } from '../audit-store.ts';
import { readAccount, readLiveKeys, readOwner } from '../items.ts';
import { type Key, keys } from '../keys.ts';
import { apiKeyPut } from './api-keys.ts';
import { deletePartition } from './batches.ts';
import { deleteRecipients } from './recipients.ts';
import { deleteSessions, endedPut } from './sessions.ts';
import { ifHolds, refusedWrites, type Table, withoutConflict } from './table.ts';

const REMOVE_TRIES = 5; // each time a key was added or revoked since the account was read

/** Accounts, and whose a mail address is. */
export function accounts(table: Table): Accounts {
  return {
    async createAccount(account, key) {
      const absent = { TableName: table.name, ConditionExpression: 'attribute_not_exists(pk)' };
      const { email, createdAt } = account;
      const TransactItems = [
        { Put: { ...absent, Item: { ...keys.email(email), accountId: account.id } } },
        {
          Put: {
            ...absent,
            Item: { ...keys.account(account.id), email, createdAt, ...(key === undefined ? {} : { liveKeys: new Set([key.prefix]) }) },
          },
        },
        ...(key === undefined ? [] : [{ Put: apiKeyPut(table, key) }]),
      ];
      try {
        await withoutConflict(() => table.client.send(new TransactWriteCommand({ TransactItems })));
        return true;
      } catch (error) {
        const [emailTaken] = refusedWrites(error);
        if (emailTaken) return false;
        throw error;
      }
    },

    async findAccount(accountId) {
      const item = await read(table, keys.account(accountId));
      return item === undefined ? undefined : readAccount(item);
    },

    async findAccountByEmail(email) {
      const owner = await read(table, keys.email(email));
      const item = owner === undefined ? undefined : await read(table, keys.account(readOwner(owner)));
      return item === undefined ? undefined : readAccount(item);
    },

    async setHostQuota(accountId, hosts) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keys.account(accountId),
        UpdateExpression: 'SET hostQuota = :hosts',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':hosts': hosts },
      });
      return ifHolds(() => table.client.send(update));
    },

    async removeAccount({ id }) {
      // The account goes after its recipients, so that a removal that broke off can be asked for again. One that was
      // confirmed in between is found by the second look; later ones are refused.
      await deleteRecipients(table, id);
      await removeWithKeys(table, id);
      await deleteRecipients(table, id);
      await deleteSessions(table, id);
      for (const pk of [keys.request(id, '').pk, keys.notices(id), keys.alertWindow(id, '').pk]) await deletePartition(table, pk);
    },
  };
}

async function read(table: Table, key: Key): Promise<Record<string, unknown> | undefined> {
  const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }));
  return Item;
}

// A key that outlived its account would be nobody's to revoke: the account goes only with exactly the keys it has then.
async function removeWithKeys(table: Table, accountId: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    const item = await read(table, keys.account(accountId));
    if (item === undefined) return;
    const { email } = readAccount(item);
    const owner = await read(table, keys.email(email));
    const isOurs = owner !== undefined && readOwner(owner) === accountId;
    const prefixes = readLiveKeys(item);
    const sameKeys =
      prefixes.length === 0
        ? { ConditionExpression: 'attribute_not_exists(liveKeys)' }
        : { ConditionExpression: 'liveKeys = :keys', ExpressionAttributeValues: { ':keys': new Set(prefixes) } };
    const TransactItems = [
      { Delete: { TableName: table.name, Key: keys.account(accountId), ...sameKeys } },
      ...[...(isOurs ? [keys.email(email)] : []), ...prefixes.map(keys.apiKey)].map((Key) => ({ Delete: { TableName: table.name, Key } })),
      { Put: endedPut(table, email, table.clock()) },
    ];
    if (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) return;
  }
  throw new Error('the keys of the account kept changing while it was to be removed');
}
