import { createHash } from 'node:crypto';
import { enhance } from './browser.ts';
import { ICON } from './icon.ts';
import { STYLE } from './style.ts';

/** What pages load beside themselves. */
export type Asset = { readonly path: string; readonly type: string; readonly body: string };

const SCRIPT = `(${enhance.toString()})();\n`;

/** Where the one style sheet and the one script are: a new version has a new address, so that the old one may be kept for ever. */
export const STYLE_PATH = `/assets/${hashOf(STYLE)}.css`;
export const SCRIPT_PATH = `/assets/${hashOf(SCRIPT)}.js`;

/** Everything that pages load. */
export const ASSETS: readonly Asset[] = [
  { path: STYLE_PATH, type: 'text/css; charset=utf-8', body: STYLE },
  { path: SCRIPT_PATH, type: 'text/javascript; charset=utf-8', body: SCRIPT },
  { path: '/assets/icon.svg', type: 'image/svg+xml', body: ICON },
];

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
