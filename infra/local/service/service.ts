import type { Server } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { loadSecrets } from '../../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../../shared/store/dynamodb-store.ts';
import { createAccount } from '../commands/account.ts';
import { type Options, UsageError } from '../commands/options.ts';
import { createTable, startDynamoDb, TABLE_NAME } from '../engines/dynamodb.ts';
import { CREDENTIALS, REGION, takePort } from '../engines/engine.ts';
import { createMailBucket, type MailBucket } from '../engines/mail-bucket.ts';
import { startSes } from '../engines/ses.ts';
import { createQueues, startSqs } from '../engines/sqs.ts';
import { type CanarySink, type CanarySinkOptions, DEFAULT_LISTEN, startCanarySink } from './canary-sink.ts';
import { type DataFolder, lockDataFolder, openDataFolder } from './data-folder.ts';
import { type DemoServers, startDemoServers } from './demo-servers.ts';
import { isDemoClosed } from './demo-state.ts';
import { CANARY_DOMAIN, functionEnvironment } from './environment.ts';
import { startHttpFront } from './http-front.ts';
import { type LambdaHost, startLambdaHost } from './lambda-host.ts';
import { type EventPolicy, startMailEvents } from './mail-events.ts';
import { pollQueue, VISIBILITY_SECONDS } from './queue-poller.ts';

/** The whole service on one machine. */
export type LocalService = {
  readonly baseUrl: string;
  readonly mailUrl: string;
  readonly apiKey: string;
  readonly folder: DataFolder;
  readonly demo: DemoServers | undefined;
  /** Where canaries come back to. */
  readonly canaryMailbox: CanarySink;
  stop(): Promise<void>;
};

/** Whom the service tells what happens: lines of the handlers' log, and an end that nobody asked for. */
export type Listener = { readonly onLog: (line: string) => void; readonly onFailure: (why: string) => void };

const TICK_MS = 1_000; // AWS ticks every minute; here nobody wants to wait for one
const SCANS_AT_ONCE = 32; // messages, each of up to fifty hosts; one that waits for a silent server costs little more than a socket
const NOTICES_AT_ONCE = 2;
const MAILS_AT_ONCE = 2;
const MAILS_KEPT = 200; // as long as it may take until they are read
const OWNER = 'owner@relay-audit.example';

/**
 * Starts engines, handlers, HTTP front, schedule and queue polling, and stops what it has started when a part cannot start.
 * `mailEvents` says what becomes of SES's events, for tests; each comes once and at once when it is left out.
 */
export async function startService(options: Options, listener: Listener, mailEvents?: EventPolicy): Promise<LocalService> {
  const started: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return await startParts(options, listener, mailEvents, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: Options,
  listener: Listener,
  mailEvents: EventPolicy | undefined,
  started: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<LocalService> {
  const folder = openDataFolder(options.data);
  await lockDataFolder(folder.path);
  const port = await takePort(options.port);
  const [ses, sqs, dynamodb] = await Promise.all([
    tracked(started, startSes(folder.path, options.port === 0 ? 0 : port + 1)),
    tracked(started, startQueues(folder.path)),
    tracked(started, startDynamoDb(folder.path, listener.onFailure)),
  ]);
  const endpoints = { dynamodb: dynamodb.endpoint, sqs: sqs.endpoint, ses: ses.endpoint };
  folder.update({ endpoints });
  const [apiKey, queues] = await Promise.all([accountKey(folder, endpoints.dynamodb), createQueues(endpoints.sqs, VISIBILITY_SECONDS)]);
  const publicUrl = readPublicUrl();
  const baseUrl = `http://127.0.0.1:${port}`;
  const report = (error: unknown) => listener.onLog(error instanceof Error ? error.message : String(error));
  await tracked(started, startMailEvents(folder.path, ses, queues.feedback, report, mailEvents));
  const environment = functionEnvironment(endpoints, queues, {
    secretFile: folder.secretFile,
    baseUrl: publicUrl ?? baseUrl,
    accountId: folder.read().accountId ?? '',
  });
  const host = await tracked(started, startLambdaHost(environment, listener.onLog, listener.onFailure));
  const canaryDomain = environment.CANARY_DOMAIN ?? CANARY_DOMAIN;
  const listen = process.env.CANARY_LISTEN ?? DEFAULT_LISTEN;
  const mails = new SQSClient({ region: REGION, credentials: CREDENTIALS, endpoint: endpoints.sqs });
  started.push(async () => mails.destroy());
  const onMail = keepAndPublish(await createMailBucket(endpoints.sqs), mails, queues.canary);
  const canaryMailbox = await tracked(started, startCanarySink({ listen, canaryDomain, onMail }));
  const smarthost = { ...canaryMailbox, domain: canaryDomain, isClosed: () => isDemoClosed(folder.path) };
  const demo = options.demo ? await tracked(started, startDemoServers(folder.read().demoAddresses, smarthost)) : undefined;
  if (demo !== undefined) folder.update({ demoAddresses: demo.addresses });
  await host.invoke('dispatch', {});
  const front = await startHttpFront(port, host.invoke, publicUrl === undefined ? [] : [publicUrl]);
  started.push(() => closeFront(front));
  started.push(tick(host, report));
  started.push(pollQueue(queues.scans, 'probe', SCANS_AT_ONCE, host.invoke, report).stop);
  started.push(pollQueue(queues.feedback, 'feedback', 1, host.invoke, report).stop);
  started.push(pollQueue(queues.canary, 'canary', MAILS_AT_ONCE, host.invoke, report).stop);
  started.push(pollQueue(queues.notices, 'notify', NOTICES_AT_ONCE, host.invoke, report).stop);
  return { baseUrl, mailUrl: `${endpoints.ses}/`, apiKey, folder, demo, canaryMailbox, stop };
}

// Where people reach the service when something in front of it takes their requests: links of mails lead there.
function readPublicUrl(): string | undefined {
  const text = process.env.PUBLIC_URL;
  if (text === undefined || /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?\/?$/.test(text)) return text?.replace(/\/$/, '');
  throw new UsageError(`PUBLIC_URL must be an address such as https://audit.example.org, not ${text}.`);
}

// As SES does: the mail is in the bucket before `canary` hears of it, by what is published of it. The bucket is in memory, and keeps the latest.
function keepAndPublish(bucket: MailBucket, client: SQSClient, queueUrl: string): CanarySinkOptions['onMail'] {
  const kept: string[] = [];
  return async (received, raw) => {
    const id = received.mail.messageId;
    await bucket.put(id, raw);
    kept.push(id);
    const MessageBody = JSON.stringify({ notificationType: 'Received', ...received });
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    if (kept.length > MAILS_KEPT) await bucket.remove(kept.shift() ?? '');
  };
}

async function startQueues(folder: string) {
  try {
    return await startSqs(folder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The queues in ${folder}/fauxqs.db cannot be read (${why}). Move that file away: what is owed stands in the table and is sent again.`,
    );
  }
}

async function tracked<Part extends { stop(): Promise<void> }>(
  started: (() => Promise<unknown>)[],
  starting: Promise<Part> | Part,
): Promise<Part> {
  const part = await starting;
  started.push(() => part.stop());
  return part;
}

/** The account of the person who starts the service; made at the first start. */
async function accountKey(folder: DataFolder, endpoint: string): Promise<string> {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  await createTable(client);
  const known = folder.read().apiKey;
  const account =
    known === undefined
      ? await createAccount(dynamoDbStore(TABLE_NAME, 0, Date.now, client), await loadSecrets(`file:${folder.secretFile}`), OWNER)
      : undefined;
  client.destroy();
  if (account !== undefined) folder.update(account);
  return known ?? account?.apiKey ?? '';
}

// One dispatch at a time, as EventBridge and a function's concurrency of one would have it.
function tick(host: LambdaHost, report: (error: unknown) => void): () => Promise<void> {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= host
      .invoke('dispatch', {})
      .catch(report)
      .finally(() => {
        running = undefined;
      });
  }, TICK_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

function closeFront(front: Server): Promise<void> {
  return new Promise((done) => {
    front.closeIdleConnections();
    front.close(() => done());
    setTimeout(() => front.closeAllConnections(), 1_000).unref();
  });
}
