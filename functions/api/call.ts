import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Acting, Operations } from '../../shared/accounts/acting.ts';
import { findHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Cursors } from './cursor.ts';

/** What the API works with. */
export type Services = Omit<Operations, 'siteUrl' | 'note'> & {
  readonly cursors: Cursors;
  /** Logs trouble on our side that a request met, with the request's id. */
  readonly log: (event: APIGatewayProxyEventV2, message: string, fields: object) => void;
  /** Where the links of mails lead to; empty is where the request was sent to. */
  readonly baseUrl: string;
};

/** One request that needs no key. */
export type OpenCall = Operations & { readonly event: APIGatewayProxyEventV2; readonly cursors: Cursors };

/** One authenticated request. */
export type Call = OpenCall & Acting;

/** One request with what its verb works with. */
export function callOf(services: Services, event: APIGatewayProxyEventV2): OpenCall {
  const { baseUrl, log } = services;
  return {
    ...services,
    event,
    siteUrl: baseUrl === '' ? `https://${event.requestContext.domainName}` : baseUrl,
    note: (message, fields) => log(event, message, fields),
  };
}

export type Answer = APIGatewayProxyStructuredResultV2;

/** What a route does. */
export type Verb = (call: Call) => Promise<Answer>;

/** What a route does that needs no key. */
export type OpenVerb = (call: OpenCall) => Promise<Answer>;

/** An answer with a JSON body. */
export function json(statusCode: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** The host that the path names; a foreign one is as absent as one that never was. */
export async function hostInPath(call: Call): Promise<Host> {
  try {
    return await findHost(call, call.event.pathParameters?.id ?? '');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.status, `${error.message} GET /v1/hosts lists yours.`);
  }
}
