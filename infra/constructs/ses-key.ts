import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** The key of a topic that SES publishes to, for this account only. A key of AWS's own would do, but SES may use none of those. */
export function keyForSes(scope: Construct, id: string, description: string): Key {
  const key = new Key(scope, id, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY });
  const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } };
  const principals = [new ServicePrincipal('ses.amazonaws.com', { conditions })];
  key.addToResourcePolicy(new PolicyStatement({ actions: ['kms:GenerateDataKey', 'kms:Decrypt'], principals, resources: ['*'] }));
  return key;
}
