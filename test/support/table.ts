import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTable, startDynamoDb } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, REGION } from '../../infra/local/engines/engine.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { memoryTable } from './memory-table.ts';
import { type Meter, newMeter, type TestTable } from './test-table.ts';

export type { TestTable } from './test-table.ts';

/**
 * A fresh table on the embedded engine, with a store on it and a meter of what it costs. With `TABLE=memory` it is the one in memory: a
 * mutation tester runs the same tests thousands of times.
 */
export async function startTable(clock: () => number, retentionMs: number): Promise<TestTable> {
  if (process.env.TABLE === 'memory') return memoryTable(clock, retentionMs);
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-table-'));
  const engine = await startDynamoDb(folder, () => {});
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials: CREDENTIALS });
  const name = `relay-audit-${randomUUID()}`; // of its own, where DYNAMODB_ENDPOINT gives all tests one engine
  await createTable(client, name);
  const meter = meterOf(client);
  return {
    store: dynamoDbStore(name, retentionMs, clock, client),
    client,
    name,
    meter,
    async stop() {
      client.destroy();
      await engine.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

type Capacity = { CapacityUnits?: number; WriteCapacityUnits?: number };

const WRITES = ['BatchWriteItemCommand', 'PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand', 'TransactWriteItemsCommand'];

function meterOf(client: DynamoDBClient): Meter {
  const meter = newMeter();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
      meter.requests++;
      if (context.commandName === 'QueryCommand') meter.queries++;
      meter.underWay++;
      const result = await next(args).finally(() => meter.underWay--);
      const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Capacity | Capacity[] };
      const units = [ConsumedCapacity ?? []].flat().reduce((sum, each) => sum + (each.CapacityUnits ?? 0), 0);
      if (WRITES.includes(context.commandName ?? '')) meter.writeUnits += units;
      else meter.readUnits += units;
      return result;
    },
    { step: 'initialize' },
  );
  return meter;
}
