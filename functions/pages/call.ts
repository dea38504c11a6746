import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Acting, Operations } from '../../shared/accounts/acting.ts';
import { PAGE_POLICY, type Visitor } from '../../shared/pages/layout.ts';
import type { SessionRef } from '../../shared/runtime/session-token.ts';

/** What the verbs of the pages work with. */
export type Services = Omit<Operations, 'siteUrl' | 'note'> & {
  /** Hears of errors that no reader is told about. */
  readonly report: (error: unknown) => void;
  /** A mail address that a person reads. */
  readonly contact: string;
  /** Where the pages and the API answer, without a slash at the end; empty is the very address that they were called by. */
  readonly baseUrl: string;
};

/** One request. */
export type Call = Services & Operations & { readonly event: APIGatewayProxyEventV2 };

/** One request of somebody who is signed in. */
export type SignedCall = Call & Acting & { readonly visitor: Visitor; readonly session: SessionRef };

export type Answer = APIGatewayProxyStructuredResultV2;

/** What a route does. */
export type Verb = (call: Call) => Promise<Answer>;

/** What a route does that is for those who are signed in. */
export type SignedVerb = (call: SignedCall) => Promise<Answer>;

/** A route that is open to all, and one that is not. Whatever answers GET answers HEAD too. */
export type OpenRoute = readonly [method: 'GET' | 'POST', path: string, verb: Verb];
export type SignedRoute = readonly [method: 'GET' | 'POST', path: string, verb: SignedVerb];

/** An answer with a page, which nobody keeps unless `headers` say so. */
export function page(statusCode: number, body: string, headers: Record<string, string> = {}): Answer {
  return answer(statusCode, 'text/html; charset=utf-8', body, headers);
}

/** An answer with a plain text. */
export function plain(statusCode: number, body: string, headers: Record<string, string> = {}): Answer {
  return answer(statusCode, 'text/plain; charset=utf-8', body, headers);
}

/** The answer to a form that went well: leads the browser to another page, so that reloading sends nothing twice. */
export function seeOther(path: string): Answer {
  return { ...page(303, ''), headers: { location: path, 'cache-control': 'no-store' } };
}

/** An answer of any type. */
export function answer(statusCode: number, type: string, body: string, headers: Record<string, string> = {}): Answer {
  return {
    statusCode,
    headers: { 'content-type': type, 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-store', ...headers },
    body,
  };
}

/** Where this deployment answers, without a slash at the end; empty when it cannot be told. The Host header is never believed. */
export function baseUrlOf({ baseUrl, event }: Pick<Call, 'baseUrl' | 'event'>): string {
  if (baseUrl !== '') return baseUrl;
  const { domainName } = event.requestContext;
  return domainName === undefined || domainName === '' ? '' : `https://${domainName}`;
}

/** A parameter of the path. */
export function pathOf({ event }: Pick<Call, 'event'>, name: string): string {
  return event.pathParameters?.[name] ?? '';
}

/** A parameter of the query; empty when it is not there. */
export function queryOf({ event }: Pick<Call, 'event'>, name: string): string {
  return event.queryStringParameters?.[name] ?? '';
}

const KEPT_S = 300;

/** For pages that say the same to everybody, and may be kept for a while. */
export const KEPT = { 'cache-control': `public, max-age=${KEPT_S}` };
