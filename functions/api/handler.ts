import middy from '@middy/core';
import httpRouterHandler from '@middy/http-router';
import httpSecurityHeaders from '@middy/http-security-headers';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { readSettings } from '../../shared/runtime/config.ts';
import { newLogger } from '../../shared/runtime/logging.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import type { Answer } from './call.ts';
import { cursors } from './cursor.ts';
import { problemAnswer } from './problem.ts';
import { noRoute, routes } from './routes.ts';

// Once per cold start.
const settings = readSettings('api');
const logger = newLogger('api');
const secrets = await loadSecrets(settings.SECRET);
const services = {
  store: dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS),
  cursors: cursors(secrets),
  clock: Date.now,
  probePorts: settings.PROBE_PORTS,
};
const report = (error: unknown) => logger.error('a request failed', { error });

/** Called by API Gateway (HTTP API, payload 2.0) for every request. */
export const handler = middy<APIGatewayProxyEventV2, Answer>()
  .before(({ context }) => logger.addContext(context))
  .use(httpSecurityHeaders())
  .onError((request) => {
    request.response = problemAnswer(request.error);
  })
  .handler(httpRouterHandler({ routes: routes(services, secrets, report), notFoundResponse: noRoute }));
