import { type Html, html, textOf } from '../markup/html.ts';
import { SCRIPT_PATH, STYLE_PATH } from './assets.ts';

const SITE = 'Relay Audit';

/**
 * The Content-Security-Policy (CSP Level 3) of every page: our own style sheet, script and pictures by their address, nothing inline, forms
 * and calls to ourselves.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Who is signed in, and the token that protects their forms against forged ones. */
export type Visitor = { readonly email: string; readonly formToken: string };

/** What is around a page. */
export type Frame = {
  /** Left out where nobody is signed in, or where it makes no difference. */
  readonly visitor?: Visitor | undefined;
  /** For pages with tables and pictures rather than prose. */
  readonly wide?: boolean;
  /** In how many seconds a browser without script loads the page again, where something is under way. */
  readonly refreshSeconds?: number | undefined;
};

/** A whole page, as text. `title` is a text, not yet escaped. Send it with `PAGE_POLICY`. */
export function layout(title: string, body: Html, { visitor, wide, refreshSeconds }: Frame = {}): string {
  const page = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === SITE ? SITE : `${title} · ${SITE}`}</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="${STYLE_PATH}">
<script src="${SCRIPT_PATH}" defer></script>
${refreshSeconds === undefined ? undefined : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
</head>
<body${wide === true ? html` class="wide"` : undefined}>
<a class="skip" href="#main">Skip to the content</a>
<header><a class="brand" href="${visitor === undefined ? '/' : '/hosts'}">${SITE}</a>${visitor === undefined ? STRANGERS : visitorsNav(visitor)}</header>
<main id="main">
${body}
</main>
<footer><p>${SITE} finds open relays for their owners, before spammers do. It probes nothing without consent.</p>
<p><a href="/about">Who we are</a> · <a href="/opt-out">Stop our probes</a> · <a href="/closed">What “closed” does not cover</a> · <a href="/docs">API</a></p></footer>
</body>
</html>
`;
  return `<!doctype html>\n${textOf(page)}`;
}

const STRANGERS = html`<nav aria-label="Site"><a href="/about">Who we are</a> <a href="/docs">API</a> <a href="/sign-in">Sign in</a></nav>`;

function visitorsNav({ email, formToken }: Visitor): Html {
  return html`<nav aria-label="Site"><a href="/hosts">Hosts</a> <a href="/docs">API</a> <a href="/account" title="${email}">Account</a>
<form method="post" action="/sign-out">${tokenField(formToken)}<button class="link" type="submit">Sign out</button></form></nav>`;
}

/** The hidden field that proves that a form is ours. */
export function tokenField(formToken: string): Html {
  return html`<input type="hidden" name="form" value="${formToken}">`;
}
