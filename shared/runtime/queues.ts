import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { kindOf, type ScanRef } from '../domain/scan.ts';

const REFS_PER_MESSAGE = 50; // hosts that one probe can do side by side within its time
const MESSAGES_PER_CALL = 10; // SQS limit of SendMessageBatch

const scanRef = z.object({
  accountId: z.string(),
  hostId: z.string(),
  scanId: z.string().refine((id) => kindOf(id) !== undefined, 'is not a scan id'),
});
const scansMessage = z.object({ scans: z.array(scanRef).min(1) });
const noticesMessage = z.object({ notices: z.array(z.string()).min(1) });

/** Wakes those who do the work. A message is a reference, never the work itself: what is owed stands in the table. */
export type Wake<T> = (items: readonly T[]) => Promise<void>;

/** Sends scan references, packed by fifty. Throws unless every message was taken. */
export function scansQueue(queueUrl: string, client = new SQSClient({})): Wake<ScanRef> {
  return (refs) =>
    send(
      client,
      queueUrl,
      chunks(refs, REFS_PER_MESSAGE).map((scans) => JSON.stringify({ scans })),
    );
}

/** Sends scan references one by one, so that one that cannot be handled holds up no other. */
export function singleScansQueue(queueUrl: string, client = new SQSClient({})): Wake<ScanRef> {
  return (refs) =>
    send(
      client,
      queueUrl,
      refs.map((ref) => JSON.stringify({ scans: [ref] })),
    );
}

/** Sends notice ids, one to a message. */
export function noticesQueue(queueUrl: string, client = new SQSClient({})): Wake<string> {
  return (ids) =>
    send(
      client,
      queueUrl,
      ids.map((id) => JSON.stringify({ notices: [id] })),
    );
}

/** Reads a message of the scans queue; throws when it is not one. */
export function readScansMessage(body: string): ScanRef[] {
  return scansMessage.parse(JSON.parse(body)).scans;
}

/** Reads a message of the notices queue; throws when it is not one. */
export function readNoticesMessage(body: string): string[] {
  return noticesMessage.parse(JSON.parse(body)).notices;
}

async function send(client: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  for (const batch of chunks(bodies, MESSAGES_PER_CALL)) {
    const Entries: SendMessageBatchRequestEntry[] = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (Failed.length > 0) throw new Error(`${Failed.length} messages were not taken: ${Failed[0]?.Message ?? 'no reason given'}`);
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
