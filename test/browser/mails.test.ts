import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderNotice } from '../../shared/mail/templates.ts';
import { NOTICES } from '../support/notices.ts';
import { hasChromium, startChromium } from './chromium.ts';

const SHOTS = join(tmpdir(), 'relay-audit-mails'); // for whoever wants to look at them
const CONTRAST = 4.5; // WCAG 2.2, 1.4.3

let browser: Browser;

describe.skipIf(!hasChromium)('every mail can be read in a browser', () => {
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  const cases = Object.keys(NOTICES).flatMap((name) =>
    [360, 1200].flatMap((width) => (['light', 'dark'] as const).map((scheme) => [name, width, scheme] as const)),
  );

  test.each(cases)('%s, %i px wide, %s', async (name, width, scheme) => {
    const links = {
      siteUrl: 'https://audit.example',
      egressAddresses: ['198.51.100.7'],
      unsubscribeUrl: `https://audit.example/unsubscribe?token=ru1.${'a'.repeat(120)}.b`,
    };
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme, javaScriptEnabled: true });
    try {
      await page.setContent(renderNotice(NOTICES[name] ?? expect.fail(name), links).html);
      await page.screenshot({ path: join(SHOTS, `${name.replaceAll(/\W+/g, '-')}-${width}-${scheme}.png`), fullPage: true });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const faint = await page.evaluate(faintTexts, CONTRAST);
      expect(faint).toEqual([]);
    } finally {
      await page.close();
    }
  });
});

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
