import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium'; // Debian's

const WISH = process.env.RELAY_AUDIT_CHROMIUM; // `required`: its absence fails; `later`: its tests are run apart

/** Whether there is a browser on this machine, and its tests are wanted now. */
export const hasChromium = WISH === 'required' || (WISH !== 'later' && existsSync(EXECUTABLE));

/** What the names of tests in it say that they need. */
export const NEEDS_CHROMIUM = 'needs Chromium: apt-get install chromium';

export function startChromium(): Promise<Browser> {
  // Root has no sandbox of its own, and containers often no shared memory to speak of.
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
