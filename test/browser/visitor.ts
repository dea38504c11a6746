import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually, type RunningService } from '../support/local-service.ts';

const SHOTS = join(tmpdir(), 'pages'); // for whoever wants to look at them
const WIDTHS = [360, 768, 1200, 1600];
const SHOWN = [360, 1200]; // kept as pictures

/** Somebody at a browser, who has not signed in yet. */
export type Visitor = { readonly page: Page; readonly context: BrowserContext; readonly troubles: string[] };

/** Opens a window of its own. Whatever the console says against a page is a trouble. */
export async function visitor(browser: Browser, { javaScriptEnabled = true } = {}): Promise<Visitor> {
  const context = await browser.newContext({ javaScriptEnabled, bypassCSP: false, viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => void troubles.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, context, troubles };
}

/** The link of the newest mail to an address by which one signs in. */
export async function signInLink(service: RunningService, email: string): Promise<string> {
  return eventually(async () => {
    const mail = (await service.mails()).findLast(
      ({ destination, subject }) => destination.to.includes(email) && subject.includes('sign in'),
    );
    return /http\S+\/sign-in\/link\?\S+/.exec(mail?.body.text ?? '')?.[0];
  }, `a link to sign in for ${email}`);
}

/** Signs in as a person does: by the link of a mail. */
export async function signIn(service: RunningService, page: Page, email: string): Promise<void> {
  await page.goto(`${service.baseUrl}/sign-in`);
  await page.getByLabel('Mail address').fill(email);
  await page.getByRole('button', { name: 'Mail me a link' }).click();
  await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
  await page.goto(await signInLink(service, email));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** That whoever sees, hears or types only can use the page, and nobody has to scroll it sideways. */
export async function expectUsable(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  const size = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    expect([name, width, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([name, width, width]);
    if (SHOWN.includes(width)) await page.screenshot({ path: join(SHOTS, `${name}-${width}.png`), fullPage: true });
  }
  if (size !== null) await page.setViewportSize(size);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect([name, colorScheme, await violations(page)]).toEqual([name, colorScheme, []]);
  }
  await page.emulateMedia({ colorScheme: null });
}

// Sent by the debugger, which no policy of the page stands against.
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const run = `${axe.source};axe.run(document).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | '))))`;
  const { result } = await session.send('Runtime.evaluate', { expression: run, awaitPromise: true, returnByValue: true });
  await session.detach();
  return JSON.parse(String(result.value)) as string[];
}
