import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Recipients } from '../audit-store.ts';
import { readAccount, readKeyParts } from '../items.ts';
import { keys, kindRange } from '../keys.ts';
import { deleteItems, queryItems, readItems } from './batches.ts';
import { ifHolds, type Table } from './table.ts';

/** Mail addresses that an account may send alerts to. Its own is one as long as the account is there, without an item. */
export function recipients(table: Table): Recipients {
  return {
    async confirmedRecipients(accountId, emails) {
      const sortKeyOf = (email: string) => keys.recipient(accountId, email).sk;
      const account = keys.account(accountId);
      const wanted = [...new Set(emails.map(sortKeyOf))].map((sk) => ({ pk: account.pk, sk }));
      const found = await readItems(table, [account, ...wanted]);
      const confirmed = new Set(
        found.map((item) => {
          const { sk } = readKeyParts(item);
          return sk === account.sk ? sortKeyOf(readAccount(item).email) : sk;
        }),
      );
      return emails.filter((email) => confirmed.has(sortKeyOf(email)));
    },

    async confirmRecipient(accountId, email, now) {
      const ConditionCheck = { TableName: table.name, Key: keys.account(accountId), ConditionExpression: 'attribute_exists(pk)' };
      const Put = { TableName: table.name, Item: { ...keys.recipient(accountId, email), confirmedAt: now } };
      // The account may have been removed since the mail with the question was sent; then nothing of it comes back.
      // Who confirms again after they unsubscribed wants the mail again.
      const Delete = { TableName: table.name, Key: keys.unsubscribed(accountId, email) };
      await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems: [{ ConditionCheck }, { Put }, { Delete }] })));
    },
  };
}

/** Deletes the confirmed recipients of an account, and what it keeps of readers who unsubscribed, all of it. */
export async function deleteRecipients(table: Table, accountId: string): Promise<void> {
  const of = { KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)' };
  const found = await Promise.all(
    [keys.recipient(accountId, ''), keys.unsubscribed(accountId, '')].map((any) =>
      queryItems(table, { ...of, ExpressionAttributeValues: { ':pk': any.pk, ':kind': kindRange(any).first } }),
    ),
  );
  await deleteItems(table, found.flat().map(readKeyParts));
}
