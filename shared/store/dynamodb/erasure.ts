import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Host } from '../../domain/host.ts';
import type { Erasures } from '../audit-store.ts';
import { readErasure, readKeyParts } from '../items.ts';
import { type DueQueue, keys } from '../keys.ts';
import { deleteItems, queryItems } from './batches.ts';
import { queryDue } from './schedule.ts';
import type { Table } from './table.ts';

const ERASE_AFTER_MS = 30 * 60_000; // a scan that was under way when its host was removed has ended by then, and left what it leaves

/** The erasure of what removed hosts leave behind: scans, owed scans, changes, days, evidence and notices. */
export function erasure(table: Table): Erasures {
  return {
    async dueErasures(now, limit) {
      return (await queryDue(table, 'ERASE', now, limit)).map(readErasure);
    },

    async eraseSome(hostId, most) {
      // One more than may go, which tells whether anything is left.
      const found = await leftOf(table, hostId, most + 1);
      await deleteItems(table, found.slice(0, most).map(readKeyParts));
      if (found.length > most) return false;
      await table.client.send(new DeleteCommand({ TableName: table.name, Key: keys.erasure(hostId) }));
      return true;
    },
  };
}

async function leftOf(table: Table, hostId: string, most: number): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const pk of [keys.scan(hostId, '').pk, keys.evidence(hostId, '').pk, keys.notices(hostId)]) {
    if (found.length >= most) break;
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk }, ProjectionExpression: 'pk, sk' };
    found.push(...(await queryItems(table, query, most - found.length)));
  }
  return found;
}

/** The write that owes an erasure, for the transaction that removes the host. */
export function erasurePut(table: Table, { accountId, id }: Host) {
  const item = { ...keys.erasure(id), accountId, dueQueue: 'ERASE' satisfies DueQueue, dueAt: table.clock() + ERASE_AFTER_MS };
  return { TableName: table.name, Item: item };
}
