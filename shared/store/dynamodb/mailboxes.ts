import { TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { MAIL_STOPS } from '../../domain/mail-stop.ts';
import type { Mailboxes } from '../audit-store.ts';
import { readKeyParts, readMailbox } from '../items.ts';
import { type Key, keys } from '../keys.ts';
import { readItems } from './batches.ts';
import { ifHolds, type Table } from './table.ts';

/**
 * What stands against mail to an address: that it bounced, whosever account it is; or that its reader wants none of this account's, or
 * called one spam.
 */
export function mailboxes(table: Table): Mailboxes {
  return {
    async mailStops(accountId, emails, readerAsks = false) {
      const unique = [...new Map(emails.map((email) => [keys.mailbox(email).pk, email])).values()];
      const found = await readItems(
        table,
        unique.flatMap((email) => placesOf(accountId, email)),
      );
      const stopped = new Map(found.map((item) => [pair(readKeyParts(item)), readMailbox(item, accountId === undefined && !readerAsks)]));
      return emails.flatMap((email) => {
        const stops = placesOf(accountId, email).flatMap((key) => stopped.get(pair(key)) ?? []);
        const why = MAIL_STOPS.find((each) => stops.includes(each));
        return why === undefined ? [] : [{ email, why }];
      });
    },

    async stopMail(email, why, now, of) {
      const update = {
        TableName: table.name,
        Key: typeof of === 'object' ? keys.unsubscribed(of.accountId, email) : keys.mailbox(email),
        UpdateExpression: 'SET #why = if_not_exists(#why, :now)',
        ExpressionAttributeNames: { '#why': of === 'unasked' ? of : why },
        ExpressionAttributeValues: { ':now': now },
      };
      if (typeof of !== 'object') return void (await table.client.send(new UpdateCommand(update)));
      const ConditionCheck = { TableName: table.name, Key: keys.account(of.accountId), ConditionExpression: 'attribute_exists(pk)' };
      await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems: [{ ConditionCheck }, { Update: update }] })));
    },

    async unsubscribe(accountId, email, now) {
      const ConditionCheck = { TableName: table.name, Key: keys.account(accountId), ConditionExpression: 'attribute_exists(pk)' };
      const Put = { TableName: table.name, Item: { ...keys.unsubscribed(accountId, email), unsubscribed: now } };
      // What is sent to a removed account's recipients has been sent; nothing of the account comes back for it.
      await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems: [{ ConditionCheck }, { Put }] })));
    },
  };
}

function placesOf(accountId: string | undefined, email: string): Key[] {
  return [keys.mailbox(email), ...(accountId === undefined ? [] : [keys.unsubscribed(accountId, email)])];
}

function pair({ pk, sk }: { pk: string; sk: string }): string {
  return `${pk} ${sk}`;
}
