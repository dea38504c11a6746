import { setTimeout as wait } from 'node:timers/promises';
import middy from '@middy/core';
import httpRouterHandler from '@middy/http-router';
import httpSecurityHeaders from '@middy/http-security-headers';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { operatorNetworksOf } from '../../shared/domain/operators.ts';
import { sesMailer } from '../../shared/mail/mailer.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { newLogger } from '../../shared/runtime/logging.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import type { Answer, Services } from './call.ts';
import { cursors } from './cursor.ts';
import { problemAnswer } from './problem.ts';
import { noRoute, routes } from './routes.ts';

// Once per cold start.
const settings = readSettings('api');
const logger = newLogger('api');
const secrets = await loadSecrets(settings.SECRET);
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock),
  secrets,
  cursors: cursors(secrets),
  clock: systemClock,
  wait: (ms) => wait(ms),
  send: sesMailer(settings.MAIL_FROM, settings.SES_CONFIGURATION_SET),
  log: (event, message, fields) => logger.error(message, { ...fields, requestId: event.requestContext.requestId }),
  probePorts: settings.PROBE_PORTS,
  registration: settings.REGISTRATION,
  lookups: dnsLookups(settings.DNS_SERVERS),
  operatorNetworksOf: operatorNetworksOf(settings.OPERATOR_ACCOUNTS, settings.OPERATOR_NETWORKS),
  tokenOf: (accountId) => consentToken(secrets, accountId),
  egressAddresses: settings.EGRESS_ADDRESSES.map(({ text }) => text),
  ehloName: settings.EHLO_NAME,
  baseUrl: settings.BASE_URL,
};

type Request = { readonly event: APIGatewayProxyEventV2; response: Answer | null };

// The gateway names each request; where none stands before us, we do.
function nameRequest({ event }: Request): void {
  event.requestContext.requestId ||= newId();
}

function tellName({ event, response }: Request): void {
  if (response === null) return;
  response.headers = { ...response.headers, 'x-request-id': event.requestContext.requestId };
}

/** Called by API Gateway (HTTP API, payload 2.0) for every request. */
export const handler = middy<APIGatewayProxyEventV2, Answer>()
  .before(({ context }) => logger.addContext(context))
  .use({ before: nameRequest, after: tellName, onError: tellName })
  .use(httpSecurityHeaders())
  .onError((request) => {
    request.response = problemAnswer(request.error);
  })
  .handler(httpRouterHandler({ routes: routes(services), notFoundResponse: noRoute }));
