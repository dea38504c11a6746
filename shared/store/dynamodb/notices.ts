import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Notice } from '../../domain/notice.ts';
import type { AuditStore } from '../audit-store.ts';
import { readClaim, readKeyParts } from '../items.ts';
import { type DueQueue, idIn, keys } from '../keys.ts';
import { queryDue } from './schedule.ts';
import { expiry, isConditionFailure, type Table, withoutConflict } from './table.ts';

/** Notices. One is unsettled as long as it has `dueAt`, which also keeps it in the index of what is due. */
export function notices(table: Table): Pick<AuditStore, 'dueNotices' | 'claimNotice' | 'settleNotice' | 'releaseNotice'> {
  const update = (noticeId: string, change: { set: string; condition: string; values: Record<string, unknown> }) =>
    withoutConflict(() =>
      table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: keys.notice(noticeId),
          UpdateExpression: change.set,
          ConditionExpression: change.condition,
          ExpressionAttributeValues: change.values,
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
  return {
    async dueNotices(now, limit) {
      return (await queryDue(table, 'NOTICE', now, limit)).map((item) => idIn(readKeyParts(item).pk));
    },

    async claimNotice(noticeId, now, until) {
      try {
        const { Attributes } = await update(noticeId, {
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

    async settleNotice(noticeId, messageId, now) {
      await update(noticeId, {
        set: 'SET messageId = :messageId, sentAt = :now, expiresAt = :expiresAt REMOVE dueQueue, dueAt',
        condition: 'attribute_exists(pk)',
        values: { ':messageId': messageId, ':now': now, ':expiresAt': expiry(now, table.retentionMs) },
      });
    },

    async releaseNotice(noticeId, dueAt) {
      await update(noticeId, { set: 'SET dueAt = :dueAt', condition: 'attribute_exists(dueAt)', values: { ':dueAt': dueAt } });
    },
  };
}

/** The write of a notice, for the transaction of its change. */
export function noticePut(table: Table, notice: Notice) {
  const item = { ...keys.notice(notice.id), notice, tries: 0, dueQueue: 'NOTICE' satisfies DueQueue, dueAt: notice.changedAt };
  return { TableName: table.name, Item: item };
}
