import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditStore } from '../audit-store.ts';
import { readAccount, readKey } from '../items.ts';
import { keys } from '../keys.ts';
import type { Table } from './table.ts';

/** Accounts and their API keys. */
export function accounts(table: Table): Pick<AuditStore, 'createAccount' | 'findAccount' | 'findKey'> {
  return {
    async createAccount(account, key) {
      const { prefix, ...stored } = key;
      const absent = { TableName: table.name, ConditionExpression: 'attribute_not_exists(pk)' };
      await table.client.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: { ...absent, Item: { ...keys.account(account.id), email: account.email, createdAt: account.createdAt } } },
            { Put: { ...absent, Item: { ...keys.apiKey(prefix), ...stored } } },
          ],
        }),
      );
    },

    async findAccount(accountId) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.account(accountId) }));
      return Item === undefined ? undefined : readAccount(Item);
    },

    async findKey(prefix) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.apiKey(prefix) }));
      return Item === undefined ? undefined : readKey(Item);
    },
  };
}
