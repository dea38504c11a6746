import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { arrivalOf } from '../../domain/canary.ts';
import type { AuditStore } from '../audit-store.ts';
import { readCanary } from '../items.ts';
import { keys } from '../keys.ts';
import { readItems } from './batches.ts';
import { expiry, isConditionFailure, type Table, withoutConflict } from './table.ts';

const KNOWN_MS = 7 * 24 * 60 * 60_000; // a relay tries for five days at most (RFC 5321 §4.5.4.1); what comes later proves nothing of today

/** Canaries on their way, and those that came back. */
export function canaries(table: Table): Pick<AuditStore, 'expectCanary' | 'findCanary' | 'markCanary' | 'readArrivals'> {
  return {
    async expectCanary({ id, ...canary }) {
      const Item = { ...keys.canary(id), ...canary, expiresAt: expiry(canary.sentAt, KNOWN_MS) };
      await table.client.send(new PutCommand({ TableName: table.name, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
    },

    async findCanary(canaryId) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.canary(canaryId), ConsistentRead: true }));
      const canary = Item === undefined ? undefined : readCanary(Item).canary;
      return canary !== undefined && isKnown(table, canary) ? canary : undefined;
    },

    async markCanary(canaryId, arrived) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keys.canary(canaryId),
        UpdateExpression: 'SET arrival = if_not_exists(arrival, :arrival)',
        ConditionExpression: 'sentAt > :oldest',
        ExpressionAttributeValues: { ':arrival': { at: arrived.at, path: arrived.path }, ':oldest': table.clock() - KNOWN_MS },
        ReturnValues: 'ALL_NEW',
      });
      try {
        const { Attributes } = await withoutConflict(() => table.client.send(update));
        const { canary, arrival } = readCanary(Attributes);
        return arrivalOf(canary, arrival ?? arrived);
      } catch (error) {
        if (isConditionFailure(error)) return undefined;
        throw error;
      }
    },

    async readArrivals({ hostId, scanId }, canaryIds) {
      const arrivals = (await readItems(table, [...new Set(canaryIds)].map(keys.canary))).flatMap((item) => {
        const { canary, arrival } = readCanary(item);
        const ours = canary.hostId === hostId && canary.scanId === scanId && isKnown(table, canary);
        return ours && arrival !== undefined ? [arrivalOf(canary, arrival)] : [];
      });
      return arrivals.toSorted((a, b) => a.at - b.at);
    },
  };
}

function isKnown(table: Table, { sentAt }: { readonly sentAt: number }): boolean {
  return sentAt > table.clock() - KNOWN_MS;
}
