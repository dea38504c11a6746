import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms, watchCounts } from './constructs/alarms.ts';
import { AlertMail } from './constructs/alert-mail.ts';
import { CanaryMailbox } from './constructs/canary-mailbox.ts';
import { type Deployment, warnOfExamples } from './constructs/deployment.ts';
import { HttpApi } from './constructs/http-api.ts';
import { MailEvents } from './constructs/mail-events.ts';
import { Preflight } from './constructs/preflight.ts';
import { readRetained } from './constructs/retained.ts';
import { ScanPipeline } from './constructs/scan-pipeline.ts';

/** What may be replaced: functions, queues, schedule, API, mail and their alarms. It holds no data. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id, { description: 'Relay Audit: the service, which may be replaced' });
    warnOfExamples(this, deployment);
    const retained = readRetained(this, deployment.stage);
    const alarms = new Alarms(this, 'Alarms', deployment.operatorEmail);
    watchCounts(alarms);
    const { configurationSet } = new MailEvents(this, 'MailEvents', { retained, alarms });
    const sending = { mailFrom: deployment.mailFrom, configurationSet };
    const api = new HttpApi(this, 'HttpApi', { deployment, sending, retained, alarms });
    const { notices } = new AlertMail(this, 'AlertMail', { sending, deployment, baseUrl: api.url, retained, alarms });
    new ScanPipeline(this, 'ScanPipeline', { deployment, baseUrl: api.url, retained, notices, alarms });
    new CanaryMailbox(this, 'CanaryMailbox', { deployment, retained, notices, alarms });
    new Preflight(this, 'Preflight', { deployment, retained, alarms });
    new CfnOutput(this, 'ApiUrl', { value: api.url, description: 'Where the API answers' });
    new CfnOutput(this, 'EgressIp', { value: retained.egressAddress, description: 'The address that probes come from' });
  }
}
