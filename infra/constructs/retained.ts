import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { DUE_INDEX } from '../../shared/store/keys.ts';
import type { AuditFunction } from './audit-function.ts';

/**
 * What the foundation stack hands to the service stack. It crosses by the name of an SSM parameter, not by a
 * CloudFormation export, so that neither stack ever holds up a change of the other.
 */
export type Retained = {
  readonly tableName: string;
  readonly secretArn: string;
  readonly egressAllocationId: string;
  readonly egressAddress: string;
};

const PARAMETERS: Record<keyof Retained, string> = {
  tableName: 'table-name',
  secretArn: 'secret-arn',
  egressAllocationId: 'egress-allocation-id',
  egressAddress: 'egress-address',
};

const entries = Object.entries(PARAMETERS) as [keyof Retained, string][];

/** Writes the values, in the foundation stack. */
export function writeRetained(scope: Construct, stage: string, values: Retained): void {
  for (const [key, name] of entries) {
    new StringParameter(scope, `parameter-${name}`, { parameterName: parameterName(stage, name), stringValue: values[key] });
  }
}

/** Reads the values, in any other stack of the same stage; they are filled in when it is deployed. */
export function readRetained(scope: Construct, stage: string): Retained {
  const read = (key: keyof Retained) => StringParameter.valueForStringParameter(scope, parameterName(stage, PARAMETERS[key]));
  return {
    tableName: read('tableName'),
    secretArn: read('secretArn'),
    egressAllocationId: read('egressAllocationId'),
    egressAddress: read('egressAddress'),
  };
}

function parameterName(stage: string, name: string): string {
  return `/relay-audit/${stage}/${name}`;
}

/** What a function may do to single items, in a transaction too. Scans are for nobody. */
export type ItemAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem';

/** The table's name, and these actions on its items. */
export function grantTable(to: AuditFunction, { tableName }: Retained, actions: readonly ItemAction[]): void {
  to.grant({ TABLE_NAME: tableName }, new PolicyStatement({ actions: actions.map(permission), resources: [tableArn(to, tableName)] }));
}

/** Reading what is due. */
export function grantDueIndex(to: AuditFunction, { tableName }: Retained): void {
  const resources = [`${tableArn(to, tableName)}/index/${DUE_INDEX.name}`];
  to.grant({}, new PolicyStatement({ actions: [permission('Query')], resources }));
}

/** Where the deployment's secret is, and reading it. */
export function grantSecret(to: AuditFunction, { secretArn }: Retained): void {
  to.grant({ SECRET: secretArn }, new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] }));
}

function permission(action: ItemAction): string {
  return `dynamodb:${action}`;
}

function tableArn(scope: Construct, tableName: string): string {
  return Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName });
}
