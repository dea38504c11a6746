import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csv } from '../../../functions/pages/csv.ts';
import { readDays } from '../../../functions/pages/days.ts';
import { FILE_LIMIT } from '../../../functions/pages/exports.ts';
import type { Host } from '../../../shared/domain/host.ts';
import { type LegEvidence, type Scan, scanId } from '../../../shared/domain/scan.ts';
import type { Span } from '../../../shared/domain/timeline.ts';
import { hostPage } from '../../../shared/pages/host.ts';
import { scanPage } from '../../../shared/pages/scan.ts';
import { formTokenOf, type Pages, pagesOn } from '../../support/pages.ts';
import {
  createSampleAccount,
  NOON,
  registerSample,
  SUSPECTED,
  sampleArrival,
  sampleCanary,
  sampleHost,
  sampleLeg,
  sampleScan,
} from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const VISITOR = { email: 'owner@example.org', formToken: 'token' };
let table: TestTable;
let pages: Pages;
let cookie: string;

beforeAll(async () => {
  table = await startTable(() => NOON, 400 * DAY);
  await createSampleAccount(table.store);
  pages = pagesOn(table.store, () => NOON);
  cookie = await pages.signIn('account1', VISITOR.email);
});
afterAll(() => table.stop());

async function stored(scans: number): Promise<Host> {
  const host = sampleHost();
  await registerSample(table.store, host, {
    accountId: host.accountId,
    hostId: host.id,
    scanId: scanId(NOON, 'first'),
    dueAt: NOON,
    tries: 0,
  });
  for (let each = 0; each < scans; each++) {
    const at = NOON - each * DAY;
    const scan = sampleScan(host, scanId(at, 'scheduled'), at);
    expect(await table.store.storeResult({ host, scan, effect: { kind: 'late' }, notices: [], wasOwed: false })).toBe('stored');
  }
  return host;
}

describe('a file of scans', () => {
  test('holds the scans of the days that were chosen, as CSV and as JSON', async () => {
    const host = await stored(5);
    const query = `from=2026-05-29&to=2026-05-31`;
    const text = await pages.get(`/hosts/${host.id}/scans.csv?${query}`, cookie);
    const lines = (text.body ?? '').trimEnd().split('\r\n');
    expect([text.headers?.['content-disposition'], lines.length]).toEqual(['attachment; filename="mail.example.org-scans.csv"', 4]);
    expect(lines[1]).toContain('"2026-05-31T12:00:00.000Z"');
    const { items } = JSON.parse((await pages.get(`/hosts/${host.id}/scans.json?${query}`, cookie)).body ?? '');
    expect(items.map(({ startedAt }: { startedAt: string }) => startedAt.slice(0, 10))).toEqual(['2026-05-31', '2026-05-30', '2026-05-29']);
    expect((await pages.get(`/hosts/${host.id}/scans.csv?from=31.5.`, cookie)).statusCode).toBe(422);
  });

  test('is bounded, and says where the rest begins', async () => {
    const host = await stored(3);
    const most = {
      ...table.store,
      scansBetween: (id: string, range: Parameters<typeof table.store.scansBetween>[1]) =>
        table.store.scansBetween(id, { ...range, most: 2 }),
    };
    const bounded = pagesOn(most, () => NOON);
    const { headers, body = '' } = await bounded.get(`/hosts/${host.id}/scans.csv?from=2026-05-01&to=`, cookie);
    expect(body.trimEnd().split('\r\n')).toHaveLength(3);
    expect(headers?.link).toBe(`<https://audit.example/hosts/${host.id}/scans.csv?from=2026-05-01&to=2026-05-31>; rel="next"`);
    expect(FILE_LIMIT * 400).toBeLessThan(4 * 1024 * 1024); // the longest row has under 400 bytes
  });

  test('has no cell that a spreadsheet takes for a formula, and no line that a text broke', () => {
    const hostile = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '"a"\r\nb', 'plain'];
    expect(csv([hostile, [1, -2]])).toBe(`"'=1+1","'+1","'-1","'@SUM(A1)","'\tx","'\rx","""a""\r\nb","plain"\r\n1,-2\r\n`);
  });

  test('takes days that there are', () => {
    expect(readDays('2026-02-28', '2026-03-01')).toEqual({ fromMs: Date.UTC(2026, 1, 28), toMs: Date.UTC(2026, 2, 2) - 1 });
    expect(readDays('', '')).toEqual({ fromMs: undefined, toMs: undefined });
    for (const [from, to] of [
      ['2026-02-30', ''],
      ['x', ''],
      ['', '99999-01-01'],
      ['2026-03-02', '2026-03-01'],
    ] as const)
      expect(readDays(from, to)).toHaveProperty('wrong');
  });

  test('of one scan holds all it saw', async () => {
    const host = await stored(0);
    const evidence = await table.store.keepEvidence(host, [sampleLeg()]);
    const scan = { ...sampleScan(host, scanId(NOON, 'scheduled'), NOON), evidence };
    await table.store.storeResult({ host, scan, effect: { kind: 'late' }, notices: [], wasOwed: false });
    const { body = '' } = await pages.get(`/hosts/${host.id}/scans/${scan.id}.json`, cookie);
    expect(JSON.parse(body)).toMatchObject({ id: scan.id, legs: [{ address: '192.0.2.1', transcript: sampleLeg().transcript }] });
    expect((await pages.get(`/hosts/${host.id}/scans/${scan.id}`, cookie)).body).toContain('EHLO probe.example');
  });
});

describe('the list of scans', () => {
  test('goes on where the page before ended, and keeps to what was chosen', async () => {
    const host = await stored(60);
    const first = await pages.get(`/hosts/${host.id}/scans?verdict=closed&from=2026-04-01`, cookie);
    const next =
      /href="([^"]*after=[^"]*)"/.exec(first.body ?? '')?.[1]?.replaceAll('&amp;', '&') ?? expect.fail('there is no following page');
    expect(next).toContain('verdict=closed&from=2026-04-01');
    const second = await pages.get(next, cookie);
    expect((second.body?.match(/<tr>/g) ?? []).length - 1).toBe(10);
    expect((await pages.get(`/hosts/${host.id}/scans?from=2026-13-01`, cookie)).body).toContain('A day is written as');
  });
});

describe('what servers said', () => {
  const HOSTILE = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='x",
    '</pre></details><h1>x',
    '\u0000\u001b[31m\u0085\u00ff',
    '&lt;b&gt;',
  ];
  const filled = (text: string): LegEvidence => ({
    ...sampleLeg('accepted'),
    software: { mta: 'postfix', version: text, from: 'greeting' },
    tls: { version: text, cipher: text, subject: text, issuer: text, distrust: text },
    seesUsAs: '10.0.0.1',
    injected: text,
    tests: sampleLeg('accepted').tests.map((each) => ({ ...each, reply: text, from: text, to: text })),
    controls: [{ test: 'control-postmaster', outcome: 'accepted', stage: 'rcpt', reply: text }],
    transcript: [`S: ${text}`, 'C: QUIT'],
  });
  const arrived = (text: string): Scan => {
    const scan = sampleScan(sampleHost(), scanId(NOON, 'first'), NOON, SUSPECTED);
    return { ...scan, arrivals: [{ ...sampleArrival(sampleCanary(scan, 'c')), path: [{ from: text, address: text, by: text }] }] };
  };
  const shown = (text: string) => {
    const host = sampleHost(
      {},
      { relay: 'open', since: NOON, openLegs: ['192.0.2.1:25'], last: { id: 'x', startedAt: NOON, verdict: 'open' } },
    );
    const [scan, legs] = [arrived(text), [filled(text)]];
    const common = { visitor: VISITOR, host, now: NOON };
    return [
      scanPage({ ...common, scan, legs, provesOf: () => undefined }),
      hostPage({ ...common, days: 30, last: { scan, legs }, spans: [], scans: [scan], owed: [], unconfirmed: [], stopped: [] }),
    ];
  };

  test.each(HOSTILE)('is shown as text and is nothing else: %j', (text) => {
    expect(shown(text).map(elementsOf)).toEqual(shown('x').map(elementsOf));
    for (const page of shown(text)) for (const byte of ['\u0000', '\u001b', '\u0085', '\u00ff']) expect(page).not.toContain(byte);
  });

  test('fills no page beyond 100 KiB, however much it is', () => {
    const long = 'x'.repeat(2_000);
    const leg = {
      ...filled(long),
      tests: Array.from({ length: 65 }, (_, index) => ({ ...filled(long).tests[0], test: `t${index}` })),
      transcript: Array.from({ length: 2_000 }, () => long),
    };
    const host = sampleHost();
    const page = scanPage({
      visitor: VISITOR,
      host,
      now: NOON,
      scan: arrived('x'),
      legs: Array.from({ length: 32 }, () => leg) as LegEvidence[],
      provesOf: () => 'It proves something.',
    });
    expect(page.length).toBeLessThan(100 * 1024);
    expect(page).toContain('would make this page too long');
  });
});

describe('the picture of a year', () => {
  test('of a host that turned with every scan is drawn with as many shapes as there is room for, and stays under 100 KiB', async () => {
    const spans: Span[] = Array.from({ length: 500 }, (_, index) => ({
      from: NOON - index * 17 * HOUR,
      whole: true,
      verdict: index % 2 === 0 ? 'open' : 'closed',
      legs: Array.from({ length: 6 }, (_, leg) => ({
        leg: `192.0.2.1:${2_500 + leg}`,
        verdict: index % 2 === leg % 2 ? 'open' : 'closed',
      })),
    }));
    const host = sampleHost({}, { relay: 'open', since: NOON, last: { id: 'x', startedAt: NOON, verdict: 'open' } });
    const page = hostPage({
      visitor: VISITOR,
      host,
      now: NOON,
      days: 365,
      last: undefined,
      spans,
      scans: [],
      owed: [],
      unconfirmed: [],
      stopped: [],
    });
    elementsOf(page);
    expect(page.length).toBeLessThan(100 * 1024);
    expect(page.match(/class="line"/g)).toHaveLength(7);
  });

  test('is asked for by its days, and by no others', async () => {
    const host = await stored(1);
    expect((await pages.get(`/hosts/${host.id}?days=90`, cookie)).body).toContain('days=90#history" aria-current="true"');
    expect((await pages.get(`/hosts/${host.id}?days=999999`, cookie)).body).toContain('days=30#history" aria-current="true"');
    formTokenOf(await pages.get(`/hosts/${host.id}`, cookie));
  });
});
