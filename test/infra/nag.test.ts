import { App, Stack } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { buildApp, synthUnderNag } from './build-app.ts';

test('cdk-nag finds nothing in either stack that has no stated reason', () => {
  expect(() => synthUnderNag(buildApp().app)).not.toThrow();
});

test('cdk-nag would find a queue without dead letters', () => {
  const app = new App();
  new Queue(new Stack(app, 'stack'), 'queue');
  expect(() => synthUnderNag(app)).toThrow('AwsSolutions-SQS3');
});
