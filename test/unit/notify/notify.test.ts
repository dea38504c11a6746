import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Called, notify, type Services } from '../../../functions/notify/notify.ts';
import { type HostNotice, noticesOf, type Occasion } from '../../../shared/domain/notice.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import type { Handover } from '../../../shared/mail/mailer.ts';
import { dueIds } from '../../support/notices.ts';
import { createSampleAccount, NOON, registerSample, sampleHost, sampleScan } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const MINUTE = 60_000;
const LEASE = 10 * MINUTE;
const CHANGE: Occasion = { kind: 'change', from: 'closed', to: 'suspected' };
let now = NOON;
let table: TestTable;
let mails: { mail: Mail; recipient: string; noticeId?: string | undefined }[];
let handover: Handover | Error;
let called: Called;
let calls: number;
let tookMs: number;
let logged: { level: string; message: string; fields: object }[];

beforeAll(async () => {
  table = await startTable(() => now, 400 * 24 * 60 * MINUTE);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(() => {
  now += 24 * 60 * MINUTE; // windows of other tests are over
  [mails, calls, logged] = [[], 0, []];
  handover = { kind: 'accepted', messageId: 'message-1' };
  called = { kind: 'taken' };
  tookMs = 0;
});

const services = (more: Partial<Services['store']> = {}): Services => ({
  store: { ...table.store, ...more },
  async send(mail, recipient, { notice: noticeId } = {}) {
    if (handover instanceof Error) throw handover;
    if (handover.kind === 'accepted') mails.push({ mail, recipient, noticeId });
    return handover;
  },
  call: async () => {
    calls++;
    now += tookMs;
    return called;
  },
  clock: () => now,
  wait: async (ms) => {
    now += ms;
  },
  log: {
    info: (message, fields = {}) => void logged.push({ level: 'info', message, fields }),
    error: (message, fields = {}) => void logged.push({ level: 'error', message, fields }),
  },
  siteUrl: 'https://audit.example',
  egressAddresses: ['192.0.2.7'],
  unsubscribeUrl: (_account, email) => `https://audit.example/unsubscribe?token=${email.length}`,
  claimLeaseMs: LEASE,
  gatherMs: 10 * MINUTE,
});

/** Owes what a new host owes to these recipients, and to a webhook if it has one. */
async function owe(recipients: string[], more: { name?: string; webhook?: string } = {}, accountId = 'account1'): Promise<HostNotice[]> {
  const host = { ...sampleHost({ alertRecipients: recipients, ...more }), accountId };
  await registerSample(table.store, host, { accountId: host.accountId, hostId: host.id, scanId: 'first', dueAt: now, tries: 0 });
  const state = { ...host.state, version: 1, relay: 'suspected', since: now } as const;
  const scan = sampleScan(host, '20260601T120000Z-scheduled', now);
  const notices = noticesOf(host, state, CHANGE, now);
  expect(await table.store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices, wasOwed: false })).toBe('stored');
  return notices;
}

const run = async (...notices: HostNotice[]) => {
  for (const { id } of notices) await notify(id, services());
};
const remove = async ({ accountId, hostId }: { accountId: string; hostId: string }) =>
  expect(await table.store.removeHost((await table.store.findHost(accountId, hostId)) ?? expect.fail('no host'))).toBe(true);
const outcomeOf = async ({ id }: { id: string }) => (await table.store.findNotice(id))?.outcome;
const said = () => logged.map(({ message }) => message);
const wakeDue = async () => {
  for (const id of await dueIds(table.store, now, 100)) await notify(id, services());
};

describe('a mail', () => {
  test('goes to one recipient each, once, and carries its notice’s id and the reader’s own unsubscribe link', async () => {
    const notices = await owe(['a@example.org', 'bcd@example.org']);
    await run(...notices, ...notices);
    expect(mails.map(({ recipient, noticeId }) => [recipient, noticeId])).toEqual(notices.map(({ recipient, id }) => [recipient, id]));
    expect(mails.map(({ mail }) => mail.unsubscribeUrl)).toEqual(
      [13, 15].map((length) => `https://audit.example/unsubscribe?token=${length}`),
    );
    expect(await Promise.all(notices.map(outcomeOf))).toEqual(['sent', 'sent']);
  });

  test('that may or may not have left is not sent again before the lease is over, nor once an event has settled it', async () => {
    const notices = await owe(['lost@example.org']);
    handover = new Error('the answer was lost');
    await expect(run(...notices)).rejects.toThrow('was lost');
    handover = { kind: 'accepted', messageId: 'again' };
    now += LEASE - 1;
    await wakeDue();
    expect(mails).toEqual([]);
    await table.store.settleNotice(notices[0]?.id ?? '', { outcome: 'sent', messageId: 'from the event' }, now);
    now += 1;
    await wakeDue();
    expect(mails).toEqual([]);
  });

  test('is sent again after the lease when neither mark nor event has come', async () => {
    const notices = await owe(['silent@example.org']);
    handover = new Error('the answer was lost');
    await expect(run(...notices)).rejects.toThrow('was lost');
    handover = { kind: 'accepted', messageId: 'again' };
    now += LEASE;
    await wakeDue();
    expect(mails).toHaveLength(1);
  });

  test('that SES refuses is tried again after a minute, then after twice as long up to an hour, for as long as it takes, and says why', async () => {
    const [notice] = await owe(['refused@example.org']);
    if (notice === undefined) return expect.fail();
    handover = { kind: 'refused', why: 'MessageRejected: not verified' };
    for (let tries = 1; tries <= 30; tries++) {
      await notify(notice.id, services());
      const record = await table.store.findNotice(notice.id);
      const wait = Math.min(2 ** (tries - 1), 60) * MINUTE;
      expect(record).toMatchObject({ tries, why: 'MessageRejected: not verified', dueAt: now + wait });
      now = record?.dueAt ?? expect.fail('it is owed no more');
    }
    expect(logged.filter(({ level }) => level === 'error')).toHaveLength(30);
    handover = { kind: 'accepted', messageId: 'at last' };
    await notify(notice.id, services());
    expect(await outcomeOf(notice)).toBe('sent');
  });

  test.each(['bounced', 'complained'] as const)('is withheld from an address that has %s, and the account can see it', async (why) => {
    await table.store.stopMail(`${why}@example.org`, why, now);
    const [notice] = await owe([`${why}@example.org`]);
    if (notice === undefined) return expect.fail();
    await run(notice);
    expect(mails).toEqual([]);
    expect(await table.store.findNotice(notice.id)).toMatchObject({ outcome: 'withheld', why });
  });

  test('is withheld from a reader who has unsubscribed since it was owed', async () => {
    const notices = await owe(['tired@example.org']);
    await table.store.unsubscribe('account1', 'tired@example.org', now);
    await run(...notices);
    expect(mails).toEqual([]);
  });
});

describe('alerts of several hosts', () => {
  test('the first goes at once; those of further hosts within ten minutes become one mail', async () => {
    const first = await owe(['group@example.org'], { name: 'one.example.org' });
    const further = [
      ...(await owe(['group@example.org'], { name: 'two.example.org' })),
      ...(await owe(['group@example.org'], { name: 'three.example.org' })),
    ];
    await run(...first);
    now += 5 * MINUTE;
    await run(...further);
    expect(mails).toHaveLength(1);
    now += 5 * MINUTE - 1;
    await wakeDue();
    expect(mails).toHaveLength(1);
    now += 1;
    await wakeDue();
    await wakeDue();
    expect(mails).toHaveLength(2);
    for (const name of ['two.example.org', 'three.example.org']) expect(mails[1]?.mail.text).toContain(name);
    expect(await Promise.all([...first, ...further].map(outcomeOf))).toEqual(['sent', 'grouped', 'grouped']);
    expect(said()).toEqual(['mailed', 'gathered', 'gathered', 'mailed']);
  });

  test('another alert of the host that was first is not held up, and one after the ten minutes is a first again', async () => {
    const first = await owe(['again@example.org']);
    await run(...first);
    const same = first.map((notice) => ({ ...notice, id: notice.id.replace(/-\d+-/, '-0000000002-') }));
    const host = sampleHost({ alertRecipients: ['again@example.org'] });
    expect(host.id).not.toBe(first[0]?.hostId);
    const window = await table.store.openAlertWindow({
      accountId: 'account1',
      recipient: 'again@example.org',
      hostId: same[0]?.hostId ?? '',
      now,
      until: now + MINUTE,
    });
    expect(window.hostId).toBe(first[0]?.hostId);
    now += 10 * MINUTE;
    await run(...(await owe(['again@example.org'])));
    expect(mails).toHaveLength(2);
  });

  test('of other readers are not held up by it', async () => {
    await run(...(await owe(['reader-1@example.org'])));
    await run(...(await owe(['reader-2@example.org'])));
    expect(mails.map(({ recipient }) => recipient)).toEqual(['reader-1@example.org', 'reader-2@example.org']);
  });

  test('one that comes when the mail of the others is on its way goes by itself', async () => {
    await run(...(await owe(['late@example.org'])));
    await run(...(await owe(['late@example.org'])));
    const [group] = (await dueIds(table.store, now + 10 * MINUTE, 100)).filter((id) => id.includes('-group-'));
    expect(await table.store.claimNotice(group ?? '', now + 10 * MINUTE, now + 20 * MINUTE)).toBeDefined();
    const late = await owe(['late@example.org']);
    await run(...late);
    expect(await Promise.all(late.map(outcomeOf))).toEqual(['sent']);
    expect(said()).toEqual(['mailed', 'gathered', 'mailed']);
  });
});

describe('a webhook', () => {
  const webhookOf = async () => {
    const notices = await owe(['hook@example.org'], { webhook: 'https://hooks.example.org/' });
    return notices.find(({ channel }) => channel === 'webhook') ?? expect.fail();
  };

  test('is called once when it takes the notice', async () => {
    const notice = await webhookOf();
    await run(notice, notice);
    expect([calls, await outcomeOf(notice)]).toEqual([1, 'sent']);
  });

  test('that takes the notice holds up nothing', async () => {
    const notice = await webhookOf();
    const began = now;
    await run(notice);
    expect(now).toBe(began);
  });

  test('that refuses is called again, 24 times in all, and its notice may be repeated then', async () => {
    const notice = await webhookOf();
    called = { kind: 'refused', why: 'it answered 500' };
    for (let tries = 1; tries <= 30; tries++) {
      await notify(notice.id, services());
      now = (await table.store.findNotice(notice.id))?.dueAt ?? now;
    }
    expect(calls).toBe(24);
    expect(await table.store.findNotice(notice.id)).toMatchObject({ outcome: 'given-up', why: 'it answered 500' });
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
    called = { kind: 'taken' };
    expect(await table.store.repeatNotice(notice, now)).toBe(true);
    await notify(notice.id, services());
    expect(await outcomeOf(notice)).toBe('sent');
  });

  test.each([1, 24])('that refuses tells by no time how long it took to: of try %i', async (tries) => {
    const seen = [];
    for (tookMs of [1, 4_000, 10_030]) {
      const notice = await webhookOf();
      called = { kind: 'refused', why: 'no session' };
      for (let before = 1; before < tries; before++) await table.store.claimNotice(notice.id, now, now);
      const began = now;
      await run(notice);
      const { dueAt = 0, settledAt = 0, why } = (await table.store.findNotice(notice.id)) ?? expect.fail();
      seen.push({ toldAfter: now - began, nextTryAfter: Math.max(0, dueAt - began), settled: settledAt === 0 || settledAt === began, why });
    }
    expect(seen[0]).toEqual({ toldAfter: 11_000, nextTryAfter: tries === 1 ? MINUTE : 0, settled: true, why: 'no session' });
    expect(seen.slice(1)).toEqual([seen[0], seen[0]]);
  });

  test('waits for the next hour after 60 calls of one account that failed, whatever its hosts name, and is not given up', async () => {
    now += 60 * MINUTE - (now % (60 * MINUTE)); // the hour begins, for calls of other tests count too
    const notices = [await webhookOf(), await webhookOf(), await webhookOf()];
    const [, , last = expect.fail()] = notices;
    const budget = { what: 'webhook-calls', who: 'account1', limit: 60, windowMs: 60 * MINUTE };
    for (let before = 0; before < 59; before++) await table.store.takeFromBudget(budget, now);
    for (let tries = 1; tries < 30; tries++) await table.store.claimNotice(last.id, now, now);
    await run(...notices.slice(0, 1)); // is taken, and counts nothing
    called = { kind: 'refused', why: 'no session' };
    await run(...notices.slice(1));
    expect([calls, ...(await Promise.all(notices.map(outcomeOf)))]).toEqual([2, 'sent', undefined, undefined]);
    called = { kind: 'taken' };
    now += 60 * MINUTE;
    await run(last);
    expect([calls, await outcomeOf(last)]).toEqual([3, 'sent']);
  });

  test('is called 24 times, though the budget of its account has it wait again and again in between', async () => {
    const notice = await webhookOf();
    called = { kind: 'refused', why: 'it answered 500' };
    const usedUp = services({ takeFromBudget: async () => ({ granted: false, remaining: 0, resetAt: now + 60 * MINUTE }) });
    for (let tries = 1; tries <= 24; tries++) {
      for (const each of [usedUp, services()]) {
        await notify(notice.id, each);
        now = (await table.store.findNotice(notice.id))?.dueAt ?? now;
      }
      expect(await table.store.findNotice(notice.id)).toMatchObject({ tries });
    }
    expect([calls, await outcomeOf(notice)]).toEqual([24, 'given-up']);
  });

  test('is given up two days after its notice was owed, also where the budget of its account leaves it none of its calls', async () => {
    const notice = await webhookOf();
    const usedUp = services({ takeFromBudget: async () => ({ granted: false, remaining: 0, resetAt: now + 60 * MINUTE }) });
    for (let hours = 0; hours < 48; hours++) {
      await notify(notice.id, usedUp);
      expect(await table.store.findNotice(notice.id)).toMatchObject({ dueAt: now + 60 * MINUTE, tries: 0 });
      now += 60 * MINUTE;
    }
    await notify(notice.id, usedUp);
    const why = 'too many calls of the webhooks of this account failed in this hour';
    expect([calls, await table.store.findNotice(notice.id)]).toMatchObject([0, { outcome: 'given-up', why, settledAt: now }]);
  });

  test('that was down for two days is called all the same, and given up when it refuses', async () => {
    const [taken, refused] = [await webhookOf(), await webhookOf()];
    now += 48 * 60 * MINUTE;
    await run(taken);
    called = { kind: 'refused', why: 'it answered 500' };
    await run(refused);
    expect(await Promise.all([taken, refused].map(outcomeOf))).toEqual(['sent', 'given-up']);
  });

  test('has two days again for a notice that is repeated', async () => {
    const notice = await webhookOf();
    await run(notice);
    now += 72 * 60 * MINUTE;
    expect(await table.store.repeatNotice(notice, now)).toBe(true);
    called = { kind: 'refused', why: 'it answered 500' };
    await run(notice);
    expect(await outcomeOf(notice)).toBeUndefined();
    now += 48 * 60 * MINUTE;
    await run(notice);
    expect([calls, await outcomeOf(notice)]).toEqual([3, 'given-up']);
  });

  test('is called at once, whatever other hosts were alerted before', async () => {
    await run(...(await owe(['hook@example.org'])));
    const notice = await webhookOf();
    await run(notice);
    expect(calls).toBe(1);
  });
});

describe('of a host that is gone', () => {
  const both = () => owe(['gone@example.org'], { webhook: 'https://hooks.example.org/' });
  const WITHHELD = { outcome: 'withheld', why: 'its host was removed' };
  const heard = () => [mails.length, calls];
  const budget = { what: 'webhook-calls', who: 'account1', limit: 60, windowMs: 60 * MINUTE };

  test('nothing is told, by mail or webhook, and nothing of it is owed any more', async () => {
    const [first = expect.fail(), ...further] = await both();
    await remove(first);
    await run(first, ...further);
    expect(heard()).toEqual([0, 0]);
    for (const { id } of [first, ...further]) expect(await table.store.findNotice(id)).toMatchObject(WITHHELD);
  });

  test('nothing holds up what the same reader is owed of another', async () => {
    const [first = expect.fail()] = await owe(['both@example.org']);
    await remove(first);
    const [other = expect.fail()] = await owe(['both@example.org']);
    await run(first, other);
    expect(await Promise.all([first, other].map(outcomeOf))).toEqual(['withheld', 'sent']);
    expect(said()).toEqual(['withheld', 'mailed']);
  });

  test('nothing is told when it goes between the claim and the handover, and no call is counted', async () => {
    const [mail = expect.fail()] = await both();
    const [, hook = expect.fail()] = await both();
    const { remaining } = await table.store.takeFromBudget(budget, now);
    const goesAt = (gone: HostNotice) => ({
      async openAlertWindow(...of: Parameters<Services['store']['openAlertWindow']>) {
        await remove(gone);
        return table.store.openAlertWindow(...of);
      },
      async takeFromBudget(...of: Parameters<Services['store']['takeFromBudget']>) {
        await remove(gone);
        return table.store.takeFromBudget(...of);
      },
    });
    for (const each of [mail, hook]) await notify(each.id, services(goesAt(each)));
    expect(heard()).toEqual([0, 0]);
    for (const { id } of [mail, hook]) expect(await table.store.findNotice(id)).toMatchObject(WITHHELD);
    expect((await table.store.takeFromBudget(budget, now)).remaining).toBe(remaining - 1);
  });

  test('nothing is told when its account went and left it behind', async () => {
    const notices = await owe(['left@example.org'], { webhook: 'https://hooks.example.org/' }, 'account-that-goes');
    await table.store.removeAccount((await table.store.findAccount('account-that-goes')) ?? expect.fail('no account'));
    await run(...notices);
    expect(heard()).toEqual([0, 0]);
    expect(await Promise.all(notices.map(outcomeOf))).toEqual(['withheld', 'withheld']);
  });

  test('a mail of several says nothing, and one of which all are gone is not sent', async () => {
    await run(...(await owe(['several@example.org'], { name: 'one.example.org' })));
    const gone = await owe(['several@example.org'], { name: 'two.example.org' });
    const stays = await owe(['several@example.org'], { name: 'three.example.org' });
    await run(...gone, ...stays);
    for (const each of gone) await remove(each);
    now += 10 * MINUTE;
    await wakeDue();
    const texts = () => mails.flatMap(({ mail, recipient }) => (recipient === 'several@example.org' ? [mail.text] : []));
    expect(texts()).toHaveLength(2);
    expect(texts()[1]).toContain('three.example.org');
    expect(texts()[1]).not.toContain('two.example.org');

    const last = await owe(['several@example.org'], { name: 'four.example.org' });
    await run(...(await owe(['several@example.org'], { name: 'five.example.org' })), ...last);
    for (const each of last) await remove(each);
    now += 10 * MINUTE;
    await wakeDue();
    now += 60 * MINUTE;
    await wakeDue();
    expect(texts()).toHaveLength(3);
    expect(texts()[2]).toContain('five.example.org');
  });
});

describe('the log', () => {
  test('says which notice of which host was handed over, and never names a reader or a webhook', async () => {
    const first = await owe(['logged@example.org'], { webhook: 'https://hooks.example.org/secret' });
    const further = await owe(['logged@example.org'], { name: 'two.example.org' });
    await run(...first, ...further);
    now += 10 * MINUTE;
    await wakeDue();
    const about = { hostId: first[0]?.hostId, host: 'mail.example.org', occasion: 'change', to: 'suspected' };
    expect(logged.map(({ fields }) => fields)).toMatchObject([
      { noticeId: first[0]?.id, ...about },
      { noticeId: first[1]?.id, ...about, outcome: 'sent' },
      { noticeId: further[0]?.id },
      { hosts: 1 },
    ]);
    expect(JSON.stringify(logged)).not.toMatch(/logged@|secret/);
  });

  test('calls it our trouble when SES refuses a mail, and its owner’s when a webhook refuses', async () => {
    const notices = await owe(['refusing@example.org'], { webhook: 'https://hooks.example.org/' });
    handover = { kind: 'refused', why: 'MessageRejected' };
    called = { kind: 'refused', why: 'it answered 500' };
    await run(...notices);
    expect(logged).toMatchObject([
      { level: 'error', fields: { noticeId: notices[0]?.id, why: 'MessageRejected' } },
      { level: 'info', fields: { noticeId: notices[1]?.id, why: 'it answered 500' } },
    ]);
  });
});
