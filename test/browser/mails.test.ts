import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAILS } from '../unit/mail/mails.ts';
import { hasChromium, NEEDS_CHROMIUM, startChromium } from './chromium.ts';

const SHOTS = join(tmpdir(), 'mails'); // for whoever wants to look at them
const CONTRAST = 4.5; // WCAG 2.2, 1.4.3

let browser: Browser;
let page: Page;
let asked: string[] = [];
let scripts: string[] = [];

describe.skipIf(!hasChromium)(`every mail can be read in a browser (${NEEDS_CHROMIUM}), narrow and wide, light and dark:`, () => {
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await startChromium();
    page = await browser.newPage();
    page.on('request', (request) => void asked.push(request.url()));
    page.on('dialog', (dialog) => {
      scripts.push(dialog.message());
      void dialog.dismiss();
    });
  });
  afterAll(() => browser.close());

  test.each(Object.entries(MAILS))('%s', async (name, mail) => {
    [asked, scripts] = [[], []];
    await page.setContent(mail.html);
    for (const width of [360, 1200])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(SHOTS, `${name.replaceAll(/\W+/g, '-')}-${width}-${colorScheme}.png`), fullPage: true });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        expect(await page.evaluate(faintTexts, CONTRAST)).toEqual([]);
        expect(await page.evaluate(isDark)).toBe(colorScheme === 'dark');
      }
    expect([asked, scripts]).toEqual([[], []]);
  });
});

/** Whether what is behind the text is dark; runs in the page. */
function isDark(): boolean {
  const [red = 255] = (getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? []).map(Number);
  return red < 128;
}

/** The texts that stand out too little from what is behind them; runs in the page. */
function faintTexts(least: number): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
  };
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const text = [...element.childNodes].map((node) => (node.nodeType === Node.TEXT_NODE ? (node.textContent ?? '').trim() : '')).join('');
    if (text === '') return [];
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return contrast >= least ? [] : [`${contrast.toFixed(1)}: ${text.slice(0, 40)}`];
  });
}
