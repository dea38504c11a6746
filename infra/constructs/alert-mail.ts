import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import type { Deployment } from './deployment.ts';
import { grantSecret, grantTable, type Retained } from './retained.ts';
import { grantSending, type Sending } from './sending.ts';
import { WorkQueue } from './work-queue.ts';

export type AlertMailProps = {
  readonly sending: Sending;
  readonly deployment: Deployment;
  /** Where the API answers: mails link to the history under it. */
  readonly baseUrl: string;
  readonly retained: Retained;
  readonly alarms: Alarms;
};

const NOTIFY_TIMEOUT = Duration.minutes(1); // ten mails one after the other; less than the lease of a claimed notice
const SENDERS_LIMIT = 2; // at once: new SES accounts may send little per second

/** The way of a notice: queue, `notify`, SES or a webhook. */
export class AlertMail extends Construct {
  readonly notices: WorkQueue;

  constructor(scope: Construct, id: string, { sending, deployment, baseUrl, retained, alarms }: AlertMailProps) {
    super(scope, id);
    this.notices = new WorkQueue(this, 'Notices', {
      name: 'notices',
      setting: 'NOTICES_QUEUE_URL',
      visibilityTimeout: Duration.minutes(6), // six times the function's time, as AWS advises
      deadLetterImpact: 'Some alerts could not be sent; they are tried again each minute from the table, and their owners wait.',
      alarms,
    });
    const notify = new AuditFunction(this, 'Notify', {
      name: 'notify',
      errorImpact: 'Owners are not mailed that their server answers as an open relay, or that it is closed again.',
      alarms,
      timeout: NOTIFY_TIMEOUT,
      memoryMiB: 512,
    });
    notify.grant({
      BASE_URL: baseUrl,
      EGRESS_ADDRESSES: retained.egressAddress,
      OPERATOR_ACCOUNTS: deployment.operatorAccounts,
      WEBHOOK_NETWORKS: deployment.webhookNetworks,
    });
    grantSecret(notify, retained);
    grantSending(notify, sending);
    grantTable(notify, retained, ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem']);
    this.notices.feed(notify, { batchSize: 5, maxConcurrency: SENDERS_LIMIT });
  }
}
