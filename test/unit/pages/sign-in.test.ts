import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../../functions/pages/call.ts';
import { sealConfirmation } from '../../../shared/runtime/confirmation-token.ts';
import { formTokenOf, type Pages, pagesOn, SECRETS } from '../../support/pages.ts';
import { createSampleAccount, NOON } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';
import { elementsOf } from './well-formed.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const OWNER = 'owner@example.org';
let now = NOON;
let table: TestTable;
let pages: Pages;
let waits: number[] = [];

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(() => {
  now += 31 * DAY; // budgets of a test are its own
  waits = [];
  pages = pagesOn(table.store, () => now, { wait: async (ms) => void waits.push(ms) });
});

const ask = (email: string, more: Record<string, string> = {}) => pages.post('/sign-in', { email, ...more });
const askFrom = (sourceIp: string, email: string) => {
  pages.sourceIp = sourceIp;
  return ask(email).finally(() => {
    pages.sourceIp = '192.0.2.200';
  });
};
const knownIn = ({ cookies = [] }: Answer) => cookies[1]?.split(';')[0] ?? expect.fail('no cookie tells the browser again');
const tokenMailed = () => /sign-in\/link\?token=(\S+)/.exec(pages.mails.at(-1)?.mail.text ?? '')?.[1] ?? expect.fail('no link was mailed');
const cookieOf = ({ cookies = [] }: Answer) => cookies[0] ?? expect.fail('no cookie was set');
const pairOf = (answer: Answer) => cookieOf(answer).split(';')[0] ?? '';
const isRefused = ({ statusCode, cookies }: Answer) => expect([statusCode, cookies]).toEqual([422, undefined]);
const signInAs = async (email: string) => {
  await ask(email);
  return pages.post('/sign-in/link', { token: tokenMailed() });
};

describe('asking for a link', () => {
  test('mails it to the owner of an account', async () => {
    const { statusCode } = await ask(OWNER);
    expect([statusCode, pages.mails.map(({ recipient }) => recipient)]).toEqual([200, [OWNER]]);
    expect(pages.mails[0]?.mail.text).toContain('https://audit.example/sign-in/link?token=ra1.');
  });

  test('answers the same, and no earlier, whether or not the address has an account, may have one, or is mailed', async () => {
    const closed = pagesOn(table.store, () => now, { registration: { kind: 'closed' }, wait: async (ms) => void waits.push(ms) });
    await table.store.stopMail('bounced@example.org', 'bounced', now);
    const answers = [
      await ask(OWNER),
      await ask('stranger@example.org'),
      await ask('bounced@example.org'),
      await closed.post('/sign-in', { email: 'other@example.org' }),
    ];
    const texts = answers.map(({ body = '' }) => body.replace(/\S+@example\.org/, ''));
    expect([new Set(texts).size, new Set(answers.map(({ statusCode }) => statusCode)).size]).toEqual([1, 1]);
    expect(waits).toEqual([700, 700, 700, 700]);
    expect(pages.mails.map(({ recipient }) => recipient)).toEqual([OWNER, 'stranger@example.org']);
    expect(closed.mails).toEqual([]);
  });

  test('mails an address that nobody has shown to read once a day, be it an owner’s or not', async () => {
    for (const email of [OWNER, 'new@example.org']) for (let each = 0; each < 7; each++) await askFrom(`198.51.100.${each}`, email);
    expect(pages.mails.map(({ recipient }) => recipient)).toEqual([OWNER, 'new@example.org']);
  });

  test('mails an owner in a browser that has signed in before, whatever strangers have asked for in their name', async () => {
    const browser = knownIn(await signInAs(OWNER));
    for (let each = 0; each < 7; each++) await askFrom(`198.51.100.${each}`, OWNER);
    const before = pages.mails.length;
    expect((await pages.post('/sign-in', { email: OWNER }, browser)).statusCode).toBe(200);
    expect(pages.mails).toHaveLength(before + 1);
    expect((await pages.post('/sign-in/link', { token: tokenMailed() })).statusCode).toBe(303);
    await pages.post('/sign-in', { email: 'victim@example.org' }, browser);
    await pages.post('/sign-in', { email: 'victim@example.org' }, browser);
    expect(pages.mails.filter(({ recipient }) => recipient === 'victim@example.org')).toHaveLength(1);
  });

  test('leads an owner whose day’s mail a stranger has used up from that very mail to another link', async () => {
    await askFrom('198.51.100.1', OWNER);
    const strangers = tokenMailed();
    now += 20 * MINUTE;
    await ask(OWNER);
    expect(pages.mails).toHaveLength(1);
    const { statusCode, body = '' } = await pages.get(`/sign-in/link?token=${strangers}`);
    expect([statusCode, body.includes('action="/sign-in/again"')]).toEqual([422, true]);
    expect((await pages.post('/sign-in/again', { token: strangers })).statusCode).toBe(200);
    expect(pages.mails).toHaveLength(2);
    expect((await pages.post('/sign-in/link', { token: tokenMailed() })).statusCode).toBe(303);
    isRefused(await pages.post('/sign-in/again', { token: `${strangers}x` }));
  });

  test('mails an owner who asks themselves, though they have called the mail spam that a stranger had asked for', async () => {
    const email = 'bombed@example.org';
    const known = knownIn(await signInAs(email));
    await table.store.stopMail(email, 'complained', now, 'unasked');
    pages.mails.splice(0);
    await ask(email);
    expect(pages.mails).toEqual([]);
    await pages.post('/sign-in', { email }, known);
    expect(pages.mails.map(({ recipient }) => recipient)).toEqual([email]);
  });

  test('mails even its reader with the cause beside it, so that a complaint about a link ends no alerts', async () => {
    const email = 'complains@example.org';
    const known = knownIn(await signInAs(email));
    const tagged: unknown[] = [];
    const others = pagesOn(table.store, () => now, {
      send: async (_mail, _recipient, tags) => {
        tagged.push(tags);
        return { kind: 'accepted', messageId: 'x' };
      },
    });
    await others.post('/sign-in', { email }, known);
    expect(tagged).toEqual([{ cause: expect.stringMatching(/^[\w-]{16}$/) }]);
  });

  test('mails whoever reads the mailbox five times an hour, and says when there are more', async () => {
    await ask(OWNER);
    const first = tokenMailed();
    const answers = [];
    for (let each = 0; each < 6; each++) answers.push((await pages.post('/sign-in/again', { token: first })).statusCode);
    expect([answers, pages.mails.length]).toEqual([[200, 200, 200, 200, 200, 429], 6]);
  });

  test('tells everybody alike that only accounts are mailed when too many ask, and mails those', async () => {
    for (let each = 0; each < 80; each++) await askFrom(`203.0.113.${each}`, `flood-${each}@flood-${each}.example`);
    const sent = pages.mails.length;
    const [known, unknown] = [await askFrom('198.51.100.1', OWNER), await askFrom('198.51.100.2', 'nobody@example.org')];
    expect([sent, pages.mails.slice(sent).map(({ recipient }) => recipient)]).toEqual([80, [OWNER]]);
    expect(known.body).toContain('only addresses with an account are mailed');
    expect(known.body?.replace(OWNER, '')).toBe(unknown.body?.replace('nobody@example.org', ''));
  });

  test('by what is no link of ours is refused at once: whoever makes such up holds nobody else up', async () => {
    isRefused(await pages.post('/sign-in/again', { token: 'ra1.made.up' }));
    expect([waits, pages.mails]).toEqual([[], []]);
  });

  test('is refused from another site, and for what is no address', async () => {
    expect((await pages.post('/sign-in', { email: OWNER }, undefined, { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
    const { statusCode, body = '' } = await ask('"><script>alert(1)</script>');
    expect(statusCode).toBe(422);
    expect(elementsOf(body).filter((each) => each === 'script')).toHaveLength(1);
    expect(pages.mails).toEqual([]);
  });
});

describe('a link', () => {
  test('signs nobody in when it is only opened, and says whom it would', async () => {
    await ask(OWNER);
    const { statusCode, cookies, body } = await pages.get(`/sign-in/link?token=${tokenMailed()}`);
    expect([statusCode, cookies, body?.includes(OWNER)]).toEqual([200, undefined, true]);
  });

  test('signs in once', async () => {
    const answer = await signInAs(OWNER);
    expect([answer.statusCode, answer.headers?.location]).toEqual([303, '/hosts']);
    expect((await pages.get('/hosts', pairOf(answer))).statusCode).toBe(200);
    const again = await pages.post('/sign-in/link', { token: tokenMailed() });
    expect([again.statusCode, again.cookies]).toEqual([422, undefined]);
  });

  test('signs nobody in after fifteen minutes', async () => {
    await ask(OWNER);
    now += 15 * MINUTE;
    expect((await pages.get(`/sign-in/link?token=${tokenMailed()}`)).statusCode).toBe(422);
    isRefused(await pages.post('/sign-in/link', { token: tokenMailed() }));
  });

  test('is of no other kind: what confirms an address signs nobody in, and a link confirms nothing', async () => {
    const confirmation = sealConfirmation(SECRETS, { kind: 'account', email: OWNER }, now);
    isRefused(await pages.post('/sign-in/link', { token: confirmation }));
    await ask(OWNER);
    expect((await pages.post('/confirm', { token: tokenMailed() })).statusCode).toBe(422);
    expect((await pages.post('/sign-in/link', { token: tokenMailed() })).statusCode).toBe(303);
  });

  test('ends with signing out everywhere, and so does what shows that one reads the mailbox', async () => {
    const answer = await signInAs(OWNER);
    await ask(OWNER);
    const [link, session] = [tokenMailed(), pairOf(answer)];
    const confirmation = sealConfirmation(SECRETS, { kind: 'account', email: OWNER }, now);
    now += 1;
    await pages.post('/sign-out/everywhere', { form: formTokenOf(await pages.get('/account', session)) }, session);
    isRefused(await pages.post('/sign-in/link', { token: link }));
    expect((await pages.post('/confirm', { token: confirmation })).statusCode).toBe(422);
    isRefused(await pages.post('/sign-in/again', { token: link }));
    const sent = pages.mails.length;
    await ask(OWNER);
    await pages.post('/sign-in', { email: OWNER }, knownIn(answer));
    expect(pages.mails).toHaveLength(sent);
    now += DAY;
    expect((await signInAs(OWNER)).statusCode).toBe(303);
  });

  test('ends with the deletion of the account: neither it nor a confirmation opens another', async () => {
    const email = 'leaves@example.org';
    const session = pairOf(await signInAs(email));
    await ask(email);
    const link = tokenMailed();
    const confirmation = sealConfirmation(SECRETS, { kind: 'account', email }, now);
    now += 1;
    const form = formTokenOf(await pages.get('/account', session));
    expect((await pages.post('/account/delete', { form, confirm: email }, session)).statusCode).toBe(200);
    isRefused(await pages.post('/sign-in/link', { token: link }));
    expect((await pages.post('/confirm', { token: confirmation })).statusCode).toBe(422);
    expect(await table.store.findAccountByEmail(email)).toBeUndefined();
    now += DAY;
    expect((await signInAs(email)).statusCode).toBe(303);
  });

  test('opens an account for an address that has none, which leads into registration', async () => {
    const answer = await signInAs('newcomer@example.org');
    expect(answer.headers?.location).toBe('/hosts/new');
    const account = (await table.store.findAccountByEmail('newcomer@example.org')) ?? expect.fail();
    expect(await table.store.listKeys(account.id)).toEqual([]);
  });

  test('opens none where registration was closed in the meantime', async () => {
    await ask('late@example.org');
    const closed = pagesOn(table.store, () => now, { registration: { kind: 'domains', domains: ['example.com'] } });
    isRefused(await closed.post('/sign-in/link', { token: tokenMailed() }));
    expect(await table.store.findAccountByEmail('late@example.org')).toBeUndefined();
  });

  test('leads to the page that was asked for, and never away from us', async () => {
    for (const [to, location] of [
      ['/hosts/0123456789abcdef0123?days=90', '/hosts/0123456789abcdef0123?days=90'],
      ['https://evil.example/', '/hosts'],
      ['//evil.example/', '/hosts'],
      ['/hosts\r\nset-cookie: x=1', '/hosts'],
      ['/sign-out', '/hosts'],
    ]) {
      now += DAY;
      await ask(OWNER, { to: to ?? '' });
      expect((await pages.post('/sign-in/link', { token: tokenMailed() })).headers?.location).toBe(location);
    }
  });
});

describe('a session', () => {
  test('has a cookie that no script, no other site and no unencrypted connection gets', async () => {
    const cookie = cookieOf(await signInAs(OWNER));
    expect(cookie).toMatch(/^__Host-relay-audit=rs1\.\w+\.\w+\.[\w-]+; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure$/);
  });

  test('has a cookie without Secure where there is no HTTPS, on one machine', async () => {
    const local = pagesOn(table.store, () => now, { baseUrl: 'http://127.0.0.1:8025' });
    await local.post('/sign-in', { email: OWNER });
    const token = /token=(\S+)/.exec(local.mails[0]?.mail.text ?? '')?.[1] ?? '';
    expect(cookieOf(await local.post('/sign-in/link', { token }))).toMatch(
      /^relay-audit=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
    );
  });

  test('ends after two weeks', async () => {
    const value = pairOf(await signInAs(OWNER));
    now += 14 * DAY - 1;
    expect((await pages.get('/hosts', value)).statusCode).toBe(200);
    now += 1;
    expect((await pages.get('/hosts', value)).statusCode).toBe(303);
  });

  test('is led to signing in and back when there is none, or it is not ours', async () => {
    for (const cookie of [undefined, '__Host-relay-audit=rs1.account1.1.AAAAAAAAAAAAAAAAAAAAAA', '__Host-relay-audit=x', 'other=1']) {
      const { statusCode, headers } = await pages.get('/hosts/0123456789abcdef0123?days=90', cookie);
      expect([statusCode, headers?.location]).toEqual([303, `/sign-in?to=${encodeURIComponent('/hosts/0123456789abcdef0123?days=90')}`]);
    }
  });

  test('is led back to every page that asks for signing in', async () => {
    for (const path of ['/account', '/here']) {
      const { location = '' } = (await pages.get(path)).headers ?? {};
      expect((await pages.get(String(location))).body).toContain(`name="to" value="${path}"`);
    }
  });

  test('is ended by signing out, which leaves others alone; and everywhere, which does not', async () => {
    const [here, there] = [pairOf(await signInAs(OWNER)), pairOf(await signInAs(OWNER))];
    const form = formTokenOf(await pages.get('/account', here));
    const out = await pages.post('/sign-out', { form }, here);
    expect([out.statusCode, cookieOf(out)]).toEqual([303, expect.stringContaining('Max-Age=0')]);
    expect((await pages.get('/hosts', here)).statusCode).toBe(303);
    expect((await pages.get('/hosts', there)).statusCode).toBe(200);
    const third = pairOf(await signInAs(OWNER));
    await pages.post('/sign-out/everywhere', { form: formTokenOf(await pages.get('/account', third)) }, third);
    for (const value of [there, third]) expect((await pages.get('/hosts', value)).statusCode).toBe(303);
  });

  test('changes nothing by a form of another session, of another site, or of nobody', async () => {
    const [mine, other] = [pairOf(await signInAs(OWNER)), pairOf(await signInAs(OWNER))];
    const form = formTokenOf(await pages.get('/account', mine));
    const forged = await pages.post('/sign-out/everywhere', { form }, other);
    expect([forged.statusCode, forged.body?.includes('Nothing was changed')]).toEqual([403, true]);
    expect((await pages.post('/sign-out/everywhere', {}, mine)).statusCode).toBe(403);
    expect((await pages.post('/sign-out/everywhere', { form }, mine, { 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
    expect((await pages.post('/sign-out/everywhere', { form })).headers?.location).toBe('/sign-in');
    expect((await pages.get('/hosts', mine)).statusCode).toBe(200);
  });
});
