import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as z from 'zod';
import type { Call } from '../../../functions/api/call.ts';
import { showProposal } from '../../../functions/api/proposals.ts';
import { lookUpDeliveries } from '../../../shared/accounts/lookups.ts';
import { Problem } from '../../../shared/accounts/problem.ts';
import { proposalResponse } from '../../../shared/contract/proposals.ts';
import { registerHostRequest } from '../../../shared/contract/requests.ts';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import type { Budget } from '../../../shared/store/audit-store.ts';

/** Records of a pretended DNS; a name with `trouble` is one that the resolver fails for. */
type Zone = {
  readonly addresses?: Record<string, readonly string[] | 'trouble'>;
  readonly mail?: Record<string, readonly string[] | 'trouble'>;
  readonly names?: Record<string, readonly string[] | 'trouble'>;
};

/** The look-ups of a zone, and the questions they were asked. */
function lookupsOf(zone: Zone): { lookups: Lookups; questions: string[] } {
  const questions: string[] = [];
  const answer = <T>(
    question: string,
    known: readonly string[] | 'trouble' | undefined,
    read: (text: string, index: number) => T,
  ): Found<T> => {
    questions.push(question);
    if (known === 'trouble') return { kind: 'trouble', why: 'SERVFAIL' };
    return known === undefined ? { kind: 'absent' } : { kind: 'found', values: known.map(read) };
  };
  const lookups: Lookups = {
    addresses: async (name) => answer(`A ${name}`, zone.addresses?.[name], addressOf),
    mailServers: async (domain) => answer(`MX ${domain}`, zone.mail?.[domain], (name, index) => ({ name, preference: 10 * index })),
    names: async ({ text }) => answer(`PTR ${text}`, zone.names?.[text], (name) => name),
    texts: async (name) => answer(`TXT ${name}`, undefined, (text) => text),
  };
  return { lookups, questions };
}

function addressOf(text: string) {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const LOOPBACK = parseNetwork('127.0.0.0/8');

let spent = 0;
beforeEach(() => {
  spent = 0;
});

function callOf(query: Record<string, string>, lookups: Lookups, email = 'owner@elsewhere.example'): Call {
  const services = {
    lookups,
    egressAddresses: ['198.51.100.7'],
    ehloName: 'probe.example.net',
    operatorNetworksOf: () => (LOOPBACK ? [LOOPBACK] : []),
    probePorts: [25, 465, 587],
  };
  const store = {
    findAccount: async (id: string) => (id === 'account1' ? { id, email, createdAt: 0 } : undefined),
    listHosts: async () => ({ items: [] }),
    takeFromBudget: async ({ limit }: Budget, now: number) => ({
      granted: ++spent <= limit,
      remaining: limit - spent,
      resetAt: now + 1_000,
    }),
  };
  const event = { queryStringParameters: query } as unknown as APIGatewayProxyEventV2;
  return { ...services, store, event, clock: () => 0, accountId: 'account1' } as unknown as Call;
}

/** What is proposed for a name, checked against the published schemas. */
async function propose(name: string, zone: Zone, email?: string): Promise<z.output<typeof proposalResponse>> {
  const answer = await showProposal(callOf({ name }, lookupsOf(zone).lookups, email));
  expect(answer.statusCode).toBe(200);
  const body = proposalResponse.parse(JSON.parse(answer.body ?? ''));
  for (const each of body.register ?? []) registerHostRequest.parse(each);
  return body;
}

// The addresses are public ones, since documentation's are reserved and reserved ones are never audited.
const OWN: Zone = {
  addresses: { 'example.org': ['9.9.9.80'], 'mail.example.org': ['9.9.9.1', '2620:fe::1'] },
  mail: { 'example.org': ['mail.example.org'] },
};

describe('a proposal', () => {
  test('for a domain registers the servers of its MX with the domain', async () => {
    const body = await propose('Example.ORG', OWN);
    expect(body).toMatchObject({
      name: 'example.org',
      servers: [{ name: 'mail.example.org', role: 'mx', preference: 0, addresses: ['9.9.9.1', '2620:fe::1'], auditable: true }],
      servedDomains: ['example.org'],
      register: [{ name: 'mail.example.org', servedDomains: ['example.org'] }],
      exempt: { ignoreip: 'ignoreip = 127.0.0.1/8 ::1 198.51.100.7', ehloName: 'probe.example.net' },
    });
    expect(Object.keys(body)).not.toContain('trouble');
    expect(Object.keys(body)).not.toContain('recipientWarning');
  });

  test('for a server finds the domain above it', async () => {
    expect(await propose('mail.example.org', OWN)).toMatchObject({
      servers: [{ name: 'mail.example.org', role: 'this-name', auditable: true }],
      register: [{ name: 'mail.example.org', servedDomains: ['example.org'] }],
    });
  });

  test('for an address finds the domain by its reverse DNS name, if that leads back', async () => {
    const names = { '9.9.9.1': ['mail.example.org', 'mail.liar.example'] };
    const mail = { ...OWN.mail, 'liar.example': ['mail.liar.example'] };
    expect(await propose('9.9.9.1', { ...OWN, names, mail })).toMatchObject({
      servers: [{ name: '9.9.9.1', role: 'this-name', auditable: true }],
      register: [{ name: '9.9.9.1', servedDomains: ['example.org'] }],
    });
  });

  test('for a domain at a provider says that there is nothing to fix, and gives a text to forward', async () => {
    const body = await propose('example.org', {
      mail: { 'example.org': ['aspmx.l.google.com'] },
      addresses: { 'aspmx.l.google.com': ['9.9.9.2'] },
    });
    expect(body.servers).toMatchObject([{ runBy: { provider: 'Google Workspace', kind: 'mailbox-provider' }, auditable: false }]);
    expect(body.servers[0]?.forward).toContain('example.org');
    expect(body.register).toBeUndefined();
    expect(body.next).toContain('nothing to register');
  });

  test('knows shared hosting by reverse DNS', async () => {
    const body = await propose('example.org', { ...OWN, names: { '9.9.9.1': ['box5620.bluehost.com'] } });
    expect(body.servers).toMatchObject([{ runBy: { provider: 'Bluehost', kind: 'shared-hosting' }, auditable: false }]);
  });

  test('offers nothing that target policy forbids, save in the operator’s networks', async () => {
    const zone = (address: string): Zone => ({
      mail: { 'example.org': ['mail.example.org'] },
      addresses: { 'mail.example.org': [address] },
    });
    expect((await propose('example.org', zone('10.0.0.1'))).servers).toMatchObject([{ auditable: false }]);
    expect((await propose('example.org', zone('127.0.0.1'))).servers).toMatchObject([{ auditable: true }]);
  });

  test('warns of an account whose address is delivered by the server itself', async () => {
    expect((await propose('mail.example.org', OWN, 'Owner@Example.org')).recipientWarning).toContain('Owner@Example.org');
    expect((await propose('mail.example.org', OWN)).recipientWarning).toBeUndefined();
  });
});

describe('what is asked', () => {
  test('stops below public suffixes, the private section included', async () => {
    const { lookups, questions } = lookupsOf({});
    await showProposal(callOf({ name: 'a.b.example.co.uk' }, lookups));
    expect(questions.filter((question) => question.startsWith('MX')).toSorted()).toEqual(
      ['MX a.b.example.co.uk', 'MX b.example.co.uk', 'MX elsewhere.example', 'MX example.co.uk'].toSorted(),
    );
    const other = lookupsOf({});
    await showProposal(callOf({ name: 'mine.github.io' }, other.lookups));
    expect(other.questions).not.toContain('MX github.io');
  });

  test('is bounded, whatever a domain holds', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `mx${index}.example.org`);
    const eight = Array.from({ length: 8 }, (_, index) => `9.9.9.${index}`);
    const { lookups, questions } = lookupsOf({
      mail: { 'example.org': many },
      addresses: Object.fromEntries(many.map((name, index) => [name, eight.map((text) => text.replace('9.9.9', `9.9.${index}`))])),
    });
    const answer = await showProposal(callOf({ name: 'example.org' }, lookups));
    expect(questions.length).toBeLessThan(60);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ trouble: ['Only the first 10 mail servers of example.org were looked at.'] });
  });

  test('looks at no server with more than a hundred addresses, and says so', async () => {
    const endless = Array.from({ length: 4_000 }, (_, index) => `9.9.${Math.floor(index / 250)}.${index % 250}`);
    const { lookups, questions } = lookupsOf({
      mail: { 'example.org': ['mail.example.org'] },
      addresses: { 'mail.example.org': endless },
    });
    const { body = '' } = await showProposal(callOf({ name: 'example.org' }, lookups));
    expect(body.length).toBeLessThan(5_000);
    expect(JSON.parse(body).trouble).toEqual(['mail.example.org has 4000 addresses. At most 100 of one name are looked at.']);
    expect(questions.length).toBeLessThan(20);
  });

  test('takes no MX record that gives no name, and one that is there twice once', async () => {
    const body = await propose('example.org', {
      ...OWN,
      mail: { 'example.org': ['mail.example.org', 'mail.example.org', 'bad_name.example', '127.1'] },
    });
    expect(body.servers).toHaveLength(1);
    expect(body.trouble).toEqual([
      'An MX record of example.org points to 127.1, which is no name of a server; it is left out.',
      'An MX record of example.org points to bad_name.example, which is no name of a server; it is left out.',
    ]);
  });
});

describe('silence of DNS is told, and never reads as absence', () => {
  test.each([
    ['the MX', { ...OWN, mail: { 'example.org': 'trouble' } }, 'which servers take mail for example.org', []],
    ['a server’s addresses', { ...OWN, addresses: { 'mail.example.org': 'trouble' } }, 'which addresses mail.example.org has', [true]],
    ['an address’s names', { ...OWN, names: { '9.9.9.1': 'trouble' } }, 'what 9.9.9.1 is called', [true]],
  ] as [string, Zone, string, boolean[]][])('%s', async (_, zone, sentence, auditable) => {
    const body = await propose('example.org', zone);
    expect(body.trouble?.join()).toContain(sentence);
    expect(body.trouble?.join()).toContain('SERVFAIL');
    expect(body.servers.map((each) => each.auditable)).toEqual(auditable);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('a resolver that never answers is given up after ten seconds', async () => {
    vi.useFakeTimers();
    const never = () => new Promise<never>(() => undefined);
    const answer = showProposal(callOf({ name: 'example.org' }, { addresses: never, mailServers: never, names: never, texts: never }));
    await vi.advanceTimersByTimeAsync(10_000);
    const body = proposalResponse.parse(JSON.parse((await answer).body ?? ''));
    expect(body.servers).toEqual([]);
    expect(body.next).toContain('Ask again later');
    expect(body.trouble?.join()).toContain('no answer in time');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a question that cannot be read is refused with the field it is in', () => {
  test.each([
    ['no name', {}, 'name'],
    ['one label', { name: 'localhost' }, 'name'],
    ['a port', { name: 'mail.example.org:25' }, 'name'],
    ['a URL', { name: 'https://example.org/' }, 'name'],
    ['a mailbox', { name: 'owner@example.org' }, 'name'],
    ['control characters', { name: 'example.org\r\nx' }, 'name'],
    ['another parameter', { name: 'example.org', domain: 'x' }, 'domain'],
  ])('%s', async (_, query, field) => {
    const { lookups, questions } = lookupsOf({});
    const problem = await showProposal(callOf(query as Record<string, string>, lookups)).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 422, errors: [{ field }] });
    expect(questions).toEqual([]);
  });
});

test('an account asks for 200 in an hour, and then no question goes out: each asks DNS up to a hundred, at names of its choice', async () => {
  for (let each = 0; each < 200; each++) await propose('example.org', OWN);
  const { lookups, questions } = lookupsOf(OWN);
  const problem = await showProposal(callOf({ name: 'example.org' }, lookups)).catch((error: unknown) => error);
  expect(problem).toMatchObject({ status: 429 });
  expect(questions).toEqual([]);
});

describe('the servers that take a recipient’s mail', () => {
  test.each([
    ['are those of the MX', OWN, 'a@example.org', [{ name: 'mail.example.org', addresses: ['9.9.9.1', '2620:fe::1'] }]],
    [
      'are the domain itself where it has no MX',
      { addresses: { 'example.org': ['9.9.9.80'] } },
      'a@example.org',
      [{ name: 'example.org', addresses: ['9.9.9.80'] }],
    ],
    ['are unknown where DNS is silent', { mail: { 'example.org': 'trouble' } }, 'a@example.org', []],
    ['are unknown for a domain that cannot be read', OWN, 'a@[192.0.2.1]', []],
  ] as [string, Zone, string, object[]][])('%s', async (_, zone, recipient, servers) => {
    expect(await lookUpDeliveries([recipient], lookupsOf(zone).lookups)).toMatchObject([{ recipient, servers }]);
  });
});
