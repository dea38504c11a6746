import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { html, textOf } from '../../../shared/markup/html.ts';
import { aboutPage } from '../../../shared/pages/about.ts';
import { ASSETS, SCRIPT_PATH, STYLE_PATH } from '../../../shared/pages/assets.ts';
import { confirmPage, keyPage, recipientPage } from '../../../shared/pages/confirm.ts';
import { layout, PAGE_POLICY } from '../../../shared/pages/layout.ts';
import { messagePage } from '../../../shared/pages/message.ts';
import { optedOutPage, optOutPage } from '../../../shared/pages/opt-out.ts';
import { elementsOf } from './well-formed.ts';

const US = { ehloName: 'probe.example', egressAddresses: ['192.0.2.7', '2001:db8::7'], contact: 'post+us@probe.example' };
const PAUSED = { address: '192.0.2.9', proof: 'none' as const, places: ['_relay-audit.9.2.0.192.in-addr.arpa', '_relay-audit.mx.example'] };
const PROVEN = { address: '2001:db8::9', proof: 'listed' as const, places: [] };
const OUTCOME = {
  target: 'mx.example',
  addresses: [PAUSED],
  addressesFound: 1,
  pauseHours: 72,
  pausedUntil: Date.UTC(2026, 5, 4, 12),
  unheededDays: 30,
};

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus='alert(1)",
  '</title></style></textarea><svg/onload=alert(1)>',
  '&lt;script&gt;&#x22;&NotAnEntity;',
  'a\r\nSet-Cookie: x=1\r\n\r\n<p>',
  '\u0000\u001b[31m\u0085\ud800',
  '{{7*7}}<!-- --><![CDATA[',
  '<'.repeat(10_240),
];

describe('html', () => {
  test('a text is escaped, a fragment goes in as it is, lists are joined, and nothing is nothing', () => {
    const inner = html`<b>${'<&>"\''}</b>`;
    expect(textOf(html`<p title="${'"'}">${inner}${['a', html`<i>${1}</i>`]}${undefined}</p>`)).toBe(
      '<p title="&quot;"><b>&lt;&amp;&gt;&quot;&#39;</b>a<i>1</i></p>',
    );
  });

  test('control characters are shown as what they are: nothing that can be read', () => {
    expect(textOf(html`${'a\u0000b\u001bc\td\r\n'}`)).toBe('a\ufffdb\ufffdc\td\r\n');
  });

  test('what only looks like a fragment is refused or escaped, never put in as it is', () => {
    const forged = JSON.parse('{"html":"<script>","markup":"<script>","Symbol(markup)":"<script>"}');
    expect(() => html`${forged}`).toThrow();
  });
});

describe('a page', () => {
  const pages: [what: string, page: string][] = [
    ['about', aboutPage(US)],
    ['about, its addresses unknown', aboutPage({ ...US, egressAddresses: [] })],
    ['the form', optOutPage({}, 72)],
    ['the form with a fault', optOutPage({ target: 'x', error: 'must be a full name' }, 72)],
    ['a pause', optedOutPage(OUTCOME)],
    ['a pause of a name', optedOutPage({ ...OUTCOME, name: { text: 'mx.example', proof: 'none' } })],
    [
      'a pause of a name with more addresses',
      optedOutPage({ ...OUTCOME, addressesFound: 12, name: { text: 'mx.example', proof: 'none' } }),
    ],
    ['some paused, some proven', optedOutPage({ ...OUTCOME, addresses: [PAUSED, PROVEN], name: { text: 'mx.example', proof: 'listed' } })],
    ['all proven', optedOutPage({ ...OUTCOME, addresses: [PROVEN] })],
    ['a pause that nothing can prove', optedOutPage({ ...OUTCOME, addresses: [{ ...PAUSED, places: [] }] })],
    ['the question of a confirmation', confirmPage('ra1.a.b')],
    ['a new key', keyPage({ email: 'you@example.org', apiKey: 'ra1_x', how: 'replaced', baseUrl: 'https://audit.example' })],
    ['a new recipient', recipientPage('you@example.org')],
    ['a message', messagePage('Nothing here', 'Really.', 'Nothing.')],
  ];

  test.each(pages)('parses, has one heading, and holds no script or style but those we serve: %s', (_, page) => {
    const elements = elementsOf(page);
    expect(elements.filter((each) => each === 'h1')).toHaveLength(1);
    expect(page.match(/<(?:script|link)[^>]*>/g)).toEqual([
      '<link rel="icon" href="/assets/icon.svg">',
      `<link rel="stylesheet" href="${STYLE_PATH}">`,
      `<script src="${SCRIPT_PATH}" defer>`,
    ]);
    for (const element of ['style', 'img', 'iframe', 'object']) expect(elements).not.toContain(element);
    expect(page).not.toMatch(/ (style|on[a-z]+)=/);
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).toContain('<html lang="en">');
  });

  test.each(HOSTILE)('whatever is typed is shown and neither runs nor breaks anything: %j', (text) => {
    const plain = elementsOf(optOutPage({ target: 'x', error: 'y' }, 72));
    expect(elementsOf(optOutPage({ target: text, error: text }, 72))).toEqual(plain);
    expect(elementsOf(optedOutPage({ ...OUTCOME, target: text }))).toEqual(elementsOf(optedOutPage(OUTCOME)));
    expect(elementsOf(layout(text, html`<h1>${text}</h1>`))).toEqual(elementsOf(layout('x', html`<h1>x</h1>`)));
    expect(elementsOf(messagePage(text, text))).toEqual(elementsOf(messagePage('x', 'x')));
  });

  test('the policy allows what we serve ourselves, and nothing that stands in a page', () => {
    expect(PAGE_POLICY.split('; ')).toEqual([
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
  });

  test('what pages load has another address whenever it is another', () => {
    for (const { path, body } of ASSETS.filter((each) => each.path !== '/assets/icon.svg'))
      expect(path).toContain(createHash('sha256').update(body).digest('base64url').slice(0, 12));
    expect(ASSETS.map(({ path }) => path)).toEqual([STYLE_PATH, SCRIPT_PATH, '/assets/icon.svg']);
  });

  test('the start page says by what to know us, and how to stop and to reach us', () => {
    const page = aboutPage(US);
    for (const words of ['EHLO probe.example', '192.0.2.7', '2001:db8::7', 'href="/opt-out"', 'href="mailto:post%2Bus@probe.example"'])
      expect(page).toContain(words);
  });

  test('the answer shows the exact record for each place that would prove the wish', () => {
    const page = optedOutPage({ ...OUTCOME, name: { text: 'mail.example.org', proof: 'none' } });
    for (const place of [...PAUSED.places, '_relay-audit.mail.example.org']) expect(page).toContain(`${place}. IN TXT "deny"`);
    expect(page).toContain('2026-06-04 12:00 UTC');
  });
});
