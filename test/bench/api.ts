import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { TABLE_NAME } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, REGION } from '../../infra/local/engines/engine.ts';
import { readLocalState } from '../../infra/local/service/data-folder.ts';
import { newKey } from '../../shared/accounts/account.ts';
import openapi from '../../shared/contract/openapi.json' with { type: 'json' };
import { parseNetwork } from '../../shared/domain/address.ts';
import { effectOf } from '../../shared/domain/change.ts';
import type { Host } from '../../shared/domain/host.ts';
import { scanId } from '../../shared/domain/scan.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { sealConfirmation } from '../../shared/runtime/confirmation-token.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { loadSecrets, type Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { startApi } from '../support/api-on-table.ts';
import { eventually, startLocalService, temporaryFolder } from '../support/local-service.ts';
import { CLOSED, registerSample, SUSPECTED, sampleHost, sampleLeg, sampleScan } from '../support/samples.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../support/scripted-dns-server.ts';
import type { Figure } from './figure.ts';

const PER_SECOND = 100;
const REQUESTS = 500; // of each operation: five seconds
const WARM_UP_REQUESTS = 200;
const FULL_PAGE = 50; // hosts; the most that one page holds
const PAGE_READ_UNITS = 13; // as for a page of the history
const SEEDED_AT_ONCE = 8;
const QUIET_MS = 60_000;
const PROBLEMS_SHOWN = 10;

const HOUR = 60 * 60_000;
const RETENTION_MS = 400 * 24 * HOUR;

/**
 * Each operation under an open load, on the local service, and what it costs in DynamoDB. There are as many owners as requests of
 * one operation, and each asks once: nobody comes near a budget, and every request finds things as they were.
 */
export async function measureApi(): Promise<Figure[]> {
  requireAllOperations();
  const dns = await startScriptedDns(zone());
  try {
    return [...(await measureLoad(dns)), ...(await measureUnits(dns))];
  } finally {
    await dns.stop();
  }
}

type Owner = {
  /** From 0 on; names the mail domain and the address of the owner's server. */
  readonly index: number;
  readonly email: string;
  readonly key: string;
  /** Of a second key. */
  readonly sparePrefix: string;
  /** A host with three scans and a change, and one that has never been scanned. */
  readonly hostId: string;
  readonly spareHostId: string;
  readonly scanId: string;
  /** Of a confirmation mail to somebody who has no account yet. */
  readonly token: string;
};

/** What one owner asks. `from` is where an operation without a key is asked from, whose budgets are per source. */
type Asked = { readonly path: string; readonly key?: string; readonly body?: object; readonly from?: string };

type Operation = {
  readonly method: string;
  /** As the contract writes it. */
  readonly path: string;
  readonly status: number;
  readonly ask: (owner: Owner) => Asked;
  /** Write units that it may cost: a read pays for the budget of its key and for nothing else. */
  readonly writeLimit?: number;
};

const ofHost =
  (rest = '', body?: object) =>
  ({ hostId, key }: Owner): Asked => ({ path: `/v1/hosts/${hostId}${rest}`, key, ...(body === undefined ? {} : { body }) });
const withKey =
  (path: string, bodyOf?: (owner: Owner) => object) =>
  (owner: Owner): Asked => ({ path, key: owner.key, ...(bodyOf === undefined ? {} : { body: bodyOf(owner) }) });
// Ten to a source, which is what one may ask for accounts in an hour.
const sourceOf = ({ index }: Owner) => `127.88.0.${1 + Math.floor(index / 10)}`;

// Reads first; then what owes scans, which are waited for; in the end hosts and accounts go, whose erasure is owed for later.
const OPERATIONS: readonly Operation[] = [
  { method: 'GET', path: '/v1/openapi.json', status: 200, ask: () => ({ path: '/v1/openapi.json' }), writeLimit: 0 },
  { method: 'GET', path: '/v1/account', status: 200, ask: withKey('/v1/account'), writeLimit: 1 },
  { method: 'GET', path: '/v1/keys', status: 200, ask: withKey('/v1/keys'), writeLimit: 1 },
  { method: 'GET', path: '/v1/hosts', status: 200, ask: withKey('/v1/hosts'), writeLimit: 1 },
  { method: 'GET', path: '/v1/hosts/{id}', status: 200, ask: ofHost(), writeLimit: 1 },
  { method: 'GET', path: '/v1/hosts/{id}/scans', status: 200, ask: ofHost('/scans'), writeLimit: 1 },
  {
    method: 'GET',
    path: '/v1/hosts/{id}/scans/{scanId}',
    status: 200,
    ask: (owner) => ofHost(`/scans/${owner.scanId}`)(owner),
    writeLimit: 1,
  },
  { method: 'GET', path: '/v1/hosts/{id}/changes', status: 200, ask: ofHost('/changes'), writeLimit: 1 },
  { method: 'GET', path: '/v1/hosts/{id}/notices', status: 200, ask: ofHost('/notices'), writeLimit: 1 },
  {
    method: 'GET',
    path: '/v1/proposals',
    status: 200,
    ask: (owner) => withKey(`/v1/proposals?name=${domainOf(owner.index)}`)(owner),
    writeLimit: 2,
  },
  { method: 'GET', path: '/v1/hosts/{id}/consent', status: 200, ask: ofHost('/consent'), writeLimit: 2 },
  { method: 'POST', path: '/v1/hosts/{id}/consent/check', status: 200, ask: ofHost('/consent/check') },
  { method: 'POST', path: '/v1/hosts/{id}/consent/reaffirm', status: 200, ask: ofHost('/consent/reaffirm') },
  { method: 'PATCH', path: '/v1/hosts/{id}', status: 200, ask: ofHost('', { period: 'day' }) },
  {
    method: 'DELETE',
    path: '/v1/keys/{prefix}',
    status: 204,
    ask: (owner) => withKey(`/v1/keys/${owner.sparePrefix}`)(owner),
  },
  { method: 'POST', path: '/v1/keys', status: 201, ask: withKey('/v1/keys', () => ({ scope: 'read' })) },
  {
    method: 'POST',
    path: '/v1/accounts',
    status: 202,
    ask: (owner) => ({ path: '/v1/accounts', body: { email: `asks@${domainOf(owner.index)}` }, from: sourceOf(owner) }),
  },
  {
    method: 'POST',
    path: '/v1/confirmations',
    status: 201,
    ask: (owner) => ({ path: '/v1/confirmations', body: { token: owner.token }, from: sourceOf(owner) }),
  },
  { method: 'POST', path: '/v1/hosts/{id}/scans', status: 202, ask: ofHost('/scans') },
  {
    method: 'POST',
    path: '/v1/hosts',
    status: 201,
    ask: withKey('/v1/hosts', ({ index }) => ({ name: `new.${domainOf(index)}`, ports: [25], period: 'week' })),
  },
  {
    method: 'DELETE',
    path: '/v1/hosts/{id}',
    status: 204,
    ask: ({ spareHostId, key }) => ({ path: `/v1/hosts/${spareHostId}`, key }),
  },
  { method: 'DELETE', path: '/v1/account', status: 204, ask: withKey('/v1/account', ({ email }) => ({ confirm: email })) },
];

// Seldom asked, and only of what not every owner has: a sink, a notice that was given up, a public address to come from.
const NOT_MEASURED = ['POST /v1/hosts/{id}/acknowledge', 'POST /v1/hosts/{id}/notices/{noticeId}/repeat', 'POST /v1/scans/here'];

function requireAllOperations(): void {
  const known = [...OPERATIONS.map(({ method, path }) => `${method} ${path}`), ...NOT_MEASURED].toSorted();
  const documented = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  if (known.join() !== documented.toSorted().join()) throw new Error('the bench does not ask what the contract documents');
}

// From here on: the load.

async function measureLoad(dns: ScriptedDns): Promise<Figure[]> {
  const folder = join(temporaryFolder(), 'data');
  const service = await startLocalService(['--port', '0', '--data', folder, '--no-demo'], { DNS_SERVERS: dns.address });
  const endpoint = readLocalState(folder)?.endpoints?.dynamodb ?? '';
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  const store = dynamoDbStore(TABLE_NAME, RETENTION_MS, Date.now, client);
  const agent = new Agent({ keepAlive: true });
  try {
    const owners = await seedOwners(store, await loadSecrets(`file:${join(folder, 'secret')}`));
    const warmUp = Array.from({ length: WARM_UP_REQUESTS }, () => ({ path: '/v1/hosts', key: service.apiKey }));
    await load(agent, service.baseUrl, 'GET', warmUp, 200);
    const figures: Figure[] = [];
    const problems: string[] = [];
    for (const { method, path, status, ask } of OPERATIONS) {
      await untilQuiet(store);
      const loaded = await load(agent, service.baseUrl, method, owners.map(ask), status);
      const what = `${method} ${path}`;
      problems.push(...loaded.problems.map((problem) => `${what}: ${problem}`));
      figures.push({ what: `${what}: p50`, value: quantile(loaded.latencies, 0.5), unit: 'ms' });
      figures.push({ what: `${what}: p99`, value: quantile(loaded.latencies, 0.99), unit: 'ms' });
    }
    for (const problem of problems.slice(0, PROBLEMS_SHOWN)) console.error(problem);
    return [
      { what: `requests, ${PER_SECOND} a second`, value: OPERATIONS.length * REQUESTS, unit: '' },
      { what: 'of them failed, or refused', value: problems.length, unit: '', limit: 0 },
      ...figures,
    ];
  } finally {
    agent.destroy();
    client.destroy();
    await service.stop();
  }
}

type Loaded = { readonly latencies: number[]; readonly problems: string[] };

// Open: a request is sent when its time has come, whether or not those before it were answered, and its latency counts from that time.
async function load(agent: Agent, baseUrl: string, method: string, all: readonly Asked[], status: number): Promise<Loaded> {
  const latencies: number[] = [];
  const problems: string[] = [];
  const began = performance.now();
  const ask = async (asked: Asked, index: number) => {
    const due = began + (index * 1_000) / PER_SECOND;
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
    try {
      const answer = await send(agent, baseUrl, method, asked);
      if (answer.status !== status) problems.push(`${answer.status} ${answer.text}`);
    } catch (error) {
      problems.push(String(error));
    }
    latencies.push(performance.now() - due);
  };
  await Promise.all(all.map(ask));
  return { latencies, problems };
}

// Not `fetch`, which cannot say where a request comes from.
async function send(agent: Agent, baseUrl: string, method: string, { path, key, body, from }: Asked) {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
  };
  const response = await new Promise<IncomingMessage>((done, fail) => {
    const options = { agent, method, headers, ...(from === undefined ? {} : { localAddress: from }) };
    request(baseUrl + path, options, done)
      .once('error', fail)
      .end(payload);
  });
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, text };
}

/** The value that this share of all values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

/** Waits until no scan is owed, so that what one operation has caused does not slow the next one down. */
async function untilQuiet(store: AuditStore): Promise<void> {
  const owed = () => store.dueScans(Date.now() + RETENTION_MS, 1);
  await eventually(async () => ((await owed()).length === 0 ? true : undefined), 'no scan is owed', QUIET_MS);
}

// From here on: the units.

async function measureUnits(dns: ScriptedDns): Promise<Figure[]> {
  const operators = parseNetwork('127.0.0.0/8');
  const api = await startApi({
    lookups: dnsLookups([dns.address]),
    operatorNetworksOf: () => (operators === undefined ? [] : [operators]),
  });
  const { table, services } = api;
  const figures: Figure[] = [];
  const measure = async (operation: Operation, owner: Owner, about = '', readLimit?: number) => {
    const { path, from, ...asked } = operation.ask(owner);
    table.meter.reset();
    const { status } = await api.call(operation.method, path, { ...asked, ...(from === undefined ? {} : { sourceIp: from }) });
    const what = `${operation.method} ${operation.path}${about}`;
    if (status !== operation.status) throw new Error(`${what} was answered ${status}`);
    const { readUnits, writeUnits } = table.meter;
    figures.push({ what: `${what}: read units`, value: readUnits, unit: 'units', ...limited(readLimit) });
    figures.push({ what: `${what}: write units`, value: writeUnits, unit: 'units', ...limited(operation.writeLimit) });
  };
  try {
    const [one, many] = [
      await seedOwner(table.store, services.secrets, 0, api.now),
      await seedOwner(table.store, services.secrets, 1, api.now),
    ];
    for (let hosts = 2; hosts < FULL_PAGE; hosts++) await seedHost(table.store, many.accountId, hosts, api.now);
    for (const operation of OPERATIONS) {
      await measure(operation, one.owner);
      if (operation.path === '/v1/hosts' && operation.method === 'GET')
        await measure(operation, many.owner, `, ${FULL_PAGE} hosts`, PAGE_READ_UNITS);
    }
    return figures;
  } finally {
    await api.stop();
  }
}

function limited(limit: number | undefined): Pick<Figure, 'limit'> {
  return limit === undefined ? {} : { limit };
}

// From here on: what there is before anybody asks.

function domainOf(index: number): string {
  return `customer${index}.example`;
}

function serverOf(index: number): string {
  return `mx.${domainOf(index)}`;
}

/** The domains of all owners, each with one mail server, at an address of loopback where nobody answers. */
function zone(): Record<string, Saying> {
  return Object.fromEntries(
    Array.from({ length: REQUESTS }, (_, index) => index).flatMap((index): [string, Saying][] => {
      const [domain, server] = [domainOf(index), serverOf(index)];
      const address = `127.77.${Math.floor(index / 250)}.${1 + (index % 250)}`;
      return [
        [domain, { answers: [{ type: 'MX', name: domain, data: { preference: 10, exchange: server } }] }],
        [server, { answers: [{ type: 'A', name: server, data: address }] }],
      ];
    }),
  );
}

async function seedOwners(store: AuditStore, secrets: Secrets): Promise<Owner[]> {
  const owners: Owner[] = [];
  for (let first = 0; first < REQUESTS; first += SEEDED_AT_ONCE) {
    const indexes = Array.from({ length: Math.min(SEEDED_AT_ONCE, REQUESTS - first) }, (_, offset) => first + offset);
    const seeded = await Promise.all(indexes.map((index) => seedOwner(store, secrets, index, Date.now())));
    owners.push(...seeded.map(({ owner }) => owner));
  }
  return owners;
}

async function seedOwner(store: AuditStore, secrets: Secrets, index: number, now: number): Promise<{ owner: Owner; accountId: string }> {
  const accountId = newId();
  const email = `owner@${domainOf(index)}`;
  // Used within the hour, as most keys that ask: their use is not noted again.
  const [key, spare] = [1, 2].map(() => newKey(secrets, { accountId, createdAt: now, scope: 'write' }));
  if (key === undefined || spare === undefined) throw new Error('two keys were made');
  await store.createAccount({ id: accountId, email, createdAt: now }, { ...key.stored, lastUsedAt: now });
  await store.addKey(spare.stored, 2);
  const host = await seedHost(store, accountId, index, now);
  const spareHost = await seedHost(store, accountId, index, now);
  const scan = await seedHistory(store, host, now);
  const token = sealConfirmation(secrets, { kind: 'account', email: `new@${domainOf(index)}` }, now);
  const names = { index, email, key: key.text, sparePrefix: spare.stored.prefix };
  return { owner: { ...names, hostId: host.id, spareHostId: spareHost.id, scanId: scan, token }, accountId };
}

async function seedHost(store: AuditStore, accountId: string, index: number, now: number): Promise<Host> {
  const [name, domain] = [serverOf(index), domainOf(index)];
  const sample = sampleHost({ name, servedDomains: [domain], period: 'week', alertRecipients: [`owner@${domain}`] });
  const host: Host = { ...sample, id: newId(), accountId, createdAt: now };
  const first = { accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now + RETENTION_MS, tries: 0 };
  await registerSample(store, host, first);
  await store.dropOwed(first); // nobody shall scan it now
  return host;
}

/** Three scans, of which the second has turned the host and the third has confirmed it. Gives the id of the last. */
async function seedHistory(store: AuditStore, host: Host, now: number): Promise<string> {
  let id = '';
  for (const [hoursAgo, judgement] of [
    [3, CLOSED],
    [2, SUSPECTED],
    [1, SUSPECTED],
  ] as const) {
    const current = (await store.findHost(host.accountId, host.id)) ?? host;
    const startedAt = now - hoursAgo * HOUR;
    id = scanId(startedAt, 'scheduled');
    const evidence = await store.keepEvidence(current, [sampleLeg(judgement === CLOSED ? 'refused' : 'accepted')]);
    const scan = { ...sampleScan(current, id, startedAt, judgement), evidence };
    const effect = effectOf(current, scan, { confirmDelayMs: 0 });
    const stored = await store.storeResult({ host: current, scan, effect, notices: [], wasOwed: false });
    if (stored !== 'stored') throw new Error('a seeded scan was not stored');
  }
  return id;
}
