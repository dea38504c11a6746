import { createHash } from 'node:crypto';
import { type Html, html, textOf } from './html.ts';
import { STYLE } from './style.ts';

const SITE = 'Relay Audit';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The Content-Security-Policy (CSP Level 3) of every page: our one style sheet by its hash, forms to ourselves, and nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** A whole page, as text. `title` is a text, not yet escaped. Send it with `PAGE_POLICY`. */
export function layout(title: string, body: Html): string {
  // The hash is of every byte between the tags of the style sheet, which is ours and holds nothing that HTML would read.
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    textOf(html`<title>${title === SITE ? SITE : `${title} · ${SITE}`}</title>`),
    `<style>${STYLE}</style>\n</head>\n<body>`,
    `<header><a class="brand" href="/">${SITE}</a><nav><a href="/opt-out">Stop our probes</a></nav></header>`,
    `<main>\n${textOf(body)}\n</main>`,
    `<footer>${SITE} finds open relays for their owners, before spammers do. It probes nothing without consent.</footer>`,
    '</body>\n</html>\n',
  ].join('\n');
}
