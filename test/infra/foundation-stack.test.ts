import { Match, Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { DUE_INDEX, TABLE } from '../../shared/store/keys.ts';
import { buildApp, resourcesOf } from './build-app.ts';

const SURVIVORS = ['AWS::DynamoDB::Table', 'AWS::SecretsManager::Secret', 'AWS::EC2::EIP'];
const prod = buildApp();
const dev = buildApp({ stage: 'dev' });
const template = Template.fromStack(prod.foundation);
const devTemplate = Template.fromStack(dev.foundation);

test.each(SURVIVORS)('nothing that must survive is deleted with the foundation stack: %s', (type) => {
  const found = resourcesOf(template, type);
  expect(found).toHaveLength(1);
  for (const [, resource] of found) expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});

test('the table and its stack are protected from deletion, and the table can be put back to any second', () => {
  expect(prod.foundation.terminationProtection).toBe(true);
  template.hasResourceProperties('AWS::DynamoDB::Table', {
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
});

test.each(SURVIVORS)('dev stage drops protection and retention: %s', (type) => {
  expect(dev.foundation.terminationProtection).toBe(false);
  devTemplate.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false });
  for (const [, resource] of resourcesOf(devTemplate, type)) expect(resource.DeletionPolicy).toBe('Delete');
});

test('the table has the shape that the store works with', () => {
  template.hasResourceProperties('AWS::DynamoDB::Table', {
    KeySchema: [
      { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
      { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
    ],
    TimeToLiveSpecification: { AttributeName: TABLE.expiry, Enabled: true },
    AttributeDefinitions: Match.arrayWith([{ AttributeName: DUE_INDEX.sortKey, AttributeType: 'N' }]),
    GlobalSecondaryIndexes: [
      {
        IndexName: DUE_INDEX.name,
        KeySchema: [
          { AttributeName: DUE_INDEX.partitionKey, KeyType: 'HASH' },
          { AttributeName: DUE_INDEX.sortKey, KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: DUE_INDEX.included },
      },
    ],
  });
});

test('the secret is generated, of letters and digits, and long enough for every key derived from it', () => {
  template.hasResourceProperties('AWS::SecretsManager::Secret', {
    GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
  });
});

test('what the service stack reads by name, the foundation stack of the same stage writes', () => {
  const written = resourcesOf(template, 'AWS::SSM::Parameter').map(([, { Properties }]) => Properties.Name);
  const service = Template.fromStack(prod.service).toJSON();
  const read = Object.values(service.Parameters as Record<string, { Type: string; Default: string }>)
    .filter(({ Type }) => Type === 'AWS::SSM::Parameter::Value<String>')
    .map(({ Default }) => Default)
    .filter((name) => !name.startsWith('/cdk-bootstrap/'));
  expect(read.toSorted()).toEqual(written.toSorted());
  expect(JSON.stringify(service)).not.toContain('Fn::ImportValue');
});

test('the address to give reverse DNS, the table and the secret are outputs', () => {
  expect(Object.keys(template.findOutputs('*')).toSorted()).toEqual(['EgressIp', 'SecretArn', 'TableName']);
});
