import type { Route } from '@middy/http-router';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { spend } from '../../shared/accounts/budgets.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import openapi from '../../shared/contract/openapi.json' with { type: 'json' };
import { OPERATION_IDS, OPERATIONS, type OperationId } from '../../shared/contract/operations.ts';
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

type ApiRoute = Route<APIGatewayProxyEventV2, Answer>;
type Handle = (event: APIGatewayProxyEventV2) => Promise<Answer>;

const HANDLES: Readonly<Record<OperationId, (services: Services, isRead: boolean) => Handle>> = {
  askForAccount: withoutKey(askForAccount),
  useConfirmation: withoutKey(useConfirmation),
  showAccount: withKey(showAccount),
  removeAccount: withKey(removeAccount),
  createKey: withKey(repeatable(createKey, KEY_SHOWN_ONCE)),
  listKeys: withKey(listKeys),
  revokeKey: withKey(revokeKey),
  showProposal: withKey(showProposal),
  registerHost: withKey(repeatable(registerHost)),
  listHosts: withKey(listHosts),
  showHost: withKey(showHost),
  changeHost: withKey(changeHost),
  removeHost: withKey(removeHost),
  showConsent: withKey(showConsent),
  checkConsent: withKey(repeatable(checkConsent)),
  reaffirmConsent: withKey(repeatable(reaffirmConsent)),
  scanHere: withKey(repeatable(scanHere)),
  acknowledgeHost: withKey(repeatable(acknowledgeHost)),
  listNotices: withKey(listNotices),
  repeatNotice: withKey(repeatable(repeatNotice)),
  requestScan: withKey(repeatable(requestScan)),
  listScans: withKey(listScans),
  showScan: withKey(showScan),
  listChanges: withKey(listChanges),
  showOpenApi: () => async () => json(200, openapi),
};

/** The routes of the API, ready for the router. */
export function routes(services: Services): ApiRoute[] {
  return OPERATION_IDS.map((id): ApiRoute => {
    const [method, path] = OPERATIONS[id];
    return { method, path, handler: HANDLES[id](services, method === 'GET') };
  });
}

/** The answer to a request that no route takes. */
export function noRoute({ method, path }: { method: string; path: string }): never {
  const methods = Object.values(OPERATIONS)
    .filter(([, pattern]) => new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(path))
    .map(([each]) => each);
  if (methods.length === 0) throw new Problem(404, 'There is nothing at this path. GET /v1/openapi.json lists what there is.');
  throw new Problem(405, `${method} is not possible here.`, undefined, { allow: methods.join(', ') });
}

// Key, then budget, then scope, then verb: without a key a caller learns nothing, and no verb runs without permission.
function withKey(verb: Verb) {
  return (services: Services, isRead: boolean): Handle =>
    (event) =>
      answering(services, event, async () => {
        const key = await authenticate(event, services);
        const fields = await spend(services, 'key', key.prefix, 'There were too many requests with this API key.');
        const answer = await answering(services, event, async () => {
          if (!isRead) requireWriteScope(key);
          return verb({ ...callOf(services, event), accountId: key.accountId });
        });
        return withFields(answer, fields);
      });
}

function withoutKey(verb: OpenVerb) {
  return (services: Services): Handle =>
    (event) =>
      answering(services, event, () => verb(callOf(services, event)));
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
