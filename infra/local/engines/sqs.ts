import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { deadLettersName, type WorkQueueName } from '../../names.ts';
import { answerKnownHosts } from '../service/known-hosts.ts';
import { CREDENTIALS, type Engine, HOST, REGION } from './engine.ts';

type QueueStore = { persistence?: unknown; allQueues(): Iterable<{ persistence?: unknown }> };

/**
 * Starts the SQS engine, its messages kept in `folder`. The package's own start function listens on every interface, so
 * it is put together here from the package's parts and listens on loopback.
 */
export async function startSqs(folder: string): Promise<Engine> {
  const { buildApp } = await import('fauxqs');
  const part = (file: string) => import(new URL(file, import.meta.resolve('fauxqs')).href);
  const [{ SqsStore }, { SnsStore }, { S3Store }] = await Promise.all([
    part('sqs/sqsStore.js'),
    part('sns/snsStore.js'),
    part('s3/s3Store.js'),
  ]);
  const { PersistenceManager } = await part('persistence.js');
  const sqsStore: QueueStore = new SqsStore();
  const snsStore = new SnsStore();
  const s3Store = new S3Store();
  const persistence = new PersistenceManager(folder);
  persistence.load(sqsStore, snsStore, s3Store);
  sqsStore.persistence = persistence;
  for (const queue of sqsStore.allQueues()) queue.persistence = persistence;
  const stores = { sqsStore, snsStore, s3Store } as unknown as NonNullable<Parameters<typeof buildApp>[0]>['stores'];
  const app = buildApp({ logger: false, defaultRegion: REGION, stores });
  const endpoint = await app.listen({ host: HOST, port: 0 });
  answerKnownHosts(app.server);
  return {
    endpoint,
    async stop() {
      app.server.closeAllConnections();
      await app.close();
      persistence.close();
    },
  };
}

/** Where a queue of the engine at `endpoint` answers. */
export function localQueueUrl(endpoint: string, name: string): string {
  return `${endpoint}/000000000000/${name}`;
}

export type QueueUrls = { readonly scans: string; readonly notices: string; readonly feedback: string; readonly canary: string };

/** Creates the queues and their dead-letter queues unless they are there. `visibilitySeconds` is how long a message stays with who took it. */
export async function createQueues(endpoint: string, visibilitySeconds: number): Promise<QueueUrls> {
  const client = new SQSClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const create = async (name: WorkQueueName) => {
    const deadLetters = deadLettersName(name);
    await client.send(new CreateQueueCommand({ QueueName: deadLetters }));
    const deadLetterTargetArn = `arn:aws:sqs:${REGION}:000000000000:${deadLetters}`;
    const Attributes = {
      VisibilityTimeout: String(visibilitySeconds),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 5 }),
    };
    await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    return localQueueUrl(endpoint, name);
  };
  const urls = { scans: await create('scans'), notices: await create('notices'), feedback: await create('feedback') };
  const canary = await create('canary');
  client.destroy();
  return { ...urls, canary };
}
