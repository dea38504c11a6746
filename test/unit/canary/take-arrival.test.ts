import type { SESMessage } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mailParts } from '../../../functions/canary/mail-parts.ts';
import { takeArrival } from '../../../functions/canary/take-arrival.ts';
import type { Canary } from '../../../shared/domain/canary.ts';
import { effectOf } from '../../../shared/domain/change.ts';
import type { Host } from '../../../shared/domain/host.ts';
import { noticesOf } from '../../../shared/domain/notice.ts';
import { type Scan, scanId } from '../../../shared/domain/scan.ts';
import { raiseScan } from '../../../shared/outcomes/raise-scan.ts';
import { mintCanaryToken, readCanaryToken } from '../../../shared/runtime/canary-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import {
  CLOSED,
  createSampleAccount,
  NOON,
  registerSample,
  SUSPECTED,
  sampleCanary,
  sampleHost,
  sampleLeg,
  sampleScan,
} from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { BOUNCES, OTHERS } from './bounces.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SECRETS = secretsFrom('a secret of this deployment, long enough');
let now = NOON;
let table: TestTable;
const woken: string[] = [];
const mails = new Map<string, string>();

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
  woken.length = 0;
  mails.clear();
});

const services = () => ({
  store: table.store,
  readToken: (text: string) => readCanaryToken(SECRETS, text),
  readMail: async (messageId: string) => mails.get(messageId),
  wakeNotices: async (ids: readonly string[]) => void woken.push(...ids),
  clock: () => now,
  log: { info: () => {}, error: () => {} },
});

/** A host, a suspected scan of it that is not stored yet, and the canary that it sent. */
async function sent(startedAt = NOON): Promise<{ host: Host; scan: Scan; canary: Canary; token: string }> {
  const host = sampleHost();
  const id = scanId(startedAt, 'scheduled');
  await registerSample(table.store, host, {
    accountId: host.accountId,
    hostId: host.id,
    scanId: scanId(startedAt, 'first'),
    dueAt: now,
    tries: 0,
  });
  const { id: canaryId, token } = mintCanaryToken(SECRETS);
  const canary = sampleCanary({ hostId: host.id, id, startedAt }, canaryId);
  await table.store.expectCanary(canary);
  const evidence = await table.store.keepEvidence(host, [sampleLeg('accepted')]);
  return { host, scan: { ...sampleScan(host, id, startedAt, SUSPECTED), evidence, canaries: [canaryId] }, canary, token };
}

async function store(host: Host, scan: Scan): Promise<void> {
  const current = await reread(host);
  const effect = effectOf(current, scan, { confirmDelayMs: 5 * MINUTE });
  const notices =
    effect.kind === 'late' || effect.occasion === undefined ? [] : noticesOf(current, effect.state, effect.occasion, scan.finishedAt);
  expect(await table.store.storeResult({ host: current, scan, effect, notices, wasOwed: false })).toBe('stored');
}

const reread = async (host: Host) => (await table.store.findHost(host.accountId, host.id)) ?? expect.fail('the host is gone');
const verdictOf = async ({ hostId, id }: Scan) => (await table.store.findScan(hostId, id))?.judgement.verdict;
const changesOf = async (host: Host) => (await table.store.listChanges(host.id, 50)).items.map(({ from, to }) => `${from} ${to}`);

/** The mail as SES hands it over. */
function mail(token: string, recipient: string, headers: readonly (readonly [string, string])[] = []): SESMessage {
  const all = [
    ['Received', 'from mail.example.org (mail.example.org [192.0.2.9]) by inbound-smtp.eu-central-1.amazonaws.com with SMTP id x'],
    ['Received', 'from probe.example (probe.example [198.51.100.1]) by mail.example.org (Postfix) with ESMTP id y'],
    ['Relay-Audit-Token', token],
    ['Auto-Submitted', 'auto-generated'],
    ['Content-Type', 'text/plain; charset=us-ascii'],
    ...headers,
  ].filter(([, value]) => value !== '');
  return {
    mail: {
      timestamp: new Date(now).toISOString(),
      source: 'relay-audit@probe.example',
      messageId: 'message-1',
      destination: [recipient],
      headersTruncated: false,
      headers: all.map(([name = '', value = '']) => ({ name, value })),
      commonHeaders: { returnPath: '', date: '', messageId: '' },
    },
    receipt: { recipients: [recipient] } as unknown as SESMessage['receipt'],
  };
}

describe('a canary that comes back', () => {
  test('after its scan was stored opens the host at once, with one notice woken', async () => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    now += MINUTE;
    expect(await takeArrival(mail(token, canary.recipient), services())).toEqual({ kind: 'raised' });
    expect(await verdictOf(scan)).toBe('open');
    const { state } = await reread(host);
    expect(state).toMatchObject({ relay: 'open', recent: 'o', last: { verdict: 'open' } });
    expect(state.pending).toBeUndefined();
    expect(await changesOf(host)).toEqual(['unknown open']);
    expect(woken).toEqual([`${host.id}-0000000002-0`]);
    expect(await table.store.claimNotice(woken[0] ?? '', now, now + 1)).toMatchObject({
      notice: {
        occasion: { kind: 'change', from: 'unknown', to: 'open' },
        seen: {
          arrival: { leg: '192.0.2.1:25', sentAt: canary.sentAt, path: [{ address: '192.0.2.9' }, { address: '198.51.100.1' }] },
          evidence: [{ leg: '192.0.2.1:25', to: '<b@canary.example>' }],
        },
      },
    });
  });

  test('before its scan was stored waits for whoever stores it, and opens the host then', async () => {
    const { host, scan, canary, token } = await sent();
    expect(await takeArrival(mail(token, canary.recipient), services())).toEqual({ kind: 'waiting' });
    expect((await reread(host)).state.relay).toBe('unknown');
    await store(host, scan);
    const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
    const raised = await raiseScan(services(), ref, await table.store.readReturns(ref, scan.canaries ?? []));
    expect(raised?.judgement).toMatchObject({ verdict: 'open', reason: 'canary-arrived', planned: 19 });
    expect((await reread(host)).state.relay).toBe('open');
    expect(woken).toHaveLength(1);
  });

  test('from nobody, though it was not sent so, is a bounce that quotes our headers', async () => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    const bounced = mail(token, canary.recipient);
    expect(await takeArrival({ ...bounced, mail: { ...bounced.mail, source: '' } }, services())).toEqual({
      kind: 'ignored',
      why: 'a bounce',
    });
    expect(await verdictOf(scan)).toBe('suspected');
  });

  test('again, by a replay or a second delivery, changes nothing more', async () => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    await takeArrival(mail(token, canary.recipient), services());
    const { state } = await reread(host);
    now += MINUTE;
    expect(await takeArrival(mail(token, canary.recipient), services())).toEqual({ kind: 'raised' });
    expect((await reread(host)).state).toEqual(state);
    expect((await table.store.findScan(host.id, scan.id))?.arrivals).toHaveLength(1);
    expect(await changesOf(host)).toEqual(['unknown open']);
    expect(woken).toHaveLength(1);
  });

  test('of a scan from before the last confirmed closure is noted beside that scan and says nothing of the host', async () => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    for (const minutes of [10, 20, 30]) {
      const at = NOON + minutes * MINUTE;
      await store(host, sampleScan(host, scanId(at, 'confirming'), at, minutes === 10 ? SUSPECTED : CLOSED));
    }
    expect(await changesOf(host)).toEqual(['suspected closed', 'unknown suspected']);
    const { state } = await reread(host);
    now = NOON + 40 * MINUTE;
    await takeArrival(mail(token, canary.recipient), services());
    expect((await reread(host)).state).toEqual(state);
    expect(await table.store.findScan(host.id, scan.id)).toMatchObject({
      judgement: { verdict: 'suspected' },
      arrivals: [{ canary: canary.id, at: now }],
    });
    expect(woken).toEqual([]);
  });

  test('as two canaries of one scan at once is two arrivals and one change', async () => {
    const { host, scan, canary, token } = await sent();
    const other = mintCanaryToken(SECRETS);
    await table.store.expectCanary({ ...canary, id: other.id, test: 'test-2', leg: '192.0.2.1:25/starttls' });
    await store(host, scan);
    await Promise.all([token, other.token].map((each) => takeArrival(mail(each, canary.recipient), services())));
    const stored = await table.store.findScan(host.id, scan.id);
    expect(stored?.arrivals).toHaveLength(2);
    expect(stored?.openLegs.toSorted()).toEqual(['192.0.2.1:25', '192.0.2.1:25/starttls']);
    expect(await changesOf(host)).toEqual(['unknown open']);
  });

  test('in a crowd, as every canary of a large scan at once, is recorded like the others', async () => {
    const { host, scan, canary } = await sent();
    await store(host, scan);
    const tokens = Array.from({ length: 20 }, () => mintCanaryToken(SECRETS));
    for (const { id } of tokens) await table.store.expectCanary({ ...canary, id });
    await Promise.all(tokens.map(({ token: each }) => takeArrival(mail(each, canary.recipient), services())));
    expect((await table.store.findScan(host.id, scan.id))?.arrivals).toHaveLength(20);
    expect(await changesOf(host)).toEqual(['unknown open']);
    expect(woken).toHaveLength(1);
  });

  test('of a host that was removed is no trouble', async () => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    await table.store.removeHost(await reread(host));
    expect(await takeArrival(mail(token, canary.recipient), services())).toEqual({ kind: 'waiting' });
  });
});

describe('a message that is let through to another recipient', () => {
  const MAILBOXES = { prefix: 'relay-audit-12345678-', domain: 'canary.example' };

  async function sentTo(recipients: readonly string[], about: Partial<Canary> = {}) {
    const { host, scan, canary } = await sent();
    const { id, token } = mintCanaryToken(SECRETS);
    await table.store.expectCanary({
      ...canary,
      id,
      recipient: 'relay-audit-12345678-plain@canary.example',
      mailboxes: MAILBOXES,
      ...about,
    });
    await store(host, scan);
    const { receipt, ...rest } = mail(token, '');
    return takeArrival({ ...rest, receipt: { ...receipt, recipients: [...recipients] } }, services());
  }

  test.each(['relay-audit-12345678-percent-server@canary.example', 'relay-audit-12345678-tail@example.org.Canary.Example'])(
    'of the same host proves that it relays: %s',
    async (recipient) => {
      expect(await sentTo(['else@canary.example', recipient])).toEqual({ kind: 'raised' });
    },
  );

  test.each([
    'canary@canary.example',
    'relay-audit@bounces.canary.example',
    'relay-audit-12345678@canary.example',
    'relay-audit-87654321-plain@canary.example',
    'relay-audit-12345678-plain@canary.example.net',
    'relay-audit-12345678-plain@xcanary.example',
    'relay-audit-12345678-plain',
  ])('proves nothing when that is no recipient of this host’s, as in the answer of a person: %s', async (recipient) => {
    expect(await sentTo([recipient])).toEqual({ kind: 'ignored', why: 'another recipient' });
  });

  test('proves nothing when it is not known which those are', async () => {
    const about = { mailboxes: undefined };
    expect(await sentTo(['relay-audit-12345678-bang@canary.example'], about)).toEqual({ kind: 'ignored', why: 'another recipient' });
  });
});

describe('a message from nobody', () => {
  test.each([
    ['was sent so, whatever its test is called', { from: '', test: 'plain' }, 'raised'],
    ['was sent by somebody, whatever its test is called', { from: 'a@probe.example', test: 'null-sender' }, 'ignored'],
    ['may have been sent by somebody', { from: undefined, test: 'null-sender' }, 'ignored'],
  ] as const)('is an arrival only when it %s', async (_, about, kind) => {
    const { host, scan, canary } = await sent();
    const { id, token } = mintCanaryToken(SECRETS);
    await table.store.expectCanary({ ...canary, id, ...about });
    await store(host, scan);
    const arriving = mail(token, canary.recipient);
    expect(await takeArrival({ ...arriving, mail: { ...arriving.mail, source: '' } }, services())).toMatchObject({ kind });
  });
});

describe('a bounce', () => {
  const SENDER = 'relay-audit@bounces.canary.example';
  const BOUNCE = BOUNCES['Postfix: a report with the whole message'] ?? (() => '');

  /** The event of a mail whose body holds the bounce, with the headers that SES hands over. */
  function bounced(raw: string, to = SENDER, source = ''): SESMessage {
    mails.set('message-1', raw);
    const { mail: about, receipt } = mail('', to);
    const headers = mailParts(raw).headers.map(({ name, value }) => ({ name, value }));
    return { mail: { ...about, source, headers }, receipt };
  }

  async function sentBy(from: string | undefined = SENDER) {
    const { host, scan, canary } = await sent();
    const { id, token } = mintCanaryToken(SECRETS);
    const mine = { ...canary, id, from };
    await table.store.expectCanary(mine);
    const ref = { accountId: host.accountId, hostId: host.id, scanId: scan.id };
    return { host, scan: { ...scan, canaries: [id] }, canary: mine, token, ref };
  }

  test.each(Object.entries(BOUNCES))('is noted in the scan that sent the message, and turns nothing. %s', async (_, write) => {
    const { host, scan, canary, token } = await sentBy();
    await store(host, scan);
    const { state } = await reread(host);
    now += MINUTE;
    expect(await takeArrival(bounced(write(token)), services())).toEqual({ kind: 'bounced' });
    const stored = await table.store.findScan(host.id, scan.id);
    const { leg, test: sentAs, sentAt } = canary;
    const by = expect.stringContaining('example.org');
    expect(stored).toEqual({ ...scan, bounces: [{ canary: canary.id, leg, test: sentAs, sentAt, at: now, by }] });
    expect((await reread(host)).state).toEqual(state);
    expect(woken).toEqual([]);
  });

  test('before its scan was stored waits for whoever stores it', async () => {
    const { host, scan, token, ref } = await sentBy();
    expect(await takeArrival(bounced(BOUNCE(token)), services())).toEqual({ kind: 'waiting' });
    await store(host, scan);
    await raiseScan(services(), ref, await table.store.readReturns(ref, scan.canaries));
    expect((await table.store.findScan(host.id, scan.id))?.bounces).toHaveLength(1);
  });

  test('again changes nothing, and takes nothing from a message that comes through after all', async () => {
    const { host, scan, canary, token } = await sentBy();
    await store(host, scan);
    await takeArrival(bounced(BOUNCE(token)), services());
    now += MINUTE;
    await takeArrival(bounced(BOUNCE(token)), services());
    expect(await takeArrival(mail(token, canary.recipient), services())).toEqual({ kind: 'raised' });
    const stored = await table.store.findScan(host.id, scan.id);
    expect(stored).toMatchObject({ judgement: { verdict: 'open' }, arrivals: [{ at: now }], bounces: [{ at: now - MINUTE }] });
  });

  test('of a message that was sent from its own recipient comes back there', async () => {
    const own = 'relay-audit-12345678-own-recipient@canary.example';
    const { host, scan, token } = await sentBy(own);
    await store(host, scan);
    expect(await takeArrival(bounced(BOUNCE(token), own), services())).toEqual({ kind: 'bounced' });
  });

  test.each(Object.entries(OTHERS))('is not %s', async (_, write) => {
    const { host, scan, token } = await sentBy();
    await store(host, scan);
    expect(await takeArrival(bounced(write(token)), services())).toMatchObject({ kind: 'ignored' });
    expect(await table.store.findScan(host.id, scan.id)).toEqual(scan);
  });

  test.each([
    ['that comes from somebody', SENDER, SENDER, 'a@example.org'],
    ['that does not come to the sender of the message', SENDER, 'canary@canary.example', ''],
    ['of a message whose sender was another’s', 'relay-audit@example.org', SENDER, ''],
    ['of a message that was sent from nobody', '', SENDER, ''],
  ])('proves nothing %s', async (_, from, to, source) => {
    const { host, scan, token } = await sentBy(from);
    await store(host, scan);
    expect(await takeArrival(bounced(BOUNCE(token), to, source), services())).toMatchObject({ kind: 'ignored' });
    expect(await table.store.findScan(host.id, scan.id)).toEqual(scan);
  });

  test('that quotes a token which was made up costs no read of the table, and one whose mail is gone proves nothing', async () => {
    const { token } = await sentBy();
    const forged = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
    table.meter.reset();
    expect(await takeArrival(bounced(BOUNCE(forged)), services())).toMatchObject({ kind: 'ignored' });
    expect(table.meter.requests).toBe(0);
    const gone = bounced(BOUNCE(token));
    mails.clear();
    expect(await takeArrival(gone, services())).toMatchObject({ kind: 'ignored' });
  });

  test('is looked up, and no arrival and no mail from somebody is', async () => {
    const { host, scan, canary, token } = await sentBy();
    await store(host, scan);
    const readMail = async () => expect.fail('a mail was looked up');
    expect(await takeArrival(mail(token, canary.recipient), { ...services(), readMail })).toEqual({ kind: 'raised' });
    expect(await takeArrival(mail('', canary.recipient), { ...services(), readMail })).toMatchObject({ why: 'no token' });
    await expect(takeArrival(bounced(BOUNCE(token)), { ...services(), readMail })).rejects.toThrow('looked up');
  });
});

describe('what proves nothing', () => {
  test('a token that was made up costs no read', async () => {
    const { canary, token } = await sent();
    table.meter.reset();
    const forged = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
    expect(await takeArrival(mail(forged, canary.recipient), services())).toEqual({ kind: 'ignored', why: 'a forged token' });
    expect(table.meter.requests).toBe(0);
  });

  test.each([
    ['a report that a mail could not be delivered', ['Content-Type', 'Multipart/Report; report-type=delivery-status; boundary=x']],
    ['an automatic answer', ['Auto-Submitted', 'auto-replied (vacation)']],
  ] as const)('%s, though it carries our token', async (_, header) => {
    const { host, scan, canary, token } = await sent();
    await store(host, scan);
    expect(await takeArrival(mail(token, canary.recipient, [header]), services())).toEqual({ kind: 'ignored', why: 'a bounce' });
    expect(await table.store.readReturns({ accountId: host.accountId, hostId: host.id, scanId: scan.id }, [canary.id])).toEqual({
      arrivals: [],
      bounces: [],
    });
    expect(await verdictOf(scan)).toBe('suspected');
  });

  test('a mail without our own header, or with two of them', async () => {
    const { canary, token } = await sent();
    expect(await takeArrival(mail('', canary.recipient, [['Subject', token]]), services())).toMatchObject({ why: 'no token' });
    const twice = mail(token, canary.recipient, [['relay-audit-token', token]]);
    expect(await takeArrival(twice, services())).toMatchObject({ why: 'no token' });
  });

  test.each(['other@canary.example', 'b@canary.example.net', 'xb@canary.example', ''])('another recipient: %j', async (recipient) => {
    const { host, scan, token } = await sent();
    await store(host, scan);
    expect(await takeArrival(mail(token, recipient), services())).toEqual({ kind: 'ignored', why: 'another recipient' });
    expect(await verdictOf(scan)).toBe('suspected');
  });

  test('a canary that nobody sent, or that was sent more than seven days ago', async () => {
    const { canary, token } = await sent();
    expect(await takeArrival(mail(mintCanaryToken(SECRETS).token, canary.recipient), services())).toMatchObject({
      why: 'an unknown canary',
    });
    now = canary.sentAt + 7 * DAY;
    expect(await takeArrival(mail(token, canary.recipient), services())).toMatchObject({ why: 'an unknown canary' });
  });
});
