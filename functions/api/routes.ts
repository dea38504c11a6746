import type { Route } from '@middy/http-router';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import openapi from '../../shared/contract/openapi.json' with { type: 'json' };
import type { Secrets } from '../../shared/runtime/secrets.ts';
import { authenticate } from './authenticate.ts';
import { type Answer, json, type Services, type Verb } from './call.ts';
import { changeHost, listHosts, registerHost, removeHost, showHost } from './hosts.ts';
import { Problem, problemAnswer } from './problem.ts';
import { listChanges, listScans, requestScan, showScan } from './scans.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Every operation of the API that needs a key. */
export const OPERATIONS: readonly (readonly [method: Method, path: string, verb: Verb])[] = [
  ['POST', '/v1/hosts', registerHost],
  ['GET', '/v1/hosts', listHosts],
  ['GET', '/v1/hosts/{id}', showHost],
  ['PATCH', '/v1/hosts/{id}', changeHost],
  ['DELETE', '/v1/hosts/{id}', removeHost],
  ['POST', '/v1/hosts/{id}/scans', requestScan],
  ['GET', '/v1/hosts/{id}/scans', listScans],
  ['GET', '/v1/hosts/{id}/scans/{scanId}', showScan],
  ['GET', '/v1/hosts/{id}/changes', listChanges],
];

type ApiRoute = Route<APIGatewayProxyEventV2, Answer>;

/** The routes of the API, ready for the router; `report` hears of errors that are no problem of the caller's. */
export function routes(services: Services, secrets: Secrets, report: (error: unknown) => void): ApiRoute[] {
  const guarded = (verb: Verb) => async (event: APIGatewayProxyEventV2) => {
    try {
      const accountId = await authenticate(event, secrets, services.store);
      return await verb({ ...services, event, accountId });
    } catch (error) {
      if (!(error instanceof Problem)) report(error);
      return problemAnswer(error);
    }
  };
  return [
    { method: 'GET', path: '/v1/openapi.json', handler: async () => json(200, openapi) },
    ...OPERATIONS.map(([method, path, verb]): ApiRoute => ({ method, path, handler: guarded(verb) })),
  ];
}

/** The answer to a request that no route takes. */
export function noRoute({ method, path }: { method: string; path: string }): never {
  const all = [...OPERATIONS, ['GET', '/v1/openapi.json'] as const];
  const methods = all
    .filter(([, pattern]) => new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(path))
    .map(([each]) => each);
  if (methods.length === 0) throw new Problem(404, 'There is nothing at this path. GET /v1/openapi.json lists what there is.');
  throw new Problem(405, `${method} is not possible here.`, undefined, { allow: methods.join(', ') });
}
