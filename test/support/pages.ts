import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Answer, Services } from '../../functions/pages/call.ts';
import { routes } from '../../functions/pages/routes.ts';
import type { Mail } from '../../shared/mail/letter.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import { secretsFrom } from '../../shared/runtime/secrets.ts';
import { sealSession } from '../../shared/runtime/session-token.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { lookupsTo } from './gate.ts';

export const SECRETS = secretsFrom('a secret of this deployment, long enough');

/** A mail that a page has sent. */
export type SentMail = { readonly mail: Mail; readonly recipient: string };

/** The pages over a store, without a server before them. */
export type Pages = {
  /** What was mailed so far. */
  readonly mails: SentMail[];
  readonly services: Services;
  /** Where the requests come from. */
  sourceIp: string;
  get(path: string, cookie?: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a form; `fields` as they are, from a page of ours unless `headers` say otherwise. */
  post(
    path: string,
    fields: Record<string, string> | [string, string][],
    cookie?: string,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** The cookie of a new session of an account. */
  signIn(accountId: string, email: string): Promise<string>;
};

/** Makes the pages over a store; `changed` are services that a test has of its own. */
export function pagesOn(store: AuditStore, clock: () => number, changed: Partial<Services> = {}): Pages {
  const mails: SentMail[] = [];
  const services: Services = {
    store,
    secrets: SECRETS,
    lookups: lookupsTo(),
    send: async (mail, recipient) => {
      mails.push({ mail, recipient });
      return { kind: 'accepted', messageId: 'x' };
    },
    clock,
    wait: async () => {},
    report: (error) => fail(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    probePorts: [25, 465, 587],
    registration: { kind: 'open' },
    operatorNetworksOf: () => [],
    tokenOf: (accountId) => consentToken(SECRETS, accountId),
    ehloName: 'probe.example',
    egressAddresses: ['192.0.2.7'],
    contact: 'postmaster@probe.example',
    baseUrl: 'https://audit.example',
    ...changed,
  };
  const all = routes(services);
  const ask = async (method: string, target: string, cookie: string | undefined, headers: Record<string, string>, body?: string) => {
    const [path = '', query = ''] = target.split('?');
    const fits = all.find((route) => route.method === method && patternOf(route.path).test(path));
    if (fits === undefined) return fail(`there is no ${method} ${path}`);
    const names = [...fits.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const values = patternOf(fits.path).exec(path)?.slice(1) ?? [];
    const event = {
      rawPath: path,
      rawQueryString: query,
      headers: { host: 'audit.example', ...headers },
      cookies: cookie?.split('; '),
      pathParameters: Object.fromEntries(names.map((name, index) => [name, values[index]])),
      queryStringParameters: query === '' ? undefined : Object.fromEntries(new URLSearchParams(query)),
      requestContext: { http: { method, path, sourceIp: pages.sourceIp } },
      body,
    } as unknown as APIGatewayProxyEventV2;
    return (fits.handler as (event: APIGatewayProxyEventV2) => Promise<Answer>)(event);
  };
  const pages: Pages = {
    mails,
    services,
    sourceIp: '192.0.2.200',
    get: (path, cookie, headers = {}) => ask('GET', path, cookie, headers),
    post: (path, fields, cookie, headers = {}) => {
      const sent = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', ...headers };
      return ask('POST', path, cookie, sent, new URLSearchParams(fields).toString());
    },
    async signIn(accountId, email) {
      const id = `${sessions++}`;
      const isThere = await store.startSession({ id, accountId, email, startedAt: clock(), until: clock() + 86_400_000 });
      if (!isThere) fail('there is no such account');
      return `__Host-relay-audit=${sealSession(SECRETS, { accountId, sessionId: id })}`;
    },
  };
  return pages;
}

let sessions = 1;

function fail(why: string): never {
  throw new Error(why);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}$`);
}

/** The hidden field of the forms of a page. */
export function formTokenOf({ body = '' }: Answer): string {
  return /name="form" value="([\w-]+)"/.exec(body)?.[1] ?? fail('the page has no form of a session');
}
