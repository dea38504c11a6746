/** The bucket that stands in for the one where SES keeps the mails that it took. */
export type MailBucket = { put(messageId: string, raw: Buffer): Promise<void>; remove(messageId: string): Promise<void> };

const BUCKET = 'canary-mail';

/** Where a mail is found with its id behind this, at the S3 that the SQS engine brings along. */
export function localMailUrl(endpoint: string): string {
  return `${endpoint}/${BUCKET}/mail/`;
}

/** Creates the bucket in the memory of the engine. */
export async function createMailBucket(endpoint: string): Promise<MailBucket> {
  const request = async (method: 'PUT' | 'DELETE', url: string, body?: Buffer) => {
    const answer = await fetch(url, { method, ...(body === undefined ? {} : { body: new Uint8Array(body) }) });
    if (!answer.ok) throw new Error(`the S3 engine refused ${method} with ${answer.status}`);
  };
  const urlOf = (messageId: string) => `${localMailUrl(endpoint)}${encodeURIComponent(messageId)}`;
  await request('PUT', `${endpoint}/${BUCKET}`);
  return {
    put: (messageId, raw) => request('PUT', urlOf(messageId), raw),
    remove: (messageId) => request('DELETE', urlOf(messageId)),
  };
}
