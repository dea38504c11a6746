import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { html } from '../../shared/markup/html.ts';
import { ASSETS } from '../../shared/pages/assets.ts';
import { layout } from '../../shared/pages/layout.ts';
import { hasChromium, NEEDS_CHROMIUM, startChromium } from './chromium.ts';

const SITE = 'http://127.0.0.1:9'; // nobody answers there: the browser is answered before it asks
let browser: Browser;

describe.skipIf(!hasChromium)(`a live part of a page (${NEEDS_CHROMIUM})`, () => {
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  test('shows what is new, keeps what its reader has unfolded, and ends with the whole page anew', async () => {
    const page = await browser.newPage();
    let looks = 0;
    await page.route(`${SITE}/**`, async (route) => {
      const path = new URL(route.request().url()).pathname;
      const asset = ASSETS.find((each) => each.path === path);
      if (asset !== undefined) return route.fulfill({ contentType: asset.type, body: asset.body });
      looks += 1;
      const live = looks > 4 ? undefined : html` data-live="1"`;
      const body = html`<h1>Look</h1><section id="part"${live}><details><summary>One</summary>look ${looks}</details><details><summary>Two</summary>look ${looks}</details></section>`;
      return route.fulfill({ contentType: 'text/html', body: layout('Look', body) });
    });
    await page.goto(SITE);
    await page.locator('summary', { hasText: 'Two' }).click();
    await page.locator('h1').click(); // a part that is in use is left alone
    await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
    await page.getByText('look 3').last().waitFor();
    expect(await page.locator('details').evaluateAll((all) => all.map((each) => each.hasAttribute('open')))).toEqual([false, true]);
    await page.locator('#part:not([data-live])').waitFor();
  });
});
