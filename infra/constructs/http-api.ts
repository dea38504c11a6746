import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi as Gateway, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import { grantSecret, grantTable, type Retained } from './retained.ts';

export type HttpApiProps = { readonly probePorts: string; readonly retained: Retained; readonly alarms: Alarms };

const THROTTLE = { rateLimit: 50, burstLimit: 100 }; // requests a second, all callers together: bounds the bill of a flood
const IMPACT = 'Owners can neither register hosts nor read their history. Scans and alerts go on.';

/** The API: every request goes to the `api` function, which knows its own routes. */
export class HttpApi extends Construct {
  /** Where it answers, without a slash at the end. */
  readonly url: string;

  constructor(scope: Construct, id: string, { probePorts, retained, alarms }: HttpApiProps) {
    super(scope, id);
    const api = new AuditFunction(this, 'Api', {
      name: 'api',
      errorImpact: IMPACT,
      alarms,
      timeout: Duration.seconds(20), // the gateway gives up after 30
      memoryMiB: 1024,
    });
    api.grant({ PROBE_PORTS: probePorts });
    grantSecret(api, retained);
    grantTable(api, retained, ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']);
    const gateway = new Gateway(this, 'Gateway', {
      defaultIntegration: new HttpLambdaIntegration('Integration', api.lambda), // event format 2.0
      createDefaultStage: false,
    });
    const reason = 'The function itself checks the API key of every request; only the description of the API is open to all.';
    Validations.of(gateway).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    this.#addStage(gateway);
    this.url = gateway.apiEndpoint;
    alarms.add('ApiServerErrors', {
      metric: gateway.metricServerError({ statistic: Stats.SUM, period: Duration.minutes(5) }),
      above: 0,
      usersLose: IMPACT,
      article: 'api-fails',
    });
  }

  #addStage(httpApi: Gateway): void {
    const log = new LogGroup(this, 'AccessLog', { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    const line = {
      requestId: AccessLogField.contextRequestId(),
      at: AccessLogField.contextRequestTime(),
      sourceIp: AccessLogField.contextIdentitySourceIp(),
      method: AccessLogField.contextHttpMethod(),
      path: AccessLogField.contextPath(),
      status: AccessLogField.contextStatus(),
      latencyMs: AccessLogField.contextResponseLatency(),
      error: AccessLogField.contextIntegrationErrorMessage(),
    };
    const accessLogSettings = { destination: new LogGroupLogDestination(log), format: AccessLogFormat.custom(JSON.stringify(line)) };
    new HttpStage(this, 'Stage', { httpApi, autoDeploy: true, throttle: THROTTLE, accessLogSettings });
  }
}
