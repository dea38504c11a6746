import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SESClient } from '@aws-sdk/client-ses';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { takeEvent } from '../../functions/feedback/feedback.ts';
import { TABLE_NAME } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, REGION } from '../../infra/local/engines/engine.ts';
import { type Ses, startSes } from '../../infra/local/engines/ses.ts';
import { readLocalState } from '../../infra/local/service/data-folder.ts';
import { type EventPolicy, startMailEvents } from '../../infra/local/service/mail-events.ts';
import { type Poller, pollQueue } from '../../infra/local/service/queue-poller.ts';
import type { Notice } from '../../shared/domain/notice.ts';
import { type Handover, sesMailer } from '../../shared/mail/mailer.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { keys } from '../../shared/store/keys.ts';
import { eventually, type RunningService, startLocalService, temporaryFolder } from '../support/local-service.ts';
import { hostNotice } from '../support/notices.ts';
import { startQueues, type TestQueues } from '../support/queue.ts';
import { startTable, type TestTable } from '../support/table.ts';

const HOUR = 60 * 60_000;
const MAIL = { subject: 'a subject', text: 'the text', html: '<p>the text</p>' };
const SES_PROCESS = new URL('../support/ses-process.ts', import.meta.url).pathname;

let count = 0;
const root = temporaryFolder();

function newFolder(): string {
  return mkdtempSync(join(root, 'folder-'));
}

/** Writes a notice that is claimed for an hour, by a sender who will not come back. */
async function claimed({ client, name = TABLE_NAME }: { readonly client: DynamoDBClient; readonly name?: string }): Promise<Notice> {
  const notice = { ...hostNotice({ kind: 'reminder', count: 1 }, 'open'), id: `0123456789abcdef0123-${++count}-0` };
  const Item = { ...keys.notice(notice.id), notice, tries: 1, dueQueue: 'NOTICE', dueAt: Date.now() + HOUR };
  const document = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  await document.send(new PutCommand({ TableName: name, Item }));
  return notice;
}

/** Hands a mail to the SES endpoint, as `notify` does. */
function send(endpoint: string, recipient: string, noticeId?: string): Promise<Handover> {
  const client = new SESClient({ endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  return sesMailer('alerts@relay-audit.example', 'relay-audit', client)(MAIL, recipient, { notice: noticeId }).finally(() =>
    client.destroy(),
  );
}

/** Waits until the notice has this outcome. */
function untilOutcome(store: AuditStore, { id }: Notice, outcome: string): Promise<unknown> {
  return eventually(async () => ((await store.findNotice(id))?.outcome === outcome ? true : undefined), `${id} is ${outcome}`, 10_000);
}

describe('SES’s events, on one machine,', () => {
  let table: TestTable;
  let queues: TestQueues;
  let poller: Poller;
  let stop: () => Promise<void> = async () => {};
  const taken: string[] = []; // events
  const fail = (error: unknown) => expect.unreachable(String(error));

  // One poller for all: the engine goes on answering a request that was given up, and its message is nobody's for half a minute.
  beforeAll(async () => {
    [table, queues] = await Promise.all([startTable(Date.now, HOUR), startQueues()]);
    const services = { store: table.store, clock: Date.now, log: { info() {}, error() {} } };
    const feed = async (_: string, event: unknown) => {
      for (const { body } of (event as { Records: { body: string }[] }).Records) {
        await takeEvent(body, services);
        taken.push(body);
      }
    };
    poller = pollQueue(queues.urls.feedback, 'feedback', 1, feed, fail);
  });
  afterAll(async () => {
    await stop();
    await poller.stop();
    await Promise.all([table.stop(), queues.stop()]);
  });

  /** The SES endpoint on a folder, what it publishes going to `feedback`; instead of the one that a test started before. */
  async function start(folder: string, policy?: EventPolicy): Promise<Ses> {
    await stop();
    const ses = await startSes(folder, 0);
    const events = startMailEvents(folder, ses, queues.urls.feedback, fail, policy);
    stop = async () => {
      for (const part of [events, ses]) await part.stop();
      stop = async () => {};
    };
    return ses;
  }

  const stopOf = async (email: string) => (await table.store.mailStops('account1', [email]))[0]?.why;

  test('settle the notice of a sender who died after SES had its mail', async () => {
    const ses = await start(newFolder());
    const notice = await claimed(table);
    const handover = await send(ses.endpoint, 'owner@example.org', notice.id);
    await untilOutcome(table.store, notice, 'delivered');
    expect(handover.kind).toBe('accepted');
    expect(await table.store.findNotice(notice.id)).toMatchObject({ messageId: (handover as { messageId: string }).messageId });
    expect(await stopOf('owner@example.org')).toBeUndefined();
  });

  test.each([
    ['bounce', 'bounced'],
    ['suppressionlist', 'bounced'],
    ['complaint', 'complained'],
  ])('do to an address of AWS’s mailbox simulator what AWS does: %s', async (name, why) => {
    const ses = await start(newFolder());
    const address = `${name}+${++count}@simulator.amazonses.com`;
    const notice = await claimed(table);
    await send(ses.endpoint, address, notice.id);
    await untilOutcome(table.store, notice, why);
    await eventually(async () => ((await stopOf(address)) === why ? true : undefined), `no more mail to ${address}`);
  });

  test('stop mail to an address that a mail without a notice bounced from', async () => {
    const ses = await start(newFolder());
    const address = `bounce+${++count}@simulator.amazonses.com`;
    await send(ses.endpoint, address);
    await eventually(async () => ((await stopOf(address)) === 'bounced' ? true : undefined), `no more mail to ${address}`);
  });

  test('may come late, twice and in disorder: it comes out the same', async () => {
    const ses = await start(newFolder(), ({ eventType }) => ({ copies: 2, delaySeconds: eventType === 'Send' ? 1 : 0 }));
    const notice = await claimed(table);
    await send(ses.endpoint, 'owner@example.org', notice.id);
    await untilOutcome(table.store, notice, 'delivered');
    const settled = await table.store.findNotice(notice.id);
    const ours = () => taken.filter((body) => body.includes(notice.id)).length;
    await eventually(async () => (ours() === 4 ? true : undefined), 'two events, twice');
    expect(await table.store.findNotice(notice.id)).toEqual(settled);
  });

  test('may be lost: then the notice stays owed', async () => {
    const [lost, next] = [await claimed(table), await claimed(table)];
    const ses = await start(newFolder(), ({ mail }) => ({ copies: JSON.stringify(mail).includes(lost.id) ? 0 : 1, delaySeconds: 0 }));
    await send(ses.endpoint, 'owner@example.org', lost.id);
    await send(ses.endpoint, 'owner@example.org', next.id);
    await untilOutcome(table.store, next, 'delivered');
    expect((await table.store.findNotice(lost.id))?.outcome).toBeUndefined();
  });

  test('come at the next start for mails whose events were not published when the machine stopped, the first mail among them', async () => {
    await stop();
    const folder = newFolder();
    const ses = await startSes(folder, 0); // with nobody to publish
    const notices = [await claimed(table), await claimed(table)];
    for (const { id } of notices) await send(ses.endpoint, 'owner@example.org', id);
    await ses.stop();
    await start(folder);
    for (const notice of notices) await untilOutcome(table.store, notice, 'delivered');
  });

  test('come for mails that are sent after the viewer’s store was cleared, which are kept over a restart', async () => {
    const folder = newFolder();
    const ses = await start(folder);
    await send(ses.endpoint, 'owner@example.org');
    await fetch(`${ses.endpoint}/clear-store`, { method: 'POST' });
    const notice = await claimed(table);
    await send(ses.endpoint, 'owner@example.org', notice.id);
    await untilOutcome(table.store, notice, 'delivered');
    expect((await start(folder)).mails()).toHaveLength(2);
  });
});

/** The table of a local service. */
function tableOf(data: string): { client: DynamoDBClient; store: AuditStore } {
  const client = new DynamoDBClient({
    endpoint: readLocalState(data)?.endpoints?.dynamodb ?? '',
    region: REGION,
    credentials: CREDENTIALS,
  });
  return { client, store: dynamoDbStore(TABLE_NAME, HOUR, Date.now, client) };
}

/** The whole service, which ends with the test however that does. */
async function startService(args: readonly string[], env: Record<string, string> = {}): Promise<RunningService> {
  const service = await startLocalService(args, env);
  onTestFinished(() => service.kill());
  return service;
}

describe('the local service', () => {
  test('settles the notice of a mail that SES took in the moment before kill -9', async () => {
    const data = join(newFolder(), 'data');
    const args = ['--port', '0', '--data', data, '--no-demo'];
    const killed = await startService(args);
    const before = tableOf(data);
    const notice = await claimed(before);
    await send(killed.mailUrl, 'owner@example.org', notice.id);
    await killed.kill();
    before.client.destroy();
    const service = await startService(args);
    const { client, store } = tableOf(data);
    await untilOutcome(store, notice, 'delivered');
    client.destroy();
    await service.stop();
  });

  test('goes on, by SES_ENDPOINT, with an endpoint that outlives it: mails sent while it was away settle their notices', async () => {
    const folder = newFolder();
    const endpoint = await startSesProcess(folder);
    const args = ['--port', '0', '--data', join(folder, 'data'), '--no-demo'];
    const killed = await startService(args, { SES_ENDPOINT: endpoint });
    expect(killed.mailUrl).toBe(`${endpoint}/`);
    const before = tableOf(killed.data);
    const notices = [await claimed(before), await claimed(before)];
    await send(endpoint, 'owner@example.org', notices[0]?.id);
    for (const notice of notices.slice(0, 1)) await untilOutcome(before.store, notice, 'delivered');
    await killed.kill();
    before.client.destroy();
    await send(endpoint, 'owner@example.org', notices[1]?.id);
    const service = await startService(args, { SES_ENDPOINT: endpoint });
    const { client, store } = tableOf(service.data);
    for (const notice of notices) await untilOutcome(store, notice, 'delivered');
    client.destroy();
    await service.stop();
  });

  test('says what to do when nothing answers at SES_ENDPOINT', async () => {
    const args = ['--port', '0', '--data', join(newFolder(), 'data'), '--no-demo'];
    await expect(startService(args, { SES_ENDPOINT: 'http://127.0.0.1:9' })).rejects.toThrow(/Start one, or unset SES_ENDPOINT\./);
  });
});

async function startSesProcess(folder: string): Promise<string> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SES_PROCESS, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const [, endpoint] = /^SES answers at (\S+)$/.exec(line) ?? [];
    if (endpoint !== undefined) return endpoint;
  }
  throw new Error('the SES endpoint did not start');
}
