import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { arrivalOf, bounceOf } from '../../domain/canary.ts';
import type { Canaries } from '../audit-store.ts';
import { readCanary, type StoredCanary } from '../items.ts';
import { keys } from '../keys.ts';
import { readItems } from './batches.ts';
import { expiry, isConditionFailure, type Table, withoutConflict } from './table.ts';

const KNOWN_MS = 7 * 24 * 60 * 60_000; // a relay tries for five days at most (RFC 5321 §4.5.4.1); what comes later proves nothing of today

/** Canaries on their way, those that came back, and those that were bounced. */
export function canaries(table: Table): Canaries {
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

    async markCanary(canaryId, { at, path }) {
      const marked = await mark(table, canaryId, 'arrival', { at, path });
      return marked && arrivalOf(marked.canary, marked.arrival ?? { at, path });
    },

    async markBounced(canaryId, { at, by }) {
      const marked = await mark(table, canaryId, 'bounce', { at, by });
      return marked && bounceOf(marked.canary, marked.bounce ?? { at, by });
    },

    async readReturns({ hostId, scanId }, canaryIds) {
      const stored = (await readItems(table, [...new Set(canaryIds)].map(keys.canary))).map(readCanary);
      const ours = stored.filter(({ canary }) => canary.hostId === hostId && canary.scanId === scanId && isKnown(table, canary));
      return {
        arrivals: ours.flatMap(({ canary, arrival }) => (arrival === undefined ? [] : arrivalOf(canary, arrival))).toSorted(byTime),
        bounces: ours.flatMap(({ canary, bounce }) => (bounce === undefined ? [] : bounceOf(canary, bounce))).toSorted(byTime),
      };
    },
  };
}

// The first mark of a kind stays. Gives the canary with it; undefined when it is not known.
async function mark(table: Table, canaryId: string, kind: 'arrival' | 'bounce', marked: object): Promise<StoredCanary | undefined> {
  const update = new UpdateCommand({
    TableName: table.name,
    Key: keys.canary(canaryId),
    UpdateExpression: 'SET #kind = if_not_exists(#kind, :marked)',
    ConditionExpression: 'sentAt > :oldest',
    ExpressionAttributeNames: { '#kind': kind },
    ExpressionAttributeValues: { ':marked': marked, ':oldest': table.clock() - KNOWN_MS },
    ReturnValues: 'ALL_NEW',
  });
  try {
    return readCanary((await withoutConflict(() => table.client.send(update))).Attributes);
  } catch (error) {
    if (isConditionFailure(error)) return undefined;
    throw error;
  }
}

function byTime(one: { readonly at: number }, other: { readonly at: number }): number {
  return one.at - other.at;
}

function isKnown(table: Table, { sentAt }: { readonly sentAt: number }): boolean {
  return sentAt > table.clock() - KNOWN_MS;
}
