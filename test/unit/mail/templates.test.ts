import { describe, expect, test } from 'vitest';
import type { Notice } from '../../../shared/domain/notice.ts';
import { FIRST_AID, GENERAL_REMEDIES } from '../../../shared/domain/remedies.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import { renderNotice } from '../../../shared/mail/templates.ts';

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
  messageAccepted: false,
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

const OPENED: Notice = {
  ...ALERT,
  to: 'open',
  messageAccepted: true,
  arrival: {
    canary: 'abcdefghabcdefgh',
    leg: '192.0.2.1:25',
    test: 'plain',
    sentAt: Date.UTC(2026, 10, 24, 10, 37, 6),
    at: Date.UTC(2026, 10, 24, 10, 37, 9),
    path: [
      { from: 'out.example.org', address: '192.0.2.9', by: 'mx.canary.example' },
      { from: '[198.51.100.1]', address: '198.51.100.1', by: 'mail.example.org' },
    ],
  },
};

const MAILS: readonly (readonly [string, Notice])[] = [
  ['the alert', ALERT],
  ['the alert of a message that came back', OPENED],
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

  test('says "answers as an open relay", never that it is one: no message came back', () => {
    expect(subject).toBe('mail.example.org answers as an open relay');
    expect(text).toContain('whether it delivers such mail is not proven');
    expect(`${subject} ${text}`).not.toMatch(/\bis an open relay/i);
  });

  test('says how far it got: to a recipient, or to the final dot of a message', () => {
    expect(text).toContain('It got no further than that');
    expect(renderNotice({ ...ALERT, messageAccepted: true }, HISTORY).text).toContain(
      'to the final dot. The message has not come back to us',
    );
  });

  test('says what to do now and what closes it', () => {
    for (const line of [...FIRST_AID, ...GENERAL_REMEDIES]) expect(text).toContain(line);
  });

  test('says that it may be a catch-all or a honeypot only where invented users were accepted too', () => {
    expect(text).not.toContain('honeypot');
    expect(renderNotice({ ...ALERT, acceptsEverything: true }, HISTORY).text).toContain('honeypot');
  });
});

describe('the alert of a message that came back', () => {
  const { subject, text } = renderNotice(OPENED, HISTORY);

  test('says that it is an open relay, and in its first sentence when the message was sent and when it arrived', () => {
    expect(subject).toBe('mail.example.org is an open relay');
    expect(text.split(/(?<=\.) /)[0]).toBe(
      'A message that we sent through mail.example.org as a stranger at 2026-11-24 10:37:06 UTC arrived at our mailbox at 2026-11-24 10:37:09 UTC.',
    );
  });

  test('says what to do now and what closes it', () => {
    for (const line of [...FIRST_AID, ...GENERAL_REMEDIES]) expect(text).toContain(line);
  });

  test('shows the way it took: the address it went in by, the one it came out by, and every hop', () => {
    for (const words of ['Into the server by 192.0.2.1:25.', 'Out of it by 192.0.2.9, as our mailbox saw it.'])
      expect(text).toContain(words);
    expect(text).toContain('from out.example.org [192.0.2.9] to mx.canary.example');
    expect(text).toContain('from [198.51.100.1] to mail.example.org');
  });

  test('is whole when nothing is known of the way, or of the arrival', () => {
    const { arrival } = OPENED;
    if (arrival === undefined) return expect.fail('no arrival');
    expect(renderNotice({ ...OPENED, arrival: { ...arrival, path: [] } }, HISTORY).text).toContain('an address that was not written down');
    const bare = renderNotice({ ...OPENED, arrival: undefined }, HISTORY);
    expect(bare.subject).toBe(subject);
    expect(bare.text).not.toContain('undefined');
  });

  test('lets no header of the way be anything but text', () => {
    const { arrival } = OPENED;
    if (arrival === undefined) return expect.fail('no arrival');
    const path = [{ from: '</pre><script>\r\nBcc: x\xff', address: '192.0.2.9', by: '<i>' }];
    const hostile = renderNotice({ ...OPENED, arrival: { ...arrival, path } }, HISTORY);
    expect(isPlain(hostile.text) && isPlain(hostile.html)).toBe(true);
    expect(hostile.html).not.toMatch(/<script|<i>/);
    expect(hostile.text).not.toMatch(/^\s*Bcc:/m);
  });
});

test('the all-clear says what the server was before', () => {
  expect(renderNotice({ ...CLOSURE, from: 'open' }, HISTORY).text).toContain('Before, it was an open relay.');
  expect(renderNotice(CLOSURE, HISTORY).text).toContain('Before, it answered as an open relay.');
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
