import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import { type AddressFacts, type ConsentFacts, type Saying, standingOf } from '../../../shared/domain/consent.ts';
import { presenceScan, speaksFor } from '../../../shared/domain/presence.ts';
import { SCAN_KINDS, scanId } from '../../../shared/domain/scan.ts';
import { NOON } from '../../support/samples.ts';

const ADDRESS = parseAddress('185.1.1.1') ?? expect.fail();
const ASKED = scanId(NOON, 'on-demand');
const CONFIRMING = scanId(NOON + 600_000, 'confirming');
const pendingOf = (shownBy: string) => ({ pending: { to: 'open', scanId: shownBy, notBefore: NOON } }) as const;

describe('an address that asks for a scan of it speaks for', () => {
  test('that scan alone, and the one that confirms it', () => {
    expect(presenceScan(ASKED, {})).toBe(ASKED);
    expect(presenceScan(CONFIRMING, pendingOf(ASKED))).toBe(ASKED);
  });

  test.each(SCAN_KINDS.filter((kind) => kind !== 'on-demand'))('no %s scan, and none that confirms one', (kind) => {
    expect(presenceScan(scanId(NOON, kind), {})).toBeUndefined();
    expect(presenceScan(CONFIRMING, pendingOf(scanId(NOON, kind)))).toBeUndefined();
    if (kind !== 'confirming') expect(presenceScan(scanId(NOON, kind), pendingOf(ASKED))).toBeUndefined();
  });

  test('itself, until its time is over', () => {
    const presence = { hostId: 'a', scanId: ASKED, address: '185.1.1.1', until: NOON };
    expect(speaksFor(presence, ADDRESS, NOON - 1)).toBe(true);
    expect(speaksFor(presence, ADDRESS, NOON)).toBe(false);
    expect(speaksFor({ ...presence, address: '185.1.1.2' }, ADDRESS, NOON - 1)).toBe(false);
    expect(speaksFor(undefined, ADDRESS, NOON - 1)).toBe(false);
  });
});

describe('being there', () => {
  const side = (facts: Partial<AddressFacts>): AddressFacts => ({
    address: ADDRESS,
    operators: false,
    claims: [],
    claimsTrouble: false,
    there: true,
    ...facts,
  });
  const standing = (facts: Partial<AddressFacts> = {}, host: Partial<ConsentFacts> = {}, token?: string) => {
    const found = standingOf({ addresses: [], ...host }, side(facts), token);
    return found.kind === 'consent' ? found.consent.proof : found.reason;
  };
  const reverseZone = (saying: Saying) => ({ reverseZone: { name: '_relay-audit.1.1.1.185.in-addr.arpa', saying } });

  test('is consent where DNS says nothing, and only where the address has asked', () => {
    expect(standing()).toBe('being-there');
    expect(standing(reverseZone('nothing'), {}, 'token')).toBe('being-there');
    expect(standing({ there: false })).toBe('no-consent');
  });

  test('is not needed where DNS speaks', () => {
    expect(standing(reverseZone('token'), {}, 'token')).toBe('reverse-zone');
  });

  test('says nothing for a host that is given by its name', () => {
    expect(standing({}, { namePlaces: [] }, 'token')).toBe('no-consent');
  });

  test.each<[string, Partial<AddressFacts>, Partial<ConsentFacts>, string]>([
    ['a veto in DNS', reverseZone('deny'), {}, 'vetoed'],
    ['silence that may hide one', reverseZone('trouble'), {}, 'dns-trouble'],
    ['a look beyond its bounds', {}, { cut: 'questions' }, 'too-many-lookups'],
    ['more names than are asked', { namesBeyond: 1 }, {}, 'too-many-lookups'],
    ['the target policy', { forbidden: 'private' }, {}, 'forbidden-address'],
  ])('is beaten by %s', (_, facts, host, reason) => {
    expect(standing(facts, host, 'token')).toBe(reason);
  });
});
