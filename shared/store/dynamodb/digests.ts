import { DeleteCommand, TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Notice } from '../../domain/notice.ts';
import type { Digests, Stored, Tellings } from '../audit-store.ts';
import { readDigest } from '../items.ts';
import { keys } from '../keys.ts';
import { noticePut } from './notices.ts';
import { stateUpdate } from './results.ts';
import { queryDue } from './schedule.ts';
import { ifHolds, type Table } from './table.ts';

/** Digests that are owed to the owners of hosts which turn too often, and what else is told beside scans. */
export function digests(table: Table): Digests & Tellings {
  const Delete = (hostId: string) => ({ TableName: table.name, Key: keys.digest(hostId) });
  const puts = (notices: readonly Notice[]) => notices.map((notice) => ({ Put: noticePut(table, notice) }));
  const storeAll = async (TransactItems: NonNullable<TransactWriteCommandInput['TransactItems']>): Promise<Stored> =>
    (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
  return {
    async dueDigests(now, limit) {
      return (await queryDue(table, 'DIGEST', now, limit)).map(readDigest);
    },

    async storeDigest({ host, state, notices }) {
      return storeAll([{ Update: stateUpdate(table, host, state) }, { Delete: Delete(host.id) }, ...puts(notices)]);
    },

    async storeTold({ host, state, notices }) {
      return storeAll([{ Update: stateUpdate(table, host, state) }, ...puts(notices)]);
    },

    async dropDigest(hostId, now) {
      // The index may still show one that was told; another may be owed by now, for later.
      const due = { ConditionExpression: 'dueAt <= :now', ExpressionAttributeValues: { ':now': now } };
      await ifHolds(() => table.client.send(new DeleteCommand({ ...Delete(hostId), ...due })));
    },
  };
}
