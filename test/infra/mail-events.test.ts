import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { deadLettersName, serviceStackName, WORK_QUEUES } from '../../infra/names.ts';
import { keys } from '../../shared/store/keys.ts';
import { buildApp, resourcesOf } from './build-app.ts';

const { service } = buildApp();
const template = Template.fromStack(service);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

const [[topic = ''] = []] = resourcesOf(template, 'AWS::SNS::Topic').filter(([id]) => id.startsWith('MailEvents'));
const [[key = ''] = []] = resourcesOf(template, 'AWS::KMS::Key');
const [[set = ''] = []] = resourcesOf(template, 'AWS::SES::ConfigurationSet');

test('events of mails lie encrypted on their way, under a key that turns and goes with the stack', () => {
  template.hasResourceProperties('AWS::SNS::Topic', {
    DisplayName: 'Relay Audit mail events',
    KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] },
  });
  template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete', Properties: { EnableKeyRotation: true } });
});

test('SES may use the key on behalf of this account, and nobody else but the account itself', () => {
  const [[, { Properties }] = expect.fail()] = resourcesOf(template, 'AWS::KMS::Key');
  const { Statement } = (Properties as unknown as { KeyPolicy: { Statement: Record<string, unknown>[] } }).KeyPolicy;
  const ses = Statement.filter(({ Principal }) => JSON.stringify(Principal).includes('ses.amazonaws.com'));
  expect(ses).toEqual([
    expect.objectContaining({
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    }),
  ]);
  for (const { Principal } of Statement.filter((each) => !ses.includes(each))) expect(JSON.stringify(Principal)).toContain(':root');
});

test('only SES may publish to the topic, and for our configuration set only', () => {
  const policies = resourcesOf(template, 'AWS::SNS::TopicPolicy').filter(([, { Properties }]) =>
    JSON.stringify(Properties).includes(topic),
  );
  expect(policies).toHaveLength(1);
  const allowed = policies
    .flatMap(([, { Properties }]) => Properties.PolicyDocument?.Statement ?? [])
    .filter(({ Effect }) => Effect === 'Allow');
  expect(allowed).toEqual([
    expect.objectContaining({ Action: 'sns:Publish', Principal: { Service: 'ses.amazonaws.com' }, Resource: { Ref: topic } }),
  ]);
  expect(JSON.stringify(allowed[0]?.Condition)).toContain(`:configuration-set/",{"Ref":"${set}"}`);
});

test('the rates of bounces and complaints sound before SES reviews the sender, and so does a mail that SES threw away', () => {
  template.hasResourceProperties('AWS::SES::ConfigurationSet', { ReputationOptions: { ReputationMetricsEnabled: true } });
  const bound = (MetricName: string) => {
    const [alarm] = Object.values(template.findResources('AWS::CloudWatch::Alarm', { Properties: { Namespace: 'AWS/SES', MetricName } }));
    return alarm?.Properties.Threshold;
  };
  expect(bound('Reputation.BounceRate')).toBeLessThan(0.05);
  expect(bound('Reputation.ComplaintRate')).toBeLessThan(0.001);
  expect(bound('Reject')).toBe(0);
});

test('feedback may write to items of the table, and read none', () => {
  const [[, { Properties }] = expect.fail()] = resourcesOf(template, 'AWS::IAM::Policy').filter(([id]) =>
    id.startsWith('MailEventsFeedback'),
  );
  const actions = Properties.PolicyDocument?.Statement.flatMap(({ Action }) => Action) ?? [];
  expect(actions.filter((action) => !/^(logs|sqs):/.test(action))).toEqual([
    'dynamodb:UpdateItem',
    'dynamodb:PutItem',
    'dynamodb:ConditionCheckItem',
  ]);
});

test.each(WORK_QUEUES)(
  'the dead letters of a work queue have the name by which replay finds them, and their article uses it: %s',
  (name) => {
    template.hasResourceProperties('AWS::SQS::Queue', { QueueName: deadLettersName(name, service.stackName) });
    const [, article = ''] = new RegExp(`^## ${name} dead letters$([^]*?)^## `, 'im').exec(runbook) ?? [];
    expect(article).toContain(`npm run replay -- ${name} --stage "$STAGE"`);
    expect(article).toContain(`queue ${name}-dead`);
    expect(deadLettersName(name, serviceStackName('a-stage-of-16-xx')).length).toBeLessThanOrEqual(80); // the longest that SQS takes
  },
);

test('the line by which an operator finds a stopped address names its item in the table', () => {
  const line = runbook.split('\n').find((each) => each.trim().startsWith('HASH=')) ?? expect.fail();
  const command = `ADDRESS='Owner@Example.org'\n${line}\nprintf 'MAILBOX#%s' "$HASH"`;
  expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })).toBe(keys.mailbox('owner@example.org').pk);
  expect(runbook).toContain('"sk":{"S":"MAILBOX"}');
});
