import type { SQSRecord } from 'aws-lambda';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { eventLog, loggedError, newLogger } from '../../shared/runtime/logging.ts';
import { recordsHandler } from '../../shared/runtime/records.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { type Services, takeEvent } from './feedback.ts';

// Once per cold start.
const settings = readSettings('feedback');
const logger = newLogger('feedback');
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock),
  clock: systemClock,
  log: eventLog(logger),
};

// Instead of the whole record, which names readers.
function logFailure(reason: unknown, { messageId }: SQSRecord): void {
  logger.error('an event of SES could not be taken in', { messageId, error: loggedError(reason) });
}

/** Called by SQS with what SES has published of our mails. */
export const handler = recordsHandler(logger, ({ body }) => takeEvent(body, services), logFailure);
