import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeCommand } from '../../../shared/smtp/command.ts';
import {
  type Cast,
  type Envelope,
  negativeEnvelope,
  positiveEnvelope,
  RELAY_TESTS,
  relayEnvelope,
  testsFor,
} from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example', 'second.example'],
  localPart: 'relay-audit-01234567',
};

const CASTS: readonly (readonly [string, Cast])[] = [
  ['a host with a name', CAST],
  ['a host without served domains', { ...CAST, servedDomains: [] }],
  ['a host registered by address', { ...CAST, hostName: undefined }],
  [
    'a host registered by IPv6 address without served domains',
    { ...CAST, hostName: undefined, addressLiteral: '[IPv6:2001:db8::1]', servedDomains: [] },
  ],
  ['a host with the longest name', { ...CAST, hostName: `${'a.'.repeat(123)}example` }],
];

function sendable({ from, to }: Envelope): boolean {
  return writeCommand({ verb: 'MAIL', path: from }).length > 0 && writeCommand({ verb: 'RCPT', path: to }).length > 0;
}

test('there are at least sixteen tests, each with a name, a reason and a source of its own', () => {
  expect(RELAY_TESTS.length).toBeGreaterThanOrEqual(16);
  expect(new Set(RELAY_TESTS.map(({ id }) => id)).size).toBe(RELAY_TESTS.length);
  for (const { id, reason, source } of RELAY_TESTS) {
    expect(id).toMatch(/^[a-z][a-z-]*$/);
    expect(reason).toMatch(/^[A-Z].*\.$/);
    expect(source).not.toBe('');
  }
});

test('no two tests send the same envelope', () => {
  const withoutId = ({ from, to }: Envelope, id: string) => `${from} ${to.replace(`-${id}`, '')}`;
  const envelopes = RELAY_TESTS.map((each) => withoutId(relayEnvelope(each, CAST, 'mx.example.org'), each.id));
  expect(new Set(envelopes).size).toBe(RELAY_TESTS.length);
});

test('the envelopes are those of published testers', () => {
  const u = (id: string) => `relay-audit-01234567-${id}`;
  const LOCAL = '<relay-audit@mx.example.org>';
  const envelopes = Object.fromEntries(RELAY_TESTS.map((each) => [each.id, relayEnvelope(each, CAST, undefined)]));
  expect(envelopes).toEqual({
    plain: { from: '<relay-audit@probe.example>', to: `<${u('plain')}@canary.example>` },
    'null-sender': { from: '<>', to: `<${u('null-sender')}@canary.example>` },
    'server-sender': { from: LOCAL, to: `<${u('server-sender')}@canary.example>` },
    'literal-sender': { from: '<relay-audit@[192.0.2.1]>', to: `<${u('literal-sender')}@canary.example>` },
    'served-sender': { from: '<relay-audit@served.example>', to: `<${u('served-sender')}@canary.example>` },
    'localhost-sender': { from: '<relay-audit@localhost>', to: `<${u('localhost-sender')}@canary.example>` },
    'bare-sender': { from: '<relay-audit>', to: `<${u('bare-sender')}@canary.example>` },
    quoted: { from: LOCAL, to: `<"${u('quoted')}@canary.example">` },
    'quoted-server': { from: LOCAL, to: `<"${u('quoted-server')}@canary.example"@mx.example.org>` },
    'quoted-literal': { from: LOCAL, to: `<"${u('quoted-literal')}@canary.example"@[192.0.2.1]>` },
    'percent-server': { from: LOCAL, to: `<${u('percent-server')}%canary.example@mx.example.org>` },
    'percent-literal': { from: LOCAL, to: `<${u('percent-literal')}%canary.example@[192.0.2.1]>` },
    'percent-quoted': { from: LOCAL, to: `<"${u('percent-quoted')}%canary.example">` },
    'double-at-server': { from: LOCAL, to: `<${u('double-at-server')}@canary.example@mx.example.org>` },
    'double-at-literal': { from: LOCAL, to: `<${u('double-at-literal')}@canary.example@[192.0.2.1]>` },
    'route-server': { from: LOCAL, to: `<@mx.example.org:${u('route-server')}@canary.example>` },
    'route-literal': { from: LOCAL, to: `<@[192.0.2.1]:${u('route-literal')}@canary.example>` },
    bang: { from: LOCAL, to: `<canary.example!${u('bang')}>` },
    'bang-server': { from: LOCAL, to: `<canary.example!${u('bang-server')}@mx.example.org>` },
  });
});

describe.each(CASTS)('for %s', (_, cast) => {
  const greetings = [undefined, 'mx.example.net'];
  const tests = testsFor(cast);

  test('every envelope can be sent', () => {
    for (const each of tests)
      for (const greeting of greetings) {
        expect(sendable(relayEnvelope(each, cast, greeting))).toBe(true);
        expect(sendable(negativeEnvelope(each, cast, greeting))).toBe(true);
      }
  });

  test('every foreign recipient is in the canary domain, or a route to it by the server itself', () => {
    for (const each of tests) {
      const { to } = relayEnvelope(each, cast, 'mx.example.net');
      const server = cast.hostName ?? 'mx.example.net';
      const user = `${cast.localPart}-${each.id}`;
      const rest = to.replaceAll(server, '').replaceAll(cast.addressLiteral, '').replace(user, '').replace(cast.canaryDomain, '');
      expect(rest).toMatch(/^[<>"@%!:]*$/);
      expect(to).toContain(user);
      expect(to).toContain(cast.canaryDomain);
    }
  });

  test('every test has a recipient of its own, the same in every scan, so that greylisting sees the same triplet again', () => {
    const recipients = tests.map((each) => relayEnvelope(each, cast, undefined).to);
    expect(new Set(recipients).size).toBe(tests.length);
    expect(tests.map((each) => relayEnvelope(each, cast, undefined).to)).toEqual(recipients);
  });
});

test('nothing that an account chose is sent, but the host’s name and its served domains', () => {
  const word = fc.stringMatching(/^[a-z]{6,12}$/);
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 3, maxLength: 3 }), ([host = '', one = '', two = '']) => {
      const cast: Cast = { ...CAST, hostName: `${host}.test`, servedDomains: [`${one}.test`, `${two}.test`] };
      for (const each of testsFor(cast)) {
        const envelopes = [relayEnvelope(each, cast, undefined), negativeEnvelope(each, cast, undefined), positiveEnvelope(cast)];
        const ours = [
          'relay-audit-01234567',
          each.id,
          'nobody',
          'relay-audit',
          'postmaster',
          'localhost',
          cast.ourDomain,
          cast.canaryDomain,
        ];
        const theirs = [`${host}.test`, `${one}.test`, `${two}.test`, cast.addressLiteral];
        const left = (path: string) => [...theirs, ...ours].reduce((text, part) => text.replaceAll(part, ''), path);
        for (const { from, to } of envelopes) expect(left(from) + left(to)).toMatch(/^[<>"@%!:-]*$/);
      }
    }),
    { numRuns: 50 },
  );
});

test('a served sender is tried only where a domain is served', () => {
  const ids = (cast: Cast) => testsFor(cast).map(({ id }) => id);
  expect(ids(CAST)).toContain('served-sender');
  expect(ids({ ...CAST, servedDomains: [] })).not.toContain('served-sender');
  expect(ids({ ...CAST, servedDomains: [] })).toHaveLength(RELAY_TESTS.length - 1);
});

describe('the server’s own name', () => {
  const sender = (cast: Cast, greeting: string | undefined) => {
    const each = RELAY_TESTS.find(({ id }) => id === 'server-sender');
    return each === undefined ? undefined : relayEnvelope(each, cast, greeting).from;
  };

  test.each<[string, Partial<Cast>, string | undefined, string]>([
    ['is the registered name, whatever the greeting says', {}, 'other.example', 'mx.example.org'],
    ['is the greeting’s where none is registered', { hostName: undefined }, 'other.example', 'other.example'],
    ['is a served domain where the greeting has none', { hostName: undefined }, undefined, 'served.example'],
    ['is the address where nothing else is known', { hostName: undefined, servedDomains: [] }, undefined, '[192.0.2.1]'],
  ])('%s', (_, cast, greeting, name) => {
    expect(sender({ ...CAST, ...cast }, greeting)).toBe(`<relay-audit@${name}>`);
  });
});

describe('controls', () => {
  test('the positive one asks for the postmaster of a served domain', () => {
    expect(positiveEnvelope(CAST)).toEqual({ from: '<relay-audit@probe.example>', to: '<postmaster@served.example>' });
  });

  test('a negative one has its test’s form, with an invented user of a served domain, and leaves the canary domain out', () => {
    for (const each of RELAY_TESTS) {
      const real = relayEnvelope(each, CAST, undefined);
      const control = negativeEnvelope(each, CAST, undefined);
      expect(control.from).toBe(real.from);
      expect(control.to).toBe(real.to.replace(`-${each.id}`, '-nobody').replace('canary.example', 'served.example'));
    }
  });
});
