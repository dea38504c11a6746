import { TABLE_NAME } from '../engines/dynamodb.ts';
import { CREDENTIALS, REGION } from '../engines/engine.ts';
import { localMailUrl } from '../engines/mail-bucket.ts';
import type { QueueUrls } from '../engines/sqs.ts';

/** Who we are and where our foreign recipients live, on one machine: names that resolve nowhere (RFC 2606). */
export const EHLO_NAME = 'probe.relay-audit.example';
export const CANARY_DOMAIN = 'canary.relay-audit.example';

/** Where the embedded engines answer. */
export type Endpoints = { readonly dynamodb: string; readonly sqs: string; readonly ses: string };

/** What points every AWS SDK client at the embedded engines. */
export function sdkEnvironment(endpoints: Endpoints): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SES: endpoints.ses,
  };
}

/**
 * The settings of every function on one machine. They differ from a deployment's only here: loopback is the operator's
 * network, its owner's account is the operator's, and what takes minutes there takes seconds.
 */
export function functionEnvironment(
  endpoints: Endpoints,
  queues: QueueUrls,
  { secretFile, baseUrl, accountId }: { secretFile: string; baseUrl: string; accountId: string },
): Record<string, string> {
  return {
    ...sdkEnvironment(endpoints),
    POWERTOOLS_SERVICE_NAME: 'relay-audit',
    TABLE_NAME,
    SECRET: `file:${secretFile}`,
    SCANS_QUEUE_URL: queues.scans,
    NOTICES_QUEUE_URL: queues.notices,
    BASE_URL: baseUrl,
    MAIL_FROM: 'alerts@relay-audit.example',
    SES_CONFIGURATION_SET: 'relay-audit',
    EHLO_NAME,
    CANARY_DOMAIN,
    CANARY_MAIL_URL: localMailUrl(endpoints.sqs),
    CANARY_MAIL_REGION: REGION,
    OPERATOR_NETWORKS: '127.0.0.0/8',
    OPERATOR_ACCOUNTS: accountId,
    PROBE_PORTS: '25,465,587,2525',
    CONFIRM_DELAY_SECONDS: '5',
    ADDRESS_SPACING_SECONDS: '0',
    OWED_LEASE_SECONDS: '120',
    PUT_OFF_SECONDS: '60',
    CONTINUE_SECONDS: '10',
    AWAIT_SECONDS: '20',
    CLAIM_LEASE_SECONDS: '20',
    GATHER_SECONDS: '5',
    EGRESS_ADDRESS: '127.0.0.1',
    EGRESS_ADDRESSES: '127.0.0.1',
    ...passedOn([
      'OPERATOR_NETWORKS',
      'OPERATOR_ACCOUNTS',
      'WEBHOOK_NETWORKS',
      'CANARY_DOMAIN',
      'FAMILIES',
      'DNS_SERVERS',
      'EGRESS_ENDPOINTS',
      'RETENTION_DAYS',
      'REGISTRATION',
    ]),
  };
}

function passedOn(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
