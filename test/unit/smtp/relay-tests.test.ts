import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEGATIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { writeCommand } from '../../../shared/smtp/command.ts';
import {
  type Cast,
  type Envelope,
  ownSender,
  postmasterEnvelope,
  RECIPIENT_FORMS,
  srsTimestamp,
} from '../../../shared/smtp/envelope-forms.ts';
import { reasonOf, relayTests, TABLE } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'audit-01234567',
  srsDay: 20_000,
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
  ['a host with a served domain of the longest name', { ...CAST, servedDomains: [`${'a.'.repeat(123)}example`] }],
  ['a host with the longest name', { ...CAST, hostName: `${'a.'.repeat(123)}example` }],
];

// An id too long for a local part is written as three letters behind the host's own.
const withoutId = ({ ehlo, from, to, beside }: Envelope, id: string) =>
  `${ehlo} ${from} ${to}${beside === undefined ? '' : ` ${beside.first ? 'behind' : 'before'} ${beside.to}`}`
    .replaceAll(`-${id}`, '')
    .replace(/(?<=audit-01234567)[0-9a-z]{3}/g, '');

test('a host with one served domain has at least seventy tests, each with a reason and a source', () => {
  const tests = relayTests(CAST, undefined);
  expect(tests.length).toBeGreaterThanOrEqual(70);
  for (const { id } of tests) {
    expect(id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(reasonOf(id)).toMatch(/^[A-Z][^{}]*\.$/);
  }
  for (const { source } of TABLE) expect(source).not.toBe('');
});

test('every form of the published testers is there', () => {
  const u = 'audit-01234567';
  const said = relayTests(CAST, 'mx.greeting.example').map((each) => withoutId(each.envelope, each.id));
  const from = '<relay-audit@bounces.canary.example>';
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
    '<bounces.canary.example!relay-audit>',
    `<${u}@canary.example>`,
  ];
  for (const sender of senders) expect(said).toContain(`probe.example ${sender} <${u}@canary.example>`);
  for (const ehlo of ['mx.example.org', '[192.0.2.1]', 'mx.greeting.example', 'served.example', 'localhost'])
    for (const sender of [from, '<>']) expect(said).toContain(`${ehlo} ${sender} <${u}@canary.example>`);
});

const BESIDE = { to: '<postmaster@served.example>' };

test.each<[id: string, sent: Partial<Envelope>, recipient?: string]>([
  ['below-served', { to: '<U@served.example.canary.example>' }, 'U@served.example.canary.example'],
  ['ending-served', { to: '<U@xserved.example.canary.example>' }, 'U@xserved.example.canary.example'],
  ['dashed-served', { to: '<U@xserved-example.canary.example>' }, 'U@xserved-example.canary.example'],
  ['within-served', { to: '<U.served.example@canary.example>' }, 'U.served.example@canary.example'],
  ['below-sender-served', { from: '<relay-audit@served.example.bounces.canary.example>' }],
  ['ending-sender-served', { from: '<relay-audit@xserved.example.bounces.canary.example>' }],
  ['behind-accepted', { beside: { ...BESIDE, first: true } }],
  ['before-accepted', { beside: { ...BESIDE, first: false } }],
  ['srs0-served', { to: '<SRS0=r3Ay=RA=canary.example=U@served.example>' }],
  ['srs0-null-served', { from: '<>', to: '<SRS0=r3Ay=RA=canary.example=U@served.example>' }],
  ['srs1-served', { to: '<SRS1=r3Ay=canary.example==U@served.example>' }, 'SRS0=U@canary.example'],
  ['srs1-null-served', { from: '<>', to: '<SRS1=r3Ay=canary.example==U@served.example>' }, 'SRS0=U@canary.example'],
  ['percent-twice-main', { to: '<U%canary.example%localhost@served.example>' }],
  ['bang-percent-main', { to: '<canary.example!U%localhost@served.example>' }],
  ['verp-main', { to: '<U=canary.example@served.example>' }],
  ['list-main', { to: '<"relay-audit,U@canary.example"@served.example>' }],
  ['encapsulated-main', { to: '<IMCEASMTP-U+40canary+2Eexample@served.example>' }],
  ['null-percent-served', { from: '<>', to: '<U%canary.example@served.example>' }],
])('%s is written as the servers that fall for it read it', (id, sent, recipient = 'U@canary.example') => {
  const found = relayTests(CAST, undefined).find((each) => each.id === id);
  const plain = { ehlo: 'probe.example', from: '<relay-audit@bounces.canary.example>', to: '<U@canary.example>' };
  const text = JSON.stringify({ envelope: { ...plain, ...sent }, recipient }).replaceAll('U', `audit-01234567-${id}`);
  expect({ envelope: found?.envelope, recipient: found?.recipient }).toEqual(JSON.parse(text));
});

test.each([
  [0, 'AA'],
  [31, 'AY'],
  [32, 'BA'],
  [1023, '7Y'],
  [1024, 'AA'],
  [20_007, 'RA'],
])('day %i is %s to SRS, the same for eight days', (day, text) => {
  expect(srsTimestamp(day)).toBe(text);
});

test('the mailbox that the owner named stands beside ours in the place of the postmaster', () => {
  const cast = { ...CAST, controlMailbox: 'someone@served.example' };
  const beside = relayTests(cast, undefined).flatMap(({ envelope }) => envelope.beside ?? []);
  expect(beside.map(({ to }) => to)).toEqual(['<someone@served.example>', '<someone@served.example>']);
  expect(postmasterEnvelope(cast, 'served.example').to).toBe('<someone@served.example>');
});

test('a served domain that makes no name with ours behind it has no tests of such names', () => {
  const label = `${'a'.repeat(63)}.example`;
  const ids = relayTests({ ...CAST, servedDomains: [label] }, undefined).map(({ id }) => id);
  expect(ids).toContain('below-served');
  for (const id of ['ending-served', 'dashed-served', 'within-served', 'ending-sender-served']) expect(ids).not.toContain(id);
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

  test('every recipient is at or below the canary domain, or reads as a local part of the server’s own', () => {
    for (const { id, envelope, recipient, local } of tests) {
      const theirs = ['mx.greeting.example', cast.hostName, cast.addressLiteral, ...cast.servedDomains];
      const domain = /@([^@">]*)>?$/.exec(envelope.to)?.[1] ?? '';
      const isForeign = /(^|\.)canary\.example$/.test(domain);
      expect(isForeign || domain === '' || theirs.includes(domain), envelope.to).toBe(true);
      expect(local, envelope.to).toBe(!isForeign);
      expect(recipient).toMatch(/^(SRS0=)?audit-01234567(-|[0-9a-z]{3})[^@]*@(.+\.)?canary\.example$/);
      expect([`${cast.localPart}-${id}`, cast.localPart].some((user) => envelope.to.includes(user))).toBe(true);
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
      for (const { id, envelope, negative } of relayTests(cast, undefined)) {
        const users = [`${cast.localPart}-${id}`, `${cast.localPart}-nobody`, 'relay-audit', 'postmaster'];
        const words = ['nonexistent.', 'bounces.', 'localhost', 'SRS0=r3Ay=RA', 'SRS1=r3Ay', 'IMCEASMTP-', '+40'];
        const names = [`${host}.test`, `${one}.test`, `${two}.test`, cast.addressLiteral, cast.ourDomain, cast.canaryDomain];
        const written = names.flatMap((name) => [name, name.replaceAll('.', '-'), name.replaceAll('.', '+2E')]);
        const left = (path: string) => [...written, ...users, ...words].reduce((text, part) => text.replaceAll(part, ''), path);
        const marked = (path: string) => left(path.replace(/audit-01234567[0-9a-z]{3}/, ''));
        for (const each of [envelope, negative.envelope(), postmasterEnvelope(cast, `${one}.test`)])
          for (const path of [each.ehlo, each.from, each.to, each.beside?.to ?? '']) expect(marked(path)).toMatch(/^[<>"@%!:=,.x-]*$/);
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

describe('a negative control', () => {
  const controlsOf = (cast: Cast, greeting?: string) =>
    new Map(relayTests(cast, greeting).map(({ negative: { id, envelope } }) => [id.slice(NEGATIVE_CONTROL.length), envelope()]));

  test('is one for each recipient form and name that has local users: an invented one of a served domain, from our own sender', () => {
    const u = 'audit-01234567-nobody';
    const said = [...controlsOf(CAST)]
      .filter(([form]) => !/-at-(server|literal)$|-from-/.test(form))
      .map(([form, { ehlo, from, to }]) => [form, ehlo, from, to]);
    const ours = ['probe.example', ownSender(CAST)];
    expect(said).toEqual([
      ['plain', ...ours, `<${u}@served.example>`],
      ['unbracketed', ...ours, `${u}@served.example`],
      ['quoted', ...ours, `<"${u}@served.example">`],
      ['percent', ...ours, `<${u}%served.example>`],
      ['percent-quoted', ...ours, `<"${u}%served.example">`],
      ['trailing-at', ...ours, `<${u}@served.example@>`],
      ['bang', ...ours, `<served.example!${u}>`],
      ['percent-srv-at-served', ...ours, `<${u}%served.example@served.example>`],
      ['double-at-srv-at-served', ...ours, `<${u}@served.example@served.example>`],
      ['quoted-srv-at-served', ...ours, `<"${u}@served.example"@served.example>`],
      ['route-srv', ...ours, `<@served.example:${u}@served.example>`],
      ['bang-srv-at-served', ...ours, `<served.example!${u}@served.example>`],
      ['srs0-srv-at-served', ...ours, `<SRS0=r3Ay=RA=served.example=${u}@served.example>`],
      ['srs1-srv-at-served', ...ours, `<SRS1=r3Ay=served.example==${u}@served.example>`],
      ['percent-twice-srv-at-main', ...ours, `<${u}%served.example%localhost@served.example>`],
      ['bang-percent-srv-at-main', ...ours, `<served.example!${u}%localhost@served.example>`],
      ['equals-srv-at-main', ...ours, `<${u}=served.example@served.example>`],
      ['list-srv-at-main', ...ours, `<"relay-audit,${u}@served.example"@served.example>`],
      ['imcea-srv-at-main', ...ours, `<IMCEASMTP-${u}+40served+2Eexample@served.example>`],
    ]);
  });

  test('stands at the name of its test, for a server may take any local part at one of its names only', () => {
    expect(controlsOf(CAST).get('percent-srv-at-server')?.to).toBe('<audit-01234567-nobody%served.example@mx.example.org>');
    expect(controlsOf(CAST).get('percent-srv-at-literal')?.to).toBe('<audit-01234567-nobody%served.example@[192.0.2.1]>');
  });

  test('of a domain that only resembles a served one is the plain one: nobody is local there', () => {
    const resembling = relayTests(CAST, undefined).filter(({ kind }) => kind === 'unanchored');
    expect(new Set(resembling.map(({ negative }) => negative.id))).toEqual(new Set([`${NEGATIVE_CONTROL}plain`]));
  });

  test.each<[string, Partial<Cast>, string | undefined, string]>([
    ['the shortest served domain', { servedDomains: ['served.example', 'short.test'] }, 'mx.greeting.example', 'short.test'],
    ['else the host’s name', { servedDomains: [] }, 'mx.greeting.example', 'mx.example.org'],
    ['else the greeting’s', { servedDomains: [], hostName: undefined }, 'mx.greeting.example', 'mx.greeting.example'],
    ['else the address', { servedDomains: [], hostName: undefined }, undefined, '[192.0.2.1]'],
  ])('names a user of %s', (_, cast, greeting, name) => {
    expect(controlsOf({ ...CAST, ...cast }, greeting).get('percent')?.to).toBe(`<audit-01234567-nobody%${name}>`);
  });
});

describe('no local part is longer than servers must take it', () => {
  const canaryDomain = 'canary.relay-audit-example.org'; // thirty characters
  const cast: Cast = {
    ...CAST,
    canaryDomain,
    senderDomain: `bounces.${canaryDomain}`,
    servedDomains: Array.from({ length: 10 }, (_, n) => `domain-${n}.example`),
  };

  test('with a canary domain of thirty characters and ten served domains', () => {
    for (const { envelope } of relayTests(cast, 'mx.greeting.example'))
      for (const path of [envelope.from, envelope.to]) {
        const [local = ''] = path.replace(/^<?(@[^@]*:)?/, '').split(/@(?=[^@]*$)/);
        expect(local.length, path).toBeLessThanOrEqual(64);
      }
  });

  test('and each test still has a recipient of its own, which begins as the host’s others do', () => {
    const recipients = relayTests(cast, 'mx.greeting.example').map(({ recipient }) => recipient);
    expect(new Set(recipients).size).toBe(recipients.length);
    for (const recipient of recipients) expect(recipient).toMatch(/^(SRS0=)?audit-01234567/);
  });
});

test('every recipient form is tried by some row', () => {
  expect(new Set(TABLE.map(({ to }) => to))).toEqual(new Set(Object.keys(RECIPIENT_FORMS)));
});

test('the id of no row proves nothing', () => {
  expect(reasonOf('nothing')).toBeUndefined();
  expect(reasonOf('percent-nowhere')).toBeUndefined();
  expect(TABLE.every(({ reason }) => reason !== '')).toBe(true);
});
