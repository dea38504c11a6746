import type { Route } from '@middy/http-router';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { messagePage } from '../../shared/pages/message.ts';
import { showAbout, showRobotsTxt, showSecurityTxt } from './about.ts';
import { type Answer, page, type Services, type Verb } from './call.ts';
import { actConfirm, askConfirm } from './confirm.ts';
import { askOptOut, optOut } from './opt-out.ts';
import { askUnsubscribe, unsubscribe } from './unsubscribe.ts';

type Method = 'GET' | 'HEAD' | 'POST';

type Page = readonly [method: Method, path: string, verb: Verb];

const PAGES: readonly Page[] = [
  ...readable('/', showAbout),
  ...readable('/opt-out', askOptOut),
  ['POST', '/opt-out', optOut],
  ...readable('/confirm', askConfirm),
  ['POST', '/confirm', actConfirm],
  ...readable('/unsubscribe', askUnsubscribe),
  ['POST', '/unsubscribe', unsubscribe],
  ...readable('/.well-known/security.txt', showSecurityTxt),
  ...readable('/robots.txt', showRobotsTxt),
];

// Whoever answers GET answers HEAD (RFC 9110 §9.1); the gateway leaves the body out.
function readable(path: string, verb: Verb): Page[] {
  return [
    ['GET', path, verb],
    ['HEAD', path, verb],
  ];
}

type PageRoute = Route<APIGatewayProxyEventV2, Answer>;

/** The routes of the pages, ready for the router. */
export function routes(services: Services): PageRoute[] {
  const guarded = (verb: Verb) => async (event: APIGatewayProxyEventV2) => {
    try {
      return await verb({ ...services, event });
    } catch (error) {
      services.report(error);
      return brokenPage();
    }
  };
  return PAGES.map(([method, path, verb]) => ({ method, path, handler: guarded(verb) }));
}

/** The answer to a request that no route takes. */
export function noRoute({ path }: { path: string }): Answer {
  const plainPath = path.length > 1 ? path.replace(/\/$/, '') : path;
  const methods = PAGES.filter(([, each]) => each === plainPath).map(([method]) => method);
  if (methods.length === 0)
    return page(404, messagePage('Nothing here', 'There is no page at this address. The start page is a good place to go on.'));
  return page(405, messagePage('Not possible here', 'This page does not take such requests.'), { allow: methods.join(', ') });
}

/** The answer when something went wrong on our side; it shows nothing of the inside. */
export function brokenPage(): Answer {
  return page(500, messagePage('Something went wrong', 'It is our fault, not yours. Try again in a few minutes, or write to us.'));
}
