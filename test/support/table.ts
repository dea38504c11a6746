import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTable, startDynamoDb } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, type Engine, REGION } from '../../infra/local/engines/engine.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';

/** The requests since the last `reset`, what the engine charged for those that it did, and how many are under way. */
export type Meter = { writeUnits: number; readUnits: number; requests: number; queries: number; underWay: number; reset(): void };

export type TestTable = {
  readonly store: AuditStore;
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly meter: Meter;
  stop(): Promise<void>;
};

/** A fresh table on the embedded engine, the run's or else one of its own, with a store on it and a meter of what it costs. */
export async function startTable(clock: () => number, retentionMs: number): Promise<TestTable> {
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

/** A meter that stands at nothing. */
export function newMeter(): Meter {
  const zero = { writeUnits: 0, readUnits: 0, requests: 0, queries: 0 };
  const meter: Meter = { ...zero, underWay: 0, reset: () => Object.assign(meter, zero) };
  return meter;
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
