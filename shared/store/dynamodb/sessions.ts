import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Sessions } from '../audit-store.ts';
import { readEnded, readKeyParts, readSession } from '../items.ts';
import { keys, kindRange } from '../keys.ts';
import { deleteItems, queryItems } from './batches.ts';
import { expiry, ifHolds, type Table } from './table.ts';

const ENDED_KEPT_MS = 400 * 24 * 60 * 60_000; // longer than any link, or what a browser keeps of one, is good for

/** Who is signed in to the pages, and since when links to sign in by are good. */
export function sessions(table: Table): Sessions {
  return {
    async startSession({ accountId, id, email, startedAt, until }) {
      const ConditionCheck = { TableName: table.name, Key: keys.account(accountId), ConditionExpression: 'attribute_exists(pk)' };
      const notEnded = {
        TableName: table.name,
        Key: keys.ended(email),
        ConditionExpression: 'attribute_not_exists(pk) OR endedAt <= :startedAt',
        ExpressionAttributeValues: { ':startedAt': startedAt },
      };
      const Item = { ...keys.session(accountId, id), email, startedAt, until, expiresAt: Math.ceil(until / 1000) };
      const TransactItems = [{ ConditionCheck }, { ConditionCheck: notEnded }, { Put: { TableName: table.name, Item } }];
      return ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
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

    async endLinks(email, now) {
      await table.client.send(new PutCommand(endedPut(table, email, now)));
    },

    async linksEndedAt(email) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.ended(email), ConsistentRead: true }));
      return Item === undefined ? undefined : readEnded(Item);
    },
  };
}

/** The write that ends links to an address, for the transaction that removes its account too. */
export function endedPut(table: Table, email: string, now: number) {
  return { TableName: table.name, Item: { ...keys.ended(email), endedAt: now, expiresAt: expiry(now, ENDED_KEPT_MS) } };
}

/** Deletes every session of an account. */
export async function deleteSessions(table: Table, accountId: string): Promise<void> {
  const any = keys.session(accountId, '');
  const found = await queryItems(table, {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)',
    ExpressionAttributeValues: { ':pk': any.pk, ':kind': kindRange(any).first },
  });
  await deleteItems(table, found.map(readKeyParts));
}
