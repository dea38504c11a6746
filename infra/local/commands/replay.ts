// `npm run replay -- scans`: puts the dead letters of a queue back into it, once what made them is mended. Nothing is lost
// whenever it is stopped; what is sent back twice does no harm, since handlers find done what is done.
import { parseArgs } from 'node:util';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { deadLettersName, serviceStackName, WORK_QUEUES, type WorkQueueName } from '../../names.ts';
import { CREDENTIALS, REGION } from '../engines/engine.ts';
import { localQueueUrl } from '../engines/sqs.ts';
import { localEndpoints } from './operator-store.ts';
import { DEFAULT_DATA, runCommand, UsageError } from './options.ts';

const USAGE = `Usage: npm run replay -- ${WORK_QUEUES.join(' | ')} [--stage STAGE | --data FOLDER]`;

const LOOK_MS = 2_000; // between two looks at a move
const BATCH = 10; // SQS limit of ReceiveMessage
const HELD_SECONDS = 5; // how long letters are ours while they are sent back

async function main(args: readonly string[]): Promise<void> {
  const { queue, stage, data } = readArguments(args);
  const deployed = stage !== undefined;
  const place = deployed ? `stage ${stage}` : data;
  try {
    const { moved, left } = deployed ? await moveDeployed(queue, stage) : await moveLocal(queue, data);
    const rest = left === 0 ? 'None is left.' : `${left} ${left === 1 ? 'is' : 'are'} left or came meanwhile; run this again.`;
    console.log(moved === 0 && left === 0 ? `There are no dead letters of ${queue}.` : `Put back into ${queue}: ${moved}. ${rest}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The dead letters of ${queue} in ${place} cannot be put back: ${wordsOf(error, deployed)}`);
  }
}

type Moved = { readonly moved: number; readonly left: number };

// SQS moves them by itself, each into the queue that it came from.
async function moveDeployed(queue: WorkQueueName, stage: string): Promise<Moved> {
  const client = new SQSClient({});
  const { QueueUrl = '' } = await client.send(new GetQueueUrlCommand({ QueueName: deadLettersName(queue, serviceStackName(stage)) }));
  const { arn: SourceArn, letters } = await lookAt(client, QueueUrl);
  if (letters === 0) return { moved: 0, left: 0 };
  const running = await newestMove(client, SourceArn);
  if (running?.Status !== 'RUNNING') await client.send(new StartMessageMoveTaskCommand({ SourceArn }));
  console.log(`SQS puts about ${letters} back. Ctrl-C ends this report, not the move.`);
  for (;;) {
    const move = await newestMove(client, SourceArn);
    if (move?.Status === 'FAILED') throw new Error(`${move.FailureReason ?? 'SQS says no reason'}, after ${movedBy(move)} letters`);
    if (move !== undefined && move.Status !== 'RUNNING') return { moved: movedBy(move), left: (await lookAt(client, QueueUrl)).letters };
    await new Promise((later) => setTimeout(later, LOOK_MS));
  }
}

async function newestMove(client: SQSClient, SourceArn: string): Promise<ListMessageMoveTasksResultEntry | undefined> {
  return (await client.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }))).Results?.[0];
}

function movedBy(move: ListMessageMoveTasksResultEntry): number {
  return move.ApproximateNumberOfMessagesMoved ?? 0;
}

// The embedded engine cannot move messages. Each is sent before it is deleted, so a kill in between leaves it twice, never lost.
async function moveLocal(queue: WorkQueueName, data: string): Promise<Moved> {
  const endpoint = localEndpoints(data, 'a stage', USAGE).sqs;
  const client = new SQSClient({ endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  const [QueueUrl, deadLetters] = [localQueueUrl(endpoint, queue), localQueueUrl(endpoint, deadLettersName(queue))];
  const { letters } = await lookAt(client, deadLetters);
  const take = new ReceiveMessageCommand({ QueueUrl: deadLetters, MaxNumberOfMessages: BATCH, VisibilityTimeout: HELD_SECONDS });
  let moved = 0;
  while (moved < letters) {
    const { Messages = [] } = await client.send(take);
    if (Messages.length === 0) break;
    for (const { Body: MessageBody, ReceiptHandle } of Messages) {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      await client.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }));
      moved++;
    }
  }
  return { moved, left: (await lookAt(client, deadLetters)).letters };
}

// Those that somebody has taken to look at are letters too.
async function lookAt(client: SQSClient, QueueUrl: string): Promise<{ arn: string; letters: number }> {
  const AttributeNames = ['QueueArn', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }));
  const [arn = '', visible, taken] = AttributeNames.map((name) => Attributes?.[name]);
  return { arn, letters: Number(visible ?? 0) + Number(taken ?? 0) };
}

function wordsOf(error: unknown, deployed: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof QueueDoesNotExist)
    return deployed
      ? 'there is no such queue. Is the service deployed in this account and region (AWS_REGION), and is the stage right?'
      : 'there is no such queue. Has the service been started once by this version?';
  if (!deployed && 'code' in error && error.code === 'ECONNREFUSED') return 'the service does not run. Start it with npm start.';
  const hint = deployed ? ' Are AWS_REGION and your AWS credentials set, and may they move messages?' : '';
  return `${error.name}: ${error.message}.${hint}`;
}

type Arguments = { readonly queue: WorkQueueName; readonly stage: string | undefined; readonly data: string };

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const queue = WORK_QUEUES.find((name) => name === positionals[0]);
  if (queue === undefined || positionals.length > 1 || (values.stage !== undefined && values.data !== undefined))
    throw new UsageError(USAGE);
  return { queue, stage: values.stage, data: values.data ?? DEFAULT_DATA };
}

function parse(args: readonly string[]) {
  try {
    const options = { stage: { type: 'string' }, data: { type: 'string' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}

runCommand(main);
