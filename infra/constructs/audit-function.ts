import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionName } from '../../shared/runtime/config.ts';
import type { Alarms } from './alarms.ts';

/** Where a function runs inside a network. */
export type Placement = {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroups: ISecurityGroup[];
  readonly ipv6AllowedForDualStack: boolean;
};

export type AuditFunctionProps = {
  /** Folder under functions/ whose handler.ts it runs. */
  readonly name: FunctionName;
  /** A sentence: what users lose when it fails. The alarm on its errors says it, with its article `<name>-fails`. */
  readonly errorImpact: string;
  readonly alarms: Alarms;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  /** How often AWS runs it again after a failed asynchronous call; left out where nothing calls it that way. */
  readonly retryAttempts?: number;
  /** Inside which network; outside of any when left out. */
  readonly placement?: Placement;
};

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// Packages in CommonJS form call `require`, which an ES module has to make for itself.
const REQUIRE_BANNER = "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);";

const BUNDLING: BundlingOptions = {
  format: OutputFormat.ESM,
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  externalModules: [], // the AWS SDK too: starts faster than the runtime's own copy, and is the one that was tested
  banner: REQUIRE_BANNER,
  esbuildArgs: {
    '--alias:@aws-sdk/credential-provider-node': `${ROOT}infra/constructs/lambda-credentials.ts`,
    '--alias:node:http': `${ROOT}infra/constructs/lambda-http.ts`,
  },
};

/** One Lambda function of functions/, with a role of its own that may do nothing but log, log retention, and an alarm on its errors. */
export class AuditFunction extends Construct {
  readonly lambda: NodejsFunction;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: AuditFunctionProps) {
    super(scope, id);
    this.#role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = new LogGroup(this, 'Log', { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    logGroup.grantWrite(this.#role);
    this.lambda = new NodejsFunction(this, 'Function', {
      entry: `${ROOT}functions/${props.name}/handler.ts`,
      projectRoot: ROOT,
      depsLockFilePath: `${ROOT}package-lock.json`,
      bundling: BUNDLING,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.#role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      awsSdkConnectionReuse: false, // a switch of the SDK's second version, which is not used
      ...(props.retryAttempts === undefined ? {} : { retryAttempts: props.retryAttempts }),
      ...props.placement,
    });
    props.alarms.add(`${id}Errors`, {
      metric: this.lambda.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(5) }),
      above: 0,
      usersLose: props.errorImpact,
      article: `${props.name}-fails`,
    });
  }

  /** Gives settings together with the permission that makes them useful. */
  grant(settings: Readonly<Record<string, string>>, ...permissions: readonly PolicyStatement[]): void {
    for (const [name, value] of Object.entries(settings)) this.lambda.addEnvironment(name, value);
    for (const permission of permissions) this.#role.addToPolicy(permission);
  }
}
