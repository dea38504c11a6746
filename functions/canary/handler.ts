import type { SQSRecord } from 'aws-lambda';
import { readCanaryToken } from '../../shared/runtime/canary-token.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { eventLog, loggedError, newLogger } from '../../shared/runtime/logging.ts';
import { noticesQueue } from '../../shared/runtime/queues.ts';
import { recordsHandler } from '../../shared/runtime/records.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { keptMails } from './kept-mails.ts';
import { readReceived } from './received-mail.ts';
import { type Outcome, type Services, takeArrival } from './take-arrival.ts';

// Once per cold start.
const settings = readSettings('canary');
const logger = newLogger('canary');
const secrets = await loadSecrets(settings.SECRET);
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock),
  readToken: (text) => readCanaryToken(secrets, text),
  readMail: keptMails(settings.CANARY_MAIL_URL, settings.CANARY_MAIL_REGION),
  wakeNotices: noticesQueue(settings.NOTICES_QUEUE_URL),
  clock: systemClock,
  log: eventLog(logger),
};

// Instead of the whole record, which holds a mail's headers.
function logFailure(reason: unknown, { messageId }: SQSRecord): void {
  logger.error('a mail to the canary mailbox could not be taken in', { messageId, error: loggedError(reason) });
}

async function take({ body }: SQSRecord): Promise<Outcome | undefined> {
  const received = readReceived(body);
  if (received === undefined) logger.info('what SES published is about no mail');
  return received === undefined ? undefined : takeArrival(received, services);
}

/** Called by SQS with what SES has published of mails to the canary domain; those that fail come again. */
export const handler = recordsHandler(logger, take, logFailure);
