import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import type {
  AddressFacts,
  ClaimedName,
  ConsentFacts,
  DnsFailure,
  DomainFacts,
  ExchangerFacts,
  Place,
} from '../../../shared/domain/consent.ts';
import { type ConsentFinding, FINDING_KINDS, zoneLine } from '../../../shared/domain/consent-finding.ts';
import { findingsOf } from '../../../shared/domain/consent-findings.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const OTHERS = `ra1-${'b'.repeat(24)}`;
const HOST = 'mx.example.org';
const HOUR_MS = 3_600_000;
const ADDRESS = parseAddress('192.0.2.1') ?? expect.fail();
const SIX = parseAddress('2001:db8::1') ?? expect.fail();

const at = (name: string, saying: Place['saying'] = 'nothing', more: Partial<Place> = {}): Place => ({
  name: `_relay-audit.${name}`,
  saying,
  ...more,
});
const REVERSE = '1.2.0.192.in-addr.arpa';
const failed = (type: DnsFailure['type'], name: string, said = 'SERVFAIL', details?: string): DnsFailure => ({ type, name, said, details });
const claim = (name: string, more: Partial<ClaimedName> = {}): ClaimedName => ({ name, places: [at(name)], leadsBack: true, ...more });
const OWN = claim(HOST, { places: [at(HOST, 'token')] });
const side = (more: Partial<AddressFacts> = {}): AddressFacts => ({
  address: ADDRESS,
  operators: false,
  reverseZone: at(REVERSE),
  claims: [OWN],
  claimsTrouble: false,
  ...more,
});
const domain = (mail: DomainFacts['mail'], ...exchangers: ExchangerFacts[]): DomainFacts[] => [
  { domain: 'example.org', used: false, mail, exchangers },
];

type Case = Partial<ConsentFacts> & { readonly host?: string; readonly domains?: DomainFacts[]; readonly found?: number };

// A host by name, whose name and one address are proven, but for what a case changes.
function findingsFor({ host = HOST, domains = [], found = 1, ...facts }: Case): ConsentFinding[] {
  const proven: ConsentFacts = { namePlaces: [at(HOST, 'token'), at('example.org')], zone: 'example.org', addresses: [side()] };
  return findingsOf({ host, token: TOKEN, facts: { ...proven, ...facts }, domains, addressesFound: found });
}

const ofName = (own: Partial<Place>, ...more: Place[]): Case => ({ namePlaces: [{ ...at(HOST), ...own }, at('example.org'), ...more] });
const ofText = (text: string): Case => ofName({ saying: 'other', texts: [text] });
const ofAddress = (more: Partial<AddressFacts>): Case => ({ addresses: [side(more)] });
const ofPointer = (name: string, more: Partial<ClaimedName> = {}): Case =>
  ofAddress({ claims: [claim(name, { leadsBack: false, ...more })] });

/** A finding as a person reads it. */
function aloud({ kind, side, about, asked, found, means, change, proves }: ConsentFinding): string {
  return [
    `${kind}: ${side} ${about}${proves === undefined ? '' : ` (${proves})`}`,
    `${asked ?? '-'} -> ${found}`,
    means,
    change.what,
    ...(change.records ?? []).map(zoneLine),
    ...(change.send === undefined ? [] : [`“${change.send}”`]),
  ].join('\n');
}

const CASES: readonly (readonly [string, Case])[] = [
  // The name's record.
  ['a record that is missing', ofName({})],
  ['one that resolvers remember to be missing', ofName({ rememberedMs: 24 * HOUR_MS })],
  [
    "one that the zone's own servers do not have, who remember nothing",
    ofName({ rememberedMs: HOUR_MS, servers: [{ server: 'ns1.example.org', saying: 'nothing' }] }),
  ],
  ['a text of somebody else', ofText('v=spf1 -all')],
  ['a text with bytes that steer a terminal, and too long to show', ofText(`\u001b[31m${'x'.repeat(200)}`)],
  ['the token among other words', ofText(`site=1 ${TOKEN}`)],
  ['two tokens in one text', ofText(`${TOKEN} ${OTHERS}`)],
  ['the token of another account', ofText(OTHERS)],
  ['a token that was cut off', ofText(TOKEN.slice(0, 20))],
  ['a token with a letter too many', ofText(`${TOKEN}x`)],
  ['a token without its beginning', ofText(TOKEN.slice(4))],
  ['name and value that were swapped', ofText('_relay-audit.mx.example.org')],
  ['an attempt at a name above', { namePlaces: [at(HOST), at('example.org', 'other', { texts: ['hello', OTHERS] })] }],
  ['a record below the zone twice', { ...ofName({}), misplaced: [at('mx.example.org.example.org', 'token')] }],
  ['a record without its underscore', { ...ofName({}), misplaced: [{ name: 'relay-audit.mx.example.org', saying: 'token' }] }],
  ['a record at the name itself', { ...ofName({}), misplaced: [{ name: HOST, saying: 'token' }] }],
  [
    'a record at the top of the zone',
    {
      ...ofName({}),
      misplaced: [
        { name: 'example.org', saying: 'other', texts: ['v=spf1 -all'] },
        { name: 'example.org', saying: 'token' },
      ],
    },
  ],
  ['a record at www', { ...ofName({}), misplaced: [at('www.mx.example.org', 'token')] }],
  [
    "another account's token at the wrong place",
    { ...ofName({}), misplaced: [{ name: HOST, saying: 'other', texts: ['v=spf1 -all', OTHERS] }] },
  ],
  ['a name that is a public suffix', { host: 'github.io', namePlaces: [], zone: undefined, addresses: [], found: 1 }],
  ['a name without an address', { addresses: [], found: 0 }],
  ['a name that resolvers remember to have no address', { addresses: [], found: 0, addressesRememberedMs: 24 * HOUR_MS }],
  ['a name with too many addresses', { addresses: [], found: 4_000 }],
  // What stands in the way.
  ['a deny record at the name', ofName({ saying: 'deny' })],
  ['a deny record at the reverse name', ofAddress({ reverseZone: at(REVERSE, 'deny') })],
  ['a zone that fails', ofName({ saying: 'trouble', failure: failed('TXT', '_relay-audit.mx.example.org', 'SERVFAIL', 'DNSKEY Missing') })],
  ['a reverse zone that fails', ofAddress({ claims: [], claimsTrouble: true, claimsFailure: failed('PTR', REVERSE) })],
  [
    'the place below the reverse zone that fails',
    ofAddress({ reverseZone: at(REVERSE, 'trouble', { failure: failed('TXT', `_relay-audit.${REVERSE}`, 'REFUSED') }) }),
  ],
  [
    'a further name in reverse DNS that lies in a dead zone',
    ofAddress({
      claims: [
        OWN,
        claim('old.example.net', {
          leadsBack: 'unasked',
          places: [at('old.example.net', 'trouble', { failure: failed('TXT', '_relay-audit.old.example.net', 'no answer') })],
        }),
      ],
    }),
  ],
  ['a place that fails in a way that nobody wrote down', ofName({ saying: 'trouble' })],
  ['a family of addresses that fails beside the other', { addressFailure: failed('AAAA', HOST, 'NOTIMP') }],
  ['addresses that fail', { addresses: [], found: 0, addressFailure: failed('A', HOST, 'no answer') }],
  ['a look that took too long', { cut: 'time' }],
  ['a look with too many questions', { cut: 'questions' }],
  ['an address with too many names', ofAddress({ namesBeyond: 4 })],
  ['an address that nobody may probe', ofAddress({ forbidden: 'it is private (RFC 1918)', reverseZone: undefined, claims: [] })],
  [
    'name servers that disagree about the name',
    ofName({
      saying: 'trouble',
      servers: [
        { server: 'ns1.example.org', saying: 'token' },
        { server: 'ns2.example.org', saying: 'nothing' },
      ],
    }),
  ],
  [
    'name servers that disagree about the reverse zone',
    ofAddress({
      reverseZone: at(REVERSE, 'trouble', {
        servers: [
          { server: 'ns1.hoster.net', saying: 'nothing' },
          { server: 'ns2.hoster.net', saying: 'silent' },
        ],
      }),
    }),
  ],
  // Reverse DNS.
  ['no reverse DNS', ofAddress({ claims: [] })],
  ['reverse DNS that resolvers remember to be missing', ofAddress({ claims: [], claimsRememberedMs: 24 * HOUR_MS })],
  [
    'no reverse DNS of an address that is registered as one',
    { host: '192.0.2.1', namePlaces: undefined, zone: undefined, ...ofAddress({ claims: [] }) },
  ],
  ['a name in reverse DNS that waits for the proof of the host', { ...ofName({}), ...ofAddress({ claims: [claim(HOST)] }) }],
  ['a proven name that leads elsewhere', ofPointer(HOST, { places: [at(HOST, 'token')], addresses: ['192.0.2.9'] })],
  [
    'a proven name without an address of the family',
    {
      addresses: [side({ address: SIX, reverseZone: undefined, claims: [claim(HOST, { places: [at(HOST, 'token')], leadsBack: false })] })],
    },
  ],
  ['another name that does not lead back', ofPointer('mail.example.net')],
  ['another name that leads back', ofPointer('mail.example.net', { leadsBack: true })],
  [
    'a proven name that DNS is silent about',
    ofPointer('mail.example.org', {
      places: [at('mail.example.org'), at('example.org', 'token')],
      leadsBack: 'trouble',
      failure: failed('A', 'mail.example.org'),
    }),
  ],
  ['a name with an underscore', ofPointer('mail_1.example.org')],
  ['an address as a name', ofPointer('192.0.2.1')],
  ['localhost', ofPointer('localhost')],
  ['a name to which the reverse zone was appended', ofPointer(`mx.example.org.2.0.192.in-addr.arpa`)],
  ['a name to which the zone was appended', ofPointer('mx.example.org.example.org')],
  ["a provider's name", ofPointer('static.1.2.0.192.hoster.net', { leadsBack: true })],
  [
    "a provider's name that its customer has proven",
    ofPointer('static-192-0-2-1.hoster.net', { leadsBack: false, places: [at('static-192-0-2-1.hoster.net', 'token')] }),
  ],
  ['a public suffix', ofPointer('ec2-198-51-100-7.compute-1.amazonaws.com', { places: [] })],
  ['what is no name', ofPointer('mail (old).example.org')],
  ['a mistake in the reverse zone', ofAddress({ claims: [], reverseZone: at(REVERSE, 'other', { texts: [OTHERS] }) })],
  [
    'a mistake in the zone to which the address is handed over',
    ofAddress({ claims: [], delegated: at('1.0/25.2.0.192.in-addr.arpa', 'other', { texts: ['ra1-'] }) }),
  ],
  // Served domains.
  [
    'a served domain whose mail goes elsewhere',
    { domains: domain('exchangers', { name: 'mx1.hoster.net', is: 'elsewhere' }, { name: 'mx2.hoster.net', is: 'elsewhere' }) },
  ],
  ['a null MX', { domains: domain('null') }],
  ['no MX', { domains: domain('implicit') }],
  [
    'no MX for a host that is given as an address',
    { host: '192.0.2.1', namePlaces: undefined, addresses: [side({ reverseZone: at(REVERSE, 'token') })], domains: domain('implicit') },
  ],
  [
    'an MX that fails',
    { domains: [{ domain: 'example.org', used: false, mail: 'trouble', exchangers: [], failure: failed('MX', 'example.org', 'REFUSED') }] },
  ],
  [
    'exchangers that no mail reaches, each by its name',
    {
      domains: domain(
        'exchangers',
        { name: 'mail_1.example.org', is: 'no-name' },
        { name: 'alias.example.org', is: 'alias' },
        { name: '192.0.2.1', is: 'literal' },
        { name: 'gone.example.org', is: 'no-address' },
        { name: 'dead.example.net', is: 'trouble', failure: failed('AAAA', 'dead.example.net') },
      ),
    },
  ],
];

// Every finding in full, as a person reads it: the heading is the case, then what was asked and what came, what it means, what to change,
// the records, and what to send to a provider.
const TOLD = new Map(
  readFileSync(new URL('./consent-findings.txt', import.meta.url), 'utf8')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n')).trim()] as const),
);

describe('what a look finds is told with what was asked, what came, what it means and the one change: ', () => {
  test.each(CASES)('%s', (name, facts) => {
    expect(findingsFor(facts).map(aloud).join('\n\n')).toBe(TOLD.get(name));
  });

  test('every kind of finding, and no text without a case', () => {
    const kinds = CASES.flatMap(([, facts]) => findingsFor(facts).map(({ kind }) => kind));
    expect(new Set(kinds)).toEqual(new Set(FINDING_KINDS));
    expect([...TOLD.keys()]).toEqual(CASES.map(([name]) => name));
  });
});

test('nothing is found where all is as it should be', () => {
  expect(
    findingsFor({ domains: [{ domain: 'example.org', used: true, mail: 'exchangers', exchangers: [{ name: HOST, is: 'this-host' }] }] }),
  ).toEqual([]);
});

test('nothing is missing for the networks of the operator, and a deny record is told all the same', () => {
  const facts = ofAddress({ operators: true, claims: [], reverseZone: at(REVERSE) });
  expect(findingsFor({ ...facts, ...ofName({}) })).toEqual([]);
  expect(findingsFor({ ...facts, ...ofName({ saying: 'deny' }) })).toMatchObject([{ kind: 'veto' }]);
});

test('beside a deny record no other record is asked for', () => {
  expect(findingsFor({ ...ofName({ saying: 'deny' }), ...ofAddress({ claims: [] }) }).map(({ kind }) => kind)).toEqual(['veto']);
});

test('a host in SPF whose name happens to end like the beginning of a token is no token', () => {
  const spf = 'v=spf1 include:infra1-eu.example.net -all';
  expect(findingsFor(ofText(spf))).toMatchObject([{ kind: 'other-text' }]);
  const misplaced = [{ name: 'example.org', saying: 'other', texts: [spf] }] as const;
  expect(findingsFor({ ...ofName({}), misplaced })).toMatchObject([{ kind: 'no-record' }]);
});

test('name servers that differ in what decides nothing are not told to disagree', () => {
  const servers = [
    { server: 'ns1.example.org', saying: 'other' },
    { server: 'ns2.example.org', saying: 'nothing' },
  ] as const;
  expect(findingsFor(ofName({ servers }))).toMatchObject([{ kind: 'no-record' }]);
});

test('name servers of a name in reverse DNS that disagree are told as those of that name, and no provider is written to', () => {
  const servers = [
    { server: 'ns1.hoster.net', saying: 'token' },
    { server: 'ns2.hoster.net', saying: 'nothing' },
  ] as const;
  const [found] = findingsFor(ofPointer('mx.hoster.net', { places: [at('mx.hoster.net', 'nothing', { servers })], leadsBack: true }));
  expect(found).toMatchObject({ kind: 'servers-disagree', means: expect.stringContaining('The name servers of mx.hoster.net disagree') });
  expect(found?.change.send).toBeUndefined();
});

test('reverse DNS that names another machine of the owner is to name the host, and not the other way round', () => {
  const found = findingsFor(ofPointer('smtp.example.org', { addresses: ['192.0.2.99'] }));
  expect(found).toMatchObject([{ kind: 'does-not-lead-back', change: { records: [{ type: 'PTR', value: HOST }] } }]);
});

test('a served domain that is used names only what is wrong with its MX', () => {
  const exchangers = [
    { name: HOST, is: 'this-host' },
    { name: 'mx.hoster.net', is: 'elsewhere' },
    { name: 'gone.example.org', is: 'no-address' },
  ] as const;
  const found = findingsFor({ domains: [{ domain: 'example.org', used: true, mail: 'exchangers', exchangers }] });
  expect(found).toMatchObject([{ kind: 'mx-no-address', about: 'example.org' }]);
});

test('what strangers write is cut, and shown without a byte that could steer a terminal', () => {
  const evil = `\u001b]0;x\u0007\u202e${'y'.repeat(500)}`;
  for (const facts of [
    ofText(evil),
    ofPointer(evil),
    ofText(`${OTHERS} ${evil}`),
    { ...ofName({}), misplaced: [{ name: HOST, saying: 'other', texts: [`${TOKEN} ${evil}`] }] } as const,
  ])
    for (const each of findingsFor(facts)) {
      expect(aloud(each)).toMatch(/^[\x20-\x7e\n“”’…§]*$/);
      expect(aloud(each)).not.toContain('y'.repeat(81));
    }
});
