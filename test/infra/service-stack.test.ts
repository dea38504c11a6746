import { readdirSync, readFileSync } from 'node:fs';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { type FunctionName, readSettings, SETTINGS } from '../../shared/runtime/config.ts';
import { buildApp, CONTEXT, type Properties, resourcesOf, type Statement } from './build-app.ts';

const template = Template.fromStack(buildApp().service);
const names = Object.keys(SETTINGS) as FunctionName[];
const lambdas = resourcesOf(template, 'AWS::Lambda::Function');

function lambdaOf(name: FunctionName): Properties {
  const found = lambdas.filter(([id]) => new RegExp(`${name}Function`, 'i').test(id));
  expect(found, name).toHaveLength(1);
  return found[0]?.[1].Properties ?? {};
}

const settingsOf = (name: FunctionName) => lambdaOf(name).Environment?.Variables ?? {};

describe('functions', () => {
  test.each(lambdas)('every function has its log retention and the newest runtime: %s', (_id, { Properties }) => {
    const [, log] = resourcesOf(template, 'AWS::Logs::LogGroup').find(([id]) => id === Properties.LoggingConfig?.LogGroup.Ref) ?? [];
    expect(log?.Properties.RetentionInDays).toBeGreaterThan(0);
    expect(Properties.Runtime).toBe('nodejs24.x');
  });

  test('every function that we wrote runs on arm64, and all of them are there', () => {
    const ours = lambdas.filter(([, { Properties }]) => Properties.Handler === 'index.handler');
    expect(ours).toHaveLength(names.length);
    for (const [, { Properties }] of ours) expect(Properties.Architectures).toEqual(['arm64']);
  });

  test.each(names)('the settings of a function parse as it will parse them, and none is unknown to it: %s', (name) => {
    const environment = Object.fromEntries(Object.entries(settingsOf(name)).map(([key, value]) => [key, standIn(value)]));
    expect(() => readSettings(name, environment)).not.toThrow();
    const own = Object.keys(environment).filter((key) => key !== 'NODE_OPTIONS'); // Node’s
    expect(Object.keys(SETTINGS[name].shape)).toEqual(expect.arrayContaining(own));
  });

  test('only the probe is in the network, and only API, pages, probe, canary and notify know the secret', () => {
    expect(names.filter((name) => lambdaOf(name).VpcConfig !== undefined)).toEqual(['probe']);
    expect(names.filter((name) => 'SECRET' in settingsOf(name))).toEqual(['api', 'pages', 'probe', 'canary', 'notify']);
    expect(holdersOf(/^secretsmanager:/).toSorted()).toEqual(
      [/^AlertMailNotify/, /^CanaryMailbox/, /^HttpApiPages/, /^HttpApiRole/, /^ScanPipelineProbe/].map((each) =>
        expect.stringMatching(each),
      ),
    );
  });
});

// What CloudFormation will put in the place of a value that is known only when it is deployed.
function standIn(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref: id = '', ...rest } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string]; 'Fn::Join'?: [string, unknown[]] };
  const { 'Fn::GetAtt': attribute, 'Fn::Join': joined } = rest;
  if (joined !== undefined) return joined[1].map(standIn).join(joined[0]);
  if (attribute?.[1] === 'RegionalDomainName') return 'canary-mail.s3.eu-central-1.amazonaws.com';
  if (id === 'AWS::Region') return 'eu-central-1';
  if (attribute?.[1] === 'ApiEndpoint') return 'https://abc123.execute-api.eu-central-1.amazonaws.com';
  if (id in template.findResources('AWS::SQS::Queue')) return `https://sqs.eu-central-1.amazonaws.com/123456789012/${id}`;
  if (id in template.findResources('AWS::SES::ConfigurationSet')) return 'relay-audit-mail';
  switch (template.findParameters('*')[id]?.Default) {
    case '/relay-audit/prod/table-name':
      return 'table';
    case '/relay-audit/prod/secret-arn':
      return 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x';
    case '/relay-audit/prod/egress-address':
      return '203.0.113.1';
    default:
      throw new Error(`nothing stands in for ${JSON.stringify(value)}`);
  }
}

type Permission = { readonly policy: string; readonly statement: Statement };

// Every statement that allows something, with the policy or role that it stands in.
const permissions: readonly Permission[] = [
  ...resourcesOf(template, 'AWS::IAM::Policy'),
  ...resourcesOf(template, 'AWS::IAM::Role'),
].flatMap(([policy, { Properties }]) =>
  [
    ...(Properties.Policies ?? []).map(({ PolicyDocument }) => PolicyDocument),
    ...(Properties.PolicyDocument ? [Properties.PolicyDocument] : []),
  ]
    .flatMap(({ Statement }) => Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .map((statement) => ({ policy, statement })),
);

const actionsOf = ({ statement }: Permission) => [statement.Action].flat();
const holdersOf = (action: RegExp) =>
  permissions.filter((each) => actionsOf(each).some((name) => action.test(name))).map(({ policy }) => policy);

describe('permissions', () => {
  test('no policy allows every action, or every action of a service', () => {
    expect(permissions.length).toBeGreaterThan(names.length);
    expect(permissions.flatMap(actionsOf).filter((action) => action.includes('*'))).toEqual([]);
  });

  test('no policy allows every resource, but for the network interfaces of the probe', () => {
    const wide = permissions.filter(({ statement }) => [statement.Resource].flat().includes('*'));
    expect(wide.map(({ policy }) => policy)).toEqual([expect.stringMatching(/^ScanPipelineProbe/)]);
    for (const action of wide.flatMap(actionsOf)) expect(action).toMatch(/^ec2:\w+(NetworkInterfaces?|Subnets)$/);
  });

  test('the functions may do to the table what the store does, and nothing else', () => {
    const folder = new URL('../../shared/store/dynamodb/', import.meta.url);
    const source = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n');
    const single = [...source.matchAll(/new (\w+)Command\(/g)].flatMap(([, request = '']) => (request === 'TransactWrite' ? [] : request));
    const together = [...source.matchAll(/\{ (Put|Update|Delete|ConditionCheck)\b/g)].map(([, request = '']) => request);
    const needed = new Set([...single, ...together].map((request) => `dynamodb:${request === 'Query' ? 'Query' : `${request}Item`}`));
    const granted = new Set(permissions.flatMap(actionsOf).filter((action) => action.startsWith('dynamodb:')));
    expect([...granted].toSorted()).toEqual([...needed].toSorted());
  });

  test('dispatch, probe and notify may read single items: whether an account and a host are still there, among others', () => {
    for (const name of [/Dispatch/, /Probe/, /Notify/]) expect(holdersOf(/^dynamodb:GetItem$/)).toContainEqual(expect.stringMatching(name));
  });

  test('mail is sent by API, pages and notify alone, and from the one sender of the deployment', () => {
    expect(holdersOf(/^ses:/).toSorted()).toEqual(
      [/^AlertMailNotify/, /^HttpApiPages/, /^HttpApiRole/].map((each) => expect.stringMatching(each)),
    );
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 'ses:SendRawEmail', Condition: { StringEquals: { 'ses:FromAddress': CONTEXT.mailFrom } } }),
        ]),
      },
    });
  });
});

describe('egress', () => {
  test('the probe leaves through one NAT gateway with the retained address', () => {
    const gateways = resourcesOf(template, 'AWS::EC2::NatGateway');
    expect(gateways).toHaveLength(1);
    const parameter = template.findParameters('*')[gateways[0]?.[1].Properties.AllocationId?.Ref ?? ''];
    expect(parameter?.Default).toBe('/relay-audit/prod/egress-allocation-id');
    template.resourceCountIs('AWS::EC2::EIP', 0);
    const ways = resourcesOf(template, 'AWS::EC2::Route').filter(([, { Properties }]) => Properties.NatGatewayId !== undefined);
    expect(lambdaOf('probe').VpcConfig?.SubnetIds).toHaveLength(ways.length);
  });

  test('the probe can dial mail servers and AWS, and nobody can dial it', () => {
    const groups = resourcesOf(template, 'AWS::EC2::SecurityGroup').map(([, { Properties }]) => Properties);
    expect(groups).toHaveLength(1);
    const ports = groups[0]?.SecurityGroupEgress?.map(({ FromPort, ToPort }) => (FromPort === ToPort ? FromPort : [FromPort, ToPort]));
    expect(ports).toEqual([443, 25, 587, 2525]);
    expect(groups[0]?.SecurityGroupIngress).toBeUndefined();
  });

  test('the table is reached without the NAT gateway, and every flow is on record', () => {
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    template.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', ResourceType: 'VPC' });
  });
});

describe('IPv6', () => {
  test('is not tried unless the operator says so, and then has a way out of its own', () => {
    expect(settingsOf('probe').FAMILIES).toBe('4');
    expect(resourcesOf(template, 'AWS::EC2::EgressOnlyInternetGateway')).toEqual([]);
    const dual = Template.fromStack(buildApp({ ipv6: 'true' }).service);
    dual.resourceCountIs('AWS::EC2::EgressOnlyInternetGateway', 1);
    dual.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ FAMILIES: '4,6' }) },
      VpcConfig: Match.objectLike({ Ipv6AllowedForDualStack: true }),
    });
    const [group] = resourcesOf(dual, 'AWS::EC2::SecurityGroup');
    const over = (key: 'CidrIp' | 'CidrIpv6') =>
      group?.[1].Properties.SecurityGroupEgress?.filter((rule) => rule[key] !== undefined).map(({ FromPort }) => FromPort);
    expect(over('CidrIpv6')).toEqual([25, 587, 2525]);
    expect(over('CidrIp')).toEqual([443, 25, 587, 2525]);
  });
});

describe('the canary mailbox', () => {
  test('takes mail for the canary domain and the names below it, from everywhere, keeps it, and publishes its headers to the queue of the canary function', () => {
    template.hasResourceProperties('AWS::SES::ReceiptRule', {
      Rule: {
        Enabled: true,
        Recipients: [CONTEXT.canaryDomain, `.${CONTEXT.canaryDomain}`],
        Actions: [{ S3Action: { BucketName: Match.anyValue(), ObjectKeyPrefix: 'mail/', TopicArn: Match.anyValue() } }],
      },
    });
    template.hasResourceProperties('AWS::SES::ReceiptFilter', { Filter: { IpFilter: { Cidr: '0.0.0.0/0', Policy: 'Allow' } } });
  });

  test('only SES, on behalf of this account, may publish to its topic, and nobody may call its function', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          {
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'ses.amazonaws.com' },
            Resource: Match.anyValue(),
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
    template.resourcePropertiesCountIs('AWS::Lambda::Permission', { Principal: 'ses.amazonaws.com' }, 0);
  });

  test('a flood at the canary domain waits in the queue: ten mails a call, and five calls at once', () => {
    const [, mapping] = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').find(([id]) => /^CanaryMailbox/.test(id)) ?? [];
    expect(mapping?.Properties).toMatchObject({ BatchSize: 10, ScalingConfig: { MaximumConcurrency: 5 } });
  });

  test('mails are kept for a day, encrypted, in a bucket that is nobody else’s to see', () => {
    const buckets = resourcesOf(template, 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(1);
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 1, Status: 'Enabled' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  test('only SES, by this rule set, may write to the bucket, and only the canary function may read what SES wrote', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          {
            Effect: 'Allow',
            Action: 's3:PutObject',
            Principal: { Service: 'ses.amazonaws.com' },
            Resource: { 'Fn::Join': ['', [Match.anyValue(), '/mail/*']] },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': { 'Fn::Join': ['', Match.arrayWith([':receipt-rule-set/relay-audit-prod:receipt-rule/*'])] } },
            },
          },
        ],
      },
    });
    const reading = permissions.filter((each) => actionsOf(each).some((name) => name.startsWith('s3:')));
    expect(reading.map(({ policy, statement }) => [policy.replace(/[0-9A-F]{8}$/, ''), statement.Action])).toEqual([
      ['CanaryMailboxCanaryRoleDefaultPolicy', 's3:GetObject'],
      ['CanaryMailboxCanaryRoleDefaultPolicy', 's3:ListBucket'],
    ]);
  });

  test('its rule set is not activated: that would displace another, and is the operator’s to do', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/SetActiveReceiptRuleSet/i);
    template.hasResourceProperties('AWS::SES::ReceiptRuleSet', { RuleSetName: 'relay-audit-prod' });
  });
});

describe('queues', () => {
  const queues = resourcesOf(template, 'AWS::SQS::Queue');

  test('all work queues have dead letters, and no queue takes a request without TLS', () => {
    expect(queues.filter(([, { Properties }]) => Properties.RedrivePolicy !== undefined)).toHaveLength(4);
    const guarded = resourcesOf(template, 'AWS::SQS::QueuePolicy')
      .filter(([, { Properties }]) => JSON.stringify(Properties.PolicyDocument).includes('"aws:SecureTransport":"false"'))
      .flatMap(([, { Properties }]) => Properties.Queues?.map(({ Ref }) => Ref) ?? []);
    expect(guarded.toSorted()).toEqual(queues.map(([id]) => id).toSorted());
  });

  test.each(resourcesOf(template, 'AWS::Lambda::EventSourceMapping'))(
    'a message is left to its function for longer than that may run, and fails alone: %s',
    (_id, { Properties }) => {
      const [, queue] = queues.find(([id]) => id === Properties.EventSourceArn?.['Fn::GetAtt'][0]) ?? [];
      const [, lambda] = lambdas.find(([id]) => id === Properties.FunctionName?.Ref) ?? [];
      expect(queue?.Properties.VisibilityTimeout).toBeGreaterThan(lambda?.Properties.Timeout ?? Number.POSITIVE_INFINITY);
      expect(Properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      expect(Properties.ScalingConfig?.MaximumConcurrency).toBeGreaterThanOrEqual(2);
    },
  );

  test('leases are longer than the functions that hold them may run', () => {
    const timeoutMs = (name: FunctionName) => (lambdaOf(name).Timeout ?? Number.POSITIVE_INFINITY) * 1000;
    const url = 'https://sqs.test/queue';
    const dispatch = readSettings('dispatch', { TABLE_NAME: 'table', SCANS_QUEUE_URL: url, NOTICES_QUEUE_URL: url });
    const notify = readSettings('notify', { TABLE_NAME: 'table', MAIL_FROM: CONTEXT.mailFrom, BASE_URL: url, SECRET: 'file:/x' });
    expect(dispatch.OWED_LEASE_SECONDS.ms).toBeGreaterThan(timeoutMs('probe'));
    expect(notify.CLAIM_LEASE_SECONDS.ms).toBeGreaterThan(timeoutMs('notify'));
  });
});

describe('what becomes of mails', () => {
  test('is published by SES to a topic that only it may publish to, and goes to the queue of feedback as it was published', () => {
    const events = ['send', 'reject', 'delivery', 'bounce', 'complaint'];
    template.hasResourceProperties('AWS::SES::ConfigurationSetEventDestination', {
      EventDestination: { Enabled: true, MatchingEventTypes: events },
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'ses.amazonaws.com' },
            Condition: { StringEquals: { 'AWS:SourceAccount': Match.anyValue(), 'AWS:SourceArn': Match.anyValue() } },
          }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'sqs', RawMessageDelivery: true });
  });

  test('belongs to the configuration set that every sender uses, and may use', () => {
    const [[set = ''] = []] = resourcesOf(template, 'AWS::SES::ConfigurationSet');
    for (const name of ['api', 'pages', 'notify'] as const) expect(settingsOf(name).SES_CONFIGURATION_SET).toEqual({ Ref: set });
    const allowed = permissions.filter((each) => actionsOf(each).includes('ses:SendRawEmail'));
    expect(allowed).toHaveLength(3);
    for (const { statement } of allowed) expect(JSON.stringify(statement.Resource)).toContain(`:configuration-set/`);
  });
});

describe('schedule and API', () => {
  test('dispatch runs every minute and is not repeated; preflight runs daily and at each deployment', () => {
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 day)' });
    template.hasResourceProperties('Custom::Trigger', { InvocationType: 'Event', ExecuteOnHandlerChange: true });
  });

  test('requests under /v1 go to the API and all others to the pages, throttled and on record, without their headers or query', () => {
    for (const RouteKey of ['ANY /v1', 'ANY /v1/{proxy+}', '$default'])
      template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { IpAddressType: 'dualstack' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default', // any other would stand in front of every path
      DefaultRouteSettings: { ThrottlingRateLimit: Match.anyValue(), ThrottlingBurstLimit: Match.anyValue() },
      AccessLogSettings: { Format: Match.not(Match.stringLikeRegexp('authorization|header|query')) },
    });
  });

  test('the address of the API and the egress address are outputs', () => {
    expect(Object.keys(template.findOutputs('*')).toSorted()).toEqual(['ApiUrl', 'EgressIp']);
  });
});
