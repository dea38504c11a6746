import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium'; // Debian's

/** Whether there is a browser on this machine. Where one is required, its absence fails. */
export const hasChromium = existsSync(EXECUTABLE) || process.env.RELAY_AUDIT_CHROMIUM_REQUIRED === '1';

export function startChromium(): Promise<Browser> {
  // Root has no sandbox of its own, and containers often no shared memory to speak of.
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
