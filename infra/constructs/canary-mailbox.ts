import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { ReceiptFilter, ReceiptFilterPolicy, ReceiptRuleSet } from 'aws-cdk-lib/aws-ses';
import { Lambda, LambdaInvocationType } from 'aws-cdk-lib/aws-ses-actions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import type { Deployment } from './deployment.ts';
import { grantSecret, grantTable, type Retained } from './retained.ts';
import type { WorkQueue } from './work-queue.ts';

export type CanaryMailboxProps = {
  readonly deployment: Deployment;
  readonly retained: Retained;
  readonly notices: WorkQueue;
  readonly alarms: Alarms;
};

const RETRIES = 2; // as often as Lambda can: one and two minutes later
const DEAD_LETTERS_KEPT = Duration.days(14); // the longest that SQS keeps a message
// Without a filter SES drops mail of EC2 addresses and of blocklisted ones, and says nothing: an open relay is likely both or one of them.
const EVERYWHERE = '0.0.0.0/0';

/**
 * The way back of a canary: SES takes mail for the canary domain and calls `canary` with its headers. The rule set is made
 * and not activated: only one can be active in an account and region, and another's must not be displaced unasked.
 */
export class CanaryMailbox extends Construct {
  constructor(scope: Construct, id: string, { deployment, retained, notices, alarms }: CanaryMailboxProps) {
    super(scope, id);
    const canary = new AuditFunction(this, 'Canary', {
      name: 'canary',
      errorImpact: 'A message that came back is noted late: a server that is proven to be an open relay reads as suspected meanwhile.',
      alarms,
      timeout: Duration.seconds(30),
      memoryMiB: 512,
    });
    grantSecret(canary, retained);
    grantTable(canary, retained, ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem']);
    notices.grantSend(canary);
    canary.lambda.configureAsyncInvoke({ retryAttempts: RETRIES, onFailure: new SqsDestination(this.#addDeadLetters(alarms)) });
    const rules = new ReceiptRuleSet(this, 'Rules', { receiptRuleSetName: `relay-audit-${deployment.stage}` });
    rules.addRule('ToCanaryDomain', {
      recipients: [deployment.canaryDomain],
      actions: [new Lambda({ function: canary.lambda, invocationType: LambdaInvocationType.EVENT })],
    });
    new ReceiptFilter(this, 'FromEverywhere', { ip: EVERYWHERE, policy: ReceiptFilterPolicy.ALLOW });
  }

  #addDeadLetters(alarms: Alarms): Queue {
    const queue = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: DEAD_LETTERS_KEPT,
    });
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is itself where the function leaves what it gave up.' });
    alarms.add('CanaryDeadLetters', {
      metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM, period: Duration.minutes(5) }),
      above: 0,
      usersLose: 'Messages that came back were given up after three tries: servers that are proven to be open relays read as suspected.',
      article: 'canary-dead-letters',
    });
    return queue;
  }
}
