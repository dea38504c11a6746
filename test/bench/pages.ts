import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAME } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, REGION } from '../../infra/local/engines/engine.ts';
import { readLocalState } from '../../infra/local/service/data-folder.ts';
import type { Host } from '../../shared/domain/host.ts';
import { scanId } from '../../shared/domain/scan.ts';
import type { Span } from '../../shared/domain/timeline.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { sealSession } from '../../shared/runtime/session-token.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { evidenceHash, packEvidence } from '../../shared/store/evidence.ts';
import { packSeenLegs } from '../../shared/store/items.ts';
import { keys } from '../../shared/store/keys.ts';
import { startLocalService, temporaryFolder } from '../support/local-service.ts';
import { pagesOn } from '../support/pages.ts';
import { sampleHost, sampleLeg, sampleScan } from '../support/samples.ts';
import { startTable } from '../support/table.ts';
import { type Figure, median } from './figure.ts';

const SCANS = 50_000;
const HOSTS = 30; // a full page of the table
const SPANS = 300;
const RUNS = 15; // of each view, within what one account may ask for in a minute
const BATCH = 25; // most items that one BatchWriteItem takes
const HOUR_MS = 60 * 60_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;

/** Every view of a host with 50,000 scans: its queries, its size, and the time until it is there, through the local service. */
export async function measurePages(): Promise<Figure[]> {
  const table = await startTable(Date.now, 10 * 365 * 24 * HOUR_MS);
  await table.store.createAccount({ id: 'account1', email: 'owner@example.org', createdAt: NOW });
  const host = await fill(DynamoDBDocumentClient.from(table.client, OPTIONS), 'account1');
  const pages = pagesOn(table.store, Date.now);
  const cookie = await pages.signIn('account1', 'owner@example.org');
  const figures: Figure[] = [];
  for (const [what, path] of views(host)) {
    table.meter.reset();
    const { body = '', statusCode } = await pages.get(path, cookie);
    if (statusCode !== 200) throw new Error(`${path} is answered ${statusCode}`);
    figures.push({ what: `${what}: queries`, value: table.meter.queries, unit: '', limit: 3 });
    figures.push({ what: `${what}: size`, value: Buffer.byteLength(body) / 1024, unit: 'KiB', limit: 100 });
  }
  await table.stop();
  return [...figures, ...(await measureTimes())];
}

const OPTIONS = { marshallOptions: { removeUndefinedValues: true } };

function views({ id }: Host): (readonly [what: string, path: string])[] {
  return [
    ['start page', '/'],
    ['API', '/docs'],
    ['hosts', '/hosts'],
    ['host, 30 days', `/hosts/${id}`],
    ['host, 90 days', `/hosts/${id}?days=90`],
    ['host, a year', `/hosts/${id}?days=365`],
    ['scans', `/hosts/${id}/scans`],
    ['one scan', `/hosts/${id}/scans/${scanId(NOW, 'scheduled')}`],
    ['changes', `/hosts/${id}/changes`],
    ['mails', `/hosts/${id}/notices`],
    ['settings', `/hosts/${id}/settings`],
    ['account', '/account'],
  ];
}

async function measureTimes(): Promise<Figure[]> {
  const data = join(temporaryFolder(), 'data');
  const service = await startLocalService(['--port', '0', '--no-demo', '--data', data], { RETENTION_DAYS: '3650' });
  const { endpoints, accountId = '' } = readLocalState(data) ?? {};
  const client = new DynamoDBClient({ endpoint: endpoints?.dynamodb ?? '', region: REGION, credentials: CREDENTIALS });
  const host = await fill(DynamoDBDocumentClient.from(client, OPTIONS), accountId);
  const session = { id: 'bench', accountId, email: 'owner@relay-audit.example', startedAt: NOW, until: NOW + HOUR_MS };
  await dynamoDbStore(TABLE_NAME, 0, Date.now, client).startSession(session);
  const cookie = `relay-audit=${sealSession(await loadSecrets(`file:${join(data, 'secret')}`), { accountId, sessionId: 'bench' })}`;
  const figures: Figure[] = [];
  for (const [what, path] of views(host)) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const began = performance.now();
      const answer = await fetch(service.baseUrl + path, { headers: { cookie } });
      await answer.text();
      if (!answer.ok) throw new Error(`${path} is answered ${answer.status}`);
      times.push(performance.now() - began);
    }
    figures.push({ what: `${what}: median of ${times.length}`, value: median(times), unit: 'ms', limit: 50 });
  }
  client.destroy();
  await service.stop();
  return figures;
}

/** Writes hosts into the account, of which the first has a long history. */
async function fill(document: DynamoDBDocumentClient, accountId: string): Promise<Host> {
  const all = Array.from({ length: HOSTS }, (): Host => {
    const last = { id: scanId(NOW, 'scheduled'), startedAt: NOW, verdict: 'open' } as const;
    return {
      ...sampleHost({}, { relay: 'open', since: NOW - HOUR_MS, last, recent: 'ocs'.repeat(10), openLegs: ['192.0.2.1:25'] }),
      accountId,
    };
  });
  const [host] = all;
  if (host === undefined) throw new Error('there is no host');
  const legs = [25, 465, 587].map((port) => ({ ...sampleLeg(port === 25 ? 'accepted' : 'refused'), port }));
  const evidence = evidenceHash(legs, NOW);
  const scans = Array.from({ length: SCANS }, (_, index) => {
    const at = NOW - index * HOUR_MS * 0.2;
    const { hostId, id, ...scan } = sampleScan(host, scanId(at, 'scheduled'), at);
    return { ...keys.scan(hostId, id), ...scan, evidence, expiresAt: at };
  });
  const spans = Array.from({ length: SPANS }, (_, index) => {
    const from = NOW - index * 29 * HOUR_MS;
    const verdict = index % 2 === 0 ? 'open' : 'closed';
    const span: Span = { from, whole: true, verdict, legs: legs.map(({ port }) => ({ leg: `192.0.2.1:${port}`, verdict })) };
    return { ...keys.span(host.id, from), ...span, legs: packSeenLegs(span.legs), expiresAt: NOW };
  });
  const hosts = all.map(({ id, accountId: owner, ...rest }) => ({ ...keys.host(owner, id), ...rest }));
  const items = [...hosts, ...scans, ...spans, { ...keys.evidence(host.id, evidence), body: packEvidence(legs) }];
  for (let first = 0; first < items.length; first += BATCH) {
    const batch = items.slice(first, first + BATCH).map((Item) => ({ PutRequest: { Item } }));
    await document.send(new BatchWriteCommand({ RequestItems: { [TABLE_NAME]: batch } }));
  }
  return host;
}
