import httpRouterHandler from '@middy/http-router';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { Services } from '../../functions/api/call.ts';
import { cursors } from '../../functions/api/cursor.ts';
import { noRoute, routes } from '../../functions/api/routes.ts';
import { newKey, openAccount } from '../../shared/accounts/account.ts';
import type { Mail } from '../../shared/mail/letter.ts';
import type { Handover } from '../../shared/mail/mailer.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import { secretsFrom } from '../../shared/runtime/secrets.ts';
import { lookupsTo } from './gate.ts';
import { NOON } from './samples.ts';
import type { TestTable } from './table.ts';
import { startTable } from './unit-table.ts';

const DAY = 24 * 60 * 60_000;

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type Answered = { readonly status: number; readonly headers: Record<string, string>; readonly body: any };

export type Asked = {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly sourceIp?: string;
};

/** The routes of the API on a table of the embedded engine, with a clock that tests turn and a SES that keeps what it is handed. */
export type ApiOnTable = {
  readonly table: TestTable;
  readonly services: Services;
  readonly mails: { readonly recipient: string; readonly mail: Mail }[];
  readonly logged: { readonly message: string; readonly fields: object }[];
  now: number;
  /** What SES says to the next mails. */
  handover: Handover | Error;
  call(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** A new account with its first key. */
  account(email?: string): Promise<{ readonly accountId: string; readonly email: string; readonly key: string }>;
  /** Another key of an account. */
  keyOf(accountId: string, scope: 'read' | 'write'): Promise<string>;
  stop(): Promise<void>;
};

let count = 0;

/** `start` gives the table that it is on: the embedded engine's, unless a search needs one that is faster. */
export async function startApi(changes: Partial<Services> = {}, start: typeof startTable = startTable): Promise<ApiOnTable> {
  const clock = () => api.now;
  let underWay = 0;
  let answered = Promise.withResolvers<void>();
  const table = await start(clock, 400 * DAY);
  const secrets = secretsFrom('a secret of this deployment, long enough');
  const services: Services = {
    store: table.store,
    secrets,
    cursors: cursors(secrets),
    clock,
    // Whoever waits does so for another call of the same moment, if there is one.
    wait: async (ms) => (underWay < 2 ? undefined : Promise.race([answered.promise, new Promise((over) => setTimeout(over, ms))])),
    async send(mail, recipient) {
      if (api.handover instanceof Error) throw api.handover;
      if (api.handover.kind === 'accepted') api.mails.push({ mail, recipient });
      return api.handover;
    },
    log: (_event, message, fields) => void api.logged.push({ message, fields }),
    probePorts: [25, 465, 587],
    lookups: lookupsTo(),
    operatorNetworksOf: () => [],
    tokenOf: (accountId) => consentToken(secrets, accountId),
    egressAddresses: ['192.0.2.7'],
    ehloName: 'probe.example',
    registration: { kind: 'open' },
    baseUrl: 'https://audit.example',
    ...changes,
  };
  const router = httpRouterHandler({ routes: routes(services), notFoundResponse: noRoute });
  const api: ApiOnTable = {
    table,
    services,
    mails: [],
    logged: [],
    now: NOON,
    handover: { kind: 'accepted', messageId: 'message' },
    async call(method, path, asked = {}) {
      underWay++;
      const answer = await router(eventOf(method, path, asked), {} as Context, { signal: AbortSignal.timeout(30_000) });
      underWay--;
      answered.resolve();
      answered = Promise.withResolvers();
      const { statusCode = 200, headers = {}, body } = answer as { statusCode?: number; headers?: Record<string, string>; body?: string };
      return { status: statusCode, headers, body: body === undefined ? undefined : JSON.parse(body) };
    },
    async account(email = `owner-${++count}@example.org`) {
      const opened = await openAccount(table.store, secrets, email, api.now);
      if (opened === undefined) throw new Error(`${email} has an account`);
      return { accountId: opened.accountId, email, key: opened.apiKey };
    },
    async keyOf(accountId, scope) {
      const key = newKey(secrets, { accountId, createdAt: api.now, scope });
      await table.store.addKey(key.stored, 2);
      return key.text;
    },
    stop: () => table.stop(),
  };
  return api;
}

function eventOf(method: string, path: string, { key, body, headers = {}, sourceIp = '198.51.100.1' }: Asked): APIGatewayProxyEventV2 {
  const [rawPath = '/', rawQueryString = ''] = path.split('?');
  const query = Object.fromEntries(new URLSearchParams(rawQueryString));
  return {
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    version: '2.0',
    rawPath,
    rawQueryString,
    ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
    requestContext: { requestId: 'request-1', domainName: 'gateway.example', http: { method, path: rawPath, sourceIp } },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}

/** The token in the link of a mail. */
export function tokenIn(mail: Mail | undefined): string {
  return /\/confirm\?token=(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
}
