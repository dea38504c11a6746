import { readFileSync } from 'node:fs';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterEach, expect, test, vi } from 'vitest';
import { newCounter } from '../../shared/runtime/logging.ts';
import { METRIC_NAMES } from '../../shared/runtime/metrics.ts';
import { buildApp, CONTEXT, type Properties, resourcesOf, type WatchedMetric } from './build-app.ts';

const template = Template.fromStack(buildApp().service);
const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const articles = [...read('docs/runbook.md').matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
const description = /^([A-Z][^#]{30,}\.) What to do: docs\/runbook\.md#([a-z-]+)$/;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test.each(alarms)('every alarm says what users lose and links its runbook article, which exists: %s', (_id, { Properties }) => {
  const [, usersLose, article] = description.exec(Properties.AlarmDescription ?? '') ?? [];
  expect(usersLose).toBeDefined();
  expect(articles).toContain(article);
});

test('every runbook article belongs to an alarm', () => {
  const linked = alarms.map(([, { Properties }]) => description.exec(Properties.AlarmDescription ?? '')?.[2]);
  expect([...new Set(linked)].toSorted()).toEqual(articles.toSorted());
});

test.each(alarms)('every alarm is mailed when it sounds and when it ends: %s', (_id, { Properties }) => {
  expect(Properties.AlarmActions).toHaveLength(1);
  expect(Properties.OKActions).toEqual(Properties.AlarmActions);
});

test('the operator hears of alarms, and alarms may publish to a topic that refuses plain text', () => {
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: CONTEXT.operatorEmail });
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({ Effect: 'Allow', Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
      ]),
    },
  });
});

test('every function has an errors alarm', () => {
  const watched = alarms
    .filter(([, { Properties }]) => Properties.MetricName === 'Errors')
    .map(([, { Properties }]) => JSON.stringify(Properties.Dimensions));
  const ours = resourcesOf(template, 'AWS::Lambda::Function').filter(([, { Properties }]) => Properties.Handler === 'index.handler');
  expect(watched).toHaveLength(ours.length);
  for (const [id] of ours) expect(watched.join()).toContain(`"Ref":"${id}"`);
});

test('every dead-letter queue has an alarm', () => {
  const watched = JSON.stringify(alarms.filter(([, { Properties }]) => Properties.MetricName === 'ApproximateNumberOfMessagesVisible'));
  expect(watched).toContain('NoticesDeadLetters');
  expect(watched).toContain('ScansDeadLetters');
  expect(watched).toContain('FeedbackQueueDeadLetters');
  expect(watched).toContain('CanaryQueueDeadLetters');
});

test('a dispatcher that has stopped counting sounds the alarm of the cursor', () => {
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'CursorAgeMinutes', TreatMissingData: 'breaching' });
});

test('the alarm on refusals of us sounds above five of a hundred hosts', () => {
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    Threshold: 5,
    ComparisonOperator: 'GreaterThanThreshold',
    Metrics: Match.arrayWith([Match.objectLike({ Expression: '100 * FILL(refusing, 0) / probed' })]),
  });
});

test('every metric that functions count is watched, under the namespace and dimension that they count it with', () => {
  const line = countOnce();
  const namespace = line._aws.CloudWatchMetrics[0].Namespace;
  const watched = alarms.flatMap(([, { Properties }]) => metricsOf(Properties)).filter(({ Namespace }) => Namespace === namespace);
  expect(new Set(watched.map(({ MetricName }) => MetricName))).toEqual(new Set(METRIC_NAMES));
  for (const { Dimensions } of watched) expect(Dimensions).toEqual([{ Name: 'service', Value: line.service }]);
});

function metricsOf({ Namespace = '', MetricName, Dimensions, Metrics = [] }: Properties): WatchedMetric[] {
  const inside = Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
  return MetricName === undefined ? inside : [{ Namespace, MetricName, Dimensions }];
}

// The line that a function logs for CloudWatch when it counts.
function countOnce() {
  vi.stubEnv('POWERTOOLS_DEV', 'true'); // to the console that can be listened to
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  newCounter()('HostsProbed', 1);
  return JSON.parse(String(log.mock.calls[0]?.[0]));
}
