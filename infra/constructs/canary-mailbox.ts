import { CfnElement, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { type IReceiptRuleAction, ReceiptFilter, ReceiptFilterPolicy, ReceiptRuleSet } from 'aws-cdk-lib/aws-ses';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import type { Deployment } from './deployment.ts';
import { grantSecret, grantTable, type Retained } from './retained.ts';
import { keyForSes } from './ses-key.ts';
import { WorkQueue } from './work-queue.ts';

export type CanaryMailboxProps = {
  readonly deployment: Deployment;
  readonly retained: Retained;
  readonly notices: WorkQueue;
  readonly alarms: Alarms;
};

const READERS_LIMIT = 5; // at once: anybody may mail to the canary domain, and a flood waits in the queue
const MAILS_KEPT = Duration.days(1); // a mail is read within minutes; the shortest that S3 knows
const MAIL_PREFIX = 'mail/';
// Without a filter SES drops mail of EC2 addresses and of blocklisted ones, and says nothing: an open relay is likely both or one of them.
const EVERYWHERE = '0.0.0.0/0';

/**
 * The way back of a canary: SES takes mail for the canary domain, keeps it for a day, and publishes its headers, over SNS and a queue, to
 * `canary`. What a bounce quotes is in its body, which `canary` looks up where the headers say that it may be one. The rule set is made
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
    const ruleSet = `relay-audit-${deployment.stage}`;
    const mails = this.#addMails(canary, ruleSet);
    const topic = this.#addTopic();
    const queue = new WorkQueue(this, 'Canary Queue', {
      name: 'canary',
      visibilityTimeout: Duration.minutes(3), // six times the function's time, as AWS advises
      deadLetterImpact:
        'Messages that came back were given up: servers that are proven to be open relays read as suspected, or as closed where they take any local part.',
      alarms,
    });
    queue.subscribe(topic);
    queue.feed(canary, { batchSize: 10, maxConcurrency: READERS_LIMIT });
    const rules = new ReceiptRuleSet(this, 'Rules', { receiptRuleSetName: ruleSet });
    rules.addRule('ToCanaryDomain', {
      recipients: [deployment.canaryDomain, `.${deployment.canaryDomain}`], // a dot in front: every name below it, to SES
      actions: [keepIn(mails, topic)],
    });
    new ReceiptFilter(this, 'FromEverywhere', { ip: EVERYWHERE, policy: ReceiptFilterPolicy.ALLOW });
  }

  // Where SES keeps the mails that came, for `canary` to look into.
  #addMails(canary: AuditFunction, ruleSet: string): Bucket {
    const bucket = new Bucket(this, 'Mails', {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      lifecycleRules: [{ expiration: MAILS_KEPT, abortIncompleteMultipartUploadAfter: MAILS_KEPT }],
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { account, region, partition } = Stack.of(this);
    const ofThisRuleSet = {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': `arn:${partition}:ses:${region}:${account}:receipt-rule-set/${ruleSet}:receipt-rule/*` },
    };
    const resources = [bucket.arnForObjects(`${MAIL_PREFIX}*`)];
    bucket.addToResourcePolicy(
      new PolicyStatement({
        actions: ['s3:PutObject'],
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        resources,
        conditions: ofThisRuleSet,
      }),
    );
    // Without the right to list, a mail that is gone looks like one that may not be read.
    canary.grant(
      { CANARY_MAIL_URL: `https://${bucket.bucketRegionalDomainName}/${MAIL_PREFIX}`, CANARY_MAIL_REGION: region },
      new PolicyStatement({ actions: ['s3:GetObject'], resources }),
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
    );
    const reason =
      'Only SES writes and only canary reads, and nothing stays for longer than a day: a log of that would outlive what it is about.';
    Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason });
    const { defaultChild } = bucket.node;
    const id = CfnElement.isCfnElement(defaultChild) ? Stack.of(this).getLogicalId(defaultChild) : '';
    Validations.of(canary).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${id}.Arn>/${MAIL_PREFIX}*]`,
      reason: 'SES names each mail as it comes, and the function reads any of them.',
    });
    return bucket;
  }

  // What is published of a mail has its headers, which are no stranger's to read.
  #addTopic(): Topic {
    const masterKey = keyForSes(this, 'Key', 'Relay Audit: the headers of mails to the canary domain, on their way');
    const topic = new Topic(this, 'Topic', { displayName: 'Relay Audit canary mailbox', enforceSSL: true, masterKey });
    topic.addToResourcePolicy(
      new PolicyStatement({
        actions: ['sns:Publish'],
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    return topic;
  }
}

// CDK's own action would let every rule of the account write; the bucket's policy is ours. SES tries to write, and to publish, when the
// rule is made.
function keepIn(bucket: Bucket, topic: Topic): IReceiptRuleAction {
  return {
    bind(rule) {
      if (bucket.policy !== undefined) rule.node.addDependency(bucket.policy);
      rule.node.addDependency(topic);
      return { s3Action: { bucketName: bucket.bucketName, objectKeyPrefix: MAIL_PREFIX, topicArn: topic.topicArn } };
    },
  };
}
