import { describe, expect, test } from 'vitest';
import type { Notice } from '../../../shared/domain/notice.ts';
import { FIRST_AID, GENERAL_REMEDIES } from '../../../shared/domain/remedies.ts';
import { type Mail, renderNotice } from '../../../shared/mail/templates.ts';

const HISTORY = 'https://audit.example/v1/hosts/0123456789abcdef0123/scans';

const ALERT: Notice = {
  id: '0123456789abcdef0123-2-0',
  accountId: 'account1',
  hostId: '0123456789abcdef0123',
  recipient: 'owner@example.org',
  hostName: 'mail.example.org',
  from: 'closed',
  to: 'suspected',
  acceptsEverything: false,
  changedAt: Date.UTC(2026, 10, 24, 10, 38),
  scanId: '20261124T103700Z-confirming',
  scannedAt: Date.UTC(2026, 10, 24, 10, 37, 5),
  envelopes: 1,
  evidence: [
    {
      leg: '192.0.2.1:25',
      from: '<relay-audit@probe.example>',
      to: '<"relay-audit-01234567-quoted@canary.example">',
      reply: '250 2.1.5 Ok',
    },
  ],
};
const CLOSURE: Notice = {
  ...ALERT,
  from: 'suspected',
  to: 'closed',
  evidence: ALERT.evidence.map((each) => ({ ...each, reply: '554 5.7.1 no' })),
};

const MAILS: readonly (readonly [string, Notice])[] = [
  ['the alert', ALERT],
  ['the all-clear', CLOSURE],
];

/** The words of an HTML mail, without tags and entities. */
function wordsOf(html: string): string {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };
  return html
    .replace(/<title>.*?<\/title>/s, '')
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll(/&(?:lt|gt|quot|amp);/g, (entity) => entities[entity] ?? entity);
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/^\s*(- )?/, '').trim())
    .filter((line) => line !== '');

/** What both mails are made of, in ASCII lines of visible characters. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e\n]*$/.test(text);
}

describe.each(MAILS)('%s', (_, notice) => {
  const mail = renderNotice(notice, HISTORY);

  test('says the same in text as in HTML, so that it is complete without HTML', () => {
    const [subject, ...html] = lines(wordsOf(mail.html));
    expect(subject).toBe(mail.subject);
    expect(html).toEqual(lines(mail.text));
  });

  test('names the host in a subject of one short line', () => {
    expect(mail.subject).toContain('mail.example.org');
    expect(mail.subject).toMatch(/^[\x20-\x7e]{1,100}$/);
  });

  test('shows the scan, when it began, the envelopes and the history', () => {
    const words = [
      '20261124T103700Z-confirming',
      '2026-11-24 10:37:05 UTC',
      '192.0.2.1:25',
      'MAIL FROM:<relay-audit@probe.example>',
      HISTORY,
    ];
    for (const word of words) expect(mail.text).toContain(word);
    expect(mail.text).toContain('RCPT TO:<"relay-audit-01234567-quoted@canary.example">');
    expect(mail.html).toContain(`<a href="${HISTORY}">`);
  });

  test('loads nothing from anywhere and runs nothing', () => {
    expect(mail.html).not.toMatch(/<(script|img|iframe|link|object|form|base)|\bsrc=|\bon\w+=|javascript:|url\(/i);
    expect(mail.html.match(/href="[^"]*"/g)).toEqual([`href="${HISTORY}"`]);
  });

  test.each([
    ['a script', '250 <script>alert(1)</script>', '<script>alert(1)</script>'],
    ['a closed element', '250 </pre></body><img src=x onerror=alert(1)>', '</pre>'],
    ['an attribute’s end', '250 " onmouseover="alert(1)', '" onmouseover="alert(1)'],
    ['an entity', '250 &lt;b&gt;', '&lt;b&gt;'],
    ['a header', '250 Ok\r\nBcc: victim@example.net\r\n\r\nBuy!', 'Bcc: victim@example.net'],
    ['a NUL', '250 O\0k', '250 O'],
    ['a terminal escape', '250 \x1b[2Jgone', '[2Jgone'],
    ['other bytes than ASCII', '250 caf\xe9 \xff', '250 caf'],
    ['a bidirectional override, as bytes', '250 \xe2\x80\xaegpj', 'gpj'],
    ['a link', '250 https://evil.example/ now', 'https://evil.example/'],
  ])('shows %s in a reply as text, and lets it be nothing else', (_what, reply, core) => {
    const hostile = renderNotice({ ...notice, evidence: [{ leg: '192.0.2.1:25', from: '<a@b>', to: '<c@d>', reply }] }, HISTORY);
    const tagsOf = ({ html }: Mail) => html.match(/<[^>]*>/g);
    expect(isPlain(hostile.text) && isPlain(hostile.html)).toBe(true);
    expect(tagsOf(hostile)).toEqual(tagsOf(mail));
    expect(hostile.text).toContain(core);
    expect(wordsOf(hostile.html)).toContain(core);
    expect(hostile.text.split('\n')).toHaveLength(mail.text.split('\n').length);
    expect(hostile.text).not.toMatch(/^\s*Bcc:/m);
    expect(hostile.subject).toBe(mail.subject);
  });

  test('escapes what a server put into an envelope as well', () => {
    const hostile = renderNotice(
      { ...notice, evidence: [{ leg: '192.0.2.1:25', from: '<a@b\r\nBcc: x>', to: '<"<i>"@\0d>', reply: '250 Ok' }] },
      HISTORY,
    );
    expect(isPlain(hostile.text) && isPlain(hostile.html)).toBe(true);
    expect(hostile.html).not.toContain('<i>');
    expect(hostile.text).not.toMatch(/^\s*Bcc:/m);
  });

  test('is whole without evidence', () => {
    expect(renderNotice({ ...notice, evidence: [] }, HISTORY).text).toContain(notice.scanId);
  });
});

describe('the alert', () => {
  const { subject, text } = renderNotice(ALERT, HISTORY);

  test('says "answers as an open relay", never that it is one: no message was sent', () => {
    expect(subject).toBe('mail.example.org answers as an open relay');
    expect(text).toContain('sent no message through it');
    expect(`${subject} ${text}`).not.toMatch(/\bis an open relay/i);
  });

  test('says what to do now and what closes it', () => {
    for (const line of [...FIRST_AID, ...GENERAL_REMEDIES]) expect(text).toContain(line);
  });

  test('says that it may be a catch-all or a honeypot only where invented users were accepted too', () => {
    expect(text).not.toContain('honeypot');
    expect(renderNotice({ ...ALERT, acceptsEverything: true }, HISTORY).text).toContain('honeypot');
  });
});

test('the all-clear says what it does not show', () => {
  const { subject, text } = renderNotice(CLOSURE, HISTORY);
  expect(subject).toBe('mail.example.org is closed again');
  for (const word of ['Stolen passwords', 'web forms', 'SMTP smuggling', 'blocklists']) expect(text).toContain(word);
});

test('an alert about a server that we know says how to close that one, before what closes any', () => {
  const { text } = renderNotice({ ...ALERT, software: { mta: 'postfix', version: '3.7.11', from: 'greeting' } }, HISTORY);
  const own = text.indexOf('- main.cf: smtpd_relay_restrictions = permit_mynetworks');
  expect(text).toContain('- Its greeting says that it is Postfix 3.7.11.');
  expect(own).toBeGreaterThan(0);
  expect(own).toBeLessThan(text.indexOf(GENERAL_REMEDIES[0] ?? '?'));
});
