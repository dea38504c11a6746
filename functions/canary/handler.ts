import middy from '@middy/core';
import type { SESEvent } from 'aws-lambda';
import { readCanaryToken } from '../../shared/runtime/canary-token.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { newLogger } from '../../shared/runtime/logging.ts';
import { noticesQueue } from '../../shared/runtime/queues.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { keptMails } from './kept-mails.ts';
import { type Outcome, type Services, takeArrivals } from './take-arrival.ts';

// Once per cold start.
const settings = readSettings('canary');
const logger = newLogger('canary');
const secrets = await loadSecrets(settings.SECRET);
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS),
  readToken: (text) => readCanaryToken(secrets, text),
  readMail: keptMails(settings.CANARY_MAIL_URL, settings.CANARY_MAIL_REGION),
  wakeNotices: noticesQueue(settings.NOTICES_QUEUE_URL),
  clock: Date.now,
  log: { info: (message, fields) => logger.info(message, { ...fields }), error: (message, fields) => logger.error(message, { ...fields }) },
};

/** Called by SES with each mail to the canary domain, and again when it throws. */
export const handler = middy<SESEvent, Outcome[]>()
  .before(({ context }) => logger.addContext(context))
  .handler((event) => takeArrivals(event, services));
