import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noticesResponse } from '../../../shared/contract/notices.ts';
import { hostResponse } from '../../../shared/contract/responses.ts';
import type { HostState } from '../../../shared/domain/host.ts';
import { type HostNotice, noticesOf } from '../../../shared/domain/notice.ts';
import { type ApiOnTable, startApi } from '../../support/api-on-table.ts';
import { dueIds } from '../../support/notices.ts';
import { sampleScan } from '../../support/samples.ts';

const WEBHOOK = 'https://hooks.example.org/relay?to=me';
let api: ApiOnTable;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

async function registered(body: object = {}) {
  const { key, accountId, email } = await api.account();
  const created = await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org', ...body } });
  const path = `/v1/hosts/${created.body.id}`;
  const host = () => api.table.store.findHost(accountId, created.body.id);
  return {
    key,
    accountId,
    email,
    path,
    created,
    call: (method: string, tail: string, sent?: object) =>
      api.call(method, `${path}${tail}`, { key, ...(sent === undefined ? {} : { body: sent }) }),
    /** Stores a scan that made this of the host, and owes what its owner is told. */
    async found(state: Partial<HostState>): Promise<HostNotice[]> {
      const found = (await host()) ?? expect.fail();
      const next = { ...found.state, ...state, version: found.state.version + 1 };
      const notices = noticesOf(found, next, { kind: 'change', from: 'closed', to: 'suspected' }, api.now);
      const scan = sampleScan(found, `20260601T12000${next.version}Z-scheduled`, api.now + next.version);
      await api.table.store.storeResult({ host: found, scan, effect: { kind: 'unchanged', state: next }, notices, wasOwed: false });
      return notices;
    },
  };
}

describe('the notices of a host', () => {
  test('are listed newest first with what became of them', async () => {
    const { call, found, email } = await registered({ webhook: WEBHOOK });
    const [first] = await found({ relay: 'suspected' });
    await found({ relay: 'suspected' });
    await api.table.store.settleNotice(first?.id ?? '', { outcome: 'sent', messageId: 'message-1' }, api.now);
    const { body } = await call('GET', '/notices');
    const { items } = noticesResponse.parse(body);
    expect(items.map(({ channel, recipient, outcome }) => [channel, recipient, outcome])).toEqual([
      ['webhook', WEBHOOK, 'owed'],
      ['mail', email, 'owed'],
      ['webhook', WEBHOOK, 'owed'],
      ['mail', email, 'sent'],
    ]);
    expect(JSON.stringify(body)).not.toContain('message-1');
    const page = await call('GET', '/notices?limit=1');
    expect(page.body.items).toHaveLength(1);
    expect((await call('GET', `/notices?limit=1&cursor=${page.body.next}`)).body.items[0]?.channel).toBe('mail');
  });

  test('to a webhook are repeated once they are settled; mails are not', async () => {
    const { call, found } = await registered({ webhook: WEBHOOK });
    const [mail, hook] = await found({ relay: 'suspected' });
    if (mail === undefined || hook === undefined) return expect.fail();
    expect((await call('POST', `/notices/${hook.id}/repeat`)).status).toBe(409);
    await api.table.store.settleNotice(hook.id, { outcome: 'given-up', why: 'it answered 500' }, api.now);
    expect(await call('POST', `/notices/${hook.id}/repeat`)).toMatchObject({ status: 202, body: { outcome: 'owed', tries: 0 } });
    expect(await dueIds(api.table.store, api.now, 100)).toContain(hook.id);
    expect((await call('POST', `/notices/${mail.id}/repeat`)).status).toBe(409);
  });

  test('to a webhook are repeated ten times in an hour and no more: its receiver may be anybody', async () => {
    const { call, found } = await registered({ webhook: WEBHOOK });
    const [, hook] = await found({ relay: 'suspected' });
    if (hook === undefined) return expect.fail();
    const repeat = async () => {
      await api.table.store.settleNotice(hook.id, { outcome: 'sent' }, api.now);
      return (await call('POST', `/notices/${hook.id}/repeat`)).status;
    };
    for (let count = 0; count < 10; count++) expect(await repeat()).toBe(202);
    expect(await repeat()).toBe(429);
  });

  test('of another host or account are as absent as those that never were', async () => {
    const [mine, theirs] = [await registered(), await registered({ webhook: WEBHOOK })];
    const [, hook] = await theirs.found({ relay: 'suspected' });
    const answers = [hook?.id ?? '', `${'0'.repeat(20)}-0000000001-webhook`, 'nonsense'].map((id) =>
      mine.call('POST', `/notices/${id}/repeat`),
    );
    const [foreign, ...missing] = await Promise.all(answers);
    expect(foreign?.status).toBe(404);
    for (const each of missing) expect(each.body).toEqual(foreign?.body);
    expect((await mine.call('GET', '/notices')).body.items).toEqual([]);
  });
});

describe('a webhook', () => {
  test('has a secret of its host’s own, which is shown to whoever sets it', async () => {
    const { created, call } = await registered({ webhook: WEBHOOK });
    expect(created.body.webhookSecret).toMatch(/^whsec_/);
    expect((await call('GET', '')).body).not.toHaveProperty('webhookSecret');
    const again = await call('PATCH', '', { webhook: WEBHOOK });
    expect(again.body.webhookSecret).toBe(created.body.webhookSecret);
    expect((await registered({ webhook: WEBHOOK })).created.body.webhookSecret).not.toBe(created.body.webhookSecret);
  });

  test('is taken away by null, and stays when a change does not name it', async () => {
    const { call } = await registered({ webhook: WEBHOOK });
    expect((await call('PATCH', '', { period: 'week' })).body.webhook).toBe(WEBHOOK);
    expect((await call('PATCH', '', { webhook: null })).body.webhook).toBeUndefined();
  });

  test.each([
    'http://hooks.example.org/',
    'https://user:password@hooks.example.org/',
    'https://hooks.example.org:0/',
    'https://hooks.example.org/#part',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://hooks.example.org/ HTTP/1.1\r\nX: y',
    'ftp://hooks.example.org/',
    'https://hooks.example.org\\@evil.example/',
  ])('is refused at %j', async (webhook) => {
    const { key } = await api.account();
    const answer = await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org', webhook } });
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([422, 'webhook']);
  });
});

describe('a host', () => {
  test('that is suspected because it accepts everything is acknowledged as a sink', async () => {
    const { call, found } = await registered();
    await found({ relay: 'suspected', since: api.now, sink: true });
    const { status, body } = await call('POST', '/acknowledge');
    expect([status, hostResponse.parse(body).acknowledgedAt]).toEqual([200, new Date(api.now).toISOString()]);
  });

  test.each([{ relay: 'open' }, { relay: 'suspected' }, { relay: 'closed' }, {}] as Partial<HostState>[])(
    'that is %j is not',
    async (state) => {
      const { call, found } = await registered();
      await found(state);
      expect((await call('POST', '/acknowledge')).status).toBe(409);
    },
  );

  test('has reminders until they are switched off', async () => {
    const { created, call } = await registered();
    expect(created.body.reminders).toBe(true);
    expect((await call('PATCH', '', { reminders: false })).body.reminders).toBe(false);
    expect((await call('PATCH', '', { period: 'week' })).body.reminders).toBe(false);
  });

  test('shows which of its recipients are not mailed, and why', async () => {
    const { call, email, accountId } = await registered();
    expect((await call('GET', '')).body.stoppedRecipients).toEqual([]);
    await api.table.store.unsubscribe(accountId, email, api.now);
    expect((await call('GET', '')).body.stoppedRecipients).toEqual([{ email, why: 'unsubscribed' }]);
    await api.table.store.stopMail(email, 'bounced', api.now);
    expect((await call('GET', '')).body.stoppedRecipients).toEqual([{ email, why: 'bounced' }]);
  });
});

test('an address that bounced or complained is not asked to confirm anything', async () => {
  const stopped = 'gone@example.org';
  await api.table.store.stopMail(stopped, 'complained', api.now);
  const mails = api.mails.length;
  expect((await api.call('POST', '/v1/accounts', { body: { email: stopped } })).status).toBe(202);
  const { key } = await api.account();
  await api.call('POST', '/v1/hosts', { key, body: { name: 'mail.example.org', alertRecipients: [stopped] } });
  expect(api.mails.slice(mails)).toEqual([]);
});
