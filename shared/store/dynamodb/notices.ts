import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Channel, Notice, NoticeOutcome } from '../../domain/notice.ts';
import type { Notices } from '../audit-store.ts';
import { readClaim, readDueWebhook, readKeyParts, readNoticeRecord } from '../items.ts';
import { type DueQueue, keys, noticeIdOf } from '../keys.ts';
import { queryDue } from './schedule.ts';
import { expiry, ifHolds, isConditionFailure, type Table, withoutConflict } from './table.ts';

// What later news may be noted over: events come in any order, and of a mail that was complained of it is not told that it arrived.
const WEAKER: Partial<Record<NoticeOutcome, readonly NoticeOutcome[]>> = {
  delivered: ['sent'],
  rejected: ['sent'],
  bounced: ['sent', 'delivered'],
  complained: ['sent', 'delivered', 'bounced'],
};

// Webhooks that nobody answers stand in a queue of their own, where they hold up no mail.
const QUEUES = { mail: 'NOTICE', webhook: 'WEBHOOK' } as const satisfies Record<Channel, DueQueue>;

/** Notices. One is unsettled as long as it has `dueAt`, which also keeps it in the index of what is due. */
export function notices(table: Table): Notices {
  return { ...sending(table), ...looking(table) };
}

function sending(table: Table): Omit<Notices, 'findNotice' | 'listNotices'> {
  return {
    async dueMails(now, limit) {
      return (await queryDue(table, QUEUES.mail, now, limit)).map((item) => noticeIdOf(readKeyParts(item)));
    },

    async dueWebhooks(now, limit) {
      return (await queryDue(table, QUEUES.webhook, now, limit)).map(readDueWebhook);
    },

    async claimNotice(noticeId, now, until) {
      try {
        const { Attributes } = await update(table, noticeId, {
          set: 'SET dueAt = :until ADD tries :one',
          condition: 'dueAt <= :now',
          values: { ':until': until, ':now': now, ':one': 1 },
        });
        return readClaim(Attributes);
      } catch (error) {
        if (isConditionFailure(error)) return undefined;
        throw error;
      }
    },

    async settleNotice(noticeId, { outcome, messageId, why }, now) {
      return ifHolds(() => update(table, noticeId, settling(table, { outcome, messageId, why }, now)));
    },

    async noteDelivery(noticeId, outcome) {
      const weaker = WEAKER[outcome] ?? [];
      const values = Object.fromEntries(weaker.map((each, index) => [`:w${index}`, each]));
      await ifHolds(() =>
        update(table, noticeId, {
          set: 'SET outcome = :outcome',
          condition: `outcome IN (${Object.keys(values).join(', ')})`,
          values: { ':outcome': outcome, ...values },
        }),
      );
    },

    async releaseNotice(noticeId, dueAt, why, tried = true) {
      await ifHolds(() =>
        update(table, noticeId, {
          set: 'SET dueAt = :dueAt, why = :why ADD tries :more',
          condition: 'attribute_exists(dueAt)',
          values: { ':dueAt': dueAt, ':why': why, ':more': tried ? 0 : -1 },
        }),
      );
    },

    async repeatNotice({ id, channel }, now) {
      return ifHolds(() =>
        update(table, id, {
          set: 'SET dueAt = :now, dueQueue = :queue, tries = :none, repeatedAt = :now REMOVE outcome, settledAt, messageId, why, expiresAt',
          condition: 'attribute_exists(pk) AND attribute_not_exists(dueAt)',
          values: { ':now': now, ':queue': QUEUES[channel], ':none': 0 },
        }),
      );
    },
  };
}

function looking(table: Table): Pick<Notices, 'findNotice' | 'listNotices'> {
  return {
    async findNotice(noticeId) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.notice(noticeId), ConsistentRead: true }));
      return Item === undefined ? undefined : readNoticeRecord(Item);
    },

    async listNotices(hostId, limit, after) {
      const { Items = [], LastEvaluatedKey } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: 'attribute_not_exists(expiresAt) OR expiresAt > :now',
          ExpressionAttributeValues: { ':pk': keys.notices(hostId), ':now': table.clock() / 1000 },
          ScanIndexForward: false,
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: keys.notice(`${hostId}-${after}`) }),
        }),
      );
      return { items: Items.map(readNoticeRecord), next: LastEvaluatedKey === undefined ? undefined : readKeyParts(LastEvaluatedKey).sk };
    },
  };
}

type Change = { readonly set: string; readonly condition: string; readonly values: Record<string, unknown> };

function update(table: Table, noticeId: string, change: Change) {
  return withoutConflict(() => table.client.send(new UpdateCommand({ ...updateOf(table, noticeId, change), ReturnValues: 'ALL_NEW' })));
}

function updateOf(table: Table, noticeId: string, { set, condition, values }: Change) {
  return {
    TableName: table.name,
    Key: keys.notice(noticeId),
    UpdateExpression: set,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  };
}

type Settled = { readonly outcome: NoticeOutcome; readonly messageId?: string | undefined; readonly why?: string | undefined };

function settling(table: Table, { outcome, messageId, why }: Settled, now: number): Change {
  const more = [...(messageId === undefined ? [] : ['messageId = :messageId']), ...(why === undefined ? [] : ['why = :why'])];
  return {
    set: `SET ${['outcome = :outcome', 'settledAt = :now', 'expiresAt = :expiresAt', ...more].join(', ')} REMOVE dueQueue, dueAt`,
    condition: 'attribute_exists(dueAt)',
    values: {
      ':outcome': outcome,
      ':now': now,
      ':expiresAt': expiry(now, table.retentionMs),
      ...(messageId === undefined ? {} : { ':messageId': messageId }),
      ...(why === undefined ? {} : { ':why': why }),
    },
  };
}

/** The write that settles an unsettled notice, for transactions. */
export function settleUpdate(table: Table, noticeId: string, settled: Settled, now: number) {
  return updateOf(table, noticeId, settling(table, settled, now));
}

/** The write of a notice, for the transaction of its change. `dueAt` is when it may go, if not at once. */
export function noticePut(table: Table, notice: Notice, dueAt: number = notice.owedAt) {
  const { accountId, channel } = notice;
  const item = { ...keys.notice(notice.id), accountId, notice, tries: 0, dueQueue: QUEUES[channel], dueAt };
  return { TableName: table.name, Item: item };
}
