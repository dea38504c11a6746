import { Duration, Stack } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLettersName, type WorkQueueName } from '../names.ts';
import type { Alarms } from './alarms.ts';
import type { AuditFunction } from './audit-function.ts';

export type WorkQueueProps = {
  readonly name: WorkQueueName;
  /** The setting by which functions that send to it find it; none where no function does. */
  readonly setting?: 'SCANS_QUEUE_URL' | 'NOTICES_QUEUE_URL';
  /** How long a message is left to the function that took it. */
  readonly visibilityTimeout: Duration;
  /** A sentence: what users lose when messages are given up. */
  readonly deadLetterImpact: string;
  readonly alarms: Alarms;
};

const DELIVERIES_LIMIT = 4; // the second takes a message apart; what then fails twice more is a defect
const DEAD_LETTERS_KEPT = Duration.days(14); // the longest that SQS keeps a message

/** A queue with dead letters that alarm. Only senders and the one consumer it feeds may touch it, over TLS. */
export class WorkQueue extends Construct {
  readonly #queue: Queue;
  readonly #setting: string | undefined;

  constructor(scope: Construct, id: string, { name, setting, visibilityTimeout, deadLetterImpact, alarms }: WorkQueueProps) {
    super(scope, id);
    const guarded = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    // By this name `npm run replay` finds them.
    const queueName = deadLettersName(name, Stack.of(this).stackName);
    const deadLetters = new Queue(this, 'DeadLetters', { ...guarded, queueName, retentionPeriod: DEAD_LETTERS_KEPT });
    const deadLetterQueue = { queue: deadLetters, maxReceiveCount: DELIVERIES_LIMIT };
    this.#queue = new Queue(this, 'Queue', { ...guarded, visibilityTimeout, deadLetterQueue });
    this.#setting = setting;
    alarms.add(`${id}DeadLetters`, {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period: Duration.minutes(5) }),
      above: 0,
      usersLose: deadLetterImpact,
      article: `${name}-dead-letters`,
    });
  }

  /** The queue's address, and sending to it. */
  grantSend(to: AuditFunction): void {
    if (this.#setting === undefined) throw new Error('functions know no setting by which they would find this queue');
    const permission = new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.#queue.queueArn] });
    to.grant({ [this.#setting]: this.#queue.queueUrl }, permission);
  }

  /** Puts what a topic publishes into it, as it was published. */
  subscribe(topic: ITopic): void {
    topic.addSubscription(new SqsSubscription(this.#queue, { rawMessageDelivery: true }));
  }

  /** Feeds its messages to a function; those that fail come back by themselves, the rest of their batch does not. */
  feed(consumer: AuditFunction, limits: { readonly batchSize: number; readonly maxConcurrency: number }): void {
    consumer.lambda.addEventSource(new SqsEventSource(this.#queue, { ...limits, reportBatchItemFailures: true }));
  }
}
