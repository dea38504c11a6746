import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDynamoDb, TABLE_NAME } from '../../infra/local/engines/dynamodb.ts';
import { CREDENTIALS, type Engine, REGION } from '../../infra/local/engines/engine.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { type Gate, type Seen, startGate } from '../support/dynamodb-gate.ts';
import { eventually, type RunningService, startLocalService, startSesProcess, temporaryFolder } from '../support/local-service.ts';
import { MAIL_PORT, type MailServer, SERVED_DOMAIN, startMailServer } from '../support/mail-server.ts';

// How many times the service is killed, and the seed of the moments. `.ci/run` asks for 50.
const RUNS = Number(process.env.CRASH_RUNS ?? 2);
const SEED = Number(process.env.CRASH_SEED ?? 20260601);

type Registered = { readonly id: string; readonly open: boolean };

let servers: MailServer[];
beforeAll(async () => {
  servers = [];
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** A small seeded generator (mulberry32): the same moments in every run of the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Registers a host; undefined when the service was killed before it answered. */
async function register(service: RunningService, open: boolean): Promise<Registered | undefined> {
  // One server is one host: each has its own.
  const name = `127.77.${Math.floor(servers.length / 200)}.${2 + (servers.length % 200)}`;
  servers.push(await startMailServer(name, open));
  const body = {
    name,
    ports: [MAIL_PORT],
    servedDomains: [SERVED_DOMAIN],
    period: 'hour',
    alertRecipients: ['owner@example.org'],
  };
  const answer = await service.call('POST', '/v1/hosts', body).catch(() => undefined);
  return answer?.status === 201 ? { id: answer.body.id, open } : undefined;
}

/** After all the kills: every acknowledged host is there, scanned, judged, and its one change mailed. */
async function expectNothingLost(
  service: RunningService,
  hosts: readonly Registered[],
  scans: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  for (const { id, open } of hosts) {
    const state = open ? 'suspected' : 'closed';
    await eventually(
      async () => ((await service.call('GET', `/v1/hosts/${id}`)).body.relayState === state ? true : undefined),
      `${id} is ${state}`,
      300_000, // what was killed had the address, and nobody else has it before two minutes are over
    );
    const changes = (await service.call('GET', `/v1/hosts/${id}/changes`)).body.items;
    expect(changes.map((change: { to: string }) => change.to)).toEqual(open ? ['suspected'] : []);
    const history = new Set((await service.call('GET', `/v1/hosts/${id}/scans`)).body.items.map((scan: { id: string }) => scan.id));
    for (const scan of scans.get(id) ?? []) expect(history).toContain(scan);
  }
  for (const { id } of hosts.filter((host) => host.open))
    await eventually(
      async () => ((await service.mails()).some((mail) => mail.body.text.includes(id)) ? true : undefined),
      `the mail about ${id}`,
      60_000,
    );
  const times = new Map<string, number>();
  for (const { noticeId = 'none' } of await service.mails()) times.set(noticeId, (times.get(noticeId) ?? 0) + 1);
  expect([...times].filter(([, count]) => count > 1)).toEqual([]); // SES's events are intact: none comes twice
}

async function noteScans(service: RunningService, hosts: readonly Registered[], scans: Map<string, Set<string>>): Promise<void> {
  for (const { id } of hosts.slice(-3)) {
    const answer = await service.call('GET', `/v1/hosts/${id}/scans`).catch(() => undefined);
    for (const scan of answer?.body.items ?? []) scans.set(id, (scans.get(id) ?? new Set()).add(scan.id));
  }
}

describe.skipIf(RUNS === 0)('kill -9 of the local service (needs CRASH_RUNS to be 1 or more)', () => {
  test(`at ${Math.ceil(RUNS / 2)} seeded moments, all but SES included, loses no host, scan or owed mail, and mails none twice (seed ${SEED})`, async () => {
    const next = random(SEED);
    const data = join(temporaryFolder(), 'timed');
    const ses = await startSesProcess();
    const env = { SES_ENDPOINT: ses.endpoint };
    const hosts: Registered[] = [];
    const scans = new Map<string, Set<string>>();
    for (let run = 0; run < Math.ceil(RUNS / 2); run++) {
      const service = await startLocalService(['--port', '0', '--data', data, '--no-demo'], env);
      const killing = new Promise((done) => setTimeout(done, next() * 3_000)).then(() => service.kill());
      const registered = [await register(service, true), await register(service, next() < 0.5)];
      hosts.push(...registered.flatMap((host) => host ?? []));
      await noteScans(service, hosts, scans);
      await killing;
    }
    const service = await startLocalService(['--port', '0', '--data', data, '--no-demo'], env);
    expect(hosts.length).toBeGreaterThan(0);
    await expectNothingLost(service, hosts, scans);
    await service.stop();
    await ses.stop();
  }, 900_000);

  test(`at ${Math.floor(RUNS / 2)} exact requests to the table, the cursor’s move among them, loses and repeats nothing either (seed ${SEED})`, async () => {
    const next = random(SEED + 1);
    const folder = temporaryFolder();
    const engine: Engine = await startDynamoDb(folder, () => {});
    const gate: Gate = await startGate(engine.endpoint);
    const ses = await startSesProcess();
    const env = { DYNAMODB_ENDPOINT: gate.endpoint, SES_ENDPOINT: ses.endpoint };
    const args = ['--port', '0', '--data', join(folder, 'data'), '--no-demo'];
    const hosts: Registered[] = [];
    const points: string[] = [];
    const client = new DynamoDBClient({ endpoint: engine.endpoint, region: REGION, credentials: CREDENTIALS });
    for (let run = 0; run < Math.floor(RUNS / 2); run++) {
      const atCursor = run % 3 === 0;
      const moment = next() < 0.5 ? 'before' : 'after';
      let left = atCursor ? 1 : 1 + Math.floor(next() * 14);
      // Every third kill is between the sends of a dispatch and the move of the cursor; the others come at some write.
      const wanted = atCursor ? isCursorMove : isWrite;
      const service = await startLocalService(args, env);
      const killed = new Promise<void>((done) => {
        gate.onKill = () => {
          gate.killWhen = undefined;
          void service.kill().then(done);
        };
      });
      gate.killWhen = (at, seen) => {
        if (at !== moment || !wanted(seen) || --left > 0) return false;
        points.push(
          [moment, seen.operation, ...new Set(seen.body.match(/(?<=")(SCAN#|OWED#|CURSOR|NOTICE#|CHANGE#|TRANSCRIPT#)/g))].join(' '),
        );
        return true;
      };
      for (let i = 0; i < 2; i++) hosts.push(...[await register(service, next() < 0.6)].flatMap((host) => host ?? []));
      if (atCursor) await turnBack(dynamoDbStore(TABLE_NAME, 0, Date.now, client));
      await Promise.race([killed, new Promise((done) => setTimeout(done, 15_000))]);
      gate.killWhen = undefined;
      await service.kill();
    }
    if (RUNS >= 50) expect(new Set(points).size).toBeGreaterThan(5);
    if (RUNS >= 50) expect(points.filter((point) => point.endsWith('CURSOR')).length).toBeGreaterThan(5);
    const service = await startLocalService(args, env);
    await expectNothingLost(service, hosts, new Map());
    await service.stop();
    client.destroy();
    await ses.stop();
    await gate.stop();
    await engine.stop();
  }, 1_200_000);
});

/** Sets the cursor back by two hours, so that the next dispatch has every host to send before it moves the cursor. */
async function turnBack(store: AuditStore): Promise<void> {
  const cursor = await store.readCursor();
  if (cursor !== undefined) await store.moveCursor(cursor, cursor - 120);
}

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems'];

function isWrite({ operation }: Seen): boolean {
  return WRITES.includes(operation);
}

function isCursorMove({ operation, body }: Seen): boolean {
  return operation === 'PutItem' && body.includes('"CURSOR"');
}
