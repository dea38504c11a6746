import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoDb } from '../../infra/local/engines/dynamodb.ts';

/** Starts the one DynamoDB engine that holds the tables of all tests of a run, each under a name of its own. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-tables-'));
  const engine = await startDynamoDb(folder, () => {});
  process.env.TABLES_ENDPOINT = engine.endpoint; // the workers inherit it
  return async () => {
    await engine.stop();
    rmSync(folder, { recursive: true });
  };
}
