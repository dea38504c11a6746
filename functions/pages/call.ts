import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Send } from '../../shared/mail/mailer.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import type { Us } from '../../shared/pages/about.ts';
import { PAGE_POLICY } from '../../shared/pages/layout.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

/** What the verbs of the pages work with. */
export type Services = {
  readonly store: AuditStore;
  readonly secrets: Secrets;
  /** Look-ups for one request. */
  readonly lookups: () => Lookups;
  readonly send: Send;
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Hears of errors that no reader is told about. */
  readonly report: (error: unknown) => void;
  readonly us: Us;
  /** Where the pages and the API answer, without a slash at the end; empty is the very address that they were called by. */
  readonly baseUrl: string;
};

/** One request. */
export type Call = Services & { readonly event: APIGatewayProxyEventV2 };

export type Answer = APIGatewayProxyStructuredResultV2;

/** What a route does. */
export type Verb = (call: Call) => Promise<Answer>;

/** An answer with a page, which nobody keeps unless `headers` say so. */
export function page(statusCode: number, body: string, headers: Record<string, string> = {}): Answer {
  return answer(statusCode, 'text/html; charset=utf-8', body, headers);
}

/** An answer with a plain text. */
export function plain(statusCode: number, body: string, headers: Record<string, string> = {}): Answer {
  return answer(statusCode, 'text/plain; charset=utf-8', body, headers);
}

function answer(statusCode: number, type: string, body: string, headers: Record<string, string>): Answer {
  return {
    statusCode,
    headers: { 'content-type': type, 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-store', ...headers },
    body,
  };
}

/** Where this deployment answers, without a slash at the end; empty when it cannot be told. The Host header is never believed. */
export function baseUrlOf({ baseUrl, event }: Call): string {
  if (baseUrl !== '') return baseUrl;
  const { domainName } = event.requestContext;
  return domainName === undefined || domainName === '' ? '' : `https://${domainName}`;
}
