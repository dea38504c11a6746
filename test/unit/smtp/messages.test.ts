import { describe, expect, test } from 'vitest';
import type { TestResult } from '../../../shared/domain/scan.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { messagesLeft } from '../../../shared/smtp/messages.ts';
import { type RelayTest, relayTests, XCLIENT_TEST } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
const TABLE = relayTests(CAST, undefined);
const isForeign = ({ local, id }: RelayTest) => !local && id !== XCLIENT_TEST;
const isLocal = ({ local }: RelayTest) => local;

const said = (id: string, outcome: TestResult['outcome'], more: Partial<TestResult> = {}): TestResult => ({
  test: id,
  outcome,
  stage: 'rcpt',
  ...more,
});
const accepted = (which: (each: RelayTest) => boolean) => TABLE.filter(which).map(({ id }) => said(id, 'accepted'));
const invented = (outcome: TestResult['outcome']) =>
  [...new Set(TABLE.filter(isLocal).map(({ negative }) => negative.id))].map((id) => said(id, outcome));
const sent = (id: string, outcome: TestResult['outcome'] = 'accepted') => said(id, outcome, { stage: 'message', canary: `canary-${id}` });

type Asked = { readonly most?: number; readonly round?: number; readonly which?: 'all' | 'suspicious' };
const left = (results: readonly TestResult[], { most, round, which = 'all' }: Asked = {}) =>
  messagesLeft(TABLE, [...new Map(results.map((each) => [each.test, each])).values()], most, round, which);

/** What is sent when each message that is tried is taken. */
function carried(results: readonly TestResult[], asked: Asked = {}): RelayTest[] {
  const all: RelayTest[] = [];
  let now = [...results];
  for (;;) {
    const { tests, enough } = left(now, asked);
    if (tests.length === 0 || enough === 0) return all;
    const [next] = tests;
    if (next === undefined || all.length > TABLE.length) return expect.fail('it goes on for ever');
    all.push(next);
    now = [...now, sent(next.id)];
  }
}

describe('what is carried through first', () => {
  test('are recipients at a foreign domain, before forms that read as local parts', () => {
    const order = carried([...accepted(({ id }) => id !== XCLIENT_TEST), ...invented('accepted')]);
    expect(order).toHaveLength(24);
    expect(order.filter(isLocal)).toEqual([]);
  });

  test('among them each has a sender or an EHLO that none before it had, until all were there', () => {
    const { tests } = left([...accepted(isForeign), ...invented('accepted')]);
    const forms = (each: readonly RelayTest[]) => new Set(each.flatMap(({ sender, ehloForm }) => [`from ${sender}`, `ehlo ${ehloForm}`]));
    const news = tests.findIndex((_, index) => forms(tests.slice(0, index + 1)).size === forms(tests.slice(0, index)).size);
    expect(forms(tests.slice(0, news))).toEqual(forms(tests));
    expect(news).toBeLessThanOrEqual(forms(tests).size);
  });

  test('and what was refused after the dot is followed by what differs from it', () => {
    const [first, second] = left(accepted(isForeign)).tests;
    const next = left([...accepted(isForeign), sent(first?.id ?? '', 'refused')]);
    expect(next.tests[0]?.id).toBe(second?.id);
    expect(next.someRefused).toBe(true);
  });

  test('a claim by XCLIENT comes after all others, for it needs a session of its own', () => {
    const both = [...accepted(({ id }) => id === 'plain'), said(XCLIENT_TEST, 'accepted')];
    expect(left(both).tests.map(({ id }) => id)).toEqual(['plain']);
    expect(left([...both, sent('plain')]).tests.map(({ id }) => id)).toEqual([XCLIENT_TEST]);
  });
});

describe('how much is carried through', () => {
  test.each([
    ['three, where invented users are refused', 'refused', 3],
    ['24, where they are accepted too', 'accepted', 24],
  ] as const)('%s', (_, outcome, count) => {
    expect(carried([...accepted(isForeign), ...invented(outcome)])).toHaveLength(count);
  });

  test('one, of a core scan', () => {
    expect(carried([...accepted(isForeign), ...invented('accepted')], { most: 1 })).toHaveLength(1);
    expect(carried([...accepted(isLocal), ...invented('accepted')], { most: 1 })).toHaveLength(1);
    expect(carried(accepted(isForeign), { most: 0 })).toEqual([]);
  });

  test('one refused after the dot counts for none', () => {
    const refused = TABLE.filter(isForeign).slice(0, 5);
    const results = [...accepted(isForeign), ...refused.map(({ id }) => sent(id, 'refused'))];
    expect(left(results).enough).toBe(3);
    expect(carried(results)).toHaveLength(3);
  });
});

describe('a form that reads as a local part', () => {
  const any = [...accepted(isLocal), ...invented('accepted')];

  test('is sent ten times at most where any local part is taken, in forms that differ in kind', () => {
    const kinds = carried(any).map(({ kind }) => kind);
    expect(kinds).toHaveLength(10);
    expect(new Set(kinds).size).toBeGreaterThanOrEqual(6);
  });

  test('is sent by our own sender, a stranger there, at a served domain, and by the null sender where only bounces are decoded', () => {
    const tests = carried(any);
    expect(tests.filter(({ sender }) => sender !== 'us').map(({ id }) => id)).toEqual(['srs0-null-served']);
    expect(tests.map(({ place }) => place)).not.toContain('server');
    for (const form of ['percent-srv', 'quoted-srv', 'bang-srv', 'equals-srv', 'list-srv', 'imcea-srv', 'srs0-srv', 'srs1-srv'])
      expect(tests.map((each) => each.form)).toContain(form);
  });

  test('waits for its invented user, and for the foreign ones', () => {
    expect(left(accepted(isLocal)).tests).toEqual([]);
    expect(left(any, { which: 'suspicious' }).tests).toEqual([]);
  });

  test.each(['refused', 'authentication-required'] as const)(
    'is routed where its invented user is %s, and sent like a foreign one',
    (outcome) => {
      expect(carried([...accepted(isLocal), ...invented(outcome)], { which: 'suspicious' })).toHaveLength(3);
    },
  );

  test('is sent twice in a round where any is known to be taken, and all of them go round', () => {
    const rounds = Array.from({ length: TABLE.length }, (_, round) => carried(any, { round }).map(({ id }) => id));
    for (const each of rounds) expect(each).toHaveLength(2);
    expect(new Set(rounds.flat()).size).toBe(TABLE.filter(isLocal).length);
  });

  test('keeps its round when some of it is through, or was refused', () => {
    const [first = '', second = ''] = carried(any, { round: 3 }).map(({ id }) => id);
    for (const outcome of ['accepted', 'refused'] as const)
      expect(left([...any, sent(first, outcome)], { round: 3 }).tests.map(({ id }) => id)).toEqual([second]);
  });
});
