import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kindOf } from '../../../shared/domain/scan.ts';
import { formTokenOf, type Pages, pagesOn } from '../../support/pages.ts';
import { createSampleAccount, NOON } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const DAY = 24 * 60 * 60_000;
let now = NOON;
let table: TestTable;
let pages: Pages;
let cookie: string;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(async () => {
  now += DAY;
  pages = pagesOn(table.store, () => now);
  cookie = await pages.signIn('account1', 'owner@example.org');
});

const FORGED = { 'x-forwarded-for': '185.9.9.9', forwarded: 'for=185.9.9.9' };
const hostsOf = async () => (await table.store.listHosts('account1', 100)).items;

describe('the page with one button', () => {
  test('shows the address that its reader comes from, whatever headers say, and works without script', async () => {
    pages.sourceIp = '93.184.216.9';
    const { statusCode, body = '' } = await pages.get('/here', cookie, FORGED);
    expect(statusCode).toBe(200);
    elementsOf(body);
    expect(body).toContain('You come from <strong>93.184.216.9</strong>. Is that your mail server’s address?');
    expect(body).not.toContain('185.9.9.9');
    expect(body).toMatch(/<form[^>]* method="post" action="\/here">[\s\S]*<button[^>]*>It is: check it<\/button>/);
  });

  test('says who must not press it, and what it does not allow', async () => {
    const { body = '' } = await pages.get('/here', cookie);
    for (const words of ['many customers behind one address', 'shared web host', 'VPN', 'office', 'allows no schedule', 'within 24 hours'])
      expect(body).toContain(words);
  });

  test('owes one scan of that address and leads to it', async () => {
    pages.sourceIp = '93.184.216.10';
    const form = formTokenOf(await pages.get('/here', cookie));
    const { statusCode, headers } = await pages.post('/here', { form, address: '93.184.216.10' }, cookie, FORGED);
    const host = (await hostsOf()).find(({ settings }) => settings.name === '93.184.216.10') ?? expect.fail();
    expect([statusCode, headers?.location]).toEqual([303, `/hosts/${host.id}`]);
    expect((await hostsOf()).some(({ settings }) => settings.name === '185.9.9.9')).toBe(false);
    const [owed, ...others] = await table.store.owedOf(host.id);
    expect(others).toEqual([]);
    expect(kindOf(owed?.scanId ?? '')).toBe('on-demand');
    expect(await table.store.findPresence(host.id, owed?.scanId ?? '')).toMatchObject({ address: '93.184.216.10', until: now + DAY });
  });

  test('checks no address but the one that it has shown, and none but the one that its reader comes from', async () => {
    pages.sourceIp = '93.184.216.14';
    const before = (await hostsOf()).length;
    const form = formTokenOf(await pages.get('/here', cookie));
    expect((await pages.post('/here', { form, address: '185.9.9.9' }, cookie, FORGED)).statusCode).toBe(409);
    pages.sourceIp = '2a02:1::25';
    const { statusCode, body = '' } = await pages.post('/here', { form, address: '93.184.216.14' }, cookie);
    expect(statusCode).toBe(409);
    expect(body).toContain('You come from <strong>2a02:1::25</strong>. Is that');
    expect(await hostsOf()).toHaveLength(before);
  });

  test('takes no press that does not come from our own page', async () => {
    pages.sourceIp = '93.184.216.11';
    const before = (await hostsOf()).length;
    const form = formTokenOf(await pages.get('/here', cookie));
    const address = pages.sourceIp;
    await pages.post('/here', { address }, cookie);
    await pages.post('/here', { form, address }, cookie, { 'sec-fetch-site': 'cross-site' });
    expect((await pages.post('/here', { form, address })).headers?.location).toMatch(/^\/sign-in/);
    expect(await hostsOf()).toHaveLength(before);
  });

  test('has no button for an address that is not public', async () => {
    pages.sourceIp = '10.0.0.5';
    const { body = '' } = await pages.get('/here', cookie);
    expect(body).toContain('You come from <strong>10.0.0.5</strong>');
    expect(body).toContain('It is not a public address');
    expect(body).not.toContain('action="/here"');
    const form = formTokenOf({ body });
    expect(await pages.post('/here', { form, address: '10.0.0.5' }, cookie)).toMatchObject({ statusCode: 422 });
  });

  test('says so when the address was checked as often as it may be', async () => {
    pages.sourceIp = '93.184.216.12';
    for (let pressed = 0; pressed < 4; pressed++) {
      const form = formTokenOf(await pages.get('/here', cookie));
      const { statusCode, body = '' } = await pages.post('/here', { form, address: '93.184.216.12' }, cookie);
      expect(statusCode).toBe(pressed < 3 ? 303 : 429);
      if (pressed === 3) expect(body).toContain('as often as it may be in a day');
      const host = (await hostsOf()).find(({ settings }) => settings.name === '93.184.216.12') ?? expect.fail();
      for (const owed of await table.store.owedOf(host.id)) await table.store.dropOwed(owed);
      now += 1_000;
    }
  });

  test('is found where consent is told and where a server is registered', async () => {
    pages.sourceIp = '93.184.216.13';
    const form = formTokenOf(await pages.get('/here', cookie));
    const { headers } = await pages.post('/here', { form, address: '93.184.216.13' }, cookie);
    for (const path of ['/hosts/new', `${headers?.location}/consent`])
      expect((await pages.get(path, cookie)).body).toContain('href="/here"');
  });
});
