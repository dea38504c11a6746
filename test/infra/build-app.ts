import { App, Validations } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readDeployment } from '../../infra/constructs/deployment.ts';
import { FoundationStack } from '../../infra/foundation-stack.ts';
import { ServiceStack } from '../../infra/service-stack.ts';

/** Parameters of a deployment that could exist. */
export const CONTEXT = {
  stage: 'prod',
  ehloName: 'probe.relay-audit.test',
  canaryDomain: 'canary.relay-audit.test',
  mailFrom: 'alerts@relay-audit.test',
  operatorEmail: 'operator@relay-audit.test',
  operatorNetworks: '203.0.113.0/24',
  egressEndpoints: '203.0.113.10:25,203.0.113.20:2525',
  probePorts: '25,587',
  optOutAddress: 'opt-out@relay-audit.test',
  heartbeatUrl: 'https://monitor.relay-audit.test/ping',
  ipv6: 'false',
};

/** The app as infra/app.ts makes it, without bundling the functions. */
export function buildApp(context: Partial<Record<keyof typeof CONTEXT, string>> = {}) {
  const app = new App({ context: { ...CONTEXT, ...context, 'aws:cdk:bundling-stacks': [] } });
  const deployment = readDeployment(app);
  const foundation = new FoundationStack(app, 'foundation', deployment);
  const service = new ServiceStack(app, 'service', deployment);
  return { app, foundation, service };
}

type Ref = { readonly Ref: string };
type Attribute = { readonly 'Fn::GetAtt': readonly [id: string, attribute: string] };

/** A statement of a policy. */
export type Statement = {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
};

/** A policy as it stands in a template. */
export type PolicyDocument = { readonly Statement: readonly Statement[] };

/** A metric that an alarm watches. */
export type WatchedMetric = { readonly Namespace: string; readonly MetricName: string; readonly Dimensions: unknown };

/** Those properties of resources that tests look at. */
export type Properties = Readonly<
  Partial<
    WatchedMetric & {
      AlarmActions: unknown[];
      AlarmDescription: string;
      AllocationId: Ref;
      Architectures: string[];
      Environment: { Variables: Record<string, unknown> };
      EventSourceArn: Attribute;
      FunctionName: Ref;
      FunctionResponseTypes: string[];
      Handler: string;
      LoggingConfig: { LogGroup: Ref };
      Metrics: { MetricStat?: { Metric: WatchedMetric } }[];
      Name: string;
      NatGatewayId: Ref;
      OKActions: unknown[];
      Policies: { PolicyDocument: PolicyDocument }[];
      PolicyDocument: PolicyDocument;
      Queues: Ref[];
      RedrivePolicy: unknown;
      RetentionInDays: number;
      Runtime: string;
      DestinationConfig: { OnFailure: { Destination: Attribute } };
      ScalingConfig: { MaximumConcurrency: number };
      SecurityGroupEgress: { CidrIp?: string; CidrIpv6?: string; FromPort: number; ToPort: number }[];
      SecurityGroupIngress: unknown;
      Timeout: number;
      VisibilityTimeout: number;
      VpcConfig: { SubnetIds: unknown[] };
    }
  >
>;

/** A resource of a template. */
export type Resource = { readonly Properties: Properties; readonly DeletionPolicy?: string };

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.findResources(type) as Record<string, Resource>);
}

/** Synthesises the app under the rules of cdk-nag; throws, naming the rules, when one is violated without a stated reason. */
export function synthUnderNag(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}
