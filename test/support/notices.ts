import type { GroupNotice, HostNotice, MailNotice, Notice, Occasion, Seen } from '../../shared/domain/notice.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const HOST = '0123456789abcdef0123';

/** When the notices below became owed. */
const TOLD_AT = Date.UTC(2026, 10, 24, 10, 38);

/** A scan that saw one envelope accepted by a Postfix. */
export const SEEN: Seen = {
  scanId: '20261124T103700Z-confirming',
  scannedAt: Date.UTC(2026, 10, 24, 10, 37, 5),
  reason: 'recipient-accepted',
  messageAccepted: false,
  evidence: [
    {
      leg: '192.0.2.1:25',
      from: '<relay-audit@probe.example>',
      to: '<"relay-audit-01234567-quoted@canary.example">',
      reply: '250 2.1.5 Ok',
    },
  ],
  envelopes: 1,
  software: { mta: 'postfix', version: '3.7.11', from: 'greeting' },
  hole: { cause: 'quoted', others: 0 },
};

const ARRIVED: Seen = {
  ...SEEN,
  reason: 'canary-arrived',
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

const REFUSED: Seen = {
  ...SEEN,
  hole: undefined,
  reason: 'all-refused',
  software: undefined,
  evidence: SEEN.evidence.map((each) => ({ ...each, reply: '554 5.7.1 no' })),
  envelopes: 56,
};

const SINK: Seen = {
  ...SEEN,
  reason: 'accepts-everything',
  messageAccepted: true,
  software: undefined,
  hole: { cause: 'anyone', others: 0 },
};
const SILENT: Seen = { ...REFUSED, reason: 'probably-banned', evidence: [], envelopes: 0 };

/** A notice about mail.example.org. */
export function hostNotice(occasion: Occasion, relay: HostNotice['relay'], seen?: Seen, since: number = TOLD_AT): MailNotice {
  return {
    id: `${HOST}-0000000002-0`,
    accountId: 'account1',
    channel: 'mail',
    recipient: 'owner@example.org',
    owedAt: TOLD_AT,
    about: 'host',
    hostId: HOST,
    hostName: 'mail.example.org',
    occasion,
    relay,
    since,
    seen,
  };
}

const OPENED = hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', ARRIVED);
const SUSPECTED = hostNotice({ kind: 'change', from: 'closed', to: 'suspected' }, 'suspected', SEEN);
const CLOSED = hostNotice({ kind: 'change', from: 'open', to: 'closed' }, 'closed', REFUSED);
const SILENCE = hostNotice({ kind: 'silent', reason: 'probably-banned', scans: 3, since: TOLD_AT - 3 * DAY }, 'closed', SILENT);

const GROUP: GroupNotice = {
  id: 'account1-group-1-0',
  accountId: 'account1',
  channel: 'mail',
  recipient: 'owner@example.org',
  owedAt: TOLD_AT,
  about: 'hosts',
  hosts: [
    OPENED,
    { ...SUSPECTED, hostId: '0'.repeat(20), hostName: 'mx2.example.org' },
    { ...CLOSED, hostId: '1'.repeat(20), hostName: 'a-very-long-name-of-a-mail-server.of-a-department.university.example' },
    { ...SILENCE, hostId: '2'.repeat(20), hostName: '2001:db8:85a3:8d3:1319:8a2e:370:7348' },
  ].map(({ hostId, hostName, occasion, relay, since }) => ({ hostId, hostName, occasion, relay, since })),
};

/** A notice of each kind that a mail is made of, by what it tells. */
export const NOTICES: Readonly<Record<string, Notice>> = {
  open: OPENED,
  suspected: SUSPECTED,
  'suspected, whole message': { ...SUSPECTED, seen: { ...SEEN, messageAccepted: true } },
  sink: { ...SUSPECTED, seen: SINK },
  'sink no more': hostNotice({ kind: 'change', from: 'suspected', to: 'suspected' }, 'suspected', SEEN),
  closed: CLOSED,
  'reminder of open': hostNotice({ kind: 'reminder', count: 2 }, 'open', SEEN, TOLD_AT - 7 * DAY),
  'reminder of suspected': hostNotice({ kind: 'reminder', count: 1 }, 'suspected', SINK, TOLD_AT - DAY),
  'digest of open': hostNotice({ kind: 'digest', changes: 5, from: TOLD_AT - 9 * 60 * MINUTE }, 'open'),
  'digest of closed': hostNotice({ kind: 'digest', changes: 1, from: TOLD_AT - DAY }, 'closed', REFUSED),
  silent: SILENCE,
  'silent without consent': hostNotice({ kind: 'silent', reason: 'no-consent', scans: 3, since: TOLD_AT - 3 * DAY }, 'open'),
  back: hostNotice({ kind: 'back', silentSince: TOLD_AT - 5 * DAY }, 'suspected', SEEN),
  'proven, closed': hostNotice({ kind: 'proven', since: TOLD_AT - 2 * DAY }, 'closed', REFUSED),
  'proven, suspected': hostNotice({ kind: 'proven', since: TOLD_AT - 5 * MINUTE }, 'unknown', SEEN),
  'gave up': hostNotice({ kind: 'gave-up', reason: 'no-consent', since: TOLD_AT - 17 * DAY }, 'unknown'),
  'DNS fails': hostNotice(
    {
      kind: 'dns-trouble',
      since: TOLD_AT - DAY,
      failure: { type: 'PTR', name: '9.2.0.192.in-addr.arpa', said: 'SERVFAIL', details: 'network error' },
    },
    'closed',
  ),
  group: GROUP,
};

/** The mails among notices. */
export function mailsAmong(notices: readonly HostNotice[]): MailNotice[] {
  return notices.filter((notice) => notice.channel === 'mail');
}

/** Ids of all notices that are due, mails first. */
export async function dueIds(store: Pick<AuditStore, 'dueMails' | 'dueWebhooks'>, now: number, limit: number): Promise<string[]> {
  const [mails, webhooks] = await Promise.all([store.dueMails(now, limit), store.dueWebhooks(now, limit)]);
  return [...mails, ...webhooks.map(({ id }) => id)];
}
