import { showAbout, showRobotsTxt, showSecurityTxt } from './about.ts';
import type { OpenRoute } from './call.ts';

export const PUBLIC_ROUTES: readonly OpenRoute[] = [
  ['GET', '/', showAbout],
  ['GET', '/.well-known/security.txt', showSecurityTxt],
  ['GET', '/robots.txt', showRobotsTxt],
];
