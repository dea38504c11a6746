import { type ConfigData, HtmlValidate } from 'html-validate';
import { describe, expect, test } from 'vitest';
import type { HostNotice, Notice, Seen } from '../../../shared/domain/notice.ts';
import { MTA_NAMES, type Mta, remediesFor } from '../../../shared/domain/remedies.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import { renderNotice } from '../../../shared/mail/templates.ts';
import { hostNotice, NOTICES, SEEN } from '../../support/notices.ts';

const LINKS = {
  siteUrl: 'https://audit.example',
  egressAddresses: ['198.51.100.7'],
  unsubscribeUrl: 'https://audit.example/unsubscribe?token=ru1.abc.def',
};
const HISTORY = 'https://audit.example/v1/hosts/0123456789abcdef0123/scans';
const render = (notice: Notice) => renderNotice(notice, LINKS);
const mailOf = (name: string) => render(NOTICES[name] ?? expect.fail(name));

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };

/** The words of an HTML mail behind its verdict's label and subject, without tags and entities. */
function wordsOf(html: string): string {
  return html
    .replace(/^.*?<\/h1>/s, '')
    .replace('>unsubscribe<', `>${LINKS.unsubscribeUrl}<`)
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll(/&(?:lt|gt|quot|amp|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** The words of a text one after the other, without the marks of its lists. */
const words = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/^\s*(- |\d+\. )?/, '').trim())
    .filter((line) => line !== '')
    .join(' ')
    .split(/\s+/);

/** Made of lines of visible ASCII, and of the one mark that we write ourselves. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e\n…]*$/.test(text);
}

describe.each(Object.entries(NOTICES))('the mail of %s', (_, notice) => {
  const mail = render(notice);

  test('says the same in text as in HTML, so that it is complete without HTML', () => {
    expect(words(wordsOf(mail.html))).toEqual(words(mail.text));
  });

  test('names the host, or how many they are, in a subject of one short line', () => {
    expect(mail.subject).toMatch(/^[\x20-\x7e]{1,110}$/);
    expect(mail.subject).toContain(notice.about === 'host' ? 'mail.example.org' : '4 of your hosts');
  });

  test('is sound HTML', async () => {
    const rules = {
      extends: ['html-validate:recommended'],
      rules: { 'no-trailing-whitespace': 'off', 'no-inline-style': 'off', 'doctype-style': 'off', 'long-title': 'off' },
    };
    const report = await new HtmlValidate(rules as ConfigData).validateString(mail.html);
    expect(report.results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => `${ruleId}: ${message}`))).toEqual([]);
  });

  test('loads nothing from anywhere and runs nothing', () => {
    expect(mail.html).not.toMatch(/<(script|img|iframe|link|object|form|base)|\bsrc=|\bon\w+=|javascript:|url\(/i);
    for (const link of mail.html.match(/href="[^"]*"/g) ?? [])
      expect([`href="${HISTORY}"`, `href="${LINKS.unsubscribeUrl}"`]).toContain(link);
  });

  test('ends with why it came and how to have no more', () => {
    expect(mail.text.trimEnd().split('\n').slice(-2).join(' ')).toMatch(
      /because you are an alert recipient of .* No more mail .*ru1\.abc\.def$/,
    );
    expect(mail.unsubscribeUrl).toBe(LINKS.unsubscribeUrl);
  });

  const HOSTILE: readonly (readonly [string, string, string])[] = [
    ['a script', '250 <script>alert(1)</script>', '<script>alert(1)</script>'],
    ['a closed element', '250 </pre></body><img src=x onerror=alert(1)>', '</pre>'],
    ['an attribute’s end', '250 " onmouseover="alert(1)', '" onmouseover="alert(1)'],
    ['an entity', '250 &lt;b&gt;', '&lt;b&gt;'],
    ['a spreadsheet’s formula', "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"],
    ['a header', '250 Ok\r\nBcc: victim@example.net\r\n\r\nBuy!', 'Bcc: victim@example.net'],
    ['a NUL', '250 O\0k', '250 O'],
    ['a terminal escape', '250 \x1b[2Jgone', '[2Jgone'],
    ['other bytes than ASCII', '250 caf\xe9 \xff', '250 caf'],
    ['a bidirectional override, as bytes', '250 \xe2\x80\xaegpj', 'gpj'],
    ['a link', '250 https://evil.example/ now', 'https://evil.example/'],
    ['very much', `250 ${'x'.repeat(5_000)}`, '250 xxx'],
  ];
  const seenOf = (each: Notice): Seen | undefined => (each.about === 'host' ? each.seen : undefined);
  const withReply = (reply: string): Notice => {
    const seen = seenOf(notice);
    const evidence = [{ leg: '192.0.2.1:25', from: '<a@b>', to: '<c@d>', reply }];
    return seen === undefined ? notice : { ...(notice as HostNotice), seen: { ...seen, evidence, envelopes: 1 } };
  };

  test.skipIf(seenOf(notice) === undefined).each(HOSTILE)(
    'shows %s in a reply as text, and lets it be nothing else',
    (_what, reply, core) => {
      const [hostile, harmless] = [render(withReply(reply)), render(withReply('250 Ok'))];
      const tagsOf = ({ html }: Mail) => html.match(/<[^>]*>/g);
      expect(isPlain(hostile.text) && isPlain(hostile.html)).toBe(true);
      expect(tagsOf(hostile)).toEqual(tagsOf(harmless));
      expect(hostile.text).toContain(core);
      expect(wordsOf(hostile.html)).toContain(core);
      expect(hostile.text.split('\n')).toHaveLength(harmless.text.split('\n').length);
      expect(hostile.text.length).toBeLessThan(harmless.text.length + 300);
      expect(hostile.text).not.toMatch(/^\s*Bcc:/m);
      expect(hostile.subject).toBe(harmless.subject);
    },
  );
});

describe('the verdict is told at its right strength', () => {
  test.each([
    [
      'open',
      'mail.example.org is an open relay',
      'A message that we sent through mail.example.org as a stranger at 2026-11-24 10:37:06 UTC arrived at our mailbox at 2026-11-24 10:37:09 UTC.',
    ],
    [
      'suspected',
      'mail.example.org answers as an open relay',
      'It got no further than that, so whether it delivers such mail is not proven.',
    ],
    [
      'suspected, whole message',
      'mail.example.org answers as an open relay',
      'It took a whole message of ours, to the final dot. The message has not come back to us',
    ],
    ['sink', 'mail.example.org answers as an open relay', 'it may be a catch-all, a sink or a honeypot rather than a relay'],
    ['sink no more', 'mail.example.org answers as an open relay', 'It no longer does.'],
    [
      'closed',
      'mail.example.org is closed again',
      'refused every foreign recipient that we tried, in two scans one after the other. Before, it was an open relay.',
    ],
    [
      'reminder of open',
      'mail.example.org is still an open relay',
      'came back to us on 2026-11-17 10:38:00 UTC, and it still answers as it did then. So it has been an open relay for 7 days.',
    ],
    ['reminder of suspected', 'mail.example.org still answers as an open relay', 'It has for 24 hours.'],
    ['digest of open', 'mail.example.org keeps changing: it is an open relay', 'changed 5 times in the 9 hours since'],
    ['digest of closed', 'mail.example.org keeps changing: it is closed', 'changed once in the 24 hours since'],
    ['silent', 'mail.example.org cannot be audited', 'Whether it is closed now, nobody can say.'],
    ['silent without consent', 'mail.example.org cannot be audited', 'When it was audited last, it was an open relay.'],
    ['back', 'mail.example.org can be audited again', 'after 5 days in which it could not be audited. It answers as an open relay.'],
    ['group', 'News of 4 of your hosts: 2 of them open or suspected', 'there was news of 4 other hosts'],
  ])('%s', (name, subject, opening) => {
    const mail = mailOf(name);
    expect(mail.subject).toBe(subject);
    expect(mail.text.split('\n\n')[0]).toContain(opening);
  });
});

describe('what to do', () => {
  test('comes before the evidence, and the evidence before the links', () => {
    const { text } = mailOf('open');
    const places = ['What to do now', 'What we saw', 'History, and another scan'].map((heading) => text.indexOf(heading));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  test('holds the queue before it is looked through, and releases it after the server is closed', () => {
    const { text } = mailOf('open');
    const places = ['postsuper -h ALL', 'smtpd_relay_restrictions', 'postqueue -p', 'postsuper -d', 'postsuper -H ALL', 'blocklists'].map(
      (each) => text.indexOf(each),
    );
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  test.each(Object.keys(MTA_NAMES) as Mta[])('is what closes %s, and what closes every server', (mta) => {
    const notice = hostNotice({ kind: 'change', from: 'closed', to: 'suspected' }, 'suspected', {
      ...SEEN,
      software: { mta, from: 'greeting' },
    });
    const { text } = render(notice);
    for (const line of remediesFor({ mta, from: 'greeting' })) expect(words(text).join(' ')).toContain(words(line).join(' '));
  });

  test('says how to be quiet about a sink, and how to switch reminders off', () => {
    expect(mailOf('sink').text).toContain('/v1/hosts/0123456789abcdef0123/acknowledge');
    expect(mailOf('reminder of open').text).toContain(`'{"reminders":false}'`);
    expect(mailOf('suspected').text).not.toContain('/acknowledge');
  });

  test('of a silent host depends on why it is silent', () => {
    expect(mailOf('silent').text).toContain('Exempt 198.51.100.7 in your ban tool');
    expect(mailOf('silent').text).toContain('Never put it into mynetworks');
    expect(mailOf('silent without consent').text).toContain('/v1/hosts/0123456789abcdef0123/consent');
  });
});

describe('the evidence', () => {
  test('can be found in the server’s log: time, our address, envelope, token, and where the message came out', () => {
    const { text } = mailOf('open');
    for (const each of [
      '2026-11-24 10:37:05 UTC',
      '198.51.100.7',
      'MAIL FROM:<relay-audit@probe.example>',
      'RCPT TO:<"relay-audit-01234567-quoted@canary.example">',
      'Canary abcdefghabcdefgh',
      'into the server by 192.0.2.1:25',
      'came back 2026-11-24 10:37:09 UTC from 192.0.2.9',
      'from [198.51.100.1] to mail.example.org',
    ])
      expect(text).toContain(each);
  });

  test('is five envelopes, and says how many more there are', () => {
    const evidence = Array.from({ length: 5 }, () => SEEN.evidence[0] ?? expect.fail());
    const more = (envelopes: number) =>
      render(hostNotice({ kind: 'change', from: 'closed', to: 'suspected' }, 'suspected', { ...SEEN, evidence, envelopes })).text;
    expect(more(5)).not.toContain('more like');
    expect(more(6)).toContain('and 1 more like it;');
    expect(more(56)).toContain('and 51 more like these;');
  });
});

test('the mail of several hosts names each with what is new of it', () => {
  const { text } = mailOf('group');
  for (const line of [
    'mail.example.org is an open relay',
    'mx2.example.org answers as an open relay',
    'university.example is closed again',
    '2001:db8:85a3:8d3:1319:8a2e:370:7348 cannot be audited',
  ])
    expect(text).toContain(line);
});
