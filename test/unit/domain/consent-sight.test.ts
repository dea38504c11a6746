import { expect, test } from 'vitest';
import { type Address, parseAddress } from '../../../shared/domain/address.ts';
import type { AddressFacts, ClaimedName, Saying } from '../../../shared/domain/consent.ts';
import { goesFurther, type SeenAddress, sightOf } from '../../../shared/domain/consent-sight.ts';
import type { Contact } from '../../../shared/domain/scan.ts';
import { sampleLeg } from '../../support/samples.ts';

const TOKEN = 'relay-audit-token';
const SERVER = parseAddress('185.1.2.3') as Address;

function claim(name: string, saying: Saying, leadsBack: boolean): ClaimedName {
  return { name, places: [{ name: `_relay-audit.${name}`, saying }], leadsBack };
}

// A host that is registered by its address, whose reverse DNS says this.
function seen(...claims: ClaimedName[]) {
  const side: AddressFacts = { address: SERVER, operators: false, claims, claimsTrouble: false };
  const around = { token: TOKEN, pauses: [], isNever: () => false, domains: [], addressesFound: 1 };
  const [address] = sightOf(SERVER.text, { addresses: [side] }, around).addresses;
  const [byName, byZone] = address?.add ?? [];
  return { standing: address?.standing, byName, byZone };
}

test('who registers an address without reverse DNS is given all three records of that way, and the one of the reverse zone', () => {
  const { byName, byZone } = seen();
  expect(byName).toMatchObject({
    proof: 'reverse-dns',
    record: `_relay-audit.mail.example.org. IN TXT "${TOKEN}"`,
    also: ['3.2.1.185.in-addr.arpa. IN PTR mail.example.org.', 'mail.example.org. IN A 185.1.2.3'],
    what: expect.stringContaining('in the place of mail.example.org'),
  });
  expect(byZone).toMatchObject({ proof: 'reverse-zone', record: `_relay-audit.3.2.1.185.in-addr.arpa. IN TXT "${TOKEN}"` });
});

test('a name in reverse DNS that leads back needs the one record and no other', () => {
  const { byName } = seen(claim('mx.hoster.net', 'nothing', true));
  expect(byName).toMatchObject({ record: `_relay-audit.mx.hoster.net. IN TXT "${TOKEN}"` });
  expect(byName?.also).toBeUndefined();
});

test('a name in reverse DNS that is proven and does not lead back needs its address record alone', () => {
  const { byName } = seen(claim('mx.hoster.net', 'token', false));
  expect(byName).toMatchObject({ also: ['mx.hoster.net. IN A 185.1.2.3'], what: expect.stringContaining('Add this address record') });
  expect(byName?.record).toBeUndefined();
});

test('the name in reverse DNS that lacks least is the one that is told', () => {
  expect(seen(claim('a.hoster.net', 'nothing', false), claim('b.hoster.net', 'nothing', true)).byName?.record).toContain('b.hoster.net');
});

test('with all of the records that it was told, the address is proven', () => {
  expect(seen(claim('mail.example.org', 'token', true)).standing).toBe('proven');
});

test.each<[string, boolean, Record<string, SeenAddress['standing']>, Record<string, Contact>]>([
  ['one that was proven then, while the other is still not', false, { a: 'proven', b: 'no-consent' }, { a: 'answered', b: 'unproven' }],
  ['one that was silent then', false, { a: 'proven', b: 'no-consent' }, { a: 'connection-timed-out', b: 'unproven' }],
  ['one that was unproven then', true, { a: 'proven', b: 'proven', c: 'no-consent' }, { a: 'answered', b: 'unproven', c: 'unproven' }],
  ['one that was paused then', true, { a: 'proven', b: 'no-consent' }, { a: 'vetoed', b: 'unproven' }],
  ['one that DNS said too much of then', true, { a: 'proven', b: 'no-consent' }, { a: 'too-many-lookups', b: 'unproven' }],
  ['one that the name did not have then', true, { a: 'proven', c: 'proven', b: 'no-consent' }, { a: 'answered', b: 'unproven' }],
  ['the only one that is left', true, { a: 'proven' }, { a: 'answered', b: 'unproven' }],
  ['one of which the last scan came to nothing', true, { a: 'proven', b: 'no-consent' }, {}],
  ['one beside another that still refuses the whole host', false, { a: 'proven', b: 'forbidden-address' }, {}],
  ['one beside another that DNS is silent about', false, { a: 'proven', b: 'dns-trouble' }, {}],
  ['none', false, { a: 'paused', b: 'no-consent' }, { a: 'vetoed', b: 'unproven' }],
])('whether a scan now goes further than the last one, where the address that is proven is %s', (_, further, now, then) => {
  const addresses = Object.entries(now).map(([address, standing]) => ({ address, standing }));
  const legs = Object.entries(then).map(([address, contact]) => ({ ...sampleLeg(), address, contact }));
  expect(goesFurther({ complete: addresses.every(({ standing }) => standing === 'proven'), addresses }, legs)).toBe(further);
});
