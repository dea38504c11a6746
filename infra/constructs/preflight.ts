import { CfnResource, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { InvocationType, Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import type { Deployment } from './deployment.ts';
import type { Retained } from './retained.ts';

export type PreflightProps = { readonly deployment: Deployment; readonly retained: Retained; readonly alarms: Alarms };

/** Looks at ourselves the way a receiving server would: once a day, and at each deployment that changes what is looked at. */
export class Preflight extends Construct {
  constructor(scope: Construct, id: string, { deployment, retained, alarms }: PreflightProps) {
    super(scope, id);
    const preflight = new AuditFunction(this, 'Preflight', {
      name: 'preflight',
      errorImpact: 'Nothing yet; but nobody would notice that mail servers have a reason to turn our probes away.',
      alarms,
      timeout: Duration.minutes(1),
      memoryMiB: 256,
    });
    preflight.grant({ EHLO_NAME: deployment.ehloName, CANARY_DOMAIN: deployment.canaryDomain, EGRESS_ADDRESS: retained.egressAddress });
    new Rule(this, 'Daily', {
      description: 'Once a day: looks for reasons to turn our probes away',
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(preflight.lambda)],
    });
    const reason = 'EventBridge calls the function without a version; the trigger has leave for the version that it calls.';
    Validations.of(preflight).acknowledge({ id: 'Annotation::@aws-cdk/aws-lambda:addPermissionsToVersionOrAlias', reason });
    // As an event: what it finds sounds an alarm, and never fails a deployment.
    new Trigger(this, 'AtDeployment', { handler: preflight.lambda, invocationType: InvocationType.EVENT });
    this.#limitTriggerLog();
  }

  // The trigger's own function belongs to the CDK, which would keep its log for ever.
  #limitTriggerLog(): void {
    const handler = Stack.of(this).node.findChild('AWSCDK.TriggerCustomResourceProviderCustomResourceProvider').node.findChild('Handler');
    if (!CfnResource.isCfnResource(handler)) throw new Error('the function of the trigger is not where it was');
    const log = new LogGroup(this, 'TriggerLog', { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    handler.addPropertyOverride('LoggingConfig', { LogGroup: log.logGroupName });
  }
}
