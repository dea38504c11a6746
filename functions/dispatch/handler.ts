import middy from '@middy/core';
import type { ScheduledEvent } from 'aws-lambda';
import { beat } from '../../shared/network/heartbeat.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { newCounter, newLogger } from '../../shared/runtime/logging.ts';
import { noticesQueue, scansQueue } from '../../shared/runtime/queues.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { dispatch } from './dispatch.ts';

// Once per cold start.
const settings = readSettings('dispatch');
const logger = newLogger('dispatch');
const services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock),
  wakeScans: scansQueue(settings.SCANS_QUEUE_URL),
  wakeNotices: noticesQueue(settings.NOTICES_QUEUE_URL),
  clock: systemClock,
  count: newCounter(),
  owedLeaseMs: settings.OWED_LEASE_SECONDS.ms,
};

/** Called by EventBridge every minute. */
export const handler = middy<ScheduledEvent>()
  .before(({ context }) => logger.addContext(context))
  .handler(async () => {
    const done = await dispatch(services);
    if (done.scheduled + done.owed + done.digests + done.notices > 0) logger.info('dispatched', done);
    if (settings.HEARTBEAT_URL !== '' && !(await beat(settings.HEARTBEAT_URL))) logger.warn('the monitor did not answer the heartbeat');
    return done;
  });
