import { describe, expect, test } from 'vitest';
import { type Address, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import {
  type AddressFacts,
  type ClaimedName,
  type ConsentFacts,
  isOperators,
  type Place,
  type Saying,
  sayingOf,
  standingOf,
} from '../../../shared/domain/consent.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const OTHER = `ra1-${'b'.repeat(24)}`;
const ADDRESS = addressOf('185.1.1.1');

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

const place = (saying: Saying): Place => ({ name: '_relay-audit.x', saying });
const claim = (saying: Saying, leadsBack: ClaimedName['leadsBack'] = true): ClaimedName => ({
  name: 'x',
  places: [place(saying)],
  leadsBack,
});
const side = (facts: Partial<AddressFacts> = {}): AddressFacts => ({
  address: ADDRESS,
  operators: false,
  reverseZone: place('nothing'),
  claims: [],
  claimsTrouble: false,
  ...facts,
});
const host = (...sayings: readonly Saying[]): Pick<ConsentFacts, 'namePlaces'> => ({ namePlaces: sayings.map(place) });
const LITERAL: Pick<ConsentFacts, 'namePlaces'> = { namePlaces: undefined };

/** Where an address stands, in a word: its proof, or why not. */
function stands(name: Pick<ConsentFacts, 'namePlaces'>, facts: Partial<AddressFacts>, token: string | undefined = TOKEN): string {
  const standing = standingOf({ ...name, addresses: [] }, side(facts), token);
  return standing.kind === 'consent' ? standing.consent.proof : standing.reason;
}

describe('what a place says', () => {
  test.each<[string, readonly string[], Saying]>([
    ['nothing, when it has no text', [], 'nothing'],
    ['something else, when it has other texts', ['v=spf1 -all', 'hello'], 'other'],
    ['the token, alone', [TOKEN], 'token'],
    ['the token, in whatever case and with spaces around it', [` ${TOKEN.toUpperCase()} `], 'token'],
    ['the token, among other texts', ['v=spf1 -all', TOKEN], 'token'],
    ["something else, when it has another account's token", [OTHER], 'other'],
    ...[
      `"${TOKEN}"`,
      `'${TOKEN}'`,
      `“${TOKEN}”`,
      `„${TOKEN}“`,
      `«\u00a0${TOKEN}\u00a0»`,
      `\\"${TOKEN}\\"`,
      `&quot;${TOKEN}&quot;`,
      `\u00a0${TOKEN}\u200b\r\n`,
      `\u00e2\u0080\u009c${TOKEN}\u00e2\u0080\u009d`, // curly quotes and a no-break space, each byte read as a character
      `\u00c2\u00a0${TOKEN}`,
      `token=${TOKEN}`,
      `relay-audit-token = "${TOKEN}"`,
      `_relay-audit: ${TOKEN}`,
      `TXT ${TOKEN}`,
      `_relay-audit IN TXT "${TOKEN}"`,
      `_relay-audit.mx.example.org. 3600 IN TXT "${TOKEN}"`,
      `_relay-audit.mx.example.org.\tIN\t1h30m\tTXT\t( “${TOKEN.toUpperCase()}” )`,
      `@ TXT "token=${TOKEN}"`,
    ].map((text): [string, readonly string[], Saying] => [`the token, written as ${JSON.stringify(text)}`, [text], 'token']),
    ...[
      `${TOKEN}x`,
      `x${TOKEN}`,
      `${TOKEN} ${OTHER}`,
      `${OTHER} ${TOKEN}`,
      `${TOKEN} ${TOKEN}`,
      `not ${TOKEN}`,
      `not=${TOKEN}`,
      `${TOKEN} ; no longer`,
      `v=spf1 include:${TOKEN} -all`,
      `www IN TXT "${TOKEN}"`,
      `_relay-audit IN CNAME ${TOKEN}`,
      `_relay-audit IN TXT "${OTHER}" "${TOKEN}"`,
      `${TOKEN.slice(0, 12)} ${TOKEN.slice(12)}`,
      `${TOKEN.slice(0, 12)}"${TOKEN.slice(12)}`,
      `token=${' '.repeat(600)}${TOKEN}`, // longer than any line of a zone that a person wrote
    ].map((text): [string, readonly string[], Saying] => [`something else, when in doubt: ${JSON.stringify(text)}`, [text], 'other']),
    ['a veto', ['deny'], 'deny'],
    ['a veto, in whatever case and with spaces around it', [' DENY '], 'deny'],
    ['a veto, whatever token stands beside it', [TOKEN, 'deny'], 'deny'],
    ...['"deny"', "'deny'", '“deny”', 'deny;', 'deny.', 'deny relay-audit', 'Deny: all', '"DENY" ; no probes', 'deny=1', '\tdeny\r\n'].map(
      (text): [string, readonly string[], Saying] => [`a veto, written as ${JSON.stringify(text)}`, ['v=spf1 -all', text, TOKEN], 'deny'],
    ),
    ...['token=deny', '_relay-audit.mx.example.org. IN TXT "deny"', '_relay-audit 300 TXT deny ; no probes', '\u00a0“deny”'].map(
      (text): [string, readonly string[], Saying] => [
        `a veto, written where a token would count: ${JSON.stringify(text)}`,
        [text, TOKEN],
        'deny',
      ],
    ),
    ['something else, when deny is but a part of the first word', ['denying', 'deny-list', 'denyall', 'deny_2'], 'other'],
    ['something else, when deny is not the first word', ['do not deny', 'v=deny'], 'other'],
  ])('%s', (_, texts, saying) => {
    expect(sayingOf(texts, TOKEN)).toBe(saying);
  });

  test('is never the token to a caller without one', () => {
    expect(sayingOf([TOKEN, 'undefined', ''], undefined)).toBe('other');
  });
});

describe('both sides must speak', () => {
  test.each<[string, Pick<ConsentFacts, 'namePlaces'>, Partial<AddressFacts>, string]>([
    ['the name and the reverse zone', host('token'), { reverseZone: place('token') }, 'reverse-zone'],
    ['the name and reverse DNS', host('token'), { claims: [claim('token')] }, 'reverse-dns'],
    ['a name above and the reverse zone', host('nothing', 'token'), { reverseZone: place('token') }, 'reverse-zone'],
    ['the reverse zone alone is not enough', host('nothing'), { reverseZone: place('token') }, 'no-consent'],
    ['reverse DNS alone is not enough', host('other'), { claims: [claim('token')] }, 'no-consent'],
    ['the name alone is not enough', host('token'), {}, 'no-consent'],
    ['neither is nothing', host('nothing'), {}, 'no-consent'],
    ['a name that no place can prove, a public suffix, is never proven', host(), { reverseZone: place('token') }, 'no-consent'],
    ['a host given as an address needs the reverse zone', LITERAL, { reverseZone: place('token') }, 'reverse-zone'],
    ['and has no consent without it', LITERAL, {}, 'no-consent'],
    ["other texts, such as a wildcard's, prove nothing", host('token'), { reverseZone: place('other') }, 'no-consent'],
    ['a claimed name must lead back', host('token'), { claims: [claim('token', false)] }, 'no-consent'],
    ['a claimed name must be proven', host('token'), { claims: [claim('nothing', true)] }, 'no-consent'],
    ['one claimed name must do both', host('token'), { claims: [claim('nothing', true), claim('token', false)] }, 'no-consent'],
    ["the operator's networks need nothing else", host('nothing'), { operators: true }, 'operators-network'],
    ["the operator's networks may be of any kind", host('nothing'), { operators: true, forbidden: 'private' }, 'operators-network'],
    ['what nobody may probe is refused, whoever speaks', host('token'), { forbidden: 'private' }, 'forbidden-address'],
  ])('%s', (_, name, facts, standing) => {
    expect(stands(name, facts)).toBe(standing);
  });

  test('a caller without a token has consent in the networks of the operator alone', () => {
    const none = standingOf({ ...LITERAL, addresses: [] }, side({ reverseZone: place('other') }), undefined);
    expect(none).toEqual({ kind: 'none', reason: 'no-consent' });
    expect(standingOf({ ...LITERAL, addresses: [] }, side({ operators: true }), undefined).kind).toBe('consent');
  });

  test('the consent names the one address that it is for', () => {
    expect(standingOf({ ...host('token'), addresses: [] }, side({ reverseZone: place('token') }), TOKEN)).toEqual({
      kind: 'consent',
      consent: { address: '185.1.1.1', proof: 'reverse-zone' },
    });
  });
});

const PROVEN = { reverseZone: place('token'), claims: [claim('token')] };

describe.each([
  ['a veto', 'deny', 'vetoed'],
  ['silence of DNS', 'trouble', 'dns-trouble'],
] as const)('%s', (_, saying, reason) => {
  test.each<[string, Pick<ConsentFacts, 'namePlaces'>, Partial<AddressFacts>]>([
    ['at the name', host(saying, 'token'), PROVEN],
    ['above the name', host('token', saying), PROVEN],
    ['at the reverse name', host('token'), { ...PROVEN, reverseZone: place(saying) }],
    ['at a claimed name', host('token'), { ...PROVEN, claims: [claim('token'), claim(saying, false)] }],
    ['at the reverse name of an operator', host('token'), { operators: true, reverseZone: place(saying) }],
    ['for a host given as an address', LITERAL, { ...PROVEN, claims: [claim(saying, false)] }],
  ])('%s beats every proof', (__, name, facts) => {
    expect(stands(name, facts)).toBe(reason);
  });
});

describe('what goes beyond one look', () => {
  const standing = (facts: Partial<AddressFacts>, cut?: ConsentFacts['cut']) =>
    standingOf({ ...host('token'), cut, addresses: [] }, side({ ...PROVEN, ...facts }), TOKEN);
  const TOO_MANY = { kind: 'none', reason: 'too-many-lookups' };

  test('is no consent for an address with more names than are asked', () => {
    expect(standing({ namesBeyond: 1 })).toEqual(TOO_MANY);
    expect(standing({ namesBeyond: 1, operators: true })).toEqual(TOO_MANY);
    expect(standing({ namesBeyond: 0 }).kind).toBe('consent');
  });

  test('is no consent for any address when it is questions, whatever was silent beside', () => {
    expect(standing({}, 'questions')).toEqual(TOO_MANY);
    expect(standing({ reverseZone: place('unasked') }, 'questions')).toEqual(TOO_MANY);
    expect(standing({ reverseZone: place('trouble') }, 'questions')).toEqual(TOO_MANY);
  });

  test('is trouble when it is time', () => {
    expect(standing({}, 'time')).toEqual({ kind: 'none', reason: 'dns-trouble' });
  });

  test('leaves a veto a veto', () => {
    expect(standing({ namesBeyond: 1, reverseZone: place('deny') }, 'questions')).toEqual({ kind: 'none', reason: 'vetoed' });
  });
});

describe('trouble is never absence', () => {
  test.each<[string, Partial<AddressFacts>, string]>([
    ['names that an address claims, when DNS is silent about them', { ...PROVEN, claimsTrouble: true }, 'dns-trouble'],
    ['a claimed name that may lead back, when nothing else proves', { claims: [claim('token', 'trouble')] }, 'dns-trouble'],
    [
      'a claimed name that may lead back decides nothing where there is a proof',
      { ...PROVEN, claims: [claim('token', 'trouble')] },
      'reverse-zone',
    ],
  ])('%s', (_, facts, standing) => {
    expect(stands(host('token'), facts)).toBe(standing);
  });

  test('a veto is a veto, though DNS is silent elsewhere', () => {
    expect(stands(host('deny'), { reverseZone: place('trouble') })).toBe('vetoed');
  });
});

test("a network of the operator holds the addresses inside, and no other's", () => {
  const networks = [parseNetwork('185.9.9.0/24'), parseNetwork('2a02:9::/32')].flatMap((network) => network ?? []);
  expect(isOperators(addressOf('185.9.9.255'), networks)).toBe(true);
  expect(isOperators(addressOf('2a02:9::1'), networks)).toBe(true);
  expect(isOperators(addressOf('185.9.10.0'), networks)).toBe(false);
  expect(isOperators(addressOf('185.9.9.1'), [])).toBe(false);
});
