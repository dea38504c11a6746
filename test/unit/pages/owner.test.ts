import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../../functions/pages/call.ts';
import { take } from '../../../shared/accounts/budgets.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import type { Host } from '../../../shared/domain/host.ts';
import { type Reason, untested } from '../../../shared/domain/reason.ts';
import type { OwedScan } from '../../../shared/domain/scan.ts';
import { PERIODS } from '../../../shared/domain/schedule.ts';
import { PERIOD_WORDS } from '../../../shared/pages/host-fields.ts';
import { hostsPage, pageOfHosts } from '../../../shared/pages/hosts.ts';
import { consentToken } from '../../../shared/runtime/consent-token.ts';
import { lookupsTo } from '../../support/gate.ts';
import { formTokenOf, type Pages, pagesOn, SECRETS } from '../../support/pages.ts';
import { BEGUN, createSampleAccount, NOON, sampleHost, sampleScan } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const DAY = 24 * 60 * 60_000;
const OWNER = 'owner@example.org';
let now = NOON;
let table: TestTable;
let pages: Pages;
let cookie: string;
let form: string;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(async () => {
  now += DAY;
  for (const host of (await table.store.listHosts('account1', 50)).items) await table.store.removeHost(host);
  pages = pagesOn(table.store, () => now, { lookups: lookupsTo('93.184.216.9') });
  cookie = await pages.signIn('account1', OWNER);
  form = formTokenOf(await pages.get('/account', cookie));
});

const get = (path: string) => pages.get(path, cookie);
const post = (path: string, fields: Record<string, string> = {}) => pages.post(path, { form, ...fields }, cookie);
const onceOf = ({ body = '' }: Answer) => /name="once" value="(\w+)"/.exec(body)?.[1] ?? expect.fail('there is no form to register by');
const WISH = {
  servedDomains: 'example.org\nexample.net',
  alertRecipients: OWNER,
  ports: '25, 587',
  period: 'day',
  reminders: 'on',
  webhook: '',
  controlMailbox: '',
};

async function registered(more: Record<string, string> = {}): Promise<string> {
  const once = onceOf(await get('/hosts/new?name=93.184.216.9'));
  const { headers } = await post('/hosts', { ...WISH, name: '93.184.216.9', once, ...more });
  return /^\/hosts\/(\w{20})/.exec(String(headers?.location))?.[1] ?? expect.fail(`registration leads to ${headers?.location}`);
}
const hostOf = async (id: string) => (await table.store.findHost('account1', id)) ?? expect.fail();

describe('registration', () => {
  test('leads from a name to its proofs, with the very records to copy', async () => {
    const id = await registered();
    const { body = '' } = await get(`/hosts/${id}/consent`);
    const token = consentToken(SECRETS, 'account1');
    expect(body).toContain(`_relay-audit.9.216.184.93.in-addr.arpa. IN TXT &quot;${token}&quot;`);
    expect((await hostOf(id)).settings).toMatchObject({
      servedDomains: ['example.org', 'example.net'],
      ports: [25, 587],
      period: 'day',
      reminders: true,
    });
  });

  test('happens once for a form that is sent twice, and not for one that we did not make', async () => {
    const once = onceOf(await get('/hosts/new?name=93.184.216.9'));
    const before = (await table.store.listHosts('account1', 50)).items.length;
    const answers = await Promise.all([1, 2].map(() => post('/hosts', { ...WISH, name: '93.184.216.9', once })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303]);
    const [host] = answers.flatMap(({ headers }) => /^\/hosts\/\w{20}/.exec(String(headers?.location)) ?? []);
    expect((await post('/hosts', { ...WISH, name: '93.184.216.9', once })).headers?.location).toBe(host);
    expect((await post('/hosts', { ...WISH, name: '93.184.216.9', once: 'x' })).headers?.location).toBe('/hosts');
    expect((await table.store.listHosts('account1', 50)).items.length).toBe(before + 1);
  });

  test('says that a host of the name is there already', async () => {
    const id = await registered();
    expect((await get('/hosts/new?name=93.184.216.9')).body).toContain(`<a href="/hosts/${id}">93.184.216.9</a> is registered already`);
  });

  test('offers to add the domain to the host that a further name leads to, and has no form for that name', async () => {
    const id = await registered();
    const { body = '' } = await get('/hosts/new?name=mx.example.com');
    expect(body).toContain(`mx.example.com leads to the server that you audit as <a href="/hosts/${id}">93.184.216.9</a>`);
    expect(body).not.toContain('name="once"');
    const domain = new RegExp(`action="/hosts/${id}/domains".*?name="domain" value="([^"]+)"`, 's').exec(body)?.[1] ?? '';
    expect((await post(`/hosts/${id}/domains`, { domain })).headers?.location).toBe(`/hosts/${id}/settings?saved=1`);
    expect((await hostOf(id)).settings.servedDomains).toEqual(['example.org', 'example.net', 'mx.example.com']);
    expect((await get('/hosts/new?name=mx.example.com')).body).not.toContain('/domains');
  });

  test('of a further name of a server makes no second host, but offers to add it to the first', async () => {
    const once = onceOf(await get('/hosts/new?name=mx.example.com'));
    const id = await registered();
    const { statusCode, body = '' } = await post('/hosts', { ...WISH, servedDomains: '', name: 'MX.example.com', once });
    expect(statusCode).toBe(409);
    expect(body).toContain(`leads to the server that you audit as <a href="/hosts/${id}">93.184.216.9</a>`);
    expect(body).toContain(`action="/hosts/${id}/domains"`);
    const domain = /name="domain" value="([^"]+)"/.exec(body)?.[1] ?? '';
    for (let press = 0; press < 2; press++)
      expect((await post(`/hosts/${id}/domains`, { domain })).headers?.location).toBe(`/hosts/${id}/settings?saved=1`);
    expect((await hostOf(id)).settings.servedDomains).toEqual(['example.org', 'example.net', 'mx.example.com']);
    expect((await table.store.listHosts('account1', 50)).items).toHaveLength(1);
  });

  test('shows what is wrong at its field, and keeps what was typed', async () => {
    const once = onceOf(await get('/hosts/new?name=93.184.216.9'));
    const wrong = {
      servedDomains: 'a..b',
      alertRecipients: 'nobody',
      ports: '25 x',
      webhook: 'http://hooks.example.org',
      controlMailbox: 'the%office@x',
    };
    const { statusCode, body = '' } = await post('/hosts', { ...WISH, ...wrong, name: '93.184.216.9', once });
    expect(statusCode).toBe(422);
    for (const field of Object.keys(wrong)) expect(body).toContain(`id="${field}-error"`);
    for (const text of Object.values(wrong)) expect(body).toContain(text);
    const port = await post('/hosts', { ...WISH, ports: '2526', name: '93.184.216.9', once });
    expect(port.body).toContain('2526 is not a port that is probed here');
    // What was wrong has used up nothing: the form that comes back registers.
    expect((await post('/hosts', { ...WISH, name: '93.184.216.9', once: onceOf(port) })).statusCode).toBe(303);
  });

  test('says so where an account has as many hosts as it may, keeps what was typed, and takes the form once there is room', async () => {
    const once = onceOf(await get('/hosts/new?name=93.184.216.9'));
    const { hosts = 0 } = (await table.store.findAccount('account1')) ?? expect.fail('no account');
    await table.store.setHostQuota('account1', hosts);
    const full = await post('/hosts', { ...WISH, name: '93.184.216.9', once });
    expect(full.statusCode).toBe(409);
    expect(full.body).toMatch(/may have \d+ hosts, and has them.*ask the operator/s);
    expect(full.body).toContain('value="25, 587"');
    expect((await get('/account')).body).toContain(`of your ${hosts} hosts`);
    await table.store.setHostQuota('account1', 1000);
    expect((await post('/hosts', { ...WISH, name: '93.184.216.9', once: onceOf(full) })).statusCode).toBe(303);
  });

  test('refuses what is no name, and shows it as text', async () => {
    const { statusCode, body = '' } = await get(`/hosts/new?name=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect([statusCode, elementsOf(body).filter((each) => each === 'script').length]).toEqual([422, 1]);
  });
});

/** Stores the first scan of a host. */
async function ended(id: string, reason: Reason): Promise<void> {
  const host = await hostOf(id);
  const [owed] = await table.store.owedOf(id);
  const scan = sampleScan(host, owed?.scanId ?? expect.fail(), now, untested(reason));
  const state = { ...host.state, version: 1, last: { id: scan.id, startedAt: now, verdict: scan.judgement.verdict } };
  await table.store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices: [], wasOwed: true });
}

describe('consent', () => {
  test('of a host that DNS does not prove shows no pause, so that nobody sees who lifted one; a refusal is told among its pages', async () => {
    const id = await registered();
    const refusedWithout = await post(`/hosts/${id}/consent/reaffirm`);
    const without = await get(`/hosts/${id}/consent`);
    await table.store.pause({ address: '93.184.216.9', since: now, until: now + DAY });
    expect((await get(`/hosts/${id}/consent`)).body).toBe(without.body);
    const refused = await post(`/hosts/${id}/consent/reaffirm`);
    expect(refused.body).toBe(refusedWithout.body);
    expect([
      refused.statusCode,
      refused.body?.includes('Only what DNS proves'),
      refused.body?.includes(`/hosts/${id}/consent/check`),
    ]).toEqual([409, true, true]);
    await table.store.liftPause('93.184.216.9', now, now);
  });

  test('that is whole says how to have a host scanned that nothing was told of yet, and of no other', async () => {
    const own = pagesOn(table.store, () => now, { operatorNetworksOf: () => [parseNetwork('93.184.216.0/24') ?? expect.fail()] });
    const id = await registered();
    const whole = async () => (await own.get(`/hosts/${id}/consent`, cookie)).body;
    expect(await whole()).toContain('Press “Look again” to have it scanned.');
    await ended(id, 'policy-against-us');
    expect(await whole()).toContain('There is nothing for you to do.');
  });

  test('that is whole is shown although as many scans were asked for as may be, with when to ask for the next', async () => {
    const own = pagesOn(table.store, () => now, { operatorNetworksOf: () => [parseNetwork('93.184.216.0/24') ?? expect.fail()] });
    const id = await registered();
    await ended(id, 'no-consent');
    for (let asked = 0; asked < 6; asked++) await take(own.services, 'host-scans', id);
    const { statusCode, body } = await own.post(`/hosts/${id}/consent/check`, { form }, cookie);
    expect(statusCode).toBe(200);
    expect(body).toMatch(/6 scans of a host an hour.*Come again in 60 minutes/);
    expect(body).toContain('Both sides speak for every address.');
    expect(await table.store.owedOf(id)).toEqual([]);
  });
});

describe('domains that are added at a press', () => {
  const add = (id: string, domains: string[]) =>
    pages.post(`/hosts/${id}/domains`, [['form', form], ...domains.map((domain): [string, string] => ['domain', domain])], cookie);
  const long = (many: number) => Array.from({ length: many }, (_, index) => `${'x'.repeat(60)}${index}.example`);

  test.each<[string, string[], string]>([
    ['is no name', ['good.example', 'a..b'], 'a..b must be labels of letters, digits and hyphens'],
    ['is too long with the others', long(9), '500 for these with the first ten domains, 2,500 for all domains'],
    ['is one too many', Array.from({ length: 99 }, (_, index) => `d${index}.example`), 'A host may have at most 100 domains'],
  ])('say what is wrong with one that %s, and none is added', async (_, domains, words) => {
    const id = await registered();
    const { statusCode, body = '' } = await add(id, domains);
    expect(statusCode).toBe(422);
    expect(body).toContain(words);
    expect((await hostOf(id)).settings.servedDomains).toEqual(['example.org', 'example.net']);
  });
});

describe('settings', () => {
  const revisionOf = ({ body = '' }: Answer) => /name="revision" value="(\d+)"/.exec(body)?.[1] ?? expect.fail();

  test('are saved, and show what calls of a webhook are signed with for as long as there is one', async () => {
    const id = await registered({ webhook: 'https://hooks.example.org/first' });
    const before = await get(`/hosts/${id}/settings`);
    expect(before.body).toMatch(/whsec_\S+/);
    const saved = await post(`/hosts/${id}/settings`, {
      ...WISH,
      revision: revisionOf(before),
      period: 'week',
      webhook: 'https://hooks.example.org/x',
    });
    expect([saved.statusCode, saved.headers?.location]).toEqual([303, `/hosts/${id}/settings?saved=1`]);
    expect((await hostOf(id)).settings).toMatchObject({ period: 'week', webhook: 'https://hooks.example.org/x' });
    await post(`/hosts/${id}/settings`, { ...WISH, revision: '2', webhook: '', period: 'day' });
    expect((await hostOf(id)).settings.webhook).toBeUndefined();
    expect((await get(`/hosts/${id}/settings`)).body).not.toContain('whsec_');
  });

  test('that were changed elsewhere are not written over: nothing is saved, and what there is now is shown', async () => {
    const id = await registered();
    const revision = revisionOf(await get(`/hosts/${id}/settings`));
    await post(`/hosts/${id}/settings`, { ...WISH, revision, period: 'week' });
    const late = await post(`/hosts/${id}/settings`, { ...WISH, revision, period: 'hour' });
    expect([late.statusCode, late.body?.includes('changed elsewhere'), revisionOf(late)]).toEqual([412, true, '2']);
    expect(/What you had typed.*hour/s.test(late.body ?? '')).toBe(true);
    expect((await hostOf(id)).settings.period).toBe('week');
  });

  test.each(PERIODS)('may have a host scanned every %s', async (period) => {
    const id = await registered();
    const shown = await get(`/hosts/${id}/settings`);
    expect(shown.body).toContain(`>${PERIOD_WORDS[period]}</option>`);
    await post(`/hosts/${id}/settings`, { ...WISH, revision: revisionOf(shown), period });
    expect((await hostOf(id)).settings.period).toBe(period);
  });

  test('say at its field that a period is none, in sound HTML', async () => {
    const id = await registered();
    const { statusCode, body = '' } = await post(`/hosts/${id}/settings`, { ...WISH, revision: '1', period: 'never' });
    expect(statusCode).toBe(422);
    expect(body).toMatch(/<select id="period"[^>]* aria-describedby="period-error" aria-invalid="true">/);
    expect(body).toMatch(/<span class="error" id="period-error">[^<]+<\/span><\/p>/);
    elementsOf(body);
  });

  test('name a control mailbox, which the host’s page shows until it is emptied', async () => {
    const id = await registered({ controlMailbox: 'desk@Example.net' });
    expect((await get(`/hosts/${id}/settings`)).body).toContain('value="desk@example.net"');
    const shown = async () => /<dt>Control mailbox<\/dt><dd>([^<]+)</.exec((await get(`/hosts/${id}`)).body ?? '')?.[1];
    expect(await shown()).toBe('desk@example.net');
    await post(`/hosts/${id}/settings`, { ...WISH, revision: '1', controlMailbox: ' ' });
    expect([(await hostOf(id)).settings.controlMailbox, await shown()]).toEqual([undefined, 'postmaster at a served domain']);
  });

  test('keep a control mailbox that lies nowhere, beside the domains where it could, and unfold what was folded away', async () => {
    const once = onceOf(await get('/hosts/new?name=93.184.216.9'));
    const id = await registered();
    const wrong = { ...WISH, revision: '1', controlMailbox: 'office@victim.example' };
    const { statusCode, body = '' } = await post(`/hosts/${id}/settings`, wrong);
    expect([statusCode, body.includes('value="office@victim.example"'), body.includes('<details open>')]).toEqual([422, true, true]);
    expect(body).toContain('It must be at a served domain of this host (example.org, example.net): name a mailbox there');
    expect((await hostOf(id)).settings.controlMailbox).toBeUndefined();
    const again = await post('/hosts', { ...wrong, name: '93.184.216.9', once });
    expect([again.statusCode, again.body?.includes('value="office@victim.example"')]).toEqual([422, true]);
  });

  test('that hold too much say so in the words of the form', async () => {
    const id = await registered();
    const tooMuch = { servedDomains: `${`${'a'.repeat(60)}.`.repeat(4)}de`, webhook: `https://hooks.example.org/${'x'.repeat(260)}` };
    const { statusCode, body = '' } = await post(`/hosts/${id}/settings`, { ...WISH, revision: '1', ...tooMuch });
    expect([statusCode, body.includes('Domains, alert recipients, control mailbox and webhook together have more')]).toEqual([422, true]);
  });

  test('keep what was typed beside what is wrong with it', async () => {
    const id = await registered();
    const { statusCode, body = '' } = await post(`/hosts/${id}/settings`, { ...WISH, revision: '1', servedDomains: '-' });
    expect([statusCode, body.includes('id="servedDomains-error"')]).toEqual([422, true]);
    expect((await hostOf(id)).revision).toBe(1);
  });
});

describe('a host', () => {
  test('is deleted only by whoever types its name', async () => {
    const id = await registered();
    expect((await post(`/hosts/${id}/delete`, { confirm: 'yes' })).statusCode).toBe(422);
    expect(await table.store.findHost('account1', id)).toBeDefined();
    expect((await post(`/hosts/${id}/delete`, { confirm: ' 93.184.216.9 ' })).headers?.location).toBe('/hosts');
    expect(await table.store.findHost('account1', id)).toBeUndefined();
  });

  test('is scanned again by a button, once for two presses', async () => {
    const id = await registered();
    now += 60_000;
    for (let presses = 0; presses < 2; presses++) expect((await post(`/hosts/${id}/scans`)).headers?.location).toBe(`/hosts/${id}`);
    expect((await table.store.owedOf(id)).filter(({ scanId }) => scanId.endsWith('on-demand'))).toHaveLength(1);
  });

  test('is scanned anew by who asks in the very second of the last scan, whose result is not given for it', async () => {
    const id = await registered();
    await post(`/hosts/${id}/scans`);
    const asked = async () => (await table.store.owedOf(id)).find(({ scanId: each }) => each.endsWith('on-demand')) ?? expect.fail();
    const first = await asked();
    const host = await hostOf(id);
    const scan = { ...sampleScan(host, first.scanId, now), kind: 'on-demand' as const };
    await table.store.storeResult({ host, scan, effect: { kind: 'late' }, notices: [], wasOwed: true });
    await post(`/hosts/${id}/scans`);
    expect([(await asked()).scanId > first.scanId, (await asked()).dueAt]).toEqual([true, now + 1_000]);
  });

  test('shows the scan that is under way, leg by leg, and looks again while it is', async () => {
    const id = await registered();
    const [owed] = await table.store.owedOf(id);
    if (owed === undefined) return expect.fail();
    expect((await get(`/hosts/${id}`)).body).toContain('It begins within a minute or two.');
    await table.store.noteProgress(owed, { since: now, legs: [{ leg: '93.184.216.9:25', answered: 12, planned: 55 }] });
    const { body = '' } = await get(`/hosts/${id}`);
    for (const words of ['data-live="3"', '<progress max="55" value="12">', '12 of 55 tests', 'http-equiv="refresh" content="5"'])
      expect(body).toContain(words);
    await table.store.dropOwed(owed);
    expect((await get(`/hosts/${id}`)).body).not.toContain('data-live');
  });

  test('whose consent was looked at too often says when to come again, and is no error', async () => {
    const id = await registered();
    for (let looks = 0; looks < 59; looks++) await get(`/hosts/${id}/consent`);
    const { statusCode, body = '' } = await get(`/hosts/${id}/consent`);
    expect([statusCode, /Come again in \d+ (seconds|minutes)/.test(body)]).toEqual([429, true]);
  });

  test('whose scans wait for their turn among other accounts says how many do', async () => {
    await table.store.noteWaiting('account1', 37, now);
    expect((await get('/hosts')).body).toContain('37 scans of yours wait: 15 of your scans begin in a minute.');
    await table.store.noteWaiting('account1', 1, now);
    expect((await get('/hosts')).body).toContain('1 scan of yours waits');
    now += 2 * 60_000;
    expect((await get('/hosts')).body).not.toContain('of yours wait');
  });

  test('of another account, and one that never was, are the same page', async () => {
    const id = await registered();
    await table.store.createAccount({ id: 'account9', email: 'other@example.org', createdAt: now });
    const other = await pages.signIn('account9', 'other@example.org');
    for (const path of ['', '/scans', '/changes', '/notices', '/consent', '/settings', '/delete', '/scans.csv', '/scans.json']) {
      const [theirs, nobodys] = await Promise.all([
        pages.get(`/hosts/${id}${path}`, other),
        pages.get(`/hosts/${'f'.repeat(20)}${path}`, other),
      ]);
      expect([path, theirs.statusCode, theirs.body]).toEqual([path, 404, nobodys.body]);
    }
  });
});

describe('the table of hosts', () => {
  const tableOf = (hosts: readonly Host[], number = 1, unfinished: readonly OwedScan[] = [], at = now) =>
    hostsPage({
      visitor: { email: OWNER, formToken: 'x' },
      hosts,
      shown: pageOfHosts(hosts, number),
      unfinished,
      waiting: 0,
      more: false,
      now: at,
    });

  test('shows those in trouble first, whatever page they would be on, and says how many there are of each', () => {
    const host = (index: number, relay: 'open' | 'closed') =>
      sampleHost({ name: `mx${index}.example.org` }, { relay, last: { id: 'x', startedAt: now, verdict: relay } });
    const hosts = [...Array.from({ length: 35 }, (_, index) => host(index, 'closed')), host(99, 'open')];
    const shown = (number: number) => tableOf(hosts, number);
    const names = (page: string) => [...page.matchAll(/scope="row"><a [^>]*>([^<]*)/g)].map(([, name]) => name);
    expect([names(shown(1))[0], names(shown(1)).length, names(shown(2)).length]).toEqual(['mx99.example.org', 30, 6]);
    expect(shown(1)).toContain('36 hosts: 1 open, 35 closed');
    expect(shown(99)).toContain('Page 2 of 2');
    elementsOf(shown(1));
  });

  test('leads to a scan that is not finished, instead of to consent that was there, and to TLS that is broken', () => {
    const waiting = sampleHost({}, { putOff: '20261127T120000Z-first' });
    const broken = sampleHost({}, { relay: 'closed', brokenTls: [25], last: { id: 'x', startedAt: now, verdict: 'closed' } });
    const page = (host: Host) => tableOf([host]);
    expect(page(waiting)).toContain(`<a href="/hosts/${waiting.id}/scans/20261127T120000Z-first">A scan is not finished</a>`);
    expect(page(waiting)).not.toContain('is consent there?');
    expect(page(sampleHost())).toContain('Not scanned yet: is consent there?');
    expect(page(broken)).toContain(`<a href="/hosts/${broken.id}">STARTTLS at port 25 is broken</a>`);
  });

  test('says of a host whose scan waits until when, instead of that it has no scan yet', () => {
    const scan = '20261127T120000Z-first';
    const waiting = sampleHost({}, { putOff: scan });
    const until = Date.UTC(2026, 10, 27, 13, 5);
    const ref = { accountId: waiting.accountId, hostId: waiting.id, scanId: scan };
    const owed: OwedScan = { ...ref, dueAt: until, tries: 0, begun: { ...BEGUN, awaits: { since: now, until } } };
    expect(tableOf([waiting], 1, [owed], until - 60_000)).toMatch(/waits for its messages until <time[^>]*>27 Nov 2026, 13:05 UTC/);
    const forDns: OwedScan = { ...ref, dueAt: now + 5 * 60_000, tries: 1, trouble: 'no-consent', waits: { since: now } };
    expect(tableOf([waiting], 1, [forDns])).toContain('waits for DNS; looks again in 5 minutes');
    expect(tableOf([waiting], 1, [forDns])).toContain(`<a href="/hosts/${waiting.id}/consent">It waits for DNS: see what is missing</a>`);
    expect(tableOf([waiting])).toContain('the first is not finished');
    expect(tableOf([waiting])).not.toContain('no scan yet');
    expect(tableOf([sampleHost()])).toContain('no scan yet');
  });

  test('of an account without any leads into registration', async () => {
    await table.store.createAccount({ id: 'account8', email: 'new@example.org', createdAt: now });
    const { body = '' } = await pages.get('/hosts', await pages.signIn('account8', 'new@example.org'));
    expect(body).toContain('<form method="get" action="/hosts/new">');
  });
});

describe('the account', () => {
  test('makes an API key that is shown once, and as many as there may be', async () => {
    const made = await post('/account/keys', { label: 'monitoring', scope: 'read' });
    expect(made.body).toMatch(/ra1_[0-9a-f]{12}_[0-9a-f]{48}_[\w-]{11}/);
    expect((await get('/account')).body).not.toMatch(/ra1_[0-9a-f]{12}_[0-9a-f]{48}/);
    const [, key] = await table.store.listKeys('account1');
    expect(key).toMatchObject({ scope: 'read', label: 'monitoring' });
    expect((await post('/account/keys', { scope: 'write' })).statusCode).toBe(409);
    await post(`/account/keys/${key?.prefix}/revoke`);
    expect(await table.store.listKeys('account1')).toHaveLength(1);
  });

  test('is deleted only by whoever types its address, with all that it has', async () => {
    await table.store.createAccount({ id: 'account7', email: 'gone@example.org', createdAt: now });
    const mine = await pages.signIn('account7', 'gone@example.org');
    const token = formTokenOf(await pages.get('/account', mine));
    expect((await pages.post('/account/delete', { form: token, confirm: 'x' }, mine)).statusCode).toBe(422);
    expect((await pages.post('/account/delete', { form: token, confirm: 'Gone@example.org' }, mine)).statusCode).toBe(200);
    expect(await table.store.findAccount('account7')).toBeUndefined();
    expect((await pages.get('/hosts', mine)).statusCode).toBe(303);
  });
});
