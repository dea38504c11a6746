import type { Answer } from 'dns-packet';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scanId } from '../../shared/domain/scan.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import { type Pages, pagesOn, SECRETS } from '../support/pages.ts';
import { createSampleAccount, NOON, registerSample, sampleHost } from '../support/samples.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../support/scripted-dns-server.ts';
import type { TestTable } from '../support/table.ts';
import { startTable } from '../support/unit-table.ts';
import { hasChromium, NEEDS_CHROMIUM, startChromium } from './chromium.ts';
import { expectUsable, visitor } from './visitor.ts';

const SITE = 'https://audit.example'; // nobody is asked for it: the pages answer the browser themselves
const MINUTE = 60_000;
const ADDRESS = '185.1.1.1'; // nothing is sent to it: no part of the service that probes runs here
const REVERSE = '1.1.1.185.in-addr.arpa';
const PLACE = '_relay-audit.mail.example.org';
const TWICE = `${PLACE}.example.org`;

const ANSWERS: readonly Answer[] = [
  { type: 'A', name: 'mail.example.org', ttl: 60, data: ADDRESS },
  { type: 'PTR', name: REVERSE, ttl: 60, data: 'mail.example.org' },
];
const zone: Record<string, Saying> = Object.fromEntries(ANSWERS.map((answer) => [answer.name, { answers: [answer] }]));

/** The owner edits their zone: this is the one record that it holds now. */
function setRecord(name: string, data: string): void {
  for (const each of [PLACE, TWICE]) delete zone[each];
  zone[name] = { answers: [{ type: 'TXT', name, ttl: 60, data }] };
}

let now = NOON;
let browser: Browser;
let table: TestTable;
let dns: ScriptedDns;
let pages: Pages;
let cookie = '';

// Each look of the page comes a second after the one before it, for its reader a minute.
async function serve(page: Page): Promise<void> {
  await page.route(`${SITE}/**`, async (route) => {
    now += MINUTE;
    const { pathname, search } = new URL(route.request().url());
    const { statusCode: status, headers = {}, body = '' } = await pages.get(pathname + search, cookie);
    const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    await route.fulfill({ status, headers: sent, body: body.replace(/ data-live="\d+"/, ' data-live="1"') });
  });
}

// What the page says of the name, as soon as it says it.
async function step(page: Page, means: string, rest: readonly string[]): Promise<void> {
  const said = page.locator('.finding').first();
  await said.getByText(means, { exact: true }).waitFor();
  expect(await said.locator('> p').allInnerTexts()).toEqual([means, ...rest]);
}

describe.skipIf(!hasChromium)(`the way from a wrong record to the right one (${NEEDS_CHROMIUM})`, () => {
  beforeAll(async () => {
    [browser, table, dns] = await Promise.all([startChromium(), startTable(() => now, 400 * 24 * 60 * MINUTE), startScriptedDns(zone)]);
    await createSampleAccount(table.store);
    pages = pagesOn(table.store, () => now, { lookups: dnsLookups([dns.address]) });
    cookie = await pages.signIn('account1', 'owner@example.org');
  });
  afterAll(() => Promise.all([browser.close(), table.stop(), dns.stop()]));

  test('is told by the consent page step by step, which turns by itself when DNS shows the record', async () => {
    const token = consentToken(SECRETS, 'account1');
    const host = sampleHost({ name: 'mail.example.org', servedDomains: [] });
    const waits = { trouble: 'no-consent', waits: { since: NOON } } as const;
    const first = {
      accountId: host.accountId,
      hostId: host.id,
      scanId: scanId(NOON, 'first'),
      dueAt: NOON + 10 * MINUTE,
      tries: 0,
      ...waits,
    };
    await registerSample(table.store, host, first);
    const { page, troubles } = await visitor(browser);
    await serve(page);
    await page.goto(`${SITE}/hosts/${host.id}/consent`);
    await page.evaluate(() => document.documentElement.setAttribute('data-visit', 'the first'));

    await step(page, 'DNS does not show yet that mail.example.org is yours.', [
      `We asked for TXT ${PLACE}. We found: no record`,
      'Add this record to the zone example.org. A record at _relay-audit.example.org works too, and proves every name below it.',
    ]);
    expect(await page.locator('.record').first().locator('code').allInnerTexts()).toEqual(['TXT', '_relay-audit.mail', PLACE, token]);
    await expectUsable(page, 'consent-no-record');

    setRecord(TWICE, token);
    await step(
      page,
      `We found your token at ${TWICE}, but we look for it at ${PLACE}. Your DNS provider’s form adds the zone to what you type.`,
      [`We asked for TXT ${TWICE}. We found: your token`, `Move it to ${PLACE}: type only _relay-audit.mail as the name.`],
    );
    await expectUsable(page, 'consent-zone-twice');

    const other = consentToken(SECRETS, 'account2');
    setRecord(PLACE, other);
    await step(page, 'This token belongs to another account.', [
      `We asked for TXT ${PLACE}. We found: “${other}”`,
      'Add this record as well, or instead. Several tokens can stand side by side.',
    ]);
    expect(await page.getByRole('heading', { name: 'The address' }).textContent()).toBe(`◐ waits for the name The address ${ADDRESS}`);

    setRecord(PLACE, token);
    await page.getByText('Both sides speak for every address. We scan it at').waitFor();
    expect(await page.locator('h3').allInnerTexts()).toEqual(['✓ proven The name mail.example.org', `✓ proven The address ${ADDRESS}`]);
    expect(await page.locator('main').textContent()).not.toContain('waits for DNS');
    await expectUsable(page, 'consent-proven');
    expect(await page.locator('html').getAttribute('data-visit')).toBe('the first');
    expect(troubles).toEqual([]);
  });
});
