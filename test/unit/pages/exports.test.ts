import httpRouterHandler from '@middy/http-router';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/pages/routes.ts';
import type { Host } from '../../../shared/domain/host.ts';
import { type LegEvidence, type Scan, scanId } from '../../../shared/domain/scan.ts';
import { type Pages, pagesOn } from '../../support/pages.ts';
import { createSampleAccount, NOON, registerSample, SUSPECTED, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const HOUR = 60 * 60_000;
const ANSWER_BYTES = 6 * 1024 * 1024; // what one answer of a function may hold, as JSON
let table: TestTable;
let cookie: string;

beforeAll(async () => {
  table = await startTable(() => NOON, 400 * 24 * HOUR);
  await createSampleAccount(table.store);
  cookie = await pagesWith([]).signIn('account1', 'owner@example.org');
});
afterAll(() => table.stop());

// Pages over a store whose every host has these scans, newest first, and this evidence.
function pagesWith(scans: readonly Scan[], legs: readonly LegEvidence[] = []): Pages {
  return pagesOn(
    {
      ...table.store,
      scansBetween: async (_, { fromMs, toMs, most }) => {
        const all = scans.filter(({ startedAt }) => startedAt >= fromMs && startedAt <= toMs);
        return { scans: all.slice(0, most), more: all.length > most };
      },
      findScan: async () => scans[0],
      readEvidence: async () => [...legs],
    },
    () => NOON,
  );
}

async function registered(): Promise<Host> {
  const host = sampleHost();
  const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(NOON, 'first'), dueAt: NOON, tries: 0 };
  await registerSample(table.store, host, first);
  return host;
}

describe('a file of scans', () => {
  test('fits into one answer however many legs were open, and goes on where it was cut until every scan was told', async () => {
    const host = await registered();
    const openLegs = Array.from({ length: 56 }, (_, index) => `[2001:db8:1111:2222:3333:4444:5555:${1_000 + index}]:25/starttls`);
    const scans = Array.from({ length: 5_000 }, (_, index): Scan => {
      const at = NOON - index * HOUR;
      return { ...sampleScan(host, scanId(at, 'scheduled'), at, SUSPECTED), openLegs };
    });
    const pages = pagesWith(scans);
    for (const type of ['csv', 'json']) {
      const told = new Set<string>();
      let path: string | undefined = `/hosts/${host.id}/scans.${type}`;
      for (let files = 0; path !== undefined; files++) {
        expect(files).toBeLessThan(20);
        const answer = await pages.get(path, cookie);
        expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(ANSWER_BYTES);
        for (const [id = ''] of (answer.body ?? '').matchAll(/\d{8}T\d{6}Z-scheduled/g)) told.add(id);
        path = /^<https:\/\/audit\.example(.*)>; rel="next"$/.exec(String(answer.headers?.link ?? ''))?.[1];
      }
      expect([type, told.size]).toEqual([type, 5_000]);
    }
  }, 60_000);
});

describe('the file of one scan', () => {
  test('fits into one answer whatever a server said, and says where words were left out', async () => {
    const host = await registered();
    const line = `S: ${'\u0001"'.repeat(1_000)}`;
    const legs = Array.from({ length: 56 }, (_, index): LegEvidence => {
      return { ...sampleLeg(), port: 1_000 + index, transcript: Array.from({ length: 32 }, () => line) };
    });
    const scan = sampleScan(host, scanId(NOON, 'scheduled'), NOON);
    const answer = await pagesWith([scan], legs).get(`/hosts/${host.id}/scans/${scan.id}.json`, cookie);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(ANSWER_BYTES);
    const told: { legs: LegEvidence[] } = JSON.parse(answer.body ?? '');
    expect(told.legs.map(({ port, tests }) => [port, tests.length])).toEqual(legs.map(({ port, tests }) => [port, tests.length]));
    expect(answer.body).toContain('left out');
  });

  test('leaves out answers where transcripts are not enough, and nothing where all fits in', async () => {
    const host = await registered();
    const reply = '\u0001'.repeat(2_000);
    const tests = Array.from({ length: 70 }, (_, index) => ({ test: `t${index}`, outcome: 'refused', stage: 'rcpt', reply }) as const);
    const legs = Array.from({ length: 56 }, (_, index): LegEvidence => ({ ...sampleLeg(), port: 1_000 + index, tests }));
    const scan = sampleScan(host, scanId(NOON, 'scheduled'), NOON);
    const fileOf = (all: readonly LegEvidence[]) => pagesWith([scan], all).get(`/hosts/${host.id}/scans/${scan.id}.json`, cookie);
    expect(Buffer.byteLength(JSON.stringify(await fileOf(legs)))).toBeLessThan(ANSWER_BYTES);
    const uneven = legs.map((leg, index) => (index === 0 ? leg : { ...leg, tests: [] }));
    const told: { legs: LegEvidence[] } = JSON.parse((await fileOf(uneven)).body ?? '');
    expect(told.legs).toEqual(uneven);
  });
});

describe('the addresses of files', () => {
  test('lead to files, and those of pages to pages', async () => {
    const host = await registered();
    const scan = sampleScan(host, scanId(NOON, 'scheduled'), NOON);
    const router = httpRouterHandler(routes(pagesWith([scan]).services));
    for (const [path, type] of [
      ['/scans', 'text/html; charset=utf-8'],
      ['/scans.csv', 'text/csv; charset=utf-8; header=present'],
      ['/scans.json', 'application/json'],
      [`/scans/${scan.id}`, 'text/html; charset=utf-8'],
      [`/scans/${scan.id}.json`, 'application/json'],
    ] as const) {
      const event = {
        version: '2.0',
        headers: {},
        cookies: [cookie],
        requestContext: { domainName: 'audit.example', http: { method: 'GET', path: `/hosts/${host.id}${path}`, sourceIp: '192.0.2.200' } },
      };
      const answer = await Reflect.apply(router, undefined, [event, {}, {}]);
      expect([path, answer.statusCode, answer.headers['content-type']]).toEqual([path, 200, type]);
    }
  });
});
