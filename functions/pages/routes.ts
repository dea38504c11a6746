import type { Route } from '@middy/http-router';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Problem } from '../../shared/accounts/problem.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { ACCOUNT_ROUTES } from './account.ts';
import { ASSET_ROUTES } from './assets.ts';
import { type Answer, baseUrlOf, type Call, type OpenRoute, page, type Services, type SignedRoute, type Verb } from './call.ts';
import { actConfirm, askConfirm } from './confirm.ts';
import { HOST_ROUTES } from './host-routes.ts';
import { HOSTS_ROUTES } from './hosts.ts';
import { askOptOut, optOut } from './opt-out.ts';
import { OWNER_ROUTES } from './owner-routes.ts';
import { PUBLIC_ROUTES } from './public.ts';
import { signed } from './session.ts';
import { SIGN_IN_ROUTES, SIGN_OUT_ROUTES } from './sign-in.ts';
import { askUnsubscribe, unsubscribe } from './unsubscribe.ts';

const OPEN: readonly OpenRoute[] = [
  ...PUBLIC_ROUTES,
  ...ASSET_ROUTES,
  ...SIGN_IN_ROUTES,
  ['GET', '/opt-out', askOptOut],
  ['POST', '/opt-out', optOut],
  ['GET', '/confirm', askConfirm],
  ['POST', '/confirm', actConfirm],
  ['GET', '/unsubscribe', askUnsubscribe],
  ['POST', '/unsubscribe', unsubscribe],
];

// A path without a parameter stands before one with: the first that fits is taken.
const SIGNED: readonly SignedRoute[] = [...SIGN_OUT_ROUTES, ...ACCOUNT_ROUTES, ...HOSTS_ROUTES, ...OWNER_ROUTES, ...HOST_ROUTES];

const PAGES: readonly OpenRoute[] = [...OPEN, ...SIGNED.map(([method, path, verb]): OpenRoute => [method, path, signed(verb)])];

type PageRoute = Route<APIGatewayProxyEventV2, Answer>;

/** The routes of the pages, ready for the router. Whoever answers GET answers HEAD (RFC 9110 §9.1); the gateway leaves the body out. */
export function routes(services: Services): PageRoute[] {
  const heads = PAGES.filter(([method]) => method === 'GET').map(([, path, verb]) => ['HEAD', path, verb] as const);
  return [...PAGES, ...heads].map(([method, path, verb]) => ({ method, path, handler: guarded(services, verb) }));
}

// A problem is told as a page; whatever else was thrown is reported, and answered with nothing of the inside.
function guarded(services: Services, verb: Verb) {
  return async (event: APIGatewayProxyEventV2): Promise<Answer> => {
    const call: Call = {
      ...services,
      event,
      siteUrl: baseUrlOf({ ...services, event }),
      note: (message, fields) => services.report(new Error(message, { cause: 'error' in fields ? fields.error : fields })),
    };
    try {
      return await verb(call);
    } catch (error) {
      if (error instanceof Problem) return problemPage(error);
      services.report(error);
      return brokenPage();
    }
  };
}

const TITLES: Readonly<Record<number, string>> = {
  404: 'Nothing here',
  409: 'Changed in the meantime',
  412: 'Changed in the meantime',
  422: 'Something is not right',
  429: 'Too often',
};

/** The page of a problem that no form shows. */
function problemPage({ status, message, errors = [], headers }: Problem): Answer {
  const faults = errors.map((error) => `${error.field} ${error.message}`);
  return page(status, messagePage(TITLES[status] ?? 'That did not work', message, ...faults), headers);
}

/** The answer to a request that no route takes. */
export function noRoute({ path }: { path: string }): Answer {
  const methods = PAGES.filter(([, pattern]) =>
    new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}/?$`).test(path),
  ).map(([method]) => method);
  if (methods.length === 0)
    return page(404, messagePage('Nothing here', 'There is no page at this address. The start page is a good place to go on.'));
  const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return page(405, messagePage('Not possible here', 'This page does not take such requests.'), { allow: [...new Set(allowed)].join(', ') });
}

/** The answer when something went wrong on our side; it shows nothing of the inside. */
export function brokenPage(): Answer {
  return page(500, messagePage('Something went wrong', 'It is our fault, not yours. Try again in a few minutes, or write to us.'));
}
