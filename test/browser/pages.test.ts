import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type RunningService, runToEnd, startLocalService, temporaryFolder } from '../support/local-service.ts';
import { mailServer, say, startScriptedServer } from '../support/scripted-smtp-server.ts';
import { hasChromium, NEEDS_CHROMIUM, startChromium } from './chromium.ts';
import { expectUsable, signIn, signInLink, visitor } from './visitor.ts';

const DEMO = fileURLToPath(new URL('../../infra/local/commands/demo.ts', import.meta.url));
const LONG = 60_000;
const data = join(temporaryFolder(), 'data');
let browser: Browser;
let service: RunningService;
let demoAddress = '';

const demo = async (verb: 'open' | 'close') => expect((await runToEnd([verb, '--data', data], DEMO)).code).toBe(0);

const NEWCOMERS = ['newcomer', 'without-script', 'keys', 'hostile'].map((name) => `${name}@example.org`);

/** Opens the newcomers' accounts, and starts the service again so that loopback is theirs too: on one machine only the operator may audit it. */
async function startForNewcomers(): Promise<RunningService> {
  const args = ['--port', '0', '--data', data];
  const first = await startLocalService(args);
  const ids = [(await first.call('GET', '/v1/account')).body.id];
  for (const email of NEWCOMERS) {
    await first.call('POST', '/v1/accounts', { email });
    const token = await eventually(async () => {
      const mail = (await first.mails()).findLast(({ destination }) => destination.to.includes(email));
      return /token=([^\s&]+)/.exec(mail?.body.text ?? '')?.[1];
    }, `a confirmation for ${email}`);
    ids.push((await first.call('POST', '/v1/confirmations', { token })).body.accountId);
  }
  await first.stop();
  return startLocalService(args, { OPERATOR_ACCOUNTS: ids.join(',') });
}

/** Registers the open demo server by hand, and gives its page. */
async function registerDemo(page: Page): Promise<void> {
  await page.getByLabel('Domain, server name or address').or(page.getByLabel('Your domain, or the name')).first().fill(demoAddress);
  await page.getByRole('button', { name: 'Look it up' }).click();
  await page.getByLabel('Domains it takes mail for').fill('open.demo.example');
  await page.getByText('Control mailbox, ports, reminders, webhook').click();
  await page.getByLabel('Ports').fill('2525');
  await page.getByRole('button', { name: `Register ${demoAddress}` }).click();
}

describe.skipIf(!hasChromium)(`the pages, in a browser (${NEEDS_CHROMIUM})`, () => {
  beforeAll(async () => {
    service = await startForNewcomers();
    demoAddress = /The demo server (\S+) port/.exec(service.output())?.[1] ?? '';
    browser = await startChromium();
  }, 2 * LONG);
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  test(
    'a newcomer signs in, registers the open demo server, watches it be found open, mends it, and sees it closed',
    async () => {
      await demo('open');
      const { page, troubles } = await visitor(browser);
      await signIn(service, page, 'newcomer@example.org');
      await registerDemo(page);
      // Nothing is loaded again by hand: what is under way shows itself.
      await page.locator('.note .badge.open').first().waitFor({ timeout: LONG });
      await page.getByRole('heading', { name: 'What it let through' }).waitFor();
      await expectUsable(page, 'host-open');
      await demo('close');
      await page.getByRole('button', { name: 'Scan again' }).click();
      await page.getByText('It refuses to relay for strangers').waitFor({ timeout: LONG });
      await expectUsable(page, 'host-closed');
      await page.getByRole('link', { name: 'Changes' }).click();
      expect(await page.locator('tbody tr').count()).toBe(2);
      expect(troubles).toEqual([]);
      await demo('open');
    },
    3 * LONG,
  );

  test(
    'the same without script, on pages that reload themselves',
    async () => {
      const { page } = await visitor(browser, { javaScriptEnabled: false });
      await signIn(service, page, 'without-script@example.org');
      await registerDemo(page);
      // A reload of the test's own would meet the page's and fail, now and then.
      await page.locator('.note .badge.open').first().waitFor({ timeout: LONG });
      expect(await page.locator('time').first().textContent()).toMatch(/ UTC$/);
      expect(await page.locator('button.copy').count()).toBe(0);
      await page.getByRole('button', { name: 'Scan again' }).click();
      await page.getByRole('heading', { name: /A scan (is under way|follows)/ }).waitFor();
    },
    2 * LONG,
  );

  test(
    'the same by keyboard alone',
    async () => {
      const { page } = await visitor(browser);
      const tabTo = async (name: RegExp) => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press('Tab');
          const focused = await page.evaluate(() => {
            const element = document.activeElement;
            const label =
              element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? (element.labels?.[0]?.textContent ?? '') : '';
            return `${element?.tagName} ${label} ${element?.textContent ?? ''}`;
          });
          if (name.test(focused)) return;
        }
        throw new Error(`no key leads to ${name}`);
      };
      const typeOver = async (text: string) => {
        await page.keyboard.press('Control+A');
        await page.keyboard.type(text);
      };
      await page.goto(service.baseUrl);
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
      await tabTo(/Sign in or start/);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/sign-in');
      await tabTo(/Mail address/);
      await page.keyboard.type('keys@example.org');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      await page.goto(await signInLink(service, 'keys@example.org'));
      await tabTo(/^BUTTON\s+Sign in$/);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/hosts');
      await tabTo(/Domain, server name/);
      await page.keyboard.type(demoAddress);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/hosts/new?name=*');
      await tabTo(/Domains it takes/);
      await page.keyboard.type('open.demo.example');
      await tabTo(/Control mailbox, ports, reminders/);
      await page.keyboard.press('Enter');
      await tabTo(/^INPUT Ports/);
      await typeOver('2525');
      await page.keyboard.press('Enter');
      await page.locator('.note .badge.open').first().waitFor({ timeout: LONG });
    },
    2 * LONG,
  );

  test(
    'every page can be used by everybody, from 360 to 1600 pixels, in light and dark',
    async () => {
      const { page, troubles } = await visitor(browser);
      for (const [path, name] of [
        ['/', 'home'],
        ['/about', 'about'],
        ['/closed', 'closed'],
        ['/opt-out', 'opt-out'],
        ['/confirm?token=x', 'confirm'],
        ['/docs', 'docs'],
        ['/docs/registerHost', 'docs-operation'],
        ['/docs/schema/Scan', 'docs-schema'],
        ['/sign-in', 'sign-in'],
        ['/sign-in?to=/hosts/1', 'sign-in-to'],
      ] as const) {
        await page.goto(service.baseUrl + path);
        await expectUsable(page, name);
      }
      await signIn(service, page, 'owner@relay-audit.example');
      const { items } = (await service.call('GET', '/v1/hosts')).body;
      const host = items.find(({ name }: { name: string }) => name === demoAddress);
      const scans = (await service.call('GET', `/v1/hosts/${host.id}/scans`)).body.items;
      for (const [path, name] of [
        ['/hosts', 'hosts'],
        ['/hosts/new', 'register'],
        [`/hosts/new?name=${demoAddress}`, 'register-proposal'],
        [`/hosts/${host.id}?days=365`, 'host-year'],
        [`/hosts/${host.id}/scans`, 'scans'],
        [`/hosts/${host.id}/scans/${scans[0].id}`, 'scan'],
        [`/hosts/${host.id}/changes`, 'changes'],
        [`/hosts/${host.id}/notices`, 'notices'],
        [`/hosts/${host.id}/consent`, 'consent'],
        [`/hosts/${host.id}/settings`, 'settings'],
        [`/hosts/${host.id}/delete`, 'delete'],
        ['/account', 'account'],
      ] as const) {
        await page.goto(service.baseUrl + path);
        for (const details of await page.locator('details').all()) await details.evaluate((element) => element.setAttribute('open', ''));
        await expectUsable(page, name);
      }
      expect(troubles).toEqual([]);
    },
    3 * LONG,
  );

  test(
    'a copy button copies, and times are the reader’s own with UTC to be pointed at',
    async () => {
      const context = await browser.newContext({
        timezoneId: 'America/New_York',
        locale: 'en-US',
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      const page = await context.newPage();
      await signIn(service, page, 'owner@relay-audit.example');
      await page.goto(`${service.baseUrl}/docs`);
      await page.getByRole('button', { name: /^Copy curl/ }).click();
      await page.getByText('Copied').waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('curl -H "Authorization: Bearer KEY"');
      await page.goto(`${service.baseUrl}/hosts`);
      const time = page.locator('time').first();
      const [iso, title, shown] = [await time.getAttribute('datetime'), await time.getAttribute('title'), await time.textContent()];
      expect(title).toBe(`${iso?.slice(0, 19).replace('T', ' ')} UTC`);
      expect(shown).toBe(
        new Date(iso ?? '').toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'America/New_York' }),
      );
    },
    LONG,
  );

  test(
    'what a hostile server says runs no script and breaks no page and no file',
    async () => {
      const hostile = '<script>alert(1)</script>"><img src=x onerror=alert(2)>=cmd|calc!A1\u001b[31m';
      const HOSTILE_AT = { address: '127.0.0.77', port: 2525 };
      const script = mailServer(
        {
          EHLO: say(`250-${hostile}\n250 ${hostile}`),
          RCPT: say(`250 ${hostile}`),
          '.': say(`250 ${hostile}`),
          MAIL: say(`250 ${hostile}`),
        },
        { greeting: say(`220 ${hostile} ESMTP Postfix ${hostile}`) },
      );
      const server = await startScriptedServer([script], HOSTILE_AT);
      const { page, troubles } = await visitor(browser);
      await signIn(service, page, 'hostile@example.org');
      await page.goto(`${service.baseUrl}/hosts/new?name=${HOSTILE_AT.address}`);
      await page.getByText('Control mailbox, ports, reminders, webhook').click();
      await page.getByLabel('Ports').fill('2525');
      await page.getByRole('button', { name: `Register ${HOSTILE_AT.address}` }).click();
      await page.locator('table a[href*="/scans/"]').first().waitFor({ timeout: LONG });
      await page.locator('table a[href*="/scans/"]').first().click();
      await page
        .getByText(/Transcript/)
        .first()
        .waitFor();
      for (const details of await page.locator('details').all()) await details.evaluate((element) => element.setAttribute('open', ''));
      expect(await page.locator('pre.transcript').first().textContent()).toContain('<script>alert(1)</script>');
      expect(await page.locator('main img, main script').count()).toBe(0);
      await expectUsable(page, 'hostile');
      const csv = await page.request.get(`${page.url().replace(/\/scans\/.*$/, '')}/scans.csv`);
      for (const line of (await csv.text()).trim().split('\r\n')) expect(line).toMatch(/^("([^"]|"")*"|\d+)(,("([^"]|"")*"|\d+))*$/);
      expect(troubles).toEqual([]);
      await server.stop();
    },
    2 * LONG,
  );

  test(
    'P6: one account never sees another’s pages',
    async () => {
      const { page } = await visitor(browser);
      await signIn(service, page, 'stranger@example.org');
      expect(new URL(page.url()).pathname).toBe('/hosts/new'); // an account that is new
      const { items } = (await service.call('GET', '/v1/hosts')).body;
      const id = items[0].id;
      const scan = (await service.call('GET', `/v1/hosts/${id}/scans`)).body.items[0].id;
      for (const path of [
        '',
        '/scans',
        `/scans/${scan}`,
        `/scans/${scan}.json`,
        '/scans.csv',
        '/scans.json',
        '/changes',
        '/notices',
        '/consent',
        '/settings',
        '/delete',
      ]) {
        const theirs = await page.request.get(`${service.baseUrl}/hosts/${id}${path}`);
        const nobodys = await page.request.get(`${service.baseUrl}/hosts/${'0'.repeat(20)}${path}`);
        expect([path, theirs.status(), await theirs.text()]).toEqual([path, 404, await nobodys.text()]);
      }
      await page.goto(`${service.baseUrl}/hosts`);
      expect(await page.getByText(demoAddress).count()).toBe(0);
    },
    LONG,
  );
});
