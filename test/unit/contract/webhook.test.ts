import { describe, expect, test } from 'vitest';
import { webhookBody, webhookBodyOf } from '../../../shared/contract/webhook.ts';
import { noticesOf, type Occasion, type Seen } from '../../../shared/domain/notice.ts';
import { NOON, sampleHost } from '../../support/samples.ts';

const SEEN: Seen = {
  scanId: '20260601T120000Z-scheduled',
  scannedAt: NOON,
  reason: 'recipient-accepted',
  messageAccepted: false,
  evidence: [{ leg: '192.0.2.1:25', from: '<a@x>', to: '<b@y>', reply: '250 <script>\r\nBcc: \x00\u202e ok' }],
  envelopes: 1,
};
const OCCASIONS: readonly Occasion[] = [
  { kind: 'change', from: 'closed', to: 'suspected' },
  { kind: 'digest', changes: 7, from: NOON },
  { kind: 'reminder', count: 2 },
  { kind: 'silent', reason: 'vetoed', scans: 3, since: NOON },
  { kind: 'back', silentSince: NOON },
  { kind: 'proven', since: NOON },
  { kind: 'gave-up', reason: 'no-consent', since: NOON },
  { kind: 'dns-trouble', since: NOON, failure: { type: 'TXT', name: '_relay-audit.mail.example.org', said: 'SERVFAIL' } },
  { kind: 'dns-trouble', since: NOON },
];

const bodyOf = (occasion: Occasion, seen?: Seen) => {
  const host = sampleHost({ webhook: 'https://hooks.example.org/' });
  const state = { ...host.state, version: 3, relay: 'suspected', since: NOON } as const;
  const notice = noticesOf(host, state, occasion, NOON, seen).find((each) => each.channel === 'webhook') ?? expect.fail();
  return webhookBodyOf(notice, 'https://audit.example');
};

describe('the body of a webhook’s call', () => {
  test.each(OCCASIONS)('is as the document says: $kind', (occasion) => {
    for (const seen of [SEEN, undefined]) {
      const body: unknown = JSON.parse(JSON.stringify(bodyOf(occasion, seen)));
      expect(webhookBody.parse(body)).toEqual(body);
    }
  });

  test('shows what a server said in visible ASCII alone', () => {
    const [line] = bodyOf({ kind: 'reminder', count: 1 }, SEEN).evidence ?? [];
    expect(line?.reply).toBe('250 <script>\\x0d\\x0aBcc: \\x00\\x202e ok');
  });

  test('holds five envelopes, and of what a server said 500 characters', () => {
    const long = { leg: '192.0.2.1:25', from: 'f'.repeat(900), to: 't'.repeat(900), reply: '\0'.repeat(900) };
    const body = bodyOf({ kind: 'reminder', count: 1 }, { ...SEEN, evidence: Array.from({ length: 9 }, () => long) });
    expect(webhookBody.parse(body).evidence).toHaveLength(5);
    expect(body.evidence?.[0]).toMatchObject({ mailFrom: 'f'.repeat(500), rcptTo: 't'.repeat(500), reply: '\\x00'.repeat(500) });
  });

  test('names the hole with what closes it on that server', () => {
    const hole = { cause: 'claimed-sender', name: 'example.org', where: 'on-port', port: 587, others: 1 } as const;
    const body = bodyOf({ kind: 'reminder', count: 1 }, { ...SEEN, hole, software: { mta: 'mailenable', from: 'greeting' } });
    expect(webhookBody.parse(body).hole).toMatchObject({
      cause: 'claimed-sender',
      name: 'example.org',
      where: 'on-port',
      port: 587,
      otherWays: 1,
      sentence: 'It accepts mail to anywhere from whoever claims a sender at example.org, and in one other way, but only on port 587.',
      remedies: expect.arrayContaining(['SMTP properties, Relay: untick "Allow relay for local sender addresses".']),
    });
    expect(bodyOf({ kind: 'reminder', count: 1 }, SEEN).hole).toBeUndefined();
  });

  test('leads to the host, its history and the scan in the API', () => {
    const { host, links } = bodyOf({ kind: 'reminder', count: 1 }, SEEN);
    const under = `https://audit.example/v1/hosts/${host.id}`;
    expect(links).toEqual({ host: under, history: `${under}/scans`, scan: `${under}/scans/${SEEN.scanId}` });
    expect(bodyOf({ kind: 'reminder', count: 1 }).links.scan).toBeUndefined();
  });
});
