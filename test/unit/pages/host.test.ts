import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUDGETS } from '../../../shared/accounts/budgets.ts';
import type { HostState } from '../../../shared/domain/host.ts';
import { isOurs, judged, REASONS, type Reason, untested } from '../../../shared/domain/reason.ts';
import { type LegEvidence, type OwedScan, type Scan, scanId } from '../../../shared/domain/scan.ts';
import type { Span } from '../../../shared/domain/timeline.ts';
import { type HostPage, hostPage } from '../../../shared/pages/host.ts';
import { formTokenOf, type Pages, pagesOn } from '../../support/pages.ts';
import {
  createSampleAccount,
  NOON,
  registerSample,
  SUSPECTED,
  sampleArrival,
  sampleBounce,
  sampleCanary,
  sampleHost,
  sampleLeg,
  sampleScan,
} from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const KIB = 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const VISITOR = { email: 'owner@example.org', formToken: 'token' };
const LAST = { id: scanId(NOON - HOUR, 'scheduled'), startedAt: NOON - HOUR } as const;

function shown(state: Partial<HostState>, more: Partial<HostPage> = {}): string {
  const host = sampleHost({}, state);
  const nothing = { last: undefined, spans: [], scans: [], owed: [], unconfirmed: [], stopped: [] };
  const page = hostPage({ visitor: VISITOR, host, now: NOON, days: 30, ...nothing, ...more });
  elementsOf(page);
  return page;
}

function scanned(reason: Reason): Pick<HostPage, 'last'> {
  return { last: { scan: sampleScan(sampleHost(), LAST.id, LAST.startedAt, untested(reason)), legs: [] } };
}

describe('the page of a host', () => {
  test('says what to do about every scan that could not tell, and for which its owner can do something', () => {
    // A family that the deployment leaves out; messages that have an hour to come back.
    const nothingToDo: Reason[] = ['no-ipv6-here', 'awaiting-messages'];
    // What its answers proved is not all that its owner can do something about.
    const proven: Reason[] = ['accepted-then-limited', 'accepted-then-slow', 'always-deferred'];
    for (const reason of Object.keys(REASONS) as Reason[]) {
      const { verdict } = REASONS[reason];
      const isTheirs = !isOurs(reason) || reason === 'dns-trouble'; // as a result it is their zone that fails
      const untold = !['open', 'suspected', 'closed'].includes(verdict) && isTheirs && !nothingToDo.includes(reason);
      const needs = untold || proven.includes(reason);
      const page = shown({ relay: 'closed', last: { ...LAST, verdict } }, scanned(reason));
      expect([reason, page.includes('Needs attention')]).toEqual([reason, needs]);
    }
  });

  test('says which of its addresses the last scan found paused, and where the pause is lifted', () => {
    const paused = ['192.0.2.2', '192.0.2.3'];
    const page = shown({ relay: 'closed', last: { ...LAST, verdict: 'closed', paused } });
    expect(page).toMatch(
      /Needs attention.*<strong>192\.0\.2\.2 and 192\.0\.2\.3<\/strong>, so the last scan sent nothing there\..*\/consent"/s,
    );
    // Of a pause of them all nothing more is said in general.
    const whole = shown({ last: { ...LAST, verdict: 'untestable', paused } }, scanned('vetoed'));
    expect(whole).toContain('<strong>192.0.2.2 and 192.0.2.3</strong>');
    expect(whole).not.toContain('Probes of it are forbidden or paused.');
    expect(shown({ relay: 'closed', last: { ...LAST, verdict: 'closed' } })).not.toContain('Needs attention');
  });

  test('says that a turn waits for a second scan, and when, and is not green meanwhile', () => {
    const state: Partial<HostState> = { relay: 'closed', last: { ...LAST, verdict: 'suspected' } };
    const pending = { to: 'suspected', scanId: LAST.id, notBefore: NOON + 5 * MINUTE } as const;
    expect(shown(state)).toContain('class="note good"');
    expect(shown({ ...state, pending })).not.toContain('class="note good"');
    expect(shown({ ...state, pending })).toMatch(/when a second scan agrees, which is due <time[^>]*>1 Jun 2026, 12:05 UTC/);
    expect(shown({ ...state, pending: { ...pending, notBefore: NOON - 1 } })).toContain('which is due now.');
  });

  test('says of a closed host without a served domain what was left out, with a way to name one', () => {
    const bare = sampleHost({ servedDomains: [] }, { relay: 'closed' });
    expect(shown({}, { host: bare })).toContain(`<a href="/hosts/${bare.id}/settings#servedDomains">name a domain it takes mail for</a>`);
    expect(shown({ relay: 'closed' })).not.toContain('settings#servedDomains');
    expect(shown({}, { host: sampleHost({ servedDomains: [] }, { relay: 'suspected' }) })).not.toContain('settings#servedDomains');
  });

  test('tells what to do about an open host even when nothing is left of its last scan, and does not call it never scanned', () => {
    const page = shown({ relay: 'open', openLegs: ['192.0.2.1:25'], last: { ...LAST, verdict: 'open' } });
    expect(page).toContain('What to do now');
    expect(page).not.toContain('has not been scanned');
    expect(shown({})).toContain('has not been scanned');
  });

  test('names the hole first, and closes it before whatever else may relay', () => {
    const scan = { ...sampleScan(sampleHost(), LAST.id, LAST.startedAt, { ...SUSPECTED, verdict: 'open', reason: 'canary-arrived' }) };
    const legs: LegEvidence[] = [{ ...sampleLeg('accepted'), seesUsAs: '172.18.0.1', software: { mta: 'postfix', from: 'greeting' } }];
    const last = { scan: { ...scan, arrivals: [sampleArrival(sampleCanary(scan, 'c'))] }, legs };
    const page = shown({ relay: 'open', openLegs: ['192.0.2.1:25'], last: { ...LAST, verdict: 'open' } }, { last });
    const places = [
      '<strong>It accepts mail to anywhere from anyone: it took us for 172.18.0.1',
      'The last scan',
      'Close the hole:',
      'userland-proxy',
      'Make sure that nothing else relays',
      'smtpd_relay_restrictions',
    ].map((each) => page.indexOf(each));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  test('tells below the verdict that it bounces mail, for as long as the scans show it', () => {
    const bounced = { ...sampleScan(sampleHost(), LAST.id, LAST.startedAt), bounces: [sampleBounce('a')] };
    const page = shown({ relay: 'closed', last: { ...LAST, verdict: 'closed' } }, { scans: [bounced] });
    expect(page).toContain('It sends backscatter');
    expect(page.indexOf('It sends backscatter')).toBeGreaterThan(page.indexOf('It refuses to relay'));
    expect(shown({ relay: 'closed' }, { scans: [sampleScan(sampleHost(), LAST.id, NOON), bounced] })).not.toContain('backscatter');
  });

  test('says of a catch-all how long its messages were waited for, and asks nobody to acknowledge it', () => {
    const waited = { ...sampleScan(sampleHost(), LAST.id, LAST.startedAt, untested('catch-all')), waitedMs: HOUR };
    const page = shown(
      { relay: 'closed', catchAll: true, last: { ...LAST, verdict: 'closed' } },
      { last: { scan: waited, legs: [] }, scans: [waited] },
    );
    expect(page.match(/that we sent that way came back within an hour\./g)).toHaveLength(2);
    expect(page).toContain('class="note good"');
    expect(page).not.toContain('cknowledge');
    expect(page).not.toContain('Needs attention');
  });

  test('says where TLS is broken and why, and after a scan that did not try it, that the full table showed it', () => {
    const state: Partial<HostState> = { relay: 'closed', brokenTls: [25, 465], last: { ...LAST, verdict: 'closed' } };
    const scan = sampleScan(sampleHost(), LAST.id, LAST.startedAt);
    const broken: LegEvidence = {
      ...sampleLeg(),
      transport: 'starttls',
      contact: 'tls-failed',
      brokenTls: { sittings: 2, why: '<no> cipher' },
    };
    const page = shown(state, { last: { scan, legs: [sampleLeg(), broken, { ...broken, address: '192.0.2.2' }] } });
    expect(page.match(/STARTTLS at port 25 is broken: &lt;no&gt; cipher\./g)).toHaveLength(1);
    expect(page).toContain('TLS at port 465 is broken, as the last full table of tests showed.');
    expect(shown(state, { last: { scan, legs: [sampleLeg()] } })).toContain(
      'STARTTLS at port 25 is broken, as the last full table of tests showed.',
    );
    const mended: LegEvidence = { ...sampleLeg(), transport: 'starttls' };
    expect(shown({ ...state, brokenTls: [25] }, { last: { scan, legs: [mended] } })).not.toContain('is broken');
  });

  test('offers to acknowledge a sink, and tells nobody to stop one that is acknowledged', () => {
    const state: Partial<HostState> = { relay: 'suspected', sink: true, since: NOON - HOUR, last: { ...LAST, verdict: 'suspected' } };
    expect(shown(state)).toContain('Acknowledge it as a sink');
    expect(shown(state)).toContain('What to do now');
    expect(shown({ ...state, sink: false })).not.toContain('Acknowledge it as a sink');
    const host = sampleHost({ acknowledgedAt: NOON }, state);
    const known = shown(state, { host });
    expect(known).toContain('You have acknowledged it as a sink');
    expect(known).not.toContain('What to do now');
  });

  test.each([17 * HOUR, 9 * 24 * HOUR])(
    'stays under 100 KiB with everything on it that there can be, of a host that turned every %d ms',
    (everyMs) => {
      const quotes = '"'.repeat(2_000);
      const names = Array.from({ length: 56 }, (_, index) => `[2001:db8:1111:2222:3333:4444:5555:${1_000 + index}]:587/starttls`);
      const verdicts = ['open', 'suspected', 'inconclusive', 'untestable', 'closed'] as const;
      const turning = (index: number) => verdicts[index % verdicts.length] ?? 'open';
      const spans = Array.from({ length: 500 }, (_, index): Span => {
        const legs = names.map((leg, each) => ({ leg, verdict: turning(index + each) }));
        return { from: NOON - index * everyMs, whole: true, verdict: turning(index), legs };
      });
      const host = sampleHost(
        {
          name: `${'a'.repeat(60)}.${'b'.repeat(60)}.example.org`,
          alertRecipients: Array.from({ length: 5 }, (_, index) => `${'r'.repeat(60)}${index}@${'d'.repeat(60)}.example`),
        },
        {
          relay: 'open',
          since: NOON,
          openLegs: names.slice(0, 10),
          last: { ...LAST, verdict: 'open' },
          silence: { scans: 3, since: NOON, told: true },
        },
      );
      const legs = names.map((_, port): LegEvidence => {
        const tests = sampleLeg('accepted').tests.map((each) => ({ ...each, reply: quotes }));
        return { ...sampleLeg('accepted'), port, software: { mta: 'postfix', version: quotes, from: 'greeting' }, tests };
      });
      const scan: Scan = sampleScan(host, LAST.id, LAST.startedAt, judged('open-leg-silent', SUSPECTED));
      const hop = { from: '"'.repeat(100), address: '2001:db8::1', by: '"'.repeat(100) };
      const arrivals = [{ ...sampleArrival(sampleCanary(scan, 'c')), path: Array.from({ length: 10 }, () => hop) }];
      const underWay = { since: NOON, legs: names.map((leg) => ({ leg, answered: 1, planned: 65 })) };
      const owed = [
        { accountId: 'account1', hostId: host.id, scanId: scanId(NOON, 'on-demand'), dueAt: NOON, tries: 0, underWay },
      ] satisfies OwedScan[];
      const page = shown(
        {},
        {
          host,
          days: 365,
          spans,
          last: { scan: { ...scan, arrivals, openLegs: names }, legs },
          scans: Array.from({ length: 10 }, () => ({ ...scan, bounces: [{ ...sampleBounce('c'), by: hop.by }, sampleBounce('d')] })),
          owed,
          unconfirmed: host.settings.alertRecipients,
        },
      );
      expect(Buffer.byteLength(page)).toBeLessThan(100 * KIB);
    },
  );
});

describe('what is asked for a host', () => {
  let table: TestTable;
  let pages: Pages;
  let cookie: string;

  beforeAll(async () => {
    table = await startTable(() => NOON, 400 * 24 * HOUR);
    await createSampleAccount(table.store);
    pages = pagesOn(table.store, () => NOON);
    cookie = await pages.signIn('account1', VISITOR.email);
  });
  afterAll(() => table.stop());

  async function registered(state: Partial<HostState> = {}) {
    const host = sampleHost({}, state);
    const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(NOON, 'first'), dueAt: NOON, tries: 0 };
    await registerSample(table.store, host, first);
    return host;
  }

  const press = async (path: string, hostId: string) => {
    const form = formTokenOf(await pages.get(`/hosts/${hostId}`, cookie));
    return pages.post(`/hosts/${hostId}/${path}`, { form }, cookie);
  };

  test('a scan is owed and its page shown; one too many is told with the way back, and when to come again', async () => {
    const host = await registered();
    const answer = await press('scans', host.id);
    expect([answer.statusCode, answer.headers?.location]).toEqual([303, `/hosts/${host.id}`]);
    const asked = (await table.store.owedOf(host.id)).map((owed) => owed.scanId);
    expect(asked).toContain(scanId(NOON, 'on-demand'));
    const { limit, windowMs } = BUDGETS['host-scans'];
    for (let each = 0; each < limit; each++) await table.store.takeFromBudget({ what: 'host-scans', who: host.id, limit, windowMs }, NOON);
    const spent = pagesOn({ ...table.store, owedOf: async () => [] }, () => NOON);
    const form = formTokenOf(await pages.get(`/hosts/${host.id}`, cookie));
    const refused = await spent.post(`/hosts/${host.id}/scans`, { form }, cookie);
    expect([refused.statusCode, refused.headers?.['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    elementsOf(refused.body ?? '');
    expect(refused.body).toContain('6 scans of a host an hour');
    expect(refused.body).toContain(`<a href="/hosts/${host.id}">Back to the host</a>`);
  });

  test('a sink is acknowledged, and nothing that is none', async () => {
    const none = await registered();
    const refused = await press('acknowledge', none.id);
    expect([refused.statusCode, refused.body?.includes('Back to the host')]).toEqual([409, true]);
    const sink = await registered({ relay: 'suspected', sink: true });
    expect((await press('acknowledge', sink.id)).headers?.location).toBe(`/hosts/${sink.id}`);
    expect((await table.store.findHost('account1', sink.id))?.settings.acknowledgedAt).toBe(NOON);
  });
});
