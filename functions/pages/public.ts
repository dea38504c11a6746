import { closedPage } from '../../shared/pages/closed.ts';
import { homePage } from '../../shared/pages/home.ts';
import { showAbout, showRobotsTxt, showSecurityTxt } from './about.ts';
import { KEPT, type OpenRoute, page } from './call.ts';
import { showDocs, showOperation, showSchema } from './docs.ts';

/** What is there for everybody to read. */
export const PUBLIC_ROUTES: readonly OpenRoute[] = [
  ['GET', '/', async () => page(200, homePage(), KEPT)],
  ['GET', '/about', showAbout],
  ['GET', '/closed', async () => page(200, closedPage(), KEPT)],
  ['GET', '/docs', showDocs],
  ['GET', '/docs/schema/{name}', showSchema],
  ['GET', '/docs/{operationId}', showOperation],
  ['GET', '/.well-known/security.txt', showSecurityTxt],
  ['GET', '/robots.txt', showRobotsTxt],
];
