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
import { loggedError, newLogger } from '../../shared/runtime/logging.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import type { Answer, Services } from './call.ts';
import { brokenPage, noRoute, routes } from './routes.ts';

// Once per cold start.
const settings = readSettings('pages');
const logger = newLogger('pages');
const secrets = await loadSecrets(settings.SECRET);
const services: Services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock),
  secrets,
  lookups: dnsLookups(settings.DNS_SERVERS),
  send: sesMailer(settings.MAIL_FROM, settings.SES_CONFIGURATION_SET),
  clock: systemClock,
  wait: (ms) => wait(ms),
  report: (error) => logger.error('a request failed', { error: loggedError(error) }),
  probePorts: settings.PROBE_PORTS,
  registration: settings.REGISTRATION,
  operatorNetworksOf: operatorNetworksOf(settings.OPERATOR_ACCOUNTS, settings.OPERATOR_NETWORKS),
  tokenOf: (accountId) => consentToken(secrets, accountId),
  ehloName: settings.EHLO_NAME,
  egressAddresses: settings.EGRESS_ADDRESSES.map(({ text }) => text),
  contact: settings.OPT_OUT_ADDRESS ?? `postmaster@${settings.EHLO_NAME}`,
  baseUrl: settings.BASE_URL,
};

/** Called by API Gateway (HTTP API, payload 2.0) for every request that is not the API's. */
export const handler = middy<APIGatewayProxyEventV2, Answer>()
  .before(({ context }) => logger.addContext(context))
  // Each answer has its own content policy. Without a referrer the browser would call a form of ours one of origin "null".
  // The middleware's list of permissions names what browsers do not know, and would forbid the button that copies.
  .use(httpSecurityHeaders({ contentSecurityPolicy: false, permissionsPolicy: false, referrerPolicy: { policy: 'same-origin' } }))
  .onError((request) => {
    services.report(request.error);
    request.response = brokenPage();
  })
  .handler(httpRouterHandler({ routes: routes(services), notFoundResponse: noRoute }));
