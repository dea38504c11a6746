import { describe, expect, test } from 'vitest';
import type { Transport } from '../../../shared/domain/scan.ts';
import { coreOf } from '../../../shared/smtp/core.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { relayTests } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
const PORTS = [25, 465, 587];
const LEGS: readonly (readonly [number, Transport])[] = [
  [25, 'plain'],
  [25, 'starttls'],
  [465, 'tls'],
  [587, 'plain'],
  [587, 'starttls'],
];
const turns = (count: number) => Array.from({ length: count }, (_, rotation) => rotation);
const testsAt = (rotation: number) =>
  LEGS.map(([port, transport]) => coreOf(CAST, PORTS, { rotation, knownCatchAll: false }, port, transport));

describe('a core scan', () => {
  test('makes at most four tests of an address, whatever turn it is', () => {
    for (const rotation of turns(500)) expect(testsAt(rotation).flat().length).toBeLessThanOrEqual(4);
  });

  test('always makes the plain test, and a sender of the server’s own, at the first port', () => {
    for (const rotation of turns(500)) expect(testsAt(rotation)[0]).toEqual(expect.arrayContaining(['plain', 'served-sender']));
  });

  test('asks a leg behind STARTTLS nothing without its plain leg, which shows that it is there', () => {
    for (const rotation of turns(500)) {
      const [, inside25, , plain587, inside587] = testsAt(rotation);
      expect(inside25?.length === 0 || testsAt(rotation)[0]?.length !== 0).toBe(true);
      if (inside587?.length !== 0) expect(plain587?.length).toBeGreaterThan(0);
    }
  });

  test('comes to every test of every leg in its turn', () => {
    const all = relayTests(CAST, undefined).map(({ id }) => id);
    const seen = LEGS.map(() => new Set<string>());
    for (const rotation of turns(LEGS.length * all.length))
      for (const [leg, tests] of testsAt(rotation).entries()) for (const id of tests) seen[leg]?.add(id);
    const rotating = all.filter((id) => id !== 'plain' && id !== 'served-sender');
    for (const tests of seen) for (const id of rotating) expect(tests).toContain(id);
  });

  test('leaves what a server would take for a local part to its weekly full table, once it is known to take any', () => {
    const table = new Map(relayTests(CAST, undefined).map((each) => [each.id, each]));
    const ids = turns(500).flatMap((rotation) =>
      LEGS.flatMap(([port, transport]) => coreOf(CAST, PORTS, { rotation, knownCatchAll: true }, port, transport)),
    );
    expect(ids.filter((id) => table.get(id)?.local)).toEqual([]);
    const foreign = [...table.values()].filter(({ local }) => !local).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(foreign));
  });

  test('makes no test twice at a leg', () => {
    for (const rotation of turns(500)) for (const tests of testsAt(rotation)) expect(new Set(tests).size).toBe(tests.length);
  });

  test.each([
    [0, 'plain at the first port', [4, 0, 0, 0, 0]],
    [1, 'STARTTLS at the first port', [2, 2, 0, 0, 0]],
    [2, 'implicit TLS', [2, 0, 2, 0, 0]],
    [3, 'plain at another port', [2, 0, 0, 2, 0]],
    [4, 'STARTTLS at another port, where the plain leg has one of its two', [2, 0, 0, 1, 1]],
    [5, 'the first again', [4, 0, 0, 0, 0]],
  ])('asks more of one leg, which is another each time: %i, %s', (rotation, _, counts) => {
    expect(testsAt(rotation).map((tests) => tests.length)).toEqual(counts);
  });

  test('goes on with the table at a leg where its turn before ended', () => {
    const rest = relayTests(CAST, undefined)
      .map(({ id }) => id)
      .filter((id) => id !== 'plain' && id !== 'served-sender');
    const asked = [0, 5, 10, 15].flatMap((rotation) => testsAt(rotation)[0]?.slice(2) ?? []);
    expect(asked).toEqual(rest.slice(0, 8));
    const last = Math.ceil(rest.length / 2) - 1; // the table begins anew behind its end
    expect(testsAt(5 * last)[0]?.slice(2)).toEqual([...rest, ...rest].slice(2 * last, 2 * last + 2));
  });

  test('takes the sender at the address of a server of which no served domain is known', () => {
    const bare = { ...CAST, servedDomains: [] };
    expect(coreOf(bare, [25], { rotation: 0, knownCatchAll: false }, 25, 'plain').slice(0, 2)).toEqual(['plain', 'literal-sender']);
  });

  test('is made inside TLS where the first port speaks nothing else', () => {
    expect(coreOf(CAST, [465, 587], { rotation: 1, knownCatchAll: false }, 465, 'tls')).toEqual(['plain', 'served-sender']);
  });
});
