import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host, HostSettings, HostState } from '../../shared/domain/host.ts';
import { type HostNotice, type MailNotice, noticesOf } from '../../shared/domain/notice.ts';
import { dueIds, hostNotice, mailsAmong } from '../support/notices.ts';
import { createSampleAccount, NOON, registerSample, sampleHost, sampleScan } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const RETENTION = 400 * DAY;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, RETENTION);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());

const reread = async ({ accountId, id }: Host) => (await table.store.findHost(accountId, id)) ?? expect.fail('the host is gone');

/** Stores a scan that makes this of a host, with what its owner is told, without a change. */
async function tell(host: Host, state: Partial<HostState> = {}): Promise<HostNotice[]> {
  const next = { ...host.state, ...state, version: host.state.version + 1 };
  const notices = noticesOf(host, next, { kind: 'reminder', count: next.version }, now);
  const scan = sampleScan(host, `20260601T12${String(next.version).padStart(4, '0')}Z-scheduled`, NOON + next.version);
  expect(await table.store.storeResult({ host, scan, effect: { kind: 'unchanged', state: next }, notices, wasOwed: false })).toBe('stored');
  return notices;
}

async function registered(settings: Partial<HostSettings> = {}): Promise<Host> {
  const host = sampleHost(settings);
  await registerSample(table.store, host, { accountId: host.accountId, hostId: host.id, scanId: 'first', dueAt: now, tries: 0 });
  return host;
}

async function owed(settings: Partial<HostSettings> = {}): Promise<{ host: Host; notice: MailNotice }> {
  const host = await registered(settings);
  return { host, notice: mailsAmong(await tell(host))[0] ?? expect.fail('no notice') };
}

describe('what is told without a change', () => {
  test('is stored with its scan and its host, all of it or nothing', async () => {
    const host = await registered();
    const state = { ...host.state, version: 1 };
    const notices = noticesOf(host, state, { kind: 'reminder', count: 1 }, now);
    const scan = sampleScan(host, '20260601T120000Z-scheduled', NOON);
    const stale = { ...host, state: { ...host.state, version: 9 } };
    const result = { scan, effect: { kind: 'unchanged', state }, notices, wasOwed: false } as const;
    expect(await table.store.storeResult({ ...result, host: stale })).toBe('conflict');
    expect(await table.store.findScan(host.id, scan.id)).toBeUndefined();
    expect(await table.store.findNotice(notices[0]?.id ?? '')).toBeUndefined();
    expect(await table.store.storeResult({ ...result, host })).toBe('stored');
    expect(await table.store.findNotice(notices[0]?.id ?? '')).toEqual({ notice: notices[0], tries: 0, dueAt: now });
  });
});

describe('a notice', () => {
  test('is settled once, whoever comes first', async () => {
    const { notice } = await owed();
    await table.store.claimNotice(notice.id, now, now + MINUTE);
    const settled = await Promise.all(
      Array.from({ length: 5 }, (_, index) => table.store.settleNotice(notice.id, { outcome: 'sent', messageId: `message-${index}` }, now)),
    );
    expect(settled.filter(Boolean)).toHaveLength(1);
    expect(await table.store.settleNotice(notice.id, { outcome: 'withheld', why: 'late' }, now)).toBe(false);
    expect(await table.store.findNotice(notice.id)).toMatchObject({ outcome: 'sent', settledAt: now });
  });

  test('that was never owed is not settled, and not made', async () => {
    const never = { ...hostNotice({ kind: 'reminder', count: 1 }, 'open'), id: `${'e'.repeat(20)}-0000000001-0` };
    const { id } = never;
    expect(await table.store.settleNotice(id, { outcome: 'sent' }, now)).toBe(false);
    await table.store.noteDelivery(id, 'delivered');
    await table.store.releaseNotice(id, now, 'why');
    expect(await table.store.repeatNotice(never, now)).toBe(false);
    expect(await table.store.findNotice(id)).toBeUndefined();
  });

  test.each([
    [['delivered'], 'delivered'],
    [['bounced', 'delivered'], 'bounced'],
    [['delivered', 'bounced', 'complained', 'bounced', 'delivered', 'rejected'], 'complained'],
    [['rejected', 'delivered'], 'rejected'],
  ] as const)('after %j is known to be %s', async (news, outcome) => {
    const { notice } = await owed();
    await table.store.settleNotice(notice.id, { outcome: 'sent' }, now);
    for (const each of news) await table.store.noteDelivery(notice.id, each);
    expect((await table.store.findNotice(notice.id))?.outcome).toBe(outcome);
  });

  test('that is still owed has no news of its delivery', async () => {
    const { notice } = await owed();
    await table.store.noteDelivery(notice.id, 'delivered');
    expect((await table.store.findNotice(notice.id))?.outcome).toBeUndefined();
  });

  test('given back keeps what was said against it, and is claimed by its own id as it is due', async () => {
    const { notice } = await owed();
    await table.store.claimNotice(notice.id, now, now + 5 * MINUTE);
    await table.store.releaseNotice(notice.id, now + MINUTE, 'throttled');
    expect(await table.store.findNotice(notice.id)).toMatchObject({ why: 'throttled', tries: 1, dueAt: now + MINUTE });
    const due = await dueIds(table.store, now + MINUTE, 500);
    expect(due).toContain(notice.id);
    expect(await table.store.claimNotice(notice.id, now + MINUTE, now + 2 * MINUTE)).toEqual({ notice, tries: 2 });
  });

  test('that was claimed and not tried has had no try more', async () => {
    const { notice } = await owed();
    for (let claims = 0; claims < 3; claims++) {
      await table.store.claimNotice(notice.id, now, now + MINUTE);
      await table.store.releaseNotice(notice.id, now, 'too many calls', false);
    }
    expect(await table.store.claimNotice(notice.id, now, now + MINUTE)).toEqual({ notice, tries: 1 });
    await table.store.settleNotice(notice.id, { outcome: 'given-up' }, now);
  });

  test('is repeated from the first try once it is settled, and not before', async () => {
    const { notice } = await owed();
    expect(await table.store.repeatNotice(notice, now)).toBe(false);
    await table.store.claimNotice(notice.id, now, now + MINUTE);
    await table.store.settleNotice(notice.id, { outcome: 'given-up', why: 'it answered 500' }, now);
    expect(await table.store.repeatNotice(notice, now + DAY)).toBe(true);
    expect(await table.store.findNotice(notice.id)).toEqual({ notice, tries: 0, dueAt: now + DAY });
    expect(await dueIds(table.store, now + DAY, 500)).toContain(notice.id);
  });
});

test('webhooks that nobody answers hold up no mail', async () => {
  for (let each = 0; each < 3; each++) {
    const { host, notice } = await owed({ webhook: 'https://hooks.example.org/' });
    await table.store.settleNotice(notice.id, { outcome: 'sent' }, now);
    expect(await dueIds(table.store, now, 500)).toContain(`${host.id}-0000000001-webhook`);
  }
  const older = await dueIds(table.store, now, 500);
  const late = await registered();
  now += MINUTE;
  const [mail] = await tell(late);
  const mails = older.filter((id) => !id.endsWith('webhook')).length;
  expect(await dueIds(table.store, now, mails + 1)).toContain(mail?.id);
});

describe('the notices of a host', () => {
  test('are listed newest first, page by page, without those of others or those that have expired', async () => {
    const { host, notice: first } = await owed();
    await owed();
    const [second] = await tell(await reread(host));
    const [third] = await tell(await reread(host));
    await table.store.settleNotice(first.id, { outcome: 'sent' }, now);
    const page = await table.store.listNotices(host.id, 2);
    expect(page.items.map(({ notice }) => notice.id)).toEqual([third?.id, second?.id]);
    expect((await table.store.listNotices(host.id, 2, page.next)).items.map(({ notice }) => notice.id)).toEqual([first.id]);
    now += RETENTION + MINUTE;
    expect((await table.store.listNotices(host.id, 50)).items).toHaveLength(2);
    now -= RETENTION + MINUTE;
  });

  test('go with it', async () => {
    const { host, notice } = await owed();
    await table.store.removeHost(await reread(host));
    while (!(await table.store.eraseSome(host.id, 50)));
    expect(await table.store.findNotice(notice.id)).toBeUndefined();
  });
});

describe('alerts of several hosts', () => {
  const wish = (recipient: string, hostId: string, at = now) => ({
    accountId: 'account1',
    recipient,
    hostId,
    now: at,
    until: at + 10 * MINUTE,
  });

  test('have one window for a reader, which the first of many opens, and which is free again when it has ended', async () => {
    const windows = await Promise.all(
      Array.from({ length: 10 }, (_, index) => table.store.openAlertWindow(wish('window@example.org', `host${index}`))),
    );
    const [first] = windows;
    for (const window of windows) expect(window).toEqual(first);
    expect(await table.store.openAlertWindow(wish('WINDOW@example.org', 'other', now + 10 * MINUTE - 1))).toEqual(first);
    expect(await table.store.openAlertWindow(wish('window@example.org', 'other', now + 10 * MINUTE))).toMatchObject({ hostId: 'other' });
    expect(await table.store.openAlertWindow(wish('another@example.org', 'other'))).toMatchObject({ hostId: 'other' });
  });

  test('are gathered, each once, none lost when they come at the same moment', async () => {
    const groupId = 'account1-group-1-a';
    const notices = await Promise.all(Array.from({ length: 8 }, async () => (await owed()).notice));
    const joined = await Promise.all(
      notices.flatMap((notice) => [notice, notice]).map((notice) => table.store.joinGroup(notice, groupId, now + MINUTE, now)),
    );
    expect(joined.filter(Boolean)).toHaveLength(8);
    const claim = await table.store.claimNotice(groupId, now + MINUTE, now + 2 * MINUTE);
    if (claim?.notice.about !== 'hosts') return expect.fail('not a group');
    expect(claim.notice.hosts.map(({ hostId }) => hostId).toSorted()).toEqual(notices.map(({ hostId }) => hostId).toSorted());
    for (const { id } of notices) expect(await table.store.findNotice(id)).toMatchObject({ outcome: 'grouped', why: groupId });
  });

  test('join no group that is being sent, and stay owed', async () => {
    const groupId = 'account1-group-2-a';
    const [first, late] = [(await owed()).notice, (await owed()).notice];
    expect(await table.store.joinGroup(first, groupId, now, now)).toBe(true);
    await table.store.claimNotice(groupId, now, now + MINUTE);
    expect(await table.store.joinGroup(late, groupId, now, now)).toBe(false);
    expect((await table.store.findNotice(late.id))?.outcome).toBeUndefined();
  });

  test('that are settled already join none', async () => {
    const { notice } = await owed();
    await table.store.settleNotice(notice.id, { outcome: 'sent' }, now);
    expect(await table.store.joinGroup(notice, 'account1-group-3-a', now, now)).toBe(false);
    expect(await table.store.findNotice('account1-group-3-a')).toBeUndefined();
  });
});

describe('a digest', () => {
  const FLAPPING = { toldAt: NOON, owedAt: NOON + DAY, changes: 1 };

  async function flapping() {
    const host = await registered();
    await tell(host, { flapping: FLAPPING });
    return reread(host);
  }
  const isDue = async ({ id }: Host, at: number) => (await table.store.dueDigests(at, 500)).some(({ hostId }) => hostId === id);

  test('is owed from the transaction that decided it, and due at its time', async () => {
    const host = await flapping();
    expect(await isDue(host, NOON + DAY - 1)).toBe(false);
    expect(await table.store.dueDigests(NOON + DAY, 500)).toContainEqual({ accountId: host.accountId, hostId: host.id });
  });

  test('is not put off by further changes that it will tell', async () => {
    const host = await flapping();
    await tell(host, { flapping: { ...FLAPPING, changes: 2 } });
    expect(await isDue(host, NOON + DAY)).toBe(true);
  });

  test('is stored with its notices unless the host was written since, and is owed no more', async () => {
    const host = await flapping();
    const state = { ...host.state, version: host.state.version + 1, flapping: { toldAt: NOON + DAY, changes: 0 } };
    const notices = noticesOf(host, state, { kind: 'digest', changes: 1, from: NOON }, NOON + DAY);
    const stale = { ...host, state: { ...host.state, version: 77 } };
    expect(await table.store.storeDigest({ host: stale, state, notices })).toBe('conflict');
    expect([await isDue(host, NOON + DAY), await table.store.findNotice(notices[0]?.id ?? '')]).toEqual([true, undefined]);
    expect(await table.store.storeDigest({ host, state, notices })).toBe('stored');
    expect(await isDue(host, NOON + 9 * DAY)).toBe(false);
    expect((await table.store.findNotice(notices[0]?.id ?? ''))?.notice).toEqual(notices[0]);
    expect((await reread(host)).state.flapping).toEqual(state.flapping);
  });

  test('that is due is dropped, one that is owed for later is not', async () => {
    const host = await flapping();
    await table.store.dropDigest(host.id, NOON + DAY - 1);
    expect(await isDue(host, NOON + DAY)).toBe(true);
    await table.store.dropDigest(host.id, NOON + DAY);
    expect(await isDue(host, NOON + DAY)).toBe(false);
  });
});

test('what is told beside a scan is stored with its notices unless the host was written since, and leaves a digest owed', async () => {
  const host = await registered();
  await tell(host, { flapping: { toldAt: NOON, owedAt: NOON + DAY, changes: 1 } });
  const read = await reread(host);
  const state = { ...read.state, version: read.state.version + 1, silence: { scans: 0, since: NOON, told: true } };
  const occasion = { kind: 'dns-trouble', since: NOON, failure: { type: 'A', name: 'mail.example.org', said: 'SERVFAIL' } } as const;
  const notices = noticesOf(read, state, occasion, NOON + DAY);
  expect(await table.store.storeTold({ host, state, notices })).toBe('conflict');
  expect(await table.store.findNotice(notices[0]?.id ?? '')).toBeUndefined();
  expect(await table.store.storeTold({ host: read, state, notices })).toBe('stored');
  expect((await table.store.findNotice(notices[0]?.id ?? ''))?.notice).toEqual(notices[0]);
  expect((await reread(host)).state.silence).toEqual(state.silence);
  expect(await table.store.dueDigests(NOON + DAY, 500)).toContainEqual({ accountId: host.accountId, hostId: host.id });
});

describe('mail to an address is stopped', () => {
  const why = async (accountId: string, ...emails: string[]) => (await table.store.mailStops(accountId, emails)).map((stop) => stop.why);

  test('for every account when it bounced or complained, for one when its reader unsubscribed', async () => {
    await table.store.stopMail('bounced@example.org', 'bounced', now);
    await table.store.stopMail('complained@example.org', 'complained', now);
    await table.store.unsubscribe('account1', 'tired@example.org', now);
    const all = ['bounced@example.org', 'complained@example.org', 'tired@example.org', 'fine@example.org'];
    expect(await table.store.mailStops('account1', all)).toEqual([
      { email: 'bounced@example.org', why: 'bounced' },
      { email: 'complained@example.org', why: 'complained' },
      { email: 'tired@example.org', why: 'unsubscribed' },
    ]);
    expect(await why('account2', ...all)).toEqual(['bounced', 'complained']);
  });

  test('in whatever case it is written, named once or often', async () => {
    await table.store.stopMail('Mixed@Example.org', 'bounced', now);
    expect(await table.store.mailStops('account1', ['mixed@example.org', 'MIXED@EXAMPLE.ORG'])).toEqual([
      { email: 'mixed@example.org', why: 'bounced' },
      { email: 'MIXED@EXAMPLE.ORG', why: 'bounced' },
    ]);
    expect(await why('account1')).toEqual([]);
  });

  test('by the gravest of what stands against it', async () => {
    const email = 'all@example.org';
    await table.store.unsubscribe('account1', email, now);
    expect(await why('account1', email)).toEqual(['unsubscribed']);
    await table.store.stopMail(email, 'bounced', now);
    expect(await why('account1', email)).toEqual(['bounced']);
    await table.store.stopMail(email, 'complained', now);
    expect(await why('account1', email)).toEqual(['complained']);
  });

  test('until the reader who unsubscribed confirms again; a bounce is not undone by that', async () => {
    const email = 'back@example.org';
    await table.store.unsubscribe('account1', email, now);
    await table.store.confirmRecipient('account1', email, now);
    expect(await why('account1', email)).toEqual([]);
    await table.store.stopMail(email, 'bounced', now);
    await table.store.confirmRecipient('account1', email, now);
    expect(await why('account1', email)).toEqual(['bounced']);
  });

  test('for one account when a mail of it was called spam', async () => {
    const email = 'spammed@example.org';
    await table.store.stopMail(email, 'complained', now, { accountId: 'account1' });
    expect(await why('account1', email)).toEqual(['complained']);
    expect(await why('account2', email)).toEqual([]);
  });

  test('where strangers may have caused it, when such a mail was called spam; what its reader asks for goes on', async () => {
    const email = 'bothered@example.org';
    await table.store.stopMail(email, 'complained', now, 'unasked');
    expect(await table.store.mailStops(undefined, [email])).toEqual([{ email, why: 'complained' }]);
    expect(await table.store.mailStops(undefined, [email], true)).toEqual([]);
    expect(await why('account1', email)).toEqual([]);
  });

  test('but nothing is kept for an account that is gone', async () => {
    await table.store.unsubscribe('gone', 'reader@example.org', now);
    await table.store.stopMail('reader@example.org', 'complained', now, { accountId: 'gone' });
    expect(await why('gone', 'reader@example.org')).toEqual([]);
  });
});
