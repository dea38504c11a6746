import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeCommand } from '../../../shared/smtp/command.ts';
import { type Cast, type Envelope, postmasterEnvelope } from '../../../shared/smtp/envelope-forms.ts';
import { reasonOf, relayTests, TABLE } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
};
const TWO_DOMAINS: Cast = { ...CAST, servedDomains: ['served.example', 'second.example'] };

const CASTS: readonly (readonly [string, Cast])[] = [
  ['a host with a name', CAST],
  ['a host with two served domains', TWO_DOMAINS],
  ['a host without served domains', { ...CAST, servedDomains: [] }],
  ['a host registered by address', { ...CAST, hostName: undefined }],
  [
    'a host registered by IPv6 address without served domains',
    { ...CAST, hostName: undefined, addressLiteral: '[IPv6:2001:db8::1]', servedDomains: [] },
  ],
  ['a host with the longest name', { ...CAST, hostName: `${'a.'.repeat(123)}example` }],
];

const withoutId = ({ ehlo, from, to }: Envelope, id: string) => `${ehlo} ${from} ${to}`.replaceAll(`-${id}`, '');

test('a host with one served domain has at least fifty tests, each with a reason and a source', () => {
  const tests = relayTests(CAST, undefined);
  expect(tests.length).toBeGreaterThanOrEqual(50);
  for (const { id } of tests) {
    expect(id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(reasonOf(id)).toMatch(/^[A-Z][^{}]*\.$/);
  }
  for (const { source } of TABLE) expect(source).not.toBe('');
});

test('every form of the published testers is there', () => {
  const u = 'relay-audit-01234567';
  const said = relayTests(CAST, 'mx.greeting.example').map((each) => withoutId(each.envelope, each.id));
  const from = '<relay-audit@probe.example>';
  const recipients = [
    `<${u}@canary.example>`,
    `${u}@canary.example`,
    `<"${u}@canary.example">`,
    `<${u}%canary.example>`,
    `<"${u}%canary.example">`,
    `<${u}@canary.example@>`,
    `<canary.example!${u}>`,
    ...['mx.example.org', '[192.0.2.1]', 'mx.greeting.example', 'served.example'].flatMap((srv) => [
      `<${u}%canary.example@${srv}>`,
      `<${u}@canary.example@${srv}>`,
      `<"${u}@canary.example"@${srv}>`,
      `<@${srv}:${u}@canary.example>`,
      `<canary.example!${u}@${srv}>`,
    ]),
  ];
  for (const to of recipients) expect(said).toContain(`probe.example ${from} ${to}`);
  const senders = [
    '<>',
    '<relay-audit>',
    '<relay-audit@mx.example.org>',
    '<relay-audit@[192.0.2.1]>',
    '<relay-audit@mx.greeting.example>',
    '<relay-audit@served.example>',
    '<postmaster@served.example>',
    `<${u}-nobody@served.example>`,
    '<relay-audit@localhost>',
    '<relay-audit@nonexistent.probe.example>',
    '<probe.example!relay-audit>',
    `<${u}@canary.example>`,
  ];
  for (const sender of senders) expect(said).toContain(`probe.example ${sender} <${u}@canary.example>`);
  for (const ehlo of ['mx.example.org', '[192.0.2.1]', 'mx.greeting.example', 'served.example', 'localhost'])
    for (const sender of [from, '<>']) expect(said).toContain(`${ehlo} ${sender} <${u}@canary.example>`);
});

test('every served domain has the tests of the first', () => {
  const ids = relayTests(TWO_DOMAINS, undefined).map(({ id }) => id);
  for (const id of ids.filter((each) => /(^|-)served(-|$)/.test(each) && !each.endsWith('-2'))) expect(ids).toContain(`${id}-2`);
});

describe.each(CASTS)('for %s', (_, cast) => {
  const tests = relayTests(cast, 'mx.greeting.example');

  test('no two tests send the same envelope, and every one has an id of its own', () => {
    const envelopes = tests.filter(({ kind }) => kind !== 'xclient').map((each) => withoutId(each.envelope, each.id));
    expect(new Set(envelopes).size).toBe(envelopes.length);
    expect(new Set(tests.map(({ id }) => id)).size).toBe(tests.length);
  });

  test('every envelope can be sent', () => {
    for (const { envelope } of tests) {
      expect(writeCommand({ verb: 'EHLO', name: envelope.ehlo })).toMatch(/\r\n$/);
      expect(writeCommand({ verb: 'MAIL', path: envelope.from })).toMatch(/\r\n$/);
      expect(writeCommand({ verb: 'RCPT', path: envelope.to })).toMatch(/\r\n$/);
    }
  });

  test('every foreign recipient is in the canary domain, or a route to it by the server itself', () => {
    for (const { id, envelope } of tests) {
      const theirs = ['mx.greeting.example', cast.hostName ?? '', cast.addressLiteral, ...cast.servedDomains];
      const user = `${cast.localPart}-${id}`;
      const rest = [...theirs, user, cast.canaryDomain]
        .filter((part) => part !== '')
        .reduce((text, part) => text.replace(part, ''), envelope.to);
      expect(rest).toMatch(/^[<>"@%!:]*$/);
      expect(envelope.to).toContain(user);
      expect(envelope.to).toContain(cast.canaryDomain);
    }
  });

  test('every test has a recipient of its own, the same in every scan, so that greylisting sees the same triplet again', () => {
    const recipients = tests.map(({ envelope }) => envelope.to);
    expect(new Set(recipients).size).toBe(tests.length);
    expect(relayTests(cast, 'mx.greeting.example').map(({ envelope }) => envelope.to)).toEqual(recipients);
  });

  test('what a test proves can be told from its id', () => {
    for (const { id, row } of tests) {
      const beginnings = TABLE.filter((each) => each.id === row).map(({ reason }) => reason.split('{srv}')[0] ?? '');
      expect(beginnings.some((each) => reasonOf(id)?.startsWith(each))).toBe(true);
    }
  });
});

test('nothing that an account chose is sent, but the host’s name and its served domains', () => {
  const word = fc.stringMatching(/^zq[a-z]{6,10}$/);
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 3, maxLength: 3 }), ([host = '', one = '', two = '']) => {
      const cast: Cast = { ...CAST, hostName: `${host}.test`, servedDomains: [`${one}.test`, `${two}.test`] };
      for (const { id, envelope, negative: negativeOf } of relayTests(cast, undefined)) {
        const negative = negativeOf();
        const ours = [`${cast.localPart}-${id}`, `${cast.localPart}-nobody`, 'nonexistent.', 'relay-audit', 'postmaster', 'localhost'];
        const theirs = [`${host}.test`, `${one}.test`, `${two}.test`, cast.addressLiteral, cast.ourDomain, cast.canaryDomain];
        const left = (path: string) => [...theirs, ...ours].reduce((text, part) => text.replaceAll(part, ''), path);
        for (const each of [envelope, negative, postmasterEnvelope(cast, `${one}.test`)])
          expect(left(each.ehlo) + left(each.from) + left(each.to)).toMatch(/^[<>"@%!:-]*$/);
      }
    }),
    { numRuns: 50 },
  );
});

test('a place without a name has no tests', () => {
  const ids = relayTests({ ...CAST, hostName: undefined, servedDomains: [] }, undefined).map(({ id }) => id);
  expect(ids.filter((id) => /served|server|greeting/.test(id))).toEqual([]);
  expect(ids).toContain('percent-literal');
});

test('the greeting’s name stands for the server’s own where none is registered', () => {
  const tests = relayTests({ ...CAST, hostName: undefined }, 'mx.greeting.example');
  expect(tests.find(({ id }) => id === 'server-sender')?.envelope.from).toBe('<relay-audit@mx.greeting.example>');
  expect(tests.some(({ id }) => id === 'greeting-sender')).toBe(false);
});

test('a negative control has its test’s form, with an invented user of a served domain, and leaves the canary domain out', () => {
  for (const { id, envelope, negative: negativeOf } of relayTests(CAST, undefined)) {
    const negative = negativeOf();
    const served = (path: string) => path.replaceAll(`-${id}`, '-nobody').replaceAll('canary.example', 'served.example');
    expect(negative).toEqual({ ehlo: envelope.ehlo, from: served(envelope.from), to: served(envelope.to) });
  }
});

test('the id of no row proves nothing', () => {
  expect(reasonOf('nothing')).toBeUndefined();
  expect(reasonOf('percent-nowhere')).toBeUndefined();
  expect(TABLE.every(({ reason }) => reason !== '')).toBe(true);
});
