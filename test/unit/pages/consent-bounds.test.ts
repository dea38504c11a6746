import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../shared/domain/address.ts';
import type { AddressFacts, ConsentFacts } from '../../../shared/domain/consent.ts';
import { sightOf } from '../../../shared/domain/consent-sight.ts';
import { consentPage } from '../../../shared/pages/consent.ts';
import { NOON, sampleHost } from '../../support/samples.ts';
import { elementsOf } from './well-formed.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const ADDRESS = parseAddress('185.1.1.1') ?? expect.fail();
const PLACE = { name: '_relay-audit.1.1.1.185.in-addr.arpa', saying: 'token' } as const;
const SIDE: AddressFacts = { address: ADDRESS, operators: false, reverseZone: PLACE, claims: [], claimsTrouble: false };
const NAME = [{ name: '_relay-audit.mail.example.org', saying: 'token' }] as const;

/** The page for what a look has found. */
function pageOf(facts: Partial<ConsentFacts>, addressesFound = 1): string {
  const host = sampleHost({ name: 'mail.example.org' });
  const around = { token: TOKEN, pauses: [], isNever: () => false, domains: [], addressesFound };
  const sight = sightOf(host.settings.name, { namePlaces: NAME, addresses: [SIDE], ...facts }, around);
  const visitor = { email: 'owner@example.org', formToken: 'x' };
  const page = consentPage({ visitor, host, now: NOON, sight, told: undefined });
  elementsOf(page);
  return page;
}

describe('an owner whose host is beyond the bounds of a look is told which', () => {
  test('names of an address', () => {
    const page = pageOf({ addresses: [{ ...SIDE, namesBeyond: 4 }] });
    expect(page).toContain('too much to look up');
    expect(page).toContain('Reverse DNS gives 185.1.1.1 12 names');
  });

  test('questions', () => {
    const page = pageOf({ cut: 'questions', addresses: [{ ...SIDE, reverseZone: { ...PLACE, saying: 'unasked' } }] });
    expect(page).toContain('more than 200 questions to DNS');
    expect(page).toContain('not asked, since there was too much to look up');
  });

  test('and not every place where nothing was found on the way there', () => {
    const places = Array.from({ length: 100 }, (_, n) => ({ name: `_relay-audit.n${n}.hoster.net`, saying: 'nothing' as const }));
    const claims = [
      { name: 'n.hoster.net', places: [...places, { name: '_relay-audit.hoster.net', saying: 'unasked' as const }], leadsBack: false },
    ];
    expect(pageOf({ addresses: [{ ...SIDE, claims }] })).toContain('_relay-audit.n99.hoster.net');
    const page = pageOf({ cut: 'questions', addresses: [{ ...SIDE, claims }] });
    expect(page).not.toContain('_relay-audit.n99.hoster.net');
    expect(page).toContain('_relay-audit.hoster.net');
  });

  test('time', () => {
    expect(pageOf({ cut: 'time' })).toContain('DNS took more than 10 seconds');
  });

  test('addresses', () => {
    expect(pageOf({}, 12)).toContain('It has 12 addresses. A scan audits the first 8');
    expect(pageOf({}, 8)).not.toContain('addresses. A scan audits');
  });
});
