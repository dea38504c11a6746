import { Duration, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import { type Deployment, portsDialled } from './deployment.ts';
import { Egress } from './egress.ts';
import { grantDueIndex, grantSecret, grantTable, type Retained } from './retained.ts';
import { WorkQueue } from './work-queue.ts';

export type ScanPipelineProps = {
  /** Where API and pages answer. */
  readonly baseUrl: string;
  readonly deployment: Deployment;
  readonly retained: Retained;
  readonly notices: WorkQueue;
  readonly alarms: Alarms;
};

const PROBE_TIMEOUT = Duration.minutes(5); // a sitting ends after 90 s; the rest is for DNS, storing and a slow start
const PROBES_LIMIT = 10; // at once, of 50 hosts each: five hundred hosts in the air behind one address

/** The way of a scan: each minute `dispatch` sends what is due, `probe` takes it, one message of up to 50 hosts at a time. */
export class ScanPipeline extends Construct {
  constructor(scope: Construct, id: string, props: ScanPipelineProps) {
    super(scope, id);
    const scans = new WorkQueue(this, 'Scans', {
      name: 'scans',
      setting: 'SCANS_QUEUE_URL',
      // A minute more than a probe may run. The usual six times is for consumers that are throttled while messages are
      // out; with a concurrency limit the queue hands out no more than is run, and a dead probe's hosts wait no longer.
      visibilityTimeout: PROBE_TIMEOUT.plus(Duration.minutes(1)),
      deadLetterImpact: 'Some scans were given up after four deliveries: the hosts in them are scanned again only when they are due next.',
      alarms: props.alarms,
    });
    this.#addDispatch(scans, props);
    this.#addProbe(scans, props);
  }

  #addDispatch(scans: WorkQueue, { deployment, retained, notices, alarms }: ScanPipelineProps): void {
    const dispatch = new AuditFunction(this, 'Dispatch', {
      name: 'dispatch',
      errorImpact: 'Hosts are not scanned when they are due, and lost notices are not sent again, for as long as this goes on.',
      alarms,
      timeout: Duration.minutes(1),
      memoryMiB: 512,
      retryAttempts: 0, // the next minute does what this one left
    });
    grantTable(dispatch, retained, ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
    if (deployment.heartbeatUrl !== '') dispatch.grant({ HEARTBEAT_URL: deployment.heartbeatUrl });
    grantDueIndex(dispatch, retained);
    scans.grantSend(dispatch);
    notices.grantSend(dispatch);
    new Rule(this, 'Tick', {
      description: 'Every minute: sends the scans that are due',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(dispatch.lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }

  #addProbe(scans: WorkQueue, { deployment, baseUrl, retained, notices, alarms }: ScanPipelineProps): void {
    const ipv6 = deployment.ipv6 === 'true';
    const egress = new Egress(this, 'Egress', { allocationId: retained.egressAllocationId, ports: portsDialled(deployment), ipv6 });
    const probe = new AuditFunction(this, 'Probe', {
      name: 'probe',
      errorImpact: 'Hosts are not scanned: owners hear late, or not at all, that a server became an open relay.',
      alarms,
      timeout: PROBE_TIMEOUT,
      memoryMiB: 1024,
      placement: egress.placement,
    });
    allowNetworkInterfaces(probe);
    probe.grant({
      BASE_URL: baseUrl,
      EHLO_NAME: deployment.ehloName,
      CANARY_DOMAIN: deployment.canaryDomain,
      OPERATOR_NETWORKS: deployment.operatorNetworks,
      OPERATOR_ACCOUNTS: deployment.operatorAccounts,
      EGRESS_ENDPOINTS: deployment.egressEndpoints,
      // Thousands of short-lived buffers: small nurseries halve the memory that they take, and save time (docs/benchmarks.md).
      NODE_OPTIONS: '--max-semi-space-size=8',
      FAMILIES: ipv6 ? '4,6' : '4',
      ...(deployment.optOutAddress === '' ? {} : { OPT_OUT_ADDRESS: deployment.optOutAddress }),
    });
    grantSecret(probe, retained);
    grantTable(probe, retained, ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem']);
    scans.grantSend(probe);
    notices.grantSend(probe);
    scans.feed(probe, { batchSize: 1, maxConcurrency: PROBES_LIMIT });
  }
}

// What Lambda needs to put a function into a VPC.
function allowNetworkInterfaces(to: AuditFunction): void {
  const actions = ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface'];
  to.grant({}, new PolicyStatement({ actions: actions.map((action) => `ec2:${action}`), resources: ['*'] }));
  const reason = 'Lambda makes the network interfaces of a function in a VPC by itself: they have no ARN to name beforehand.';
  Validations.of(to).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason });
}
