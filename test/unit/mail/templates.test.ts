import { type ConfigData, HtmlValidate } from 'html-validate';
import { describe, expect, test } from 'vitest';
import { holeRemedies, otherRemedies } from '../../../shared/domain/hole-remedies.ts';
import type { GroupNotice } from '../../../shared/domain/notice.ts';
import { MTA_NAMES, type Mta, type Software, softwareSentence } from '../../../shared/domain/remedies.ts';
import { hostNotice, NOTICES, SEEN } from '../../support/notices.ts';
import { ARRIVED, HOST_URL, LINKS, MAILS, openingOf, render, silence, wordsOf } from './mails.ts';

const mailOf = (name: string) => render(NOTICES[name] ?? expect.fail(name));

/** The words of a text one after the other, without the marks of its lists. */
const words = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/^\s*(- |\d+\. )?/, '').trim())
    .filter((line) => line !== '')
    .join(' ')
    .split(/\s+/);

const RULES: ConfigData = {
  extends: ['html-validate:recommended'],
  rules: {
    'no-trailing-whitespace': 'off',
    'doctype-style': 'off', // either case is right
    'long-title': 'off', // the title of a mail is its subject
  },
};

const OURS =
  /^https:\/\/(?:audit\.example\/[\w./?=-]+|check\.spamhaus\.org\/|www\.barracudacentral\.org\/lookups|www\.spamcop\.net\/bl\.shtml)$/;

describe.each(Object.entries(MAILS))('the mail of %s', (_, mail) => {
  test('says the same in text as in HTML, so that it is complete without HTML', () => {
    expect(words(wordsOf(mail.html))).toEqual(words(mail.text));
  });

  test('has a subject of one line', () => {
    expect(mail.subject).toMatch(/^[\x20-\x7e]{10,300}$/);
  });

  test('is sound HTML', async () => {
    const report = await new HtmlValidate(RULES).validateString(mail.html);
    expect(report.results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => `${ruleId}: ${message}`))).toEqual([]);
  });

  test('loads nothing from anywhere, runs nothing, and leads nowhere but to us and to blocklists', () => {
    expect(mail.html).not.toMatch(/<(script|img|iframe|link|object|form|base)|\bsrc=|<[^>]*\son\w+=|javascript:|url\(/i);
    for (const [, link] of mail.html.matchAll(/href="([^"]*)"/g)) expect(link).toMatch(OURS);
  });

  test('is of printable ASCII, and of the one mark that we write ourselves', () => {
    expect(mail.text).toMatch(/^[\x20-\x7e\n…]*$/);
    expect(mail.html).toMatch(/^[\x20-\x7e\n…]*$/);
  });
});

test('a subject is one line, whatever the host is called', () => {
  const { subject } = render({ ...hostNotice({ kind: 'reminder', count: 1 }, 'open'), hostName: 'a\r\nBcc: victim@example.net\0' });
  expect(subject).toBe('a Bcc: victim@example.net  is still an open relay');
});

test.each(Object.entries(NOTICES))('the mail of %s ends with why it came and how to have no more', (_, notice) => {
  const mail = render(notice);
  expect(mail.text.trimEnd().split('\n').slice(-2).join(' ')).toMatch(/because you are an alert recipient of .* No more .*ru1\.a+\.b$/);
  expect(mail.unsubscribeUrl).toBe(LINKS.unsubscribeUrl);
});

describe('the verdict is told at its right strength', () => {
  test.each([
    [
      'open',
      'mail.example.org is an open relay',
      'mail.example.org is an open relay: a message that we sent through it as a stranger arrived at our mailbox at 2026-11-24 10:37:09 UTC.',
    ],
    [
      'suspected',
      'mail.example.org answers as an open relay',
      'it accepted a recipient at a foreign domain from a stranger. We got no further than that, so whether it delivers such mail is not proven.',
    ],
    [
      'suspected, whole message',
      'mail.example.org answers as an open relay',
      'it took a message to a foreign domain from a stranger, to the final dot. The message has not come back to us, so whether it delivers such mail is not proven.',
    ],
    ['sink', 'mail.example.org answers as an open relay', 'it may be a sink or a honeypot rather than a relay'],
    [
      'sink no more',
      'mail.example.org answers as an open relay',
      'You have told us that you know it as a sink that accepts everything. It no longer accepts everything.',
    ],
    [
      'closed',
      'mail.example.org is closed again',
      'it refused every foreign recipient that we tried. Two scans, one after the other, agree. Before, it was an open relay.',
    ],
    [
      'reminder of open',
      'mail.example.org is still an open relay',
      'arrived at our mailbox, and it has not been closed since. It accepts mail to anywhere when the recipient is quoted (<"user@elsewhere">). Spammers who find it can send through it in the same way, in your name. It has been so for 7 days, since 2026-11-17 10:38:00 UTC.',
    ],
    [
      'reminder of suspected',
      'mail.example.org still answers as an open relay',
      'It has been so for 24 hours, since 2026-11-23 10:38:00 UTC.',
    ],
    [
      'digest of open',
      'mail.example.org keeps changing: it is an open relay',
      'is an open relay at the moment, since 2026-11-24 10:38:00 UTC. But it keeps changing: 5 times in the 9 hours since',
    ],
    [
      'digest of closed',
      'mail.example.org keeps changing: it is closed',
      'is closed at the moment, since 2026-11-24 10:38:00 UTC. But it keeps changing: once more in the 24 hours since',
    ],
    [
      'silent',
      'mail.example.org cannot be audited',
      'could not tell whether it relays. When it was audited last, before that, it was closed.',
    ],
    ['silent without consent', 'mail.example.org cannot be audited', 'When it was audited last, before that, it was an open relay.'],
    ['back', 'mail.example.org can be audited again', 'after 5 days in which it could not. It answers as an open relay.'],
    [
      'proven, closed',
      'mail.example.org has had its first scan: it is closed',
      'DNS shows that mail.example.org is yours, and we have scanned it for the first time. We had been looking since 2026-11-22 10:38:00 UTC, 2 days ago. It is closed.',
    ],
    [
      'proven, suspected',
      'mail.example.org has had its first scan: it has not been proven open or closed',
      'By this scan it answers as an open relay, which a second scan has to confirm.',
    ],
    [
      'gave up',
      'mail.example.org is not audited: DNS does not allow it',
      'was registered 17 days ago and has never been scanned: DNS has not let us.',
    ],
    [
      'DNS fails',
      'mail.example.org cannot be audited: DNS fails',
      'has failed since 2026-11-23 10:38:00 UTC, at every look. Until it is answered we send nothing to your server',
    ],
    [
      'group',
      'mail.example.org is an open relay, and news of 3 more hosts',
      'Of 4 hosts 1 is an open relay, 1 answers as an open relay, 1 cannot be audited and 1 is closed.',
    ],
  ])('%s', (name, subject, opening) => {
    const mail = mailOf(name);
    expect(mail.subject).toBe(subject);
    expect(openingOf(mail)).toContain(opening);
  });
});

describe('what to do', () => {
  test('comes before the evidence, and the evidence before the links', () => {
    const { text } = mailOf('open');
    const places = ['What to do now', 'What to look for in your log', 'Everything else, and another scan'].map((heading) =>
      text.indexOf(heading),
    );
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
    const software: Software = { mta, from: 'greeting' };
    const hole = { cause: 'claimed-sender', name: 'example.org', others: 0 } as const;
    for (const each of [hole, undefined]) {
      const seen = { ...SEEN, software, hole: each };
      const { text } = render(hostNotice({ kind: 'change', from: 'closed', to: 'suspected' }, 'suspected', seen));
      const lines = [
        softwareSentence(software),
        ...(each === undefined ? [] : holeRemedies(each, software)),
        ...otherRemedies(each, software),
      ];
      const places = lines.map((line) => words(text).join(' ').indexOf(words(line).join(' ')));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places[0]).toBeGreaterThan(0);
    }
  });

  test('says how to be quiet about a sink, and how to switch reminders off', () => {
    expect(mailOf('sink').text).toContain('Acknowledge it on its page');
    expect(mailOf('reminder of open').text).toContain(`${HOST_URL}/settings`);
    expect(mailOf('suspected').text).not.toContain('Acknowledge');
  });

  test.each([
    ['no-consent', `${HOST_URL}/consent`],
    ['vetoed', `${HOST_URL}/consent`],
    ['probably-banned', 'Exempt 198.51.100.7 and 2001:db8:7::25 in your ban tool'],
    ['probably-banned', 'Never put our address into mynetworks'],
    ['policy-against-us', 'Let 198.51.100.7 and 2001:db8:7::25 through what refuses it'],
    ['policy-against-us', 'Never put our address into mynetworks'],
    ['control-refused', 'Look at the served domains'],
    ['control-refused', `name another mailbox if it has no postmaster: ${HOST_URL}/settings#controlMailbox`],
    ['forbidden-address', 'an address that is not public'],
    ['no-ipv6-here', 'It has IPv6 addresses only'],
    ['no-address', 'neither an A nor an AAAA record'],
    ['not-smtp', 'not as a mail server'],
    ['connection-timed-out', 'whether a firewall keeps out 198.51.100.7 and 2001:db8:7::25'],
    ['connection-refused', `${HOST_URL}/delete\n`],
  ] as const)('of one that is silent for %s is: %s', (reason, what) => {
    expect(render(silence(reason)).text).toContain(what);
  });

  test('names the address that blocklists will have, when a message came out by it, and none that only looks so', () => {
    const by = (address: string) =>
      render(
        hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', {
          ...ARRIVED,
          arrival: { ...(ARRIVED.arrival ?? expect.fail()), path: [{ address }] },
        }),
      ).text;
    expect(by('192.0.2.9')).toContain('Check whether 192.0.2.9 is on blocklists.');
    expect(by('2001:db8::9')).toContain('Check whether 2001:db8::9 is on blocklists.');
    expect(by('evil.example')).toContain('Check whether the address from which it sends is on blocklists.');
  });

  test('names the hole first, in the opening and before what closes any relay', () => {
    const hole = { cause: 'anyone', where: 'over-ipv6', others: 0 } as const;
    const { text } = render(hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', { ...ARRIVED, hole }));
    expect(text.split('\n\n')[0]).toContain(
      'arrived at our mailbox at 2026-11-24 10:37:09 UTC. It accepts mail to anywhere from anyone, but only over IPv6. Spammers',
    );
    const places = ['3. Close the hole.', 'userland-proxy', '4. Make sure that nothing else relays:', 'smtpd_relay_restrictions'];
    const found = places.map((each) => text.indexOf(each));
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found[0]).toBeGreaterThan(0);
  });

  test('is the general line about the queue where we know no command for it', () => {
    const { text } = render(
      hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', { ...ARRIVED, software: undefined, hole: undefined }),
    );
    expect(text).toContain(
      '2. Hold what waits in the outgoing queue, so that no spam in it goes out.\n3. Close it. What closes any server',
    );
  });
});

describe('the evidence', () => {
  test('can be found in the server’s log: time, our address, envelope, token, and where the message came out', () => {
    const { text } = mailOf('open');
    for (const each of [
      'started 2026-11-24 10:37:05 UTC',
      'We came from 198.51.100.7, 2001:db8:7::25.',
      'MAIL FROM:<relay-audit@probe.example>',
      'RCPT TO:<"relay-audit-01234567-quoted@canary.example">',
      'Canary abcdefghabcdefgh',
      'went in 2026-11-24 10:37:06 UTC at 192.0.2.1:25',
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

describe('the mail of several hosts', () => {
  test('names each with what is new of it, since when, and where its page is, the worst first', () => {
    const lines = mailOf('group')
      .text.split('\n')
      .filter((line) => line.includes('Its page: '));
    const since = '2026-11-24 10:38:00 UTC';
    const page = (digit: string) => `https://audit.example/hosts/${digit.repeat(20)}`;
    expect(lines).toEqual([
      `- mail.example.org is an open relay, since ${since}. Its page: ${HOST_URL}`,
      `- mx2.example.org answers as an open relay, since ${since}. Its page: ${page('0')}`,
      `- 2001:db8:85a3:8d3:1319:8a2e:370:7348 cannot be audited, since 2026-11-21 10:38:00 UTC. Its page: ${page('2')}`,
      `- a-very-long-name-of-a-mail-server.of-a-department.university.example is closed again, since ${since}. Its page: ${page('1')}`,
    ]);
  });

  const GROUP = NOTICES.group as GroupNotice;

  test('says what to do only when one of them is open or answers so', () => {
    expect(mailOf('group').text).toContain('1. Stop SMTP');
    expect(render({ ...GROUP, hosts: GROUP.hosts.slice(2) }).text).not.toContain('Stop SMTP');
  });

  test('is the mail of the one host when no other has joined, with its evidence', () => {
    const alone = NOTICES.suspected;
    if (alone?.about !== 'host') return expect.fail();
    const { hostId, hostName, occasion, relay, since, seen } = alone;
    expect(render({ ...GROUP, hosts: [{ hostId, hostName, occasion, relay, since, seen }] })).toEqual(render(alone));
  });

  test('counts what one is and what many are', () => {
    const [open = expect.fail()] = GROUP.hosts;
    expect(openingOf(render({ ...GROUP, hosts: [open, open] }))).toMatch(/^Of 2 hosts 2 are open relays\. /);
  });
});
