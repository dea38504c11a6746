import type { Logger } from '@aws-lambda-powertools/logger';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

/**
 * The handler of a queue: takes the records side by side, and has those that fail come again. `logFailure` writes of one that failed
 * where its record is not to stand in the log as it is.
 */
export function recordsHandler<T>(
  logger: Logger,
  take: (record: SQSRecord) => Promise<T>,
  logFailure?: (reason: unknown, record: SQSRecord) => void,
) {
  return middy<SQSEvent, PromiseSettledResult<T>[]>()
    .before(({ context }) => logger.addContext(context))
    .use(sqsPartialBatchFailure(logFailure === undefined ? {} : { logger: logFailure }))
    .handler((event) => Promise.allSettled(event.Records.map(take)));
}
