import type { Answer } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Address, parseAddress } from '../../../shared/domain/address.ts';
import { standingOf } from '../../../shared/domain/consent.ts';
import { readTarget } from '../../../shared/domain/host-name.ts';
import { lookUpConsent } from '../../../shared/network/consent-lookups.ts';
import { dnsLookups } from '../../../shared/network/lookups.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../../support/scripted-dns-server.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const OTHER = `ra1-${'b'.repeat(24)}`;
const ADDRESS = read('185.1.1.1');
const END = '_relay-audit.hoster.example';
const ONE = '_relay-audit.one.example';

const zone: Record<string, Saying> = {};
let dns: ScriptedDns;

function read(text: string): Address {
  return parseAddress(text) ?? expect.fail(text);
}

const txt = (name: string, data: string): Answer => ({ type: 'TXT', name, ttl: 60, data });
const alias = (name: string): Answer => ({ type: 'CNAME', name, ttl: 60, data: END });

/** The zones of two customers, whose `_relay-audit` leads to the hoster's, as a resolver gives them. */
function hosted(...texts: readonly string[]): void {
  for (const name of Object.keys(zone)) delete zone[name];
  const end = texts.map((text) => txt(END, text));
  for (const customer of [ONE, '_relay-audit.two.example']) zone[customer] = { answers: [alias(customer), ...end] };
  zone['1.1.1.185.in-addr.arpa'] = { answers: [{ type: 'PTR', name: '1.1.1.185.in-addr.arpa', ttl: 60, data: 'mx.one.example' }] };
  zone['mx.one.example'] = { answers: [{ type: 'A', name: 'mx.one.example', ttl: 60, data: ADDRESS.text }] };
}

async function stands(name: string): Promise<string> {
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new Error(target.why);
  const lookups = dnsLookups([dns.address]);
  const facts = await lookUpConsent(target, [ADDRESS], { token: TOKEN, lookups, operatorNetworks: [] });
  const standing = standingOf(facts, facts.addresses[0] ?? expect.fail(), TOKEN);
  return standing.kind === 'consent' ? standing.consent.proof : standing.reason;
}

beforeAll(async () => {
  dns = await startScriptedDns(zone);
});
afterAll(() => dns.stop());

describe('a proof that a CNAME delegates to a hosting company', () => {
  test('is one TXT record for the names of all its customers', async () => {
    hosted(TOKEN);
    expect([await stands('mx.one.example'), await stands('mail.two.example')]).toEqual(['reverse-dns', 'reverse-dns']);
  });

  test('may stand beside the tokens of other accounts, and is none without the token', async () => {
    hosted(OTHER, TOKEN);
    expect(await stands('mx.one.example')).toBe('reverse-dns');
    hosted(OTHER);
    expect(await stands('mx.one.example')).toBe('no-consent');
    hosted();
    expect(await stands('mx.one.example')).toBe('no-consent');
  });

  test('may delegate the reverse zone of an address as well', async () => {
    hosted(TOKEN);
    const reverse = '_relay-audit.1.1.1.185.in-addr.arpa';
    zone['1.1.1.185.in-addr.arpa'] = { rcode: 3 };
    zone[reverse] = { answers: [alias(reverse), txt(END, TOKEN)] };
    expect(await stands('mx.one.example')).toBe('reverse-zone');
  });

  test('ends for all of them by a veto where it leads, beside the token too', async () => {
    hosted(TOKEN, 'deny');
    expect([await stands('mx.one.example'), await stands('mail.two.example')]).toEqual(['vetoed', 'vetoed']);
  });

  test('ends for one customer by a veto in their own zone, below the CNAME', async () => {
    hosted(TOKEN);
    zone['_relay-audit.mail.two.example'] = { answers: [txt('_relay-audit.mail.two.example', 'deny')] };
    expect([await stands('mx.one.example'), await stands('mail.two.example')]).toEqual(['reverse-dns', 'vetoed']);
  });

  test('is in doubt while its end does not answer, since a veto may be there', async () => {
    hosted(TOKEN);
    zone[ONE] = { rcode: 2, answers: [alias(ONE)] };
    expect(await stands('mx.one.example')).toBe('dns-trouble');
  });
});
