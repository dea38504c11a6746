import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DOCUMENTED, type Operation } from '../../support/openapi-document.ts';
import { type Given, type Owner, type Sent, startWorld, tokenOf, type World } from '../../support/openapi-world.ts';
import { NOON } from '../../support/samples.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const PATHS = [...new Set(DOCUMENTED.map(({ path }) => path))];
const FOR_ANYBODY = '/v1/openapi.json';

/** Ids of one account, or ids that nobody has. */
type Ids = Pick<Owner, 'email' | 'cursors'> & {
  readonly host: string;
  readonly scan: string;
  readonly notice: string;
  readonly prefix: string;
  readonly token: string;
};

let world: World;
let theirs: Owner; // what account B asks for
let mine: Owner; // account B

beforeAll(async () => {
  world = await startWorld();
  [theirs, mine] = [await world.owner(), await world.owner()];
  await ask('GET', '/v1/account'); // its first use is noted
});
afterAll(() => world.api.stop());

const prefixOf = (key: string) => key.slice(4, 16);
const idsOf = (owner: Owner): Ids => ({
  email: owner.email,
  cursors: owner.cursors,
  host: owner.hosts[0],
  scan: owner.scans[0],
  notice: owner.notices[0],
  prefix: prefixOf(owner.key),
  token: tokenOf(world.api, owner.accountId, 2), // too old, so that it can be shown again
});
const nobodys = (): Ids => ({
  ...idsOf(theirs),
  email: 'nobody@example.org',
  host: 'f'.repeat(20),
  scan: '20200101T000000Z-scheduled',
  notice: `${'f'.repeat(20)}-0000000001-webhook`,
  prefix: 'f'.repeat(12),
});

async function ask(method: string, path: string, more: Partial<Sent> = {}): Promise<Given> {
  const headers = { authorization: `Bearer ${mine.key}`, ...more.headers };
  return world.send({ method, path, query: [], body: undefined, isBase64Encoded: false, sourceIp: '93.184.216.77', ...more, headers });
}

/** The answer to a request without what differs from one request to the next, and what it cost. */
async function answerAndCost(method: string, path: string, more: Partial<Sent> = {}) {
  const { meter } = world.api.table;
  meter.reset();
  const { status, headers, body } = await ask(method, path, more);
  const { requests, readUnits, writeUnits } = meter;
  const stable = Object.entries(headers).filter(([name]) => !['x-request-id', 'ratelimit'].includes(name));
  return { status, headers: stable, body, requests, readUnits, writeUnits };
}

const at = (path: string, ids: Ids) =>
  path.replace('{id}', ids.host).replace('{scanId}', ids.scan).replace('{noticeId}', ids.notice).replace('{prefix}', ids.prefix);

/** What account A has that no answer to B may hold. Ids of scans are times, and both may have the same. */
const secretsOf = ({ accountId, email, key, hosts, cursors }: Owner): string[] => [
  ...[accountId, email, key, prefixOf(key), world.api.services.tokenOf(accountId)],
  ...[...hosts, ...Object.values(cursors)],
];

function expectNothingOf(owner: Owner, { body, headers }: Pick<Given, 'body'> & { headers: unknown }): void {
  const said = `${body ?? ''}${JSON.stringify(headers)}`;
  for (const secret of secretsOf(owner)) expect(said).not.toContain(secret);
}

const BODIES: Readonly<Record<string, (ids: Ids) => object | undefined>> = {
  'PATCH /v1/hosts/{id}': () => ({ period: 'week' }),
  'DELETE /v1/account': ({ email }) => ({ confirm: email }),
  'POST /v1/confirmations': ({ token }) => ({ token }),
};

const WITH_IDS = PATHS.filter((path) => path.includes('{')).flatMap((path) => METHODS.map((method) => [method, path] as const));
const VARIANTS: Readonly<Record<string, Partial<Sent>>> = {
  plain: {},
  'with a query': { query: [['limit', '1']] },
  'with If-Match': { headers: { 'if-match': '"1"' } },
  'with a body that is not valid': { headers: { 'content-type': 'application/json' }, body: '{"ports":[0]}' },
  'with a body that is no JSON': { headers: { 'content-type': 'application/json' }, body: '{' },
};

describe('P6: another account’s ids are as absent as those that never were, by every byte and every unit', () => {
  test.each(WITH_IDS)('%s %s', async (method, path) => {
    const own = BODIES[`${method} ${path}`]?.(idsOf(theirs));
    const plain = own === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(own) };
    for (const [what, more] of Object.entries({ ...VARIANTS, plain })) {
      const foreign = await answerAndCost(method, at(path, idsOf(theirs)), more);
      expect(foreign, what).toEqual(await answerAndCost(method, at(path, nobodys()), more));
      expect(foreign.status, what).toBeGreaterThanOrEqual(400);
      expectNothingOf(theirs, foreign);
    }
  });

  test.each(['POST /v1/hosts/{id}/scans'])('%s under an Idempotency-Key', async (name) => {
    const [method = '', path = ''] = name.split(' ');
    const repeated = (which: string) => ({ headers: { 'idempotency-key': which } });
    const foreign = await answerAndCost(method, at(path, idsOf(theirs)), repeated('one'));
    expect(foreign).toEqual(await answerAndCost(method, at(path, nobodys()), repeated('two')));
    expect(foreign).toMatchObject({ status: 404, requests: 5 }); // key, budget, claim, host, claim given up
  });

  test('a scan of another account’s host, asked for at one’s own', async () => {
    const { accountId, hosts } = theirs;
    const scanId = '20260601T070001Z-scheduled'; // a time and a kind, at which only the other has one
    await world.api.table.store.owe({ accountId, hostId: hosts[0], scanId, dueAt: NOON, tries: 0 });
    const path = (scan: string) => `/v1/hosts/${mine.hosts[0]}/scans/${scan}`;
    const foreign = await answerAndCost('GET', path(scanId));
    expect(foreign).toEqual(await answerAndCost('GET', path('20200101T000000Z-scheduled')));
    expect(foreign.status).toBe(404);
  });
});

describe('P6: another account’s cursor is as good as one made up', () => {
  const lists = (owner: Owner) => ['/v1/hosts', `/v1/hosts/${owner.hosts[0]}/scans`, `/v1/hosts/${owner.hosts[0]}/changes`];

  test.each([0, 1, 2])('list %i', async (which) => {
    const [own = '', foreign = ''] = [lists(mine)[which], lists(theirs)[which]];
    const cursor = theirs.cursors[foreign] ?? '';
    const asked = (text: string) => answerAndCost('GET', own, { query: [['cursor', text]] });
    const refused = await asked(cursor);
    expect(refused).toEqual(await asked(`${'A'.repeat(27)}.${'A'.repeat(22)}`));
    expect(refused.status).toBe(422);
    expect((await asked(mine.cursors[own] ?? '')).status).toBe(200);
  });
});

describe('P6: what another account has done shows in no answer', () => {
  const json = { 'content-type': 'application/json' };
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    answerAndCost('POST', path, { headers: { ...json, ...headers }, body: JSON.stringify(body) });

  test('its Idempotency-Key is not taken for one’s own', async () => {
    const body = { name: 'mx.example.org' };
    const headers = { ...json, 'idempotency-key': 'the-same', authorization: `Bearer ${theirs.key}` };
    const first = await ask('POST', '/v1/hosts', { headers, body: JSON.stringify(body) });
    expect(first.status).toBe(201);
    const second = await post('/v1/hosts', body, { 'idempotency-key': 'the-same' });
    expect(second.status).toBe(201);
    expect(JSON.parse(second.body ?? '').id).not.toBe(JSON.parse(first.body ?? '').id);
    expectNothingOf(theirs, second);
    const different = await post('/v1/hosts', { name: 'mx.example.net' }, { 'idempotency-key': 'the-same' });
    expect(different.status).toBe(422); // of one's own request, by now
  });

  test('a recipient who has confirmed for it has not for oneself, and is asked like anybody', async () => {
    await world.api.table.store.confirmRecipient(theirs.accountId, 'confirmed@example.org', NOON);
    const naming = async (email: string) => {
      const { body, ...answer } = await post('/v1/hosts', { name: `${email.split('@')[0]}.example.org`, alertRecipients: [email] });
      const { unconfirmedRecipients, id } = JSON.parse(body ?? '');
      expect(unconfirmedRecipients).toEqual([email]);
      return { ...answer, headers: answer.headers.filter(([, value]) => !value.includes(id)) };
    };
    expect(await naming('confirmed@example.org')).toEqual(await naming('unheardof@example.org'));
  });

  test('its mail address is answered like one without an account, by whoever asks for an account', async () => {
    expect(await post('/v1/accounts', { email: theirs.email })).toEqual(await post('/v1/accounts', { email: 'owner-9@example.org' }));
  });

  test('its mail address does not confirm the deletion of one’s own account, as no other does', async () => {
    const removing = (confirm: string) => answerAndCost('DELETE', '/v1/account', { headers: json, body: JSON.stringify({ confirm }) });
    const refused = await removing(theirs.email);
    expect(refused).toEqual(await removing('nobody@example.org'));
    expect(refused.status).toBe(422);
  });

  test('nothing of it is in any answer to the other, from any operation at any method', async () => {
    const answered: [string, number][] = [];
    for (const path of PATHS)
      for (const method of METHODS) {
        const documented = DOCUMENTED.find((each: Operation) => each.path === path && each.method === method);
        if (documented?.name === 'DELETE /v1/account' || documented?.name === 'DELETE /v1/keys/{prefix}') continue; // would end B itself
        const body = { ...OWN_BODIES[`${method} ${path}`] };
        const sent = Object.keys(body).length === 0 ? {} : { headers: json, body: JSON.stringify(body) };
        const query: Sent['query'] = path === '/v1/proposals' ? [['name', 'mail.example.org']] : [];
        const given = await ask(method, at(path, { ...idsOf(mine) }), { ...sent, query });
        expectNothingOf(theirs, given);
        answered.push([`${method} ${path}`, given.status]);
        if (documented === undefined) expect(given.status, `${method} ${path}`).toBe(405);
        if (documented?.name === 'DELETE /v1/hosts/{id}') mine = await world.owner();
      }
    // Nothing of B's is proven here, so that there is nothing to reaffirm.
    const refused = ['POST /v1/accounts', 'POST /v1/confirmations', `GET ${FOR_ANYBODY}`, 'POST /v1/hosts/{id}/consent/reaffirm'];
    const failed = answered.filter(([name, status]) => !refused.includes(name) && isDocumented(name) && status >= 300);
    expect(failed).toEqual([]);
  });

  const OWN_BODIES: Readonly<Record<string, object>> = {
    'POST /v1/keys': { scope: 'read' },
    'POST /v1/hosts': { name: 'mx-2.example.org' },
    'PATCH /v1/hosts/{id}': { period: 'week' },
    'POST /v1/accounts': { email: 'somebody@example.org' },
    'POST /v1/confirmations': { token: 'x' },
  };
});

const isDocumented = (name: string) => DOCUMENTED.some((each) => each.name === name);

test('P6: after all that, the other account is what it was', async () => {
  const headers = { authorization: `Bearer ${theirs.key}` };
  for (const id of theirs.hosts) {
    const host = JSON.parse((await ask('GET', `/v1/hosts/${id}`, { headers })).body ?? '');
    expect(host).toMatchObject({ id, revision: 1, period: 'day' });
  }
  expect(JSON.parse((await ask('GET', '/v1/keys', { headers })).body ?? '').items).toHaveLength(1);
});
