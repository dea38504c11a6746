import {
  BatchGetCommand,
  BatchWriteCommand,
  type BatchWriteCommandInput,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { readKeyParts } from '../items.ts';
import type { Key } from '../keys.ts';
import type { Table } from './table.ts';

const GET_LIMIT = 100; // keys that DynamoDB takes in one BatchGetItem
const WRITE_LIMIT = 25; // writes that it takes in one BatchWriteItem
const BATCH_TRIES = 8; // of batches in a row of which DynamoDB does nothing, because the table is busy
const BATCH_WAIT_MS = 20; // doubled with each try

/** The items with these keys, in no order; those that are absent are left out. Each key may be given once. */
export async function readItems(table: Table, keys: readonly Key[]): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let wanted: Record<string, unknown>[] = [...keys];
  for (let idle = 0; wanted.length > 0; ) {
    const RequestItems = { [table.name]: { Keys: wanted.slice(0, GET_LIMIT), ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await table.client.send(new BatchGetCommand({ RequestItems }));
    found.push(...(Responses?.[table.name] ?? []));
    const left = [...(UnprocessedKeys?.[table.name]?.Keys ?? []), ...wanted.slice(GET_LIMIT)];
    idle = await pauseIfIdle(left.length === wanted.length, idle);
    wanted = left;
  }
  return found;
}

type Writes = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/** Deletes the items with these keys, each by itself. Each key may be given once. */
export async function deleteItems(table: Table, keys: readonly Key[]): Promise<void> {
  let wanted: Writes = keys.map((Key) => ({ DeleteRequest: { Key } }));
  for (let idle = 0; wanted.length > 0; ) {
    const RequestItems = { [table.name]: wanted.slice(0, WRITE_LIMIT) };
    const { UnprocessedItems } = await table.client.send(new BatchWriteCommand({ RequestItems }));
    const left = [...(UnprocessedItems?.[table.name] ?? []), ...wanted.slice(WRITE_LIMIT)];
    idle = await pauseIfIdle(left.length === wanted.length, idle);
    wanted = left;
  }
}

/** Deletes everything under a partition key. */
export async function deletePartition(table: Table, pk: string): Promise<void> {
  const found = await queryItems(table, { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } });
  await deleteItems(table, found.map(readKeyParts));
}

// DynamoDB gives back what it had no capacity for; the SDK does not ask for that again by itself.
async function pauseIfIdle(isIdle: boolean, idleTries: number): Promise<number> {
  if (!isIdle) return 0;
  if (idleTries + 1 >= BATCH_TRIES) throw new Error('DynamoDB kept giving back a whole batch');
  await new Promise((done) => setTimeout(done, BATCH_WAIT_MS * 2 ** idleTries * (0.5 + Math.random() / 2)));
  return idleTries + 1;
}

/** What a query finds, page after page until there are `most` items or no more. */
export async function queryItems(
  table: Table,
  query: Omit<QueryCommandInput, 'TableName'>,
  most = Number.POSITIVE_INFINITY,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const limit = Number.isFinite(most) ? { Limit: most - found.length } : {};
    const from = start === undefined ? {} : { ExclusiveStartKey: start };
    const page = await table.client.send(new QueryCommand({ TableName: table.name, ConsistentRead: true, ...query, ...limit, ...from }));
    found.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined && found.length < most);
  return found;
}
