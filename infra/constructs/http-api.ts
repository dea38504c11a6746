import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi as Gateway, HttpMethod, HttpStage, IpAddressType, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import type { Deployment } from './deployment.ts';
import { grantSecret, grantTable, type ItemAction, type Retained } from './retained.ts';
import { grantSending, type Sending } from './sending.ts';

export type HttpApiProps = {
  readonly deployment: Deployment;
  readonly sending: Sending;
  readonly retained: Retained;
  readonly alarms: Alarms;
};

const THROTTLE = { rateLimit: 50, burstLimit: 100 }; // requests a second, all callers together: bounds the bill of a flood
const IMPACT = 'Nobody gets an account, and owners can neither register hosts nor read their history. Scans and alerts go on.';

const TABLE_ACTIONS: readonly ItemAction[] = [
  'GetItem',
  'BatchGetItem',
  'Query',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'ConditionCheckItem',
];

const PAGES_IMPACT = 'Nobody can sign in, register or look at hosts, or ask for probes to stop, in a browser. Scans and alerts go on.';

/** The way in: requests under /v1 go to the `api` function, all others to `pages`; each knows its own routes. */
export class HttpApi extends Construct {
  /** Where it answers, without a slash at the end. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    const api = this.#addApi(props);
    const pages = this.#addPages(props);
    const gateway = new Gateway(this, 'Gateway', {
      defaultIntegration: new HttpLambdaIntegration('PagesIntegration', pages.lambda), // event format 2.0
      createDefaultStage: false,
      ipAddressType: IpAddressType.DUAL_STACK, // so that a server can ask from each of its addresses
    });
    const integration = new HttpLambdaIntegration('Integration', api.lambda);
    for (const path of ['/v1', '/v1/{proxy+}']) gateway.addRoutes({ path, methods: [HttpMethod.ANY], integration });
    const reason =
      'The function itself checks the API key of every request; open to all are its description, asking for an account and confirming an address.';
    Validations.of(gateway).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    this.#addStage(gateway);
    this.url = gateway.apiEndpoint;
    props.alarms.add('ApiServerErrors', {
      metric: gateway.metricServerError({ statistic: Stats.SUM, period: Duration.minutes(5) }),
      above: 0,
      usersLose: IMPACT,
      article: 'api-fails',
    });
  }

  // BASE_URL is left out for both: it is the gateway's own address, which comes with each request.
  #addApi({ deployment, sending, retained, alarms }: HttpApiProps): AuditFunction {
    const api = new AuditFunction(this, 'Api', {
      name: 'api',
      errorImpact: IMPACT,
      alarms,
      timeout: Duration.seconds(20), // the gateway gives up after 30
      memoryMiB: 1024,
    });
    api.grant({
      PROBE_PORTS: deployment.probePorts,
      REGISTRATION: deployment.registration,
      EHLO_NAME: deployment.ehloName,
      EGRESS_ADDRESSES: retained.egressAddress,
      OPERATOR_NETWORKS: deployment.operatorNetworks,
      OPERATOR_ACCOUNTS: deployment.operatorAccounts,
    });
    grantSecret(api, retained);
    grantSending(api, sending);
    grantTable(api, retained, TABLE_ACTIONS);
    return api;
  }

  #addPages({ deployment, sending, retained, alarms }: HttpApiProps): AuditFunction {
    const pages = new AuditFunction(this, 'Pages', {
      name: 'pages',
      errorImpact: PAGES_IMPACT,
      alarms,
      timeout: Duration.seconds(28), // an opt-out waits for slow zones; the gateway gives up after 30
      memoryMiB: 1024,
    });
    pages.grant({
      PROBE_PORTS: deployment.probePorts,
      REGISTRATION: deployment.registration,
      OPERATOR_NETWORKS: deployment.operatorNetworks,
      OPERATOR_ACCOUNTS: deployment.operatorAccounts,
      EHLO_NAME: deployment.ehloName,
      EGRESS_ADDRESSES: retained.egressAddress,
      ...(deployment.optOutAddress === '' ? {} : { OPT_OUT_ADDRESS: deployment.optOutAddress }),
    });
    grantSecret(pages, retained);
    grantSending(pages, sending);
    grantTable(pages, retained, TABLE_ACTIONS);
    return pages;
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
