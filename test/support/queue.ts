import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CREDENTIALS, REGION } from '../../infra/local/engines/engine.ts';
import { createQueues, type QueueUrls, startSqs } from '../../infra/local/engines/sqs.ts';

export type TestQueues = {
  readonly urls: QueueUrls;
  readonly client: SQSClient;
  drain(url: string): Promise<string[]>;
  stop(): Promise<void>;
};

/** The queues of the service on the embedded engine. */
export async function startQueues(): Promise<TestQueues> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-queues-'));
  const engine = await startSqs(folder);
  const client = new SQSClient({ endpoint: engine.endpoint, region: REGION, credentials: CREDENTIALS });
  return {
    urls: await createQueues(engine.endpoint, 30),
    client,
    /** Takes every message out, and gives their bodies. */
    async drain(url) {
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return bodies;
        for (const { Body = '', ReceiptHandle } of Messages) {
          bodies.push(Body);
          await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
        }
      }
    },
    async stop() {
      client.destroy();
      await engine.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
