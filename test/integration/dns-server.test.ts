import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Address, parseAddress } from '../../shared/domain/address.ts';
import { dnsLookups, type Found, type Lookups } from '../../shared/network/lookups.ts';
import { type DnsServer, hasDns, startDns } from '../support/dns/server.ts';
import { needsMta } from '../support/mta/namespace.ts';

const ABSENT = { kind: 'absent' };
const SERVFAIL = { kind: 'trouble', why: 'SERVFAIL' };

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

function textsOf(found: Found<Address>): unknown {
  return found.kind === 'found' ? found.values.map(({ text }) => text) : found;
}

describe.skipIf(!hasDns())(`a real name server, asked by the look-ups that consent is proven with (${needsMta('nsd')})`, () => {
  let dns: DnsServer;
  let lookups: Lookups;

  beforeAll(async () => {
    dns = await startDns({
      'one.example': [
        'mx A 192.0.2.7',
        'mx AAAA 2001:db8::7',
        '@ MX 20 spare',
        '@ MX 10 MX.One.Example.',
        '_relay-audit.mx TXT "relay-audit=" "token"',
        'alias CNAME mx',
        'abroad CNAME mx.two.example.',
        'chain CNAME back.two.example.',
        'nowhere CNAME nothing.two.example.',
        'loop CNAME pool',
        'pool CNAME loop',
        '*.wild TXT "deny"',
        'under.between A 192.0.2.9',
        `long TXT ${Array.from({ length: 20 }, () => `"${'x'.repeat(250)}"`).join(' ')}`,
        ...Array.from({ length: 4 }, (_, n) => `mixed A ${['192.0.2.4', '127.0.0.1', '10.0.0.1', '192.0.2.5'][n]}`),
      ],
      'two.example': ['mx A 192.0.2.8', 'back CNAME mx.one.example.', '@ MX 0 .', '_relay-audit TXT "two"'],
      'broken.example': 'unloadable',
      'inside.broken.example': ['mx A 192.0.2.10'],
      '2.0.192.in-addr.arpa': [
        '7 PTR MX.One.Example.',
        '7 PTR mx.two.example.',
        '_relay-audit.7 TXT "reverse"',
        '_relay-audit.8 CNAME _relay-audit.8.half.two.example.',
      ],
      'half.two.example': ['_relay-audit.8 TXT "delegated"'],
      '8.b.d.0.1.0.0.2.ip6.arpa': [`7${'.0'.repeat(23)} PTR mx.one.example.`],
      'changing.example': ['_relay-audit TXT "before"'],
    });
    lookups = dnsLookups([dns.address]);
  });
  afterAll(() => dns?.stop());

  test('it has addresses of both families, mail exchangers in their order, and texts joined from their strings', async () => {
    expect(textsOf(await lookups.addresses('mx.one.example'))).toMatchObject(['192.0.2.7', '2001:db8::7']);
    expect(await lookups.mailServers('one.example')).toMatchObject({
      kind: 'found',
      values: [
        { name: 'mx.one.example', preference: 10 },
        { name: 'spare.one.example', preference: 20 },
      ],
    });
    expect(await lookups.mailServers('two.example')).toMatchObject(ABSENT);
    expect(await lookups.texts('_relay-audit.mx.one.example')).toMatchObject({ kind: 'found', values: ['relay-audit=token'] });
  });

  test('names are found whatever the case they are asked in', async () => {
    expect(await lookups.texts('_RELAY-AUDIT.Mx.One.EXAMPLE')).toMatchObject({ kind: 'found', values: ['relay-audit=token'] });
  });

  test('an answer too long for UDP is fetched over TCP', async () => {
    expect(await lookups.texts('long.one.example')).toMatchObject({ kind: 'found', values: ['x'.repeat(5_000)] });
  });

  test.each([
    ['within a zone', 'alias.one.example', ['192.0.2.7', '2001:db8::7']],
    ['into another zone', 'abroad.one.example', ['192.0.2.8']],
    ['into another zone and back', 'chain.one.example', ['192.0.2.7', '2001:db8::7']],
  ])('an alias is followed %s', async (_, name, texts) => {
    expect(textsOf(await lookups.addresses(name))).toMatchObject(texts);
  });

  test.each(['nowhere.one.example', 'loop.one.example'])('an alias that leads nowhere, as %s, is absent', async (name) => {
    expect(await lookups.addresses(name)).toMatchObject(ABSENT);
  });

  test('a wildcard answers for what lies below it, and not for itself', async () => {
    expect(await lookups.texts('_relay-audit.any.wild.one.example')).toMatchObject({ kind: 'found', values: ['deny'] });
    expect(await lookups.texts('wild.one.example')).toMatchObject(ABSENT);
  });

  test.each([
    ['a name that does not exist', 'nothing.one.example'],
    ['a name with records of other types only', '_relay-audit.mx.one.example'],
    ['a name with nothing but names below it', 'between.one.example'],
    ['a name in no zone', 'mail.elsewhere.example'],
  ])('%s is absent', async (_, name) => {
    expect(await lookups.addresses(name)).toMatchObject(ABSENT);
  });

  test('a zone that cannot be loaded is trouble, for all names in it but those in zones of their own', async () => {
    expect(await lookups.addresses('broken.example')).toMatchObject(SERVFAIL);
    expect(await lookups.texts('_relay-audit.mx.broken.example')).toMatchObject(SERVFAIL);
    expect(textsOf(await lookups.addresses('mx.inside.broken.example'))).toMatchObject(['192.0.2.10']);
  });

  test('a good address does not hide the bad ones beside it', async () => {
    expect(textsOf(await lookups.addresses('mixed.one.example'))).toMatchObject(['10.0.0.1', '127.0.0.1', '192.0.2.4', '192.0.2.5']);
  });

  test('an address has names in its reverse zone, of either family', async () => {
    const four = await lookups.names(address('192.0.2.7'));
    expect(four.kind === 'found' && four.values.toSorted()).toMatchObject(['mx.one.example', 'mx.two.example']);
    expect(await lookups.names(address('2001:db8::7'))).toMatchObject({ kind: 'found', values: ['mx.one.example'] });
    expect(await lookups.names(address('192.0.2.200'))).toMatchObject(ABSENT);
  });

  test('a proof in a reverse zone may stand there, or be delegated by an alias into another zone', async () => {
    expect(await lookups.texts('_relay-audit.7.2.0.192.in-addr.arpa')).toMatchObject({ kind: 'found', values: ['reverse'] });
    expect(await lookups.texts('_relay-audit.8.2.0.192.in-addr.arpa')).toMatchObject({ kind: 'found', values: ['delegated'] });
  });

  test('a change is served when it is done, also of a zone that breaks and of one that is mended', async () => {
    const place = '_relay-audit.changing.example';
    expect(await lookups.texts(place)).toMatchObject({ kind: 'found', values: ['before'] });
    await dns.change('changing.example', ['_relay-audit TXT "deny"']);
    expect(await lookups.texts(place)).toMatchObject({ kind: 'found', values: ['deny'] });
    await dns.change('changing.example', []);
    expect(await lookups.texts(place)).toMatchObject(ABSENT);
    await dns.change('changing.example', 'unloadable');
    expect(await lookups.texts(place)).toMatchObject(SERVFAIL);
    await dns.change('changing.example', ['_relay-audit TXT "after"']);
    expect(await lookups.texts(place)).toMatchObject({ kind: 'found', values: ['after'] });
    expect(await lookups.texts('_relay-audit.mx.one.example')).toMatchObject({ kind: 'found' });
  });

  test('it serves nothing once it has stopped, and another may run beside it', async () => {
    const other = await startDns({ 'one.example': ['mx A 192.0.2.99'] });
    try {
      expect(textsOf(await dnsLookups([other.address]).addresses('mx.one.example'))).toMatchObject(['192.0.2.99']);
      expect(textsOf(await lookups.addresses('mx.one.example'))).toMatchObject(['192.0.2.7', '2001:db8::7']);
    } finally {
      await other.stop();
    }
    expect(await dnsLookups([other.address]).addresses('mx.one.example')).toMatchObject({ kind: 'trouble' });
  });

  test('a zone file that it cannot read is a defect of the test, shown with what the server says of it', async () => {
    await expect(startDns({ 'one.example': ['mx A 300.0.2.1'] })).rejects.toThrow("invalid IPv4 address '300.0.2.1'");
    await expect(dns.change('changing.example', ['mx A'])).rejects.toThrow('error: ');
    await expect(dns.change('elsewhere.example', [])).rejects.toThrow('not a zone of this server');
  });
});
