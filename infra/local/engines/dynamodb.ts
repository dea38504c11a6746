import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CreateTableCommand, type DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { DUE_INDEX, TABLE } from '../../../shared/store/keys.ts';
import { UsageError } from '../commands/options.ts';
import { type Engine, takePort } from './engine.ts';

export const TABLE_NAME = 'relay-audit';
const require = createRequire(import.meta.url);

/**
 * Starts the DynamoDB engine on a file in `folder`; an endpoint in DYNAMODB_ENDPOINT is used instead, for machines that
 * the engine is not built for. `onExit` is told when it ends unasked.
 */
export async function startDynamoDb(folder: string, onExit: (why: string) => void): Promise<Engine> {
  const given = process.env.DYNAMODB_ENDPOINT;
  if (given !== undefined) return { endpoint: given, stop: async () => {} };
  const [host, port] = [someLoopback(), await takePort(0)];
  const log = openSync(join(folder, 'dynamodb.log'), 'a');
  // The shell ends the engine when our end of its input closes, which happens however we end; kill -9 included.
  const script =
    'exec 3<&0; "$0" serve --host "$1" --port "$2" --db-path "$3" </dev/null & p=$!; { read _ <&3; kill -9 $p; } 2>/dev/null & wait $p';
  const args = ['-c', script, engineBinary(), host, String(port), join(folder, 'dynamodb.sqlite')];
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', log, log], detached: true });
  let stopping = false;
  const ended = new Promise<void>((done) => shell.once('exit', () => done()));
  void ended.then(() => {
    shell.stdin?.end();
    if (!stopping) onExit(`The DynamoDB engine ended; its log is ${join(folder, 'dynamodb.log')}.`);
  });
  await untilAnswers(`http://${host}:${port}`, ended);
  return {
    endpoint: `http://${host}:${port}`,
    stop() {
      stopping = true;
      shell.stdin?.end();
      return ended;
    },
  };
}

// The engine answers whatever name a request gives it. A web page that has its own name lead to this machine must guess this address too.
function someLoopback(): string {
  return ['127', ...Array.from({ length: 3 }, () => randomInt(1, 255))].join('.');
}

function engineBinary(): string {
  try {
    return join(dirname(require.resolve('@dynoxide/linux-x64/package.json')), 'dynoxide');
  } catch {
    throw new UsageError(
      'The embedded DynamoDB runs on Linux x64 only. Start DynamoDB Local and set DYNAMODB_ENDPOINT=http://127.0.0.1:8000.',
    );
  }
}

/** Creates the table unless it is there. */
export async function createTable(client: DynamoDBClient, TableName = TABLE_NAME): Promise<void> {
  const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  const key = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  const command = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      string(TABLE.partitionKey),
      string(TABLE.sortKey),
      string(DUE_INDEX.partitionKey),
      { AttributeName: DUE_INDEX.sortKey, AttributeType: 'N' },
    ],
    KeySchema: key(TABLE.partitionKey, TABLE.sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: DUE_INDEX.name,
        KeySchema: key(DUE_INDEX.partitionKey, DUE_INDEX.sortKey),
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...DUE_INDEX.included] },
      },
    ],
  });
  try {
    await client.send(command);
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

const START_MS = 10_000;

async function untilAnswers(endpoint: string, ended: Promise<void>): Promise<void> {
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const deadline = Date.now() + START_MS; Date.now() < deadline && !gone; ) {
    const answer = await fetch(endpoint).catch(() => undefined);
    if (answer !== undefined) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error('The DynamoDB engine did not start.');
}
