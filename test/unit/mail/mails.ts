import type { HostNotice, Notice, Seen } from '../../../shared/domain/notice.ts';
import { REASONS, type Reason } from '../../../shared/domain/reason.ts';
import { accountConfirmation, recipientConfirmation } from '../../../shared/mail/confirmations.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import { pausedMail } from '../../../shared/mail/opt-out-mail.ts';
import { renderNotice } from '../../../shared/mail/templates.ts';
import { hostNotice, NOTICES, SEEN } from '../../support/notices.ts';

/** When the notices became owed. */
export const TOLD_AT = hostNotice({ kind: 'reminder', count: 1 }, 'open').owedAt;
export const DAY = 24 * 60 * 60_000;
export const HOST_URL = 'https://audit.example/hosts/0123456789abcdef0123';
export const LINKS = {
  siteUrl: 'https://audit.example',
  egressAddresses: ['198.51.100.7', '2001:db8:7::25'],
  unsubscribeUrl: `https://audit.example/unsubscribe?token=ru1.${'a'.repeat(120)}.b`,
};

/** A canary that came back by way of another address than it went in. */
export const ARRIVED: Seen = (NOTICES.open as HostNotice).seen ?? SEEN;

/** A notice that a host has been silent for three days. */
export function silence(reason: Reason, relay: HostNotice['relay'] = 'closed'): HostNotice {
  const seen = { ...SEEN, reason, evidence: [], envelopes: 0, software: undefined };
  return hostNotice({ kind: 'silent', reason, scans: 3, since: TOLD_AT - 3 * DAY }, relay, seen);
}

/** What is wrong with a host that its owner can mend: what may make it silent. */
export const SILENT_REASONS = (Object.keys(REASONS) as Reason[]).filter((reason) => {
  const entry = REASONS[reason];
  return entry.verdict === 'unreachable' || (entry.verdict === 'untestable' && !('fault' in entry && entry.fault === 'ours'));
});

/** A scan in which every word that is not ours is this one. */
export function saying(text: string): Seen {
  return {
    ...ARRIVED,
    scanId: text,
    evidence: [{ leg: text, from: text, to: text, reply: text }],
    envelopes: 1,
    software: { mta: 'postfix', version: text, from: 'greeting' },
    arrival: {
      canary: text,
      leg: text,
      test: text,
      sentAt: TOLD_AT,
      at: TOLD_AT,
      path: [{ from: text, address: text, by: text }],
    },
  };
}

const OTHERS: Readonly<Record<string, Notice>> = {
  'silent without an address': silence('no-address', 'unknown'),
  'back, nothing proven': hostNotice({ kind: 'back', silentSince: TOLD_AT - DAY }, 'closed', {
    ...SEEN,
    reason: 'greylisted',
    evidence: [],
    envelopes: 0,
  }),
  'open over IPv6': hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', {
    ...ARRIVED,
    evidence: SEEN.evidence.map((each) => ({ ...each, leg: '[2001:db8:85a3:8d3:1319:8a2e:370:7348]:25/starttls' })),
  }),
  'a hostile server': hostNotice(
    { kind: 'change', from: 'closed', to: 'open' },
    'open',
    saying(`<script>alert(1)</script>=cmd|' /C calc'!A0\r\nBcc: victim@example.net\0${'x'.repeat(5_000)}`),
  ),
  'a long name': {
    ...(NOTICES.suspected as HostNotice),
    hostName: `${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(50)}.example`,
  },
};

/** Every kind of mail that we write, by what it tells. */
export const MAILS: Readonly<Record<string, Mail>> = {
  ...Object.fromEntries(Object.entries({ ...NOTICES, ...OTHERS }).map(([name, notice]) => [name, renderNotice(notice, LINKS)])),
  'confirm an account': accountConfirmation(`https://audit.example/confirm?token=rc1.${'a'.repeat(120)}.b`, 24),
  'confirm a recipient': recipientConfirmation(`https://audit.example/confirm?token=rc1.${'a'.repeat(120)}.b`, 24, 'owner@example.org'),
  'probes paused': pausedMail(
    [
      { hostId: '0123456789abcdef0123', hostName: 'mail.example.org', address: '192.0.2.1' },
      { hostId: '0123456789abcdef0124', hostName: 'mx2.example.org', address: '2001:db8:85a3:8d3:1319:8a2e:370:7348' },
    ],
    TOLD_AT,
    'https://audit.example',
  ),
};

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };

/** The words of an HTML mail behind its verdict's label and subject, without tags and entities. */
export function wordsOf(html: string): string {
  return html
    .replace(/^.*?<\/h1>/s, '')
    .replace('>unsubscribe<', `>${LINKS.unsubscribeUrl}<`)
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll(/&(?:lt|gt|quot|amp|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** The first paragraph of a mail. */
export const openingOf = (mail: Mail) => mail.text.split('\n\n')[0] ?? '';

export const render = (notice: Notice) => renderNotice(notice, LINKS);
