import httpRouterHandler from '@middy/http-router';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { Answer, Services } from '../../functions/api/call.ts';
import { problemAnswer } from '../../functions/api/problem.ts';
import { noRoute, routes } from '../../functions/api/routes.ts';
import type { Host } from '../../shared/domain/host.ts';
import { noticesOf } from '../../shared/domain/notice.ts';
import { scanId } from '../../shared/domain/scan.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import { sealConfirmation } from '../../shared/runtime/confirmation-token.ts';
import { type ApiOnTable, startApi } from './api-on-table.ts';
import { lookupsTo } from './gate.ts';
import { CLOSED, NOON, SUSPECTED, sampleLeg, sampleScan } from './samples.ts';
import { searchTable } from './searches.ts';

const HOUR = 60 * 60_000;

/** The address that hosts have in these tests; strangers have paused it. */
export const PAUSED = '203.0.113.10';

/** A public address, which hosts have too where DNS holds every proof. */
export const PROVEN = '93.184.216.10';

/** An account with two hosts; the first has history, and lists of it that go on behind their first page. */
export type Owner = {
  readonly accountId: string;
  readonly email: string;
  readonly key: string;
  readonly hosts: readonly [string, string];
  /** Scans of the first host: two finished ones, one owed. */
  readonly scans: readonly [string, string, string];
  /** Notices of the first host: to a webhook, given up and owed, and a mail. */
  readonly notices: readonly [string, string, string];
  /** The cursors of its lists, by their paths. */
  readonly cursors: Readonly<Record<string, string>>;
};

/** A request as the gateway hands it over, before it is made into an event. */
export type Sent = {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly isBase64Encoded: boolean;
  readonly sourceIp: string;
};

/** An answer as it goes out, byte for byte. */
export type Given = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string | undefined };

export type World = {
  readonly api: ApiOnTable;
  readonly lookups: { now: Lookups };
  send(sent: Sent): Promise<Given>;
  owner(): Promise<Owner>;
};

const DEAD: Lookups = {
  addresses: async () => ({ kind: 'trouble', why: 'SERVFAIL' }),
  texts: async () => ({ kind: 'trouble', why: 'no answer' }),
  names: async () => ({ kind: 'trouble', why: 'SERVFAIL' }),
  mailServers: async () => ({ kind: 'trouble', why: 'REFUSED' }),
};

/** What DNS may be like: silent about everything, dead, with addresses alone, and with every proof of every account. */
export function dnsOf(api: ApiOnTable, owners: readonly Owner[]): Readonly<Record<'empty' | 'dead' | 'addresses' | 'proofs', Lookups>> {
  const addresses = lookupsTo(PAUSED, '2001:db8::10');
  const proofs: Lookups = {
    ...lookupsTo(PAUSED, PROVEN),
    texts: async () => ({ kind: 'found', values: owners.map(({ accountId }) => api.services.tokenOf(accountId)) }),
    names: async () => ({ kind: 'found', values: ['mail.example.org', 'a name of nobody'] }),
    mailServers: async () => ({ kind: 'found', values: [{ name: 'mail.example.org', preference: 10 }] }),
  };
  return { empty: lookupsTo(), dead: DEAD, addresses, proofs };
}

/** The API with all that operations can be asked about. */
export async function startWorld(): Promise<World> {
  const lookups = { now: lookupsTo() };
  const switched: Lookups = {
    addresses: (name) => lookups.now.addresses(name),
    texts: (name) => lookups.now.texts(name),
    names: (address) => lookups.now.names(address),
    mailServers: (domain) => lookups.now.mailServers(domain),
  };
  const api = await startApi({ lookups: switched }, searchTable);
  const router = httpRouterHandler({ routes: routes(api.services), notFoundResponse: noRoute });
  return {
    api,
    lookups,
    owner: () => ownerIn(api),
    async send(sent) {
      const answer = await answerOf(router, eventOf(sent));
      return { status: answer.statusCode ?? 0, headers: (answer.headers ?? {}) as Record<string, string>, body: answer.body };
    },
  };
}

type Router = ReturnType<typeof httpRouterHandler<APIGatewayProxyEventV2, Answer>>;

// As handler.ts answers what the router itself throws.
async function answerOf(router: Router, event: APIGatewayProxyEventV2): Promise<Answer> {
  try {
    return (await router(event, {} as Context, { signal: AbortSignal.timeout(30_000) })) as Answer;
  } catch (error) {
    return problemAnswer(error);
  }
}

// As the gateway hands it over: header names in lower case, the values of a repeated parameter joined by commas.
function eventOf({ method, path, query, headers, body, isBase64Encoded, sourceIp }: Sent): APIGatewayProxyEventV2 {
  const names = [...new Set(query.map(([name]) => name))];
  const joined = names.map((name) => [name, query.flatMap(([each, value]) => (each === name ? [value] : [])).join(',')]);
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString(),
    ...(names.length === 0 ? {} : { queryStringParameters: Object.fromEntries(joined) }),
    headers: { ...headers },
    requestContext: { requestId: 'request-1', domainName: 'gateway.example', http: { method, path, sourceIp } },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  } as unknown as APIGatewayProxyEventV2;
}

async function ownerIn(api: ApiOnTable): Promise<Owner> {
  const { store } = api.table;
  const { accountId, email, key } = await api.account();
  const register = async (name: string) => (await api.call('POST', '/v1/hosts', { key, body: { name } })).body.id as string;
  const hosts = [await register('mail.example.org'), await register('93.184.216.25')] as const;
  const [hostId] = hosts;
  const owed = scanId(api.now, 'first');
  const finished = [
    await storeScan(store, accountId, hostId, NOON - 5 * HOUR),
    await storeScan(store, accountId, hostId, NOON - 3 * HOUR),
  ] as const;
  const notices = await storeNotices(store, accountId, hostId);
  const lists = ['/v1/hosts', `/v1/hosts/${hostId}/scans`, `/v1/hosts/${hostId}/changes`, `/v1/hosts/${hostId}/notices`];
  const pages = await Promise.all(lists.map(async (path) => [path, (await api.call('GET', `${path}?limit=1`, { key })).body.next]));
  return { accountId, email, key, hosts, scans: [...finished, owed], notices, cursors: Object.fromEntries(pages) };
}

async function storeScan(store: Services['store'], accountId: string, hostId: string, startedAt: number): Promise<string> {
  const host = (await store.findHost(accountId, hostId)) as Host;
  const isFirst = host.state.version === 0;
  const id = scanId(startedAt, 'scheduled');
  const evidence = await store.keepEvidence(host, [sampleLeg(isFirst ? 'refused' : 'accepted')]);
  const scan = { ...sampleScan(host, id, startedAt, isFirst ? CLOSED : SUSPECTED), evidence };
  const version = host.state.version + 1;
  const to = isFirst ? 'closed' : 'suspected';
  const change = { accountId, hostId, version, from: host.state.relay, to, at: startedAt, firstScanId: id, scanId: id } as const;
  const state = { ...host.state, version, relay: to, since: startedAt, last: { id, startedAt, verdict: to } } as const;
  const stored = await store.storeResult({ host, scan, effect: { kind: 'changed', state, change }, notices: [], wasOwed: false });
  if (stored !== 'stored') throw new Error('the scan of a fresh host could not be stored');
  return id;
}

// What the host owed when it was found to accept everything, which is what can be acknowledged.
async function storeNotices(store: Services['store'], accountId: string, hostId: string): Promise<[string, string, string]> {
  const ids: string[] = [];
  for (const startedAt of [NOON - 2 * HOUR, NOON - HOUR]) {
    const host = (await store.findHost(accountId, hostId)) as Host;
    const webhooked: Host = { ...host, settings: { ...host.settings, webhook: 'https://hooks.example.org/' } };
    const state = { ...host.state, version: host.state.version + 1, sink: true };
    const notices = noticesOf(webhooked, state, { kind: 'reminder', count: 1 }, startedAt);
    const scan = { ...sampleScan(host, scanId(startedAt, 'on-demand'), startedAt), kind: 'on-demand' as const };
    await store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices, wasOwed: false });
    ids.push(...notices.map(({ id }) => id));
  }
  const [mail = '', givenUp = '', , owed = ''] = ids;
  await store.settleNotice(givenUp, { outcome: 'given-up', why: 'it answered 500' }, NOON);
  return [givenUp, owed, mail];
}

let newcomers = 0;

/** A new token of a mail: of an account-to-be, whose address gets no other, of a recipient, or one that is too old. */
export function tokenOf(api: ApiOnTable, accountId: string, pick: number): string {
  const { secrets } = api.services;
  if (pick % 3 === 0) return sealConfirmation(secrets, { kind: 'account', email: `newcomer-${++newcomers}@example.org` }, api.now);
  const recipient = { kind: 'recipient', email: `friend-${pick}@example.org`, accountId } as const;
  return sealConfirmation(secrets, recipient, pick % 3 === 1 ? api.now : api.now - 25 * HOUR);
}
