import { describe, expect, test } from 'vitest';
import { type LegEvidence, type Scan, scanId, type TestResult } from '../../../shared/domain/scan.ts';
import { type ScanPage, scanPage } from '../../../shared/pages/scan.ts';
import { NOON, SUSPECTED, sampleArrival, sampleBounce, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';
import { elementsOf } from './well-formed.ts';

const KIB = 1024;
const VISITOR = { email: 'owner@example.org', formToken: 'token' };
const HOST = sampleHost();
const SCAN: Scan = sampleScan(HOST, scanId(NOON, 'first'), NOON, SUSPECTED);

function shown(legs: readonly LegEvidence[], more: Partial<Pick<ScanPage, 'scan' | 'leg' | 'provesOf'>> = {}): string {
  const page = scanPage({
    visitor: VISITOR,
    host: HOST,
    scan: SCAN,
    legs,
    leg: undefined,
    provesOf: (id) => `It proves ${id}.`,
    now: NOON,
    ...more,
  });
  elementsOf(page);
  return page;
}

// A leg that is as long as a server can make it, in characters that grow most when they are escaped.
function longest(port: number): LegEvidence {
  const text = '"'.repeat(2_000);
  const each: TestResult = { test: 'x'.repeat(20), outcome: 'accepted', stage: 'message', from: text, to: text, reply: text };
  return {
    ...sampleLeg('accepted'),
    port,
    software: { mta: 'postfix', version: text, from: 'greeting' },
    tls: { version: text, cipher: text, subject: text, issuer: text, distrust: text },
    injected: text,
    tests: Array.from({ length: 70 }, () => each),
    controls: Array.from({ length: 10 }, () => ({ ...each, test: 'control-postmaster' })),
    transcript: Array.from({ length: 2_000 }, () => `S: ${text}`),
  };
}

describe('the page of a scan', () => {
  test('tells of messages that were bounced as backscatter, with what ends it, and not as a relay', () => {
    const leg = { ...sampleLeg(), software: { mta: 'postfix', from: 'greeting' } as const };
    const judgement = { verdict: 'closed', reason: 'all-refused', completed: 19, planned: 19 } as const;
    const by = '<b>"mail"</b>';
    const scan: Scan = { ...SCAN, judgement, openLegs: [], bounces: [{ ...sampleBounce('a'), by }, sampleBounce('b')] };
    const page = shown([leg], { scan });
    expect(page).toContain('It sends backscatter');
    expect(page).toContain('was bounced to us by <code>&lt;b&gt;&quot;mail&quot;&lt;/b&gt;</code>');
    expect(page).toContain('So was 1 other.');
    expect(page).toContain('relay_recipient_maps');
    expect(page).not.toContain('badge open');
    expect(shown([leg])).not.toContain('backscatter');
  });

  test('stays under 100 KiB, whatever a server says and at however many legs', () => {
    const path = Array.from({ length: 10 }, () => ({ from: '"'.repeat(100), address: '2001:db8::1', by: '"'.repeat(100) }));
    const bounces = Array.from({ length: 20 }, (_, index) => ({ ...sampleBounce(String(index)), by: '"'.repeat(100) }));
    const scan = { ...SCAN, arrivals: [{ ...sampleArrival(sampleCanary(SCAN, 'c')), path }], bounces };
    const legs = Array.from({ length: 56 }, (_, index) => longest(1_000 + index));
    for (const count of [1, 2, 56]) {
      const page = shown(legs.slice(0, count), { scan });
      expect([count, Buffer.byteLength(page) < 100 * KIB]).toEqual([count, true]);
    }
  });

  test('shows the worst leg first, and leads to those that there is no room for', () => {
    const legs = [...Array.from({ length: 20 }, (_, index) => ({ ...longest(1_000 + index), tests: [] })), sampleLeg('accepted')];
    const page = shown(legs);
    expect(/<section>.*?<code>([^<]*)</s.exec(page)?.[1]).toBe('192.0.2.1:25');
    const ways = [...page.matchAll(/href="[^"]*\?leg=([^"]*)"/g)].map(([, name = '']) => decodeURIComponent(name));
    expect(ways.length).toBe(legs.length - (page.match(/<section>/g) ?? []).length);
    const other = shown(legs, { leg: ways.at(-1) ?? '' });
    expect(other.match(/<section>/g)).toHaveLength(1);
    expect(other).toContain(`<section><h2><code>${ways.at(-1)}</code>`);
    expect(shown(legs, { leg: 'x' })).toBe(page);
  });

  test('shows a leg whose TLS is broken behind those that made the verdict, and none of its tests that never ran', () => {
    const judgement = { verdict: 'closed', reason: 'all-refused', completed: 19, planned: 19 } as const;
    const tests = sampleLeg().tests.map(({ test: name }) => ({ test: name, outcome: 'not-run', stage: 'greeting' }) as const);
    const brokenTls = { sittings: 2, why: 'handshake failure' };
    const broken: LegEvidence = { ...sampleLeg(), transport: 'starttls', contact: 'tls-failed', brokenTls, tests };
    const order = (page: string) => [...page.matchAll(/<section><h2><code>([^<]*)/g)].map(([, name]) => name);
    const page = shown([broken, sampleLeg()], { scan: { ...SCAN, judgement, openLegs: [] } });
    expect(order(page)).toEqual(['192.0.2.1:25', '192.0.2.1:25/starttls']);
    expect(page).not.toContain('not run');
    expect(page.slice(page.indexOf('25/starttls'))).not.toContain('controls among them');
    const told = { ...judgement, verdict: 'inconclusive', reason: 'tls-failed' } as const;
    expect(order(shown([sampleLeg(), broken], { scan: { ...SCAN, judgement: told, openLegs: [] } }))[0]).toBe('192.0.2.1:25/starttls');
  });

  test('says in words where each test ended, and what a control is for', () => {
    const control = (name: string): TestResult => ({ test: name, outcome: 'accepted', stage: 'rcpt' });
    const tests: TestResult[] = [
      { test: 'plain', outcome: 'about-us', stage: 'mail' },
      { test: 'bang', outcome: 'not-run', stage: 'greeting' },
    ];
    const page = shown([{ ...sampleLeg(), tests, controls: [control('control-postmaster'), control('control-random-user:plain')] }], {
      provesOf: () => undefined,
    });
    for (const words of [
      'refused because of who we are at MAIL FROM',
      '>not run<',
      'Control: it takes mail for a domain',
      'users that do not exist',
    ])
      expect(page).toContain(words);
    for (const jargon of ['about-us', 'not-run', 'control-postmaster', 'control-random-user']) expect(page).not.toContain(jargon);
  });

  test('names the hole before its legs, and says of a leg that it lost its clients only where that is not the hole', () => {
    const lost: LegEvidence = { ...sampleLeg('accepted'), seesUsAs: '172.18.0.1' };
    const scan = { ...SCAN, arrivals: [sampleArrival(sampleCanary(SCAN, 'c'))] };
    const page = shown([lost], { scan });
    expect(page).toMatch(
      /<h2 class="first">The hole<\/h2><p><strong>It accepts mail to anywhere from anyone: it took us for 172\.18\.0\.1, so [^<]*\.<\/strong>/,
    );
    expect(page.indexOf('The hole')).toBeLessThan(page.indexOf('<section><h2><code>'));
    expect(page).not.toContain('It takes every client for a private address');
    const closed = shown([{ ...sampleLeg(), seesUsAs: '172.18.0.1' }]);
    expect(closed).not.toContain('The hole');
    expect(closed).toContain('It takes every client for a private address');
  });
});

test('the page of a scan says of a leg that its TLS is broken, and why, safe to show', () => {
  const broken: LegEvidence = {
    ...sampleLeg(),
    transport: 'starttls',
    contact: 'tls-failed',
    brokenTls: { sittings: 2, why: '<no> cipher' },
  };
  expect(shown([sampleLeg(), broken])).toContain('<strong>STARTTLS at port 25 is broken: &lt;no&gt; cipher.</strong>');
});

test('what a server accepts that takes any local part is said to prove nothing, and what others accept is not', () => {
  const negative = 'control-random-user:percent-served';
  const catchAll: LegEvidence = {
    ...sampleLeg(),
    tests: [{ test: 'percent-served', outcome: 'accepted', stage: 'message', negative, canary: 'c' }],
    controls: [{ test: negative, outcome: 'accepted', stage: 'rcpt' }],
    ended: 'waited',
  };
  expect(shown([catchAll])).toContain('<h3>Accepted</h3><p>It takes invented local parts of the same forms too');
  expect(shown([sampleLeg('accepted')])).not.toContain('invented local parts');
});

test('a scan of seconds says so in seconds, and one that waited for an hour in minutes, and why', () => {
  expect(shown([])).toContain('<dd>1 s</dd>');
  const scan: Scan = { ...SCAN, finishedAt: NOON + 3_624_000, waitedMs: 3_600_000 };
  expect(shown([], { scan })).toContain('<dd>60 minutes, most of it waiting for messages</dd>');
});
