import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';
import type { FunctionName } from '../../../shared/runtime/config.ts';
import { CREDENTIALS, REGION } from '../engines/engine.ts';
import type { Invoke } from './lambda-host.ts';

/** How long a message stays with the function that took it. Short, so that after kill -9 little waits; renewed while the function runs. */
export const VISIBILITY_SECONDS = 20;
const LONG_POLL_SECONDS = 10;

export type Poller = { stop(): Promise<void> };

/** Takes messages from a queue and calls a function with each, as a Lambda event source does; `atOnce` run side by side. */
export function pollQueue(queueUrl: string, name: FunctionName, atOnce: number, invoke: Invoke, onError: (error: unknown) => void): Poller {
  const client = new SQSClient({ region: REGION, credentials: CREDENTIALS, endpoint: new URL(queueUrl).origin });
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      try {
        const receive = new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 1,
          WaitTimeSeconds: LONG_POLL_SECONDS,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        });
        const { Messages = [] } = await client.send(receive, { abortSignal: stopping.signal });
        for (const message of Messages) await handle(client, queueUrl, name, message, invoke);
      } catch (error) {
        if (stopping.signal.aborted) return;
        onError(error);
        await new Promise((done) => setTimeout(done, 1_000));
      }
    }
  };
  const loops = Array.from({ length: atOnce }, loop);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      client.destroy();
    },
  };
}

async function handle(client: SQSClient, QueueUrl: string, name: FunctionName, message: Message, invoke: Invoke): Promise<void> {
  const { ReceiptHandle } = message;
  const renew = () => client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: VISIBILITY_SECONDS }));
  const renewal = setInterval(() => void renew().catch(() => {}), (VISIBILITY_SECONDS * 1000) / 2);
  try {
    const record = {
      messageId: message.MessageId,
      receiptHandle: ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      eventSource: 'aws:sqs',
    };
    const response = (await invoke(name, { Records: [record] })) as SQSBatchResponse | undefined;
    if ((response?.batchItemFailures ?? []).length === 0) await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  } finally {
    clearInterval(renewal);
  }
}
