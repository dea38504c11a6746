import { describe, expect, test } from 'vitest';
import {
  adviceFor,
  type Delivery,
  type FoundAddress,
  type FoundServer,
  type ProposalFacts,
  proposalFor,
} from '../../../shared/domain/proposal.ts';
import { sampleHost } from '../../support/samples.ts';

const ourselves = { addresses: ['198.51.100.7', '2001:db8::7'], ehloName: 'probe.example.net' };

const at = (text: string, more: Partial<FoundAddress> = {}): FoundAddress => ({ text, names: [], operators: false, ...more });

const server = (name: string, ...addresses: FoundAddress[]): FoundServer => ({ name, addresses, unknown: false });

const mx = (...names: string[]) => names.map((name, index) => ({ name, preference: 10 * (index + 1) }));

/** What was found for example.org, which has a web site and two mail servers of its own. */
function found(more: Partial<ProposalFacts> = {}): ProposalFacts {
  return {
    itself: server('example.org', at('192.0.2.80')),
    domain: { name: 'example.org', mail: mx('mx1.example.org', 'mx2.example.org'), unknown: false },
    exchangers: [server('mx1.example.org', at('192.0.2.1')), server('mx2.example.org', at('192.0.2.2'))],
    above: [],
    ourselves,
    trouble: [],
    ...more,
  };
}

/** What was found for example.org when its MX names this one server. */
const servedBy = (only: FoundServer, more: Partial<ProposalFacts> = {}) =>
  found({ domain: { name: 'example.org', mail: mx(only.name), unknown: false }, exchangers: [only], ...more });

/** What was found for mail.example.org, which the MX of example.org names. */
const mailServer = (more: Partial<ProposalFacts> = {}) =>
  found({
    itself: server('mail.example.org', at('192.0.2.1')),
    domain: { name: 'mail.example.org', mail: [], unknown: false },
    exchangers: [],
    above: [{ name: 'example.org', mail: mx('mail.example.org'), unknown: false }],
    ...more,
  });

describe('names of one server', () => {
  const proposed = (...exchangers: FoundServer[]) =>
    proposalFor(found({ domain: { name: 'example.org', mail: mx(...exchangers.map(({ name }) => name)), unknown: false }, exchangers }));
  const [one, two, three] = [at('192.0.2.1'), at('192.0.2.2'), at('192.0.2.3')];

  test('are proposed as one host, and each says which stands for it', () => {
    const { register, servers } = proposed(server('mx1.example.org', one), server('mx2.example.org', two), server('mx3.example.org', one));
    expect(register).toEqual([
      { name: 'mx1.example.org', servedDomains: ['example.org'] },
      { name: 'mx2.example.org', servedDomains: ['example.org'] },
    ]);
    expect(servers.map(({ sameAs }) => sameAs)).toEqual([undefined, undefined, 'mx1.example.org']);
    expect(servers[2]?.why).toBe('It leads to the same server as mx1.example.org, and one host audits both.');
  });

  test('are one host by the name that has most addresses, with the domains of all', () => {
    const mailOf = (name: string, domain: string) => ({ name: domain, mail: mx(name), unknown: false });
    const { register, servers } = proposalFor(
      found({
        itself: server('a.mail.example.org', one),
        domain: mailOf('b.mail.example.org', 'a.mail.example.org'),
        exchangers: [server('b.mail.example.org', one, two), server('c.mail.example.org', three, two, one)],
        above: [mailOf('a.mail.example.org', 'example.org')],
      }),
    );
    expect(register).toEqual([{ name: 'c.mail.example.org', servedDomains: ['example.org', 'a.mail.example.org'] }]);
    expect(servers.map(({ sameAs }) => sameAs)).toEqual(['c.mail.example.org', 'c.mail.example.org', undefined]);
  });

  test.each<[string, FoundServer]>([
    ['has an address of its own beside', server('mx2.example.org', one, three)],
    ['DNS says no address of', { ...server('mx2.example.org'), unknown: true }],
  ])('are not meant where each of two %s', (_, other) => {
    expect(proposed(server('mx1.example.org', one, two), other).register).toHaveLength(2);
  });
});

describe('a server that a host of the account is already', () => {
  const host = sampleHost({ name: 'mx1.example.org', servedDomains: [] });
  const proposed = (...names: string[]) => proposalFor(found({ audited: new Map(names.map((name) => [name, host])) }));

  test('is not proposed again; what it lacks is told, and the others are', () => {
    const { registered, register, next, servedDomains } = proposed('mx1.example.org');
    expect(registered).toEqual([{ name: 'mx1.example.org', host, add: ['example.org'] }]);
    expect(register).toEqual([{ name: 'mx2.example.org', servedDomains: ['example.org'] }]);
    expect(next).toMatch(/^You have mx1\.example\.org already: .* under `registered`\. Register mx2\.example\.org: /);
    expect(servedDomains).toEqual(['example.org']);
  });

  test('leaves nothing else to do where it is all that there is', () => {
    const { registered, register, next } = proposed('mx1.example.org', 'mx2.example.org');
    expect(registered).toHaveLength(2);
    expect(register).toBeUndefined();
    expect(next).toMatch(/^You have mx1\.example\.org already/);
    expect(next).not.toMatch(/register yet|[Rr]egister mx/);
  });

  test('is none where there is no such host', () => expect(proposed().registered).toBeUndefined());

  test('gets no mail of this account in the way: the warning is about those that are proposed', () => {
    const delivery = {
      recipient: 'owner@example.org',
      domain: 'example.org',
      servers: [{ name: 'mx1.example.org', addresses: ['192.0.2.1'] }],
    };
    const hosts = new Map([
      ['mx1.example.org', host],
      ['mx2.example.org', host],
    ]);
    expect(proposalFor(found({ delivery })).recipientWarning).toBeDefined();
    expect(proposalFor(found({ delivery, audited: hosts })).recipientWarning).toBeUndefined();
  });
});

describe('the servers of a name', () => {
  test('a domain has those of its MX, and its web site is none', () => {
    expect(proposalFor(found()).servers).toMatchObject([
      { name: 'mx1.example.org', role: 'mx', preference: 10, addresses: ['192.0.2.1'], auditable: true },
      { name: 'mx2.example.org', role: 'mx', preference: 20, addresses: ['192.0.2.2'], auditable: true },
    ]);
  });

  test.each([
    ['a domain without an MX is its own', { domain: { name: 'example.org', mail: [], unknown: false }, exchangers: [] }, ['this-name']],
    [
      'a domain whose MX names itself has itself once',
      { domain: { name: 'example.org', mail: mx('example.org'), unknown: false }, exchangers: [server('example.org', at('192.0.2.80'))] },
      ['this-name'],
    ],
    [
      'a name that the MX of the domain above gives is a server, whatever its own MX',
      { above: [{ name: 'org.example', mail: mx('example.org'), unknown: false }] },
      ['this-name', 'mx', 'mx'],
    ],
    [
      'a name whose MX DNS did not tell is not taken for a server',
      { domain: { name: 'example.org', mail: [], unknown: true }, exchangers: [] },
      [],
    ],
    [
      'a name without an MX and an address has none',
      { itself: server('example.org'), domain: { name: 'example.org', mail: [], unknown: false }, exchangers: [] },
      [],
    ],
  ] as [string, Partial<ProposalFacts>, string[]][])('%s', (_, more, roles) => {
    expect(proposalFor(found(more)).servers.map(({ role }) => role)).toEqual(roles);
  });
});

describe('whose a server is', () => {
  test.each([
    [
      'one that no provider is known to run may be the owner’s',
      server('mx.example.org', at('192.0.2.1')),
      true,
      undefined,
      'yours to audit',
    ],
    [
      'one with a mailbox provider’s name is the provider’s',
      server('aspmx.l.google.com', at('192.0.2.1')),
      false,
      'Google Workspace',
      'You cannot prove it to be yours, and there is nothing for you to fix.',
    ],
    [
      'one with a filter’s name is the filter’s, and one behind it is another matter',
      server('eu.mimecast.com', at('192.0.2.1')),
      false,
      'Mimecast',
      'ask for that one by its own name',
    ],
    [
      'one whose reverse DNS name is a shared machine’s is shared',
      server('mail.example.org', at('192.0.2.1', { names: ['box5620.bluehost.com'] })),
      false,
      'Bluehost',
      'many customers of Bluehost share, by its reverse DNS name box5620.bluehost.com',
    ],
    [
      'one whose reverse DNS name is a rented server’s may be the owner’s',
      server('mail.example.org', at('192.0.2.1', { names: ['static.1.2.0.192.clients.your-server.de'] })),
      true,
      undefined,
      'yours to audit',
    ],
    [
      'a name that looks like a provider’s is not the provider’s',
      server('mx.evilgoogle.com', at('192.0.2.1')),
      true,
      undefined,
      'yours to audit',
    ],
    [
      'one in the operator’s networks is theirs, also if the operator is a provider',
      server('smtpin.rzone.de', at('192.0.2.1', { operators: true })),
      true,
      undefined,
      'operator',
    ],
    [
      'one in the operator’s private networks is theirs',
      server('mx.example.org', at('10.0.0.1', { operators: true, forbidden: 'private' })),
      true,
      undefined,
      'operator',
    ],
    ['one without an address cannot be audited', server('mx.example.org'), false, undefined, 'no address'],
    [
      'one with private addresses only cannot be audited',
      server('mx.example.org', at('10.0.0.1', { forbidden: '10.0.0.0/8 is reserved' })),
      false,
      undefined,
      '10.0.0.0/8 is reserved',
    ],
    [
      'one whose addresses DNS did not tell may be the owner’s',
      { name: 'mx.example.org', addresses: [], unknown: true },
      true,
      undefined,
      'did not say',
    ],
  ])('%s', (_, only, auditable, provider, why) => {
    const proposal = proposalFor(servedBy(only));
    expect(proposal.servers).toMatchObject([{ auditable }]);
    expect(proposal.servers[0]?.runBy?.provider).toBe(provider);
    expect(proposal.servers[0]?.why).toContain(why);
    expect(proposal.register).toEqual(auditable ? [{ name: only.name, servedDomains: ['example.org'] }] : undefined);
    expect(proposal.servers[0]?.forward === undefined).toBe(provider === undefined);
  });

  test('the text to forward names all servers of the provider and the domain, and claims no fault', () => {
    const names = ['aspmx.l.google.com', 'alt1.aspmx.l.google.com'];
    const exchangers = names.map((name) => server(name, at('192.0.2.1')));
    const { servers } = proposalFor(found({ domain: { name: 'example.org', mail: mx(...names), unknown: false }, exchangers }));
    for (const { forward } of servers) {
      expect(forward).toContain('Google Workspace');
      expect(forward).toContain('aspmx.l.google.com and alt1.aspmx.l.google.com, which you run, for example.org');
      expect(forward).toContain('reports no fault');
    }
  });
});

describe('served domains are those whose MX names the server', () => {
  const above = (name: string, ...names: string[]) => ({ name, mail: mx(...names), unknown: false });

  test.each([
    ['the domain that was asked for', found(), [['example.org'], ['example.org']]],
    ['the domain above a server', mailServer(), [['example.org']]],
    ['not a domain above whose MX names another', mailServer({ above: [above('example.org', 'mx.elsewhere.example')] }), [[]]],
    [
      'several domains above',
      mailServer({ above: [above('b.example.org', 'mail.example.org'), above('example.org', 'mail.example.org')] }),
      [['b.example.org', 'example.org']],
    ],
    [
      'the domain above, also for a server that the MX of the one below names',
      servedBy(server('mail.example.org', at('192.0.2.1')), { above: [above('org.example', 'mail.example.org')] }),
      [['example.org', 'org.example']],
    ],
    [
      'for an address, those whose MX gives a name that leads to it',
      mailServer({
        itself: { ...server('192.0.2.1', at('192.0.2.1')), alsoCalled: ['mail.example.org'] },
        domain: { name: '192.0.2.1', mail: [], unknown: false },
      }),
      [['example.org']],
    ],
  ])('%s', (_, facts, served) => {
    expect(proposalFor(facts).register?.map(({ servedDomains }) => servedDomains)).toEqual(served);
    expect(proposalFor(facts).servedDomains).toEqual([...new Set(served.flat())]);
  });
});

describe('what to do next', () => {
  const google = server('aspmx.l.google.com', at('192.0.2.1'));
  test.each([
    ['one server is registered by one request', mailServer(), ['Register mail.example.org: POST /v1/hosts']],
    ['several servers are registered one by one', found(), ['mx1.example.org and mx2.example.org', 'one POST /v1/hosts for each']],
    ['a server without served domains wants some', mailServer({ above: [] }), ['Add to "servedDomains"', 'mail.example.org']],
    [
      'a provider’s servers are left to it, and the text is for it',
      servedBy(google),
      ['nothing to register', 'Google Workspace', '"forward"'],
    ],
    [
      'beside a server of one’s own, a provider’s is left to it',
      found({ exchangers: [server('mx1.example.org', at('192.0.2.1')), google] }),
      ['Register mx1.example.org', 'run by Google Workspace'],
    ],
    ['what cannot be audited says why', servedBy(server('mx.example.org')), ['nothing to register yet', '"why"']],
    [
      'a name that DNS does not know may be misspelt',
      found({ itself: server('example.org'), domain: { name: 'example.org', mail: [], unknown: false }, exchangers: [] }),
      ['Check the spelling'],
    ],
    [
      'a name that DNS was silent about is asked for again',
      found({ domain: { name: 'example.org', mail: [], unknown: true }, exchangers: [], trouble: ['DNS did not say.'] }),
      ['Ask again later'],
    ],
  ])('%s', (_, facts, parts) => {
    for (const part of parts) expect(proposalFor(facts).next).toContain(part);
  });

  test('what DNS did not answer is told, and nothing is told when it answered all', () => {
    expect(proposalFor(found({ trouble: ['DNS did not say.'] })).trouble).toEqual(['DNS did not say.']);
    expect(proposalFor(found()).trouble).toBeUndefined();
  });
});

describe('ban tools are told our addresses, and relay rules never are', () => {
  test('the line for fail2ban names the local computer and us', () => {
    expect(proposalFor(found()).exempt).toMatchObject({ ...ourselves, ignoreip: 'ignoreip = 127.0.0.1/8 ::1 198.51.100.7 2001:db8::7' });
  });

  test('the warning says what would come of us in mynetworks', () => {
    expect(proposalFor(found()).exempt?.warning).toMatch(
      /^Never put our addresses into mynetworks.*every scan would then find an open relay/,
    );
  });

  test('a deployment that does not know its addresses gives no line', () => {
    expect(proposalFor(found({ ourselves: { addresses: [], ehloName: 'probe.example.net' } })).exempt).toBeUndefined();
  });
});

describe('a recipient elsewhere is asked for when the alert would wait in the audited server', () => {
  const by = (name: string, ...addresses: string[]): Delivery => ({
    recipient: 'owner@example.org',
    domain: 'example.org',
    servers: [{ name, addresses }],
  });

  test.each([
    ['its domain’s MX names the server', by('mx1.example.org'), true],
    ['its domain’s MX is another name of the same address', by('mx.other.example', '192.0.2.2'), true],
    ['a filter takes its mail and passes it on to the server', by('eu.mimecast.com'), true],
    ['DNS did not say who takes its mail, and the server serves its domain', { ...by(''), servers: [] }, true],
    ['a mailbox provider keeps its mail', by('aspmx.l.google.com', '203.0.113.9'), false],
    [
      'it is at another domain',
      {
        recipient: 'owner@elsewhere.example',
        domain: 'elsewhere.example',
        servers: [{ name: 'mx.elsewhere.example', addresses: ['203.0.113.9'] }],
      },
      false,
    ],
  ] as [string, Delivery, boolean][])('%s: %s', (_, delivery, warned) => {
    const proposal = proposalFor(found({ delivery }));
    expect(proposal.recipientWarning !== undefined).toBe(warned);
    expect(proposal.next.includes('"alertRecipients"')).toBe(warned);
    if (warned) expect(proposal.recipientWarning).toMatch(/owner@example\.org.*Give an alert recipient whose mail is delivered elsewhere/);
  });

  test('a provider’s servers are not audited, so nothing waits in them', () => {
    const google = server('aspmx.l.google.com', at('192.0.2.1'));
    expect(proposalFor(servedBy(google, { delivery: by('aspmx.l.google.com') })).recipientWarning).toBeUndefined();
  });
});

describe('the same advice is given when a host is registered', () => {
  const here: Delivery = {
    recipient: 'a@example.org',
    domain: 'example.org',
    servers: [{ name: 'mail.example.org', addresses: ['192.0.2.1'] }],
  };
  const elsewhere: Delivery = { recipient: 'b@elsewhere.example', domain: 'elsewhere.example', servers: [] };
  const advice = (alertRecipients: string[], deliveries: Delivery[]) =>
    adviceFor({
      name: 'mail.example.org',
      servedDomains: ['example.org'],
      alertRecipients,
      facts: { addresses: ['192.0.2.1'], deliveries, ourselves },
    });

  test.each([
    ['all recipients in the audited server are a fault', ['a@example.org', 'c@example.org'], [here], 'a@example.org and c@example.org'],
    ['one recipient elsewhere is enough', ['a@example.org', 'b@elsewhere.example'], [here, elsewhere], undefined],
    ['a recipient nothing was looked up for counts by its domain, in whatever case', ['A@EXAMPLE.ORG'], [], 'A@EXAMPLE.ORG'],
    ['no recipients, no warning', [], [], undefined],
  ])('%s', (_, recipients, deliveries, whom) => {
    const { recipientWarning } = advice(recipients, deliveries);
    if (whom === undefined) expect(recipientWarning).toBeUndefined();
    else expect(recipientWarning).toContain(`Mail to ${whom} goes through mail.example.org itself`);
  });

  test('the line for ban tools is the same', () => {
    expect(advice(['b@elsewhere.example'], [elsewhere]).exempt).toEqual(proposalFor(found()).exempt);
  });
});
