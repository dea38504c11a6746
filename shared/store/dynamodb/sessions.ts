import { DeleteCommand, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditStore } from '../audit-store.ts';
import { readKeyParts, readSession } from '../items.ts';
import { keys } from '../keys.ts';
import { deleteItems, queryItems } from './batches.ts';
import { ifHolds, type Table } from './table.ts';

/** Who is signed in to the pages. */
export function sessions(table: Table): Pick<AuditStore, 'startSession' | 'findSession' | 'endSession' | 'endSessions'> {
  return {
    async startSession({ accountId, id, email, startedAt, until }) {
      const ConditionCheck = { TableName: table.name, Key: keys.account(accountId), ConditionExpression: 'attribute_exists(pk)' };
      const Item = { ...keys.session(accountId, id), email, startedAt, until, expiresAt: Math.ceil(until / 1000) };
      return ifHolds(() =>
        table.client.send(new TransactWriteCommand({ TransactItems: [{ ConditionCheck }, { Put: { TableName: table.name, Item } }] })),
      );
    },

    async findSession(accountId, id, now) {
      const Key = keys.session(accountId, id);
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key, ConsistentRead: true }));
      const session = Item === undefined ? undefined : readSession(Item);
      return session !== undefined && session.until > now ? session : undefined;
    },

    async endSession(accountId, id) {
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: keys.session(accountId, id) }));
    },

    async endSessions(accountId) {
      await deleteSessions(table, accountId);
    },
  };
}

/** Deletes every session of an account. */
export async function deleteSessions(table: Table, accountId: string): Promise<void> {
  const { pk } = keys.session(accountId, '');
  const found = await queryItems(table, {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)',
    ExpressionAttributeValues: { ':pk': pk, ':kind': 'SESSION#' },
  });
  await deleteItems(table, found.map(readKeyParts));
}
