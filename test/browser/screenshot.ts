// `npm run screenshot`: starts the service in a folder of its own, lets it find the open demo server, and takes the picture of that host's
// page that the README shows.
import { join } from 'node:path';
import { startLocalService, temporaryFolder } from '../support/local-service.ts';
import { startChromium } from './chromium.ts';
import { signIn } from './visitor.ts';

const PICTURE = 'docs/host-page.png';
const SIZE = { width: 1120, height: 1000 };

const service = await startLocalService(['--port', '0', '--data', join(temporaryFolder(), 'data')]);
const browser = await startChromium();
const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
await signIn(service, page, 'owner@relay-audit.example');
await page
  .getByRole('link', { name: /^127\./ })
  .first()
  .click();
await page.locator('.note .badge.open').first().waitFor();
await page.getByRole('heading', { name: 'What to do now' }).waitFor();
await page.locator('#under-way').waitFor({ state: 'detached' });
await page.screenshot({ path: PICTURE });
await browser.close();
await service.stop();
console.log(`The picture is in ${PICTURE}.`);
