import { CfnOutput, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnEIP } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { DUE_INDEX, TABLE } from '../shared/store/keys.ts';
import type { Deployment } from './constructs/deployment.ts';
import { writeRetained } from './constructs/retained.ts';

const SECRET_CHARACTERS = 64; // of letters and digits: 381 bits, from which every key is derived

/** What must survive: the table, the secret and the egress address stay when the stack goes, except in stage `dev`. */
export class FoundationStack extends Stack {
  constructor(scope: Construct, id: string, { stage }: Deployment) {
    const kept = stage !== 'dev';
    super(scope, id, { description: 'Relay Audit: what must survive', terminationProtection: kept });
    const removalPolicy = kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const tableName = this.#addTable(removalPolicy, kept);
    const secretArn = this.#addSecret(removalPolicy);
    const address = new CfnEIP(this, 'EgressAddress', { domain: 'vpc' });
    address.applyRemovalPolicy(removalPolicy);
    Tags.of(address).add('Name', `relay-audit-${stage}-egress`);
    writeRetained(this, stage, { tableName, secretArn, egressAllocationId: address.attrAllocationId, egressAddress: address.attrPublicIp });
    new CfnOutput(this, 'TableName', { value: tableName, description: 'The table' });
    new CfnOutput(this, 'SecretArn', { value: secretArn, description: 'The secret that every key is derived from' });
    new CfnOutput(this, 'EgressIp', { value: address.attrPublicIp, description: 'The address that probes come from: give it reverse DNS' });
  }

  #addTable(removalPolicy: RemovalPolicy, deletionProtection: boolean): string {
    const table = new Table(this, 'Table', {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.expiry,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection,
      removalPolicy,
    });
    table.addGlobalSecondaryIndex({
      indexName: DUE_INDEX.name,
      partitionKey: { name: DUE_INDEX.partitionKey, type: AttributeType.STRING },
      sortKey: { name: DUE_INDEX.sortKey, type: AttributeType.NUMBER },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: [...DUE_INDEX.included],
    });
    return table.tableName;
  }

  #addSecret(removalPolicy: RemovalPolicy): string {
    const secret = new Secret(this, 'Secret', {
      description: 'Relay Audit: the keys of every purpose are derived from it',
      generateSecretString: { passwordLength: SECRET_CHARACTERS, excludePunctuation: true },
      removalPolicy,
    });
    const reason = 'API keys are checked against codes made with it: another value would turn every key away at once.';
    Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason });
    return secret.secretArn;
  }
}
