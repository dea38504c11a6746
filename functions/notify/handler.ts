import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { sesMailer } from '../../shared/mail/mailer.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { newLogger } from '../../shared/runtime/logging.ts';
import { readNoticesMessage } from '../../shared/runtime/queues.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { notify, type Services } from './notify.ts';

// Once per cold start.
const settings = readSettings('notify');
const logger = newLogger('notify');
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS),
  send: sesMailer(settings.MAIL_FROM),
  clock: Date.now,
  log: { info: (message, fields) => logger.info(message, { ...fields }), error: (message, fields) => logger.error(message, { ...fields }) },
  baseUrl: settings.BASE_URL.replace(/\/$/, ''),
  claimLeaseMs: settings.CLAIM_LEASE_SECONDS,
};

// For every record.
async function takeRecord(record: SQSRecord): Promise<void> {
  for (const noticeId of readNoticesMessage(record.body)) await notify(noticeId, services);
}

/** Called by SQS with messages of the notices queue. */
export const handler = middy<SQSEvent, PromiseSettledResult<void>[]>()
  .before(({ context }) => logger.addContext(context))
  .use(sqsPartialBatchFailure())
  .handler((event) => Promise.allSettled(event.Records.map(takeRecord)));
