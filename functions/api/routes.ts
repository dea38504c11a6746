import type { Route } from '@middy/http-router';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { spend } from '../../shared/accounts/budgets.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import openapi from '../../shared/contract/openapi.json' with { type: 'json' };
import { loggedError } from '../../shared/runtime/logging.ts';
import { askForAccount, removeAccount, showAccount, useConfirmation } from './accounts.ts';
import { authenticate, requireWriteScope } from './authenticate.ts';
import { type Answer, callOf, json, type OpenVerb, type Services, type Verb } from './call.ts';
import { checkConsent, reaffirmConsent, showConsent } from './consent.ts';
import { scanHere } from './here.ts';
import { acknowledgeHost, changeHost, listHosts, registerHost, removeHost, showHost } from './hosts.ts';
import { createKey, KEY_SHOWN_ONCE, listKeys, revokeKey } from './keys.ts';
import { listNotices, repeatNotice } from './notices.ts';
import { problemAnswer } from './problem.ts';
import { showProposal } from './proposals.ts';
import { repeatable } from './repeatable.ts';
import { listChanges, listScans, requestScan, showScan } from './scans.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const WITH_KEY: readonly (readonly [method: Method, path: string, verb: Verb])[] = [
  ['GET', '/v1/account', showAccount],
  ['DELETE', '/v1/account', removeAccount],
  ['POST', '/v1/keys', repeatable(createKey, KEY_SHOWN_ONCE)],
  ['GET', '/v1/keys', listKeys],
  ['DELETE', '/v1/keys/{prefix}', revokeKey],
  ['GET', '/v1/proposals', showProposal],
  ['POST', '/v1/hosts', repeatable(registerHost)],
  ['GET', '/v1/hosts', listHosts],
  ['GET', '/v1/hosts/{id}', showHost],
  ['PATCH', '/v1/hosts/{id}', changeHost],
  ['DELETE', '/v1/hosts/{id}', removeHost],
  ['GET', '/v1/hosts/{id}/consent', showConsent],
  ['POST', '/v1/hosts/{id}/consent/check', repeatable(checkConsent)],
  ['POST', '/v1/hosts/{id}/consent/reaffirm', repeatable(reaffirmConsent)],
  ['POST', '/v1/hosts/{id}/acknowledge', repeatable(acknowledgeHost)],
  ['GET', '/v1/hosts/{id}/notices', listNotices],
  ['POST', '/v1/hosts/{id}/notices/{noticeId}/repeat', repeatable(repeatNotice)],
  ['POST', '/v1/scans/here', repeatable(scanHere)],
  ['POST', '/v1/hosts/{id}/scans', repeatable(requestScan)],
  ['GET', '/v1/hosts/{id}/scans', listScans],
  ['GET', '/v1/hosts/{id}/scans/{scanId}', showScan],
  ['GET', '/v1/hosts/{id}/changes', listChanges],
];

const WITHOUT_KEY: readonly (readonly [method: Method, path: string, verb: OpenVerb])[] = [
  ['POST', '/v1/accounts', askForAccount],
  ['POST', '/v1/confirmations', useConfirmation],
];

/** Every operation of the API but the one that describes it. */
export const OPERATIONS: readonly (readonly [method: Method, path: string])[] = [...WITH_KEY, ...WITHOUT_KEY].map(([method, path]) => [
  method,
  path,
]);

type ApiRoute = Route<APIGatewayProxyEventV2, Answer>;
type Handle = (event: APIGatewayProxyEventV2) => Promise<Answer>;

/** The routes of the API, ready for the router. */
export function routes(services: Services): ApiRoute[] {
  return [
    { method: 'GET', path: '/v1/openapi.json', handler: async () => json(200, openapi) },
    ...WITH_KEY.map(([method, path, verb]): ApiRoute => ({ method, path, handler: guarded(services, method, verb) })),
    ...WITHOUT_KEY.map(([method, path, verb]): ApiRoute => ({ method, path, handler: unguarded(services, verb) })),
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

// Key, then budget, then scope, then verb: whoever has no key learns nothing else, and a verb never runs for one who may not.
function guarded(services: Services, method: Method, verb: Verb): Handle {
  return (event) =>
    answering(services, event, async () => {
      const key = await authenticate(event, services);
      const fields = await spend(services, 'key', key.prefix, 'There were too many requests with this API key.');
      const answer = await answering(services, event, async () => {
        if (method !== 'GET') requireWriteScope(key);
        return verb({ ...callOf(services, event), accountId: key.accountId });
      });
      return withFields(answer, fields);
    });
}

function unguarded(services: Services, verb: OpenVerb): Handle {
  return (event) => answering(services, event, () => verb(callOf(services, event)));
}

// Problems are answered as such; whatever else was thrown is logged, and answered with nothing of the inside.
async function answering(services: Services, event: APIGatewayProxyEventV2, answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof Problem)) services.log(event, 'a request failed', { error: loggedError(error) });
    return problemAnswer(error);
  }
}

// A field that is there already, such as that of a second budget, goes on as a list.
function withFields(answer: Answer, fields: Record<string, string>): Answer {
  const merged = Object.entries(fields).map(([name, value]) => {
    const before = answer.headers?.[name];
    return [name, before === undefined ? value : `${before}, ${value}`];
  });
  return { ...answer, headers: { ...answer.headers, ...Object.fromEntries(merged) } };
}
