import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Services, takeEvent } from '../../../functions/feedback/feedback.ts';
import { packCause, takeMail } from '../../../shared/accounts/stranger-mail.ts';
import { noticesOf } from '../../../shared/domain/notice.ts';
import { createSampleAccount, NOON, registerSample, sampleHost, sampleScan } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

let table: TestTable;
let logged: { level: string; message: string; fields: object }[] = [];
let count = 0;

beforeAll(async () => {
  table = await startTable(() => NOON, 1_000_000_000);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());

const services = (): Services => ({
  store: table.store,
  clock: () => NOON,
  log: {
    info: (message, fields) => void logged.push({ level: 'info', message, fields }),
    error: (message, fields) => void logged.push({ level: 'error', message, fields }),
  },
});

/** A notice that is claimed by a sender who died. */
async function claimed(): Promise<{ id: string; recipient: string }> {
  const recipient = `reader-${++count}@example.org`;
  const host = sampleHost({ alertRecipients: [recipient] });
  await registerSample(table.store, host, { accountId: host.accountId, hostId: host.id, scanId: 'first', dueAt: NOON, tries: 0 });
  const state = { ...host.state, version: 1 };
  const [notice] = noticesOf(host, state, { kind: 'reminder', count: 1 }, NOON);
  if (notice === undefined) return expect.fail();
  const scan = sampleScan(host, '20260601T120000Z-scheduled', NOON);
  await table.store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices: [notice], wasOwed: false });
  await table.store.claimNotice(notice.id, NOON, NOON + 600_000);
  return { id: notice.id, recipient };
}

function event(eventType: string, { id, recipient }: { id?: string; recipient: string }, more: object = {}): string {
  const mail = {
    timestamp: 'x',
    messageId: 'message-1',
    destination: [recipient],
    tags: { 'ses:from-domain': ['x'], ...(id ? { notice: [id] } : {}) },
  };
  return JSON.stringify({ eventType, mail, ...more });
}
const bounce = (of: { id?: string; recipient: string }, bounceType = 'Permanent', shown = of.recipient) =>
  event('Bounce', of, { bounce: { bounceType, bounceSubType: 'General', bouncedRecipients: [{ emailAddress: shown, status: '5.1.1' }] } });
const complaint = (of: { id?: string; recipient: string }, complaintSubType: string | null = null) =>
  event('Complaint', of, { complaint: { complaintSubType, complainedRecipients: [{ emailAddress: of.recipient }] } });

const take = async (...bodies: string[]) => {
  for (const body of bodies) await takeEvent(body, services());
};
const outcomeOf = async ({ id }: { id: string }) => (await table.store.findNotice(id))?.outcome;
const stopsOf = async ({ recipient }: { recipient: string }) =>
  (await table.store.mailStops('account1', [recipient])).map(({ why }) => why);

describe('a notice whose sender died', () => {
  test.each(['Send', 'Delivery', 'Reject'])('is settled by an event of SES, and not sent again: %s', async (type) => {
    const notice = await claimed();
    await take(event(type, notice));
    expect(await table.store.findNotice(notice.id)).toMatchObject({ messageId: 'message-1', settledAt: NOON });
    expect(await table.store.claimNotice(notice.id, NOON + 10_000_000, NOON + 20_000_000)).toBeUndefined();
  });
});

describe('what became of a mail', () => {
  test.each([
    ['in order', ['Send', 'Delivery'], 'delivered'],
    ['in disorder', ['Delivery', 'Send'], 'delivered'],
    ['twice', ['Send', 'Delivery', 'Delivery', 'Send'], 'delivered'],
    ['that SES did not send', ['Send', 'Reject'], 'rejected'],
  ])('comes out the same %s', async (_, types, outcome) => {
    const notice = await claimed();
    await take(...types.map((type) => event(type, notice)));
    expect(await outcomeOf(notice)).toBe(outcome);
  });

  test('that bounced or was complained of is never called delivered after that', async () => {
    const [bounced, complained] = [await claimed(), await claimed()];
    await take(bounce(bounced), event('Delivery', bounced), complaint(complained), event('Delivery', complained), bounce(complained));
    expect(await Promise.all([bounced, complained].map(outcomeOf))).toEqual(['bounced', 'complained']);
  });
});

describe('mail to an address', () => {
  test('ends when it bounces for good, and when its reader calls it spam', async () => {
    const [bounced, complained] = [await claimed(), await claimed()];
    await take(bounce(bounced), complaint(complained));
    expect([await stopsOf(bounced), await stopsOf(complained)]).toEqual([['bounced'], ['complained']]);
  });

  test.each(['Transient', 'Undetermined'])('goes on after a bounce that may be of the moment: %s', async (type) => {
    const notice = await claimed();
    await take(bounce(notice, type));
    expect([await stopsOf(notice), await outcomeOf(notice)]).toEqual([[], 'bounced']);
  });

  test('ends too when SES holds the address on its own list, and so delivers nothing to it', async () => {
    const recipients = [{ emailAddress: 'listed@example.org' }];
    const bounce = { bounceType: 'Permanent', bounceSubType: 'OnAccountSuppressionList', bouncedRecipients: recipients };
    await take(event('Bounce', { recipient: 'listed@example.org' }, { bounce }));
    await take(complaint({ recipient: 'complained@example.org' }, 'OnAccountSuppressionList'));
    expect(await stopsOf({ recipient: 'listed@example.org' })).toEqual(['bounced']);
    expect(await stopsOf({ recipient: 'complained@example.org' })).toEqual(['complained']);
  });

  test('ends by a mail without a notice too, and however SES writes the address', async () => {
    const recipient = 'Confirming@Example.org';
    await take(bounce({ recipient }, 'Permanent', `Somebody <${recipient}>`));
    expect(await stopsOf({ recipient: 'confirming@example.org' })).toEqual(['bounced']);
  });
});

describe('a complaint', () => {
  const tagged = (tags: Record<string, string[]>, recipient: string, complaintSubType: string | null = null) => {
    const mail = { messageId: `message-${++count}`, tags };
    return JSON.stringify({
      eventType: 'Complaint',
      mail,
      complaint: { complaintSubType, complainedRecipients: [{ emailAddress: recipient }] },
    });
  };
  const stopped = async (accountId: string | undefined, email: string) =>
    (await table.store.mailStops(accountId, [email])).map(({ why }) => why);

  test('ends the mail of the account that it was about, and of no other', async () => {
    await take(tagged({ notice: ['host1-1-0'], account: ['account1'] }, 'reader@example.com'));
    expect(await stopped('account1', 'reader@example.com')).toEqual(['complained']);
    expect([await stopped('account2', 'reader@example.com'), await stopped(undefined, 'reader@example.com')]).toEqual([[], []]);
  });

  test('about a mail that a stranger may have asked for ends such mails, and no account’s', async () => {
    await take(tagged({ cause: ['AAAAAAAAAAAAAAAA'] }, 'unasked@example.com'));
    expect(await stopped(undefined, 'unasked@example.com')).toEqual(['complained']);
    expect(await stopped('account1', 'unasked@example.com')).toEqual([]);
  });

  test('that SES holds on its own list ends all mail, which SES would not deliver', async () => {
    await take(tagged({ account: ['account1'] }, 'held@example.com', 'OnAccountSuppressionList'));
    expect(await stopped('account2', 'held@example.com')).toEqual(['complained']);
  });
});

describe('a bounce of an invented address', () => {
  const cause = [{ id: 'AbCdEfGh_-123456', times: 1 }];
  const asked = (index: number) => ({ kind: 'account', email: `invented-${index}@d${index}.example`, cause, pastCrowd: false }) as const;
  const bounced = (messageId: string, type = 'Permanent') => {
    const mail = { messageId, tags: { cause: [packCause(cause)] } };
    const bouncedRecipients = [{ emailAddress: `${messageId}@example.com` }];
    return JSON.stringify({ eventType: 'Bounce', mail, bounce: { bounceType: type, bounceSubType: 'General', bouncedRecipients } });
  };

  test('counts as five of the mails that whoever caused it may cause in a day, however often SES tells', async () => {
    const services = { store: table.store, clock: () => NOON };
    await take(bounced('soft', 'Transient'), bounced('one'), bounced('one'), bounced('two'), bounced('three'));
    const leaves = [];
    for (let index = 0; index < 6; index++) leaves.push((await takeMail(services, asked(index))).granted);
    expect(leaves).toEqual([true, true, true, true, true, false]);
  });
});

test('what is of no use is passed over, and what is no event of SES is refused', async () => {
  const notice = await claimed();
  await take(event('DeliveryDelay', notice), event('Open', notice));
  expect(await outcomeOf(notice)).toBeUndefined();
  for (const body of ['', 'null', '{}', '{"eventType":"Send"}', event('Bounce', notice)]) await expect(take(body)).rejects.toThrow();
});

test.each(['', 'x', 'NOTICES#a-b', 'a-b '])('a tag that is no notice of ours settles nothing and holds nothing up: %j', async (tag) => {
  const recipient = `tagged-${++count}@example.org`;
  const mail = { messageId: 'm', tags: { notice: [tag] } };
  const bounced = { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: recipient }] };
  await take(JSON.stringify({ eventType: 'Send', mail }), JSON.stringify({ eventType: 'Bounce', mail, bounce: bounced }));
  expect(await stopsOf({ recipient })).toEqual(['bounced']);
});

test('no address of a reader is written into the log', async () => {
  logged = [];
  const notice = await claimed();
  await take(event('Send', notice), bounce(notice), complaint(notice), event('Reject', notice, { reject: { reason: 'Bad content' } }));
  expect(logged.length).toBeGreaterThan(3);
  expect(JSON.stringify(logged)).not.toContain('@');
});
