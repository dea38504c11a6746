import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Scan } from '../../domain/scan.ts';
import type { History, ScanQuery } from '../audit-store.ts';
import { readChange, readKeyParts, readScan, readSpan } from '../items.ts';
import { idIn, keys, kindRange, scanRange } from '../keys.ts';
import type { Table } from './table.ts';

const EXAMINED_LIMIT = 200; // scans that one filtered page looks at: what bounds its cost however long the history is
const LAST_MOMENT = Date.UTC(9999, 11, 31);

/** The history of a host, newest first. */
export function history(table: Table): History {
  return {
    async listScans(hostId, query) {
      const range = rangeOf(table, query);
      // DynamoDB refuses a range without inside, and a start outside of it.
      if (range.first > range.last || (query.after !== undefined && keys.scan(hostId, query.after).sk < range.first)) return { items: [] };
      const { Items = [], LastEvaluatedKey } = await table.client.send(scansQuery(table, hostId, query, range));
      const items = Items.slice(0, query.limit).map(readScan);
      if (Items.length > query.limit) return { items, next: items.at(-1)?.id };
      return { items, next: LastEvaluatedKey === undefined ? undefined : idIn(readKeyParts(LastEvaluatedKey).sk) };
    },

    async scansBetween(hostId, { fromMs, toMs, most }) {
      const range = rangeOf(table, { fromMs, toMs, limit: most });
      if (range.first > range.last) return { scans: [], more: false };
      const scans: Scan[] = [];
      let after: string | undefined;
      do {
        const query = { limit: most - scans.length, after };
        const { Items = [], LastEvaluatedKey } = await table.client.send(scansQuery(table, hostId, query, range));
        scans.push(...Items.map(readScan));
        after = LastEvaluatedKey === undefined ? undefined : idIn(readKeyParts(LastEvaluatedKey).sk);
      } while (after !== undefined && scans.length < most);
      return { scans, more: after !== undefined };
    },

    async listSpans(hostId, limit) {
      const any = keys.span(hostId, 0);
      const { first, last } = kindRange(any);
      const { Items = [] } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          FilterExpression: 'expiresAt > :now',
          ExpressionAttributeValues: { ':pk': any.pk, ':first': first, ':last': last, ':now': table.clock() / 1000 },
          ScanIndexForward: false,
          Limit: limit,
        }),
      );
      return Items.map(readSpan);
    },

    async listChanges(hostId, limit, after) {
      const any = keys.change(hostId, 0);
      const { first, last } = kindRange(any);
      const { Items = [], LastEvaluatedKey } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          FilterExpression: 'expiresAt > :now',
          ExpressionAttributeValues: { ':pk': any.pk, ':first': first, ':last': last, ':now': table.clock() / 1000 },
          ScanIndexForward: false,
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: keys.change(hostId, Number(after)) }),
        }),
      );
      return {
        items: Items.map(readChange),
        next: LastEvaluatedKey === undefined ? undefined : String(Number(idIn(readKeyParts(LastEvaluatedKey).sk))),
      };
    },
  };
}

// What has expired lies before the range, whether or not it has been deleted yet.
function rangeOf(table: Table, query: ScanQuery): ReturnType<typeof scanRange> {
  const oldest = table.clock() - table.retentionMs;
  return scanRange(Math.max(query.fromMs ?? 0, oldest), query.toMs ?? LAST_MOMENT);
}

function scansQuery(table: Table, hostId: string, query: ScanQuery, range: ReturnType<typeof scanRange>): QueryCommand {
  const { pk } = keys.scan(hostId, '');
  const verdicts = query.verdicts ?? [];
  const names = verdicts.map((_, index) => `:v${index}`);
  return new QueryCommand({
    TableName: table.name,
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
    ExpressionAttributeValues: {
      ':pk': pk,
      ':first': range.first,
      ':last': range.last,
      ...Object.fromEntries(verdicts.map((verdict, index) => [`:v${index}`, verdict])),
    },
    ...(verdicts.length === 0 ? {} : { FilterExpression: `judgement.verdict IN (${names.join(', ')})` }),
    ScanIndexForward: false,
    Limit: verdicts.length === 0 ? query.limit : EXAMINED_LIMIT,
    ...(query.after === undefined ? {} : { ExclusiveStartKey: keys.scan(hostId, query.after) }),
  });
}
