import { DeleteCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Digests } from '../audit-store.ts';
import { readDigest } from '../items.ts';
import { keys } from '../keys.ts';
import { noticePut } from './notices.ts';
import { stateUpdate } from './results.ts';
import { queryDue } from './schedule.ts';
import { ifHolds, type Table } from './table.ts';

/** Digests that are owed to the owners of hosts which turn too often. */
export function digests(table: Table): Digests {
  const Delete = (hostId: string) => ({ TableName: table.name, Key: keys.digest(hostId) });
  return {
    async dueDigests(now, limit) {
      return (await queryDue(table, 'DIGEST', now, limit)).map(readDigest);
    },

    async storeDigest({ host, state, notices }) {
      const TransactItems = [
        { Update: stateUpdate(table, host, state) },
        { Delete: Delete(host.id) },
        ...notices.map((notice) => ({ Put: noticePut(table, notice) })),
      ];
      return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
    },

    async dropDigest(hostId, now) {
      // The index may still show one that was told; another may be owed by now, for later.
      const due = { ConditionExpression: 'dueAt <= :now', ExpressionAttributeValues: { ':now': now } };
      await ifHolds(() => table.client.send(new DeleteCommand({ ...Delete(hostId), ...due })));
    },
  };
}
