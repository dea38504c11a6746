import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scanId } from '../../../shared/domain/scan.ts';
import { type ApiOnTable, startApi, tokenIn } from '../../support/api-on-table.ts';
import { NOON, registerSample, sampleHost } from '../../support/samples.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.now = NOON + ++tests * 30 * DAY; // budgets of a test are its own
  api.mails.splice(0);
});

let count = 0;
let tests = 0;
const somewhere = () => `203.0.${113 + ((count + 1) >> 8)}.${++count & 255}`;
const ask = (email: string, sourceIp = somewhere()) => api.call('POST', '/v1/accounts', { body: { email }, sourceIp });
const nextOf = async (email: string, sourceIp?: string): Promise<string> => (await ask(email, sourceIp)).body.next;
const mailed = () => api.mails.map(({ recipient }) => recipient);

describe('a mailbox', () => {
  test('is one mailbox with every tag: thirty requests for victim+N get one mail', async () => {
    for (let each = 0; each < 30; each++) await ask(`${each % 2 === 0 ? 'victim' : 'Victim'}+${each}@example.org`);
    expect(mailed()).toHaveLength(1);
  });

  test('is one at Gmail however many dots there are in it, and elsewhere it is not', async () => {
    for (const email of ['v.ictim@gmail.com', 'vic.tim+x@googlemail.com', 'v.ictim@example.net', 'victim@example.net']) await ask(email);
    expect(mailed()).toEqual(['v.ictim@gmail.com', 'v.ictim@example.net', 'victim@example.net']);
  });

  test('gets a confirmation of an account and one as a recipient in the same day: one stranger’s request takes neither from the other', async () => {
    const { key } = await api.account();
    await ask('ops@example.com');
    const body = { name: 'mail.example.org', alertRecipients: ['ops@example.com'] };
    const host = (await api.call('POST', '/v1/hosts', { key, body })).body;
    expect([mailed(), host.recipientsNotAsked]).toEqual([['ops@example.com', 'ops@example.com'], undefined]);
  });

  test('gets another mail the same day when the link of the first was used: that one was wanted', async () => {
    await ask('wants@example.org');
    await ask('wants@example.org');
    expect(mailed()).toHaveLength(1);
    await api.call('POST', '/v1/confirmations', { body: { token: tokenIn(api.mails[0]?.mail) }, sourceIp: somewhere() });
    await ask('wants@example.org');
    expect(mailed()).toHaveLength(2);
  });
});

describe('an owner who names a recipient', () => {
  test('is told when no mail went out, and what to do', async () => {
    const [one, other] = [await api.account(), await api.account()];
    const body = { name: 'mail.example.org', alertRecipients: ['shared@example.org'] };
    await api.call('POST', '/v1/hosts', { key: one.key, body });
    const { status, body: host } = await api.call('POST', '/v1/hosts', { key: other.key, body });
    expect([status, mailed()]).toEqual([201, ['shared@example.org']]);
    expect(host.recipientsNotAsked).toEqual([
      { email: 'shared@example.org', why: 'kept-back', detail: expect.stringContaining('name it again tomorrow') },
    ]);
    const path = `/v1/hosts/${host.id}`;
    expect((await api.call('GET', path, { key: other.key })).body).not.toHaveProperty('recipientsNotAsked');
    const again = await api.call('PATCH', path, { key: other.key, body: { alertRecipients: ['shared@example.org'] } });
    expect(again.body.recipientsNotAsked).toHaveLength(1);
  });

  test('and has had a server audited has it asked, though strangers have used up what they may have it mailed in a month', async () => {
    api.now += 30 * DAY - (api.now % (30 * DAY)); // where the month of the budget begins
    const body = { name: 'mail.example.org', alertRecipients: ['noc@company.example'] };
    for (let day = 0; day < 5; day++) {
      await api.call('POST', '/v1/hosts', { key: (await api.account()).key, body });
      api.now += DAY;
    }
    expect(mailed()).toHaveLength(3);
    const { accountId, key } = await api.account();
    const audited = { ...sampleHost({ name: 'audited.example.org' }, { relay: 'closed' }), accountId };
    const dueAt = api.now;
    await registerSample(api.table.store, audited, { accountId, hostId: audited.id, scanId: scanId(dueAt, 'first'), dueAt, tries: 0 });
    await api.call('POST', '/v1/hosts', { key: (await api.account()).key, body }); // refused, and so no mail of this day
    const { body: host } = await api.call('POST', '/v1/hosts', { key, body });
    expect([mailed().length, host.recipientsNotAsked]).toEqual([4, undefined]);
  });
});

describe('one source', () => {
  test('causes twenty mails a day; then it is told when to come again, and others are mailed', async () => {
    const source = somewhere();
    for (let each = 0; each < 20; each++) {
      if (each === 10) api.now += HOUR;
      expect((await ask(`many-${each}@d${each}.example`, source)).status).toBe(202);
    }
    api.now += HOUR;
    const refused = await ask('one-more@example.org', source);
    expect(refused).toMatchObject({ status: 429, body: { detail: expect.stringMatching(/in a day\. Come again in \d+ hours/) } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(HOUR / 1000);
    await ask('one-more@example.org');
    expect(mailed()).toHaveLength(21);
  });

  test.each([
    ['/64', 20, (each: number) => `2001:db8:a:1::${each.toString(16)}`],
    ['/56', 40, (each: number) => `2001:db8:b:${each.toString(16)}::1`],
    ['/48', 80, (each: number) => `2001:db8:c:${(each * 256).toString(16)}::1`],
  ])('is a %s of IPv6, which causes %i mails a day from however many addresses', async (_, most, addressOf) => {
    const statuses: number[] = [];
    for (let each = 0; each < most + 10; each++) {
      if (each % 10 === 0) api.now += HOUR;
      statuses.push((await ask(`v6-${each}@v6-${each}-${most}.example`, addressOf(each))).status);
    }
    expect(statuses.filter((status) => status === 202)).toHaveLength(most);
  });
});

describe('many sources', () => {
  test('have thirty mails a day sent to one domain; ten more are for who asks for few', async () => {
    const busy = [somewhere(), somewhere(), somewhere(), somewhere(), somewhere()];
    for (const source of busy) for (let each = 0; each < 9; each++) await ask(`busy-${++count}@sub${each}.crowd.example`, source);
    expect(mailed().length).toBeLessThanOrEqual(40);
    const sent = mailed().length;
    expect(await nextOf('busy-last@crowd.example', busy[0])).toContain('So many accounts are asked for');
    expect(mailed()).toHaveLength(sent);
  });

  test('that ask for much never reach the last part of what all may have: a newcomer elsewhere is mailed', async () => {
    const busy = Array.from({ length: 12 }, somewhere);
    // Each of them uses up its few at a mailbox that has its mail already, and then floods.
    await ask('taken@example.org');
    for (const source of busy) for (let each = 0; each < 3; each++) await ask('taken@example.org', source);
    for (const source of busy) for (let each = 0; each < 6; each++) await ask(`all-${++count}@all-${count}.example`, source);
    expect(mailed()).toHaveLength(60);
    expect(await nextOf('late@flood.example', busy[0])).toContain('So many accounts are asked for');
    expect(await nextOf('newcomer@quiet.example')).toContain('a mail is on its way');
    expect(mailed().at(-1)).toBe('newcomer@quiet.example');
    api.now += HOUR;
    expect(await nextOf('late@flood.example', busy[0])).toContain('a mail is on its way');
    expect(mailed().at(-1)).toBe('late@flood.example');
  });
});

test('POST /v1/accounts costs the same and is answered no earlier, whether a mail goes out or not', async () => {
  const waits: number[] = [];
  Object.assign(api.services, { wait: async (ms: number) => void waits.push(ms) });
  const { email } = await api.account();
  await api.table.store.stopMail('stopped@example.org', 'bounced', api.now);
  const answers = [];
  for (const each of [email, 'fresh@example.org', 'stopped@example.org', email, 'fresh+again@example.org']) answers.push(await ask(each));
  Object.assign(api.services, { wait: async () => {} });
  expect(mailed()).toEqual([email, 'fresh@example.org']);
  expect(waits).toEqual([700, 700, 700, 700, 700]);
  expect(new Set(answers.map(({ status, headers, body }) => JSON.stringify([status, headers, body]))).size).toBe(1);
});

test('a good token of a mail is taken from a network that has used up its tries', async () => {
  const sourceIp = somewhere();
  await ask('behind-nat@example.org');
  const bad = { body: { token: 'ra1.x.y' }, sourceIp };
  for (let each = 0; each < 121; each++) await api.call('POST', '/v1/confirmations', bad);
  expect((await api.call('POST', '/v1/confirmations', bad)).status).toBe(429);
  const good = { body: { token: tokenIn(api.mails[0]?.mail) }, sourceIp };
  expect((await api.call('POST', '/v1/confirmations', good)).status).toBe(201);
});
