import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTable, startDynamoDb } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, type Engine, REGION } from '../../infra/local/engines/engine.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { memoryTable } from './memory-table.ts';
import { type Meter, newMeter, type TestTable } from './test-table.ts';

export type { TestTable } from './test-table.ts';

/**
 * A fresh table on the embedded engine, the run's or else one of its own, with a store on it and a meter of what it costs. With
 * `TABLES=memory-only` it is the one in memory: a mutation tester runs the same tests thousands of times.
 */
export async function startTable(clock: () => number, retentionMs: number): Promise<TestTable> {
  if (process.env.TABLES === 'memory-only') return memoryTable(clock, retentionMs);
  const engine = await engineForTables();
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials: CREDENTIALS });
  const name = `relay-audit-${randomUUID()}`; // of its own on an engine that others use too
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
    },
  };
}

async function engineForTables(): Promise<Engine> {
  const ofTheRun = process.env.TABLES_ENDPOINT;
  if (ofTheRun !== undefined) return { endpoint: ofTheRun, stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-table-'));
  const engine = await startDynamoDb(folder, () => {});
  return {
    ...engine,
    async stop() {
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
