import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { groupOf, type NewsOfHost, newsOf } from '../../domain/notice.ts';
import type { Groups } from '../audit-store.ts';
import { readRefused, readWindow } from '../items.ts';
import { keys } from '../keys.ts';
import { noticePut, settleUpdate } from './notices.ts';
import { expiry, ifHolds, isConditionFailure, type Table } from './table.ts';

const HOSTS_LIMIT = 100; // in one mail

/** Alerts of several hosts of an account that come within minutes: the first opens a window, those of other hosts are gathered until it ends. */
export function groups(table: Table): Groups {
  return {
    async openAlertWindow({ accountId, recipient, hostId, now, until }) {
      const put = new PutCommand({
        TableName: table.name,
        Item: { ...keys.alertWindow(accountId, recipient), hostId, until, expiresAt: expiry(until, 0) },
        ConditionExpression: 'attribute_not_exists(pk) OR #until <= :now',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':now': now },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      try {
        await table.client.send(put);
        return { hostId, until };
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        return readWindow(readRefused(error));
      }
    },

    async joinGroup(notice, groupId, dueAt, now) {
      const Settle = { Update: settleUpdate(table, notice.id, { outcome: 'grouped', why: groupId }, now) };
      const Put = { ...noticePut(table, groupOf(notice, groupId, now), dueAt), ConditionExpression: 'attribute_not_exists(pk)' };
      const write = (TransactItems: object[]) => ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
      const append = () => write([{ Update: appending(table, groupId, newsOf(notice)) }, Settle]);
      // Another may make the group between the first look and the second.
      return (await append()) || (await write([{ Put }, Settle])) || append();
    },
  };
}

// One that was claimed may have been sent already: nothing joins it any more.
function appending(table: Table, groupId: string, news: NewsOfHost) {
  return {
    TableName: table.name,
    Key: keys.notice(groupId),
    UpdateExpression: 'SET notice.hosts = list_append(notice.hosts, :news)',
    ConditionExpression: 'tries = :none AND size(notice.hosts) < :most',
    ExpressionAttributeValues: { ':news': [news], ':none': 0, ':most': HOSTS_LIMIT },
  };
}
