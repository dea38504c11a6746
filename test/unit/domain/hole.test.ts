import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Arrival } from '../../../shared/domain/canary.ts';
import { CAUSES } from '../../../shared/domain/cause.ts';
import { type Hole, holeIn, holeSentence } from '../../../shared/domain/hole.ts';
import type { LegEvidence, TestResult } from '../../../shared/domain/scan.ts';
import { legName, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { type RelayTest, relayTests } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['example.org'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
const GREETING = 'smtp.example.org';
const TABLE = relayTests(CAST, GREETING);

/** What a server lets through, as a rule over the envelopes of the table. */
type Rule = (test: RelayTest) => boolean;

const isPlainRecipient = ({ envelope }: RelayTest) => /^<[^@"%!]+@canary\.example>$/.test(envelope.to);
const from = (ending: string) => (each: RelayTest) => isPlainRecipient(each) && each.envelope.from.endsWith(ending);

function result({ id, envelope, cause, name, local, negative }: RelayTest, isThrough: boolean): TestResult {
  const { from, to, ehlo } = envelope;
  const base = { test: id, from, to, negative: local ? negative.id : undefined, ehlo: ehlo === CAST.ourDomain ? undefined : ehlo };
  return isThrough
    ? { ...base, outcome: 'accepted', stage: 'message', canary: `canary-${id}`, shows: { cause, name } }
    : { ...base, outcome: 'refused', stage: 'rcpt' };
}

type More = Partial<LegEvidence> & { readonly takesAnyLocalPart?: boolean };

function legOf(tests: readonly TestResult[], { takesAnyLocalPart = false, ...more }: More = {}): LegEvidence {
  const outcome = takesAnyLocalPart ? 'accepted' : 'refused';
  const negatives = tests.flatMap(({ negative, outcome: said }) =>
    negative === undefined || said !== 'accepted' ? [] : [{ test: negative, outcome, stage: 'rcpt' } as const],
  );
  return {
    address: '192.0.2.1',
    port: 25,
    transport: 'plain',
    contact: 'answered',
    greetingName: GREETING,
    costs: { connections: 1, commands: 1, roundTrips: 1, refusals: 1 },
    tests,
    controls: [{ test: POSITIVE_CONTROL, outcome: 'accepted', stage: 'rcpt' }, ...negatives],
    ended: 'waited',
    transcript: [],
    ...more,
  };
}

const serving = (rule: Rule, more: More = {}) =>
  legOf(
    TABLE.map((each) => result(each, rule(each))),
    more,
  );
const CLOSED = (more: More = {}) => serving(() => false, more);
const ANYONE: Rule = (each) => isPlainRecipient(each) && each.id !== 'xclient';

function backBy(leg: LegEvidence, ...tests: readonly string[]): Arrival[] {
  return tests.map((each) => ({ canary: `canary-${each}`, leg: legName(leg), test: each, sentAt: 1, at: 2, path: [] }));
}

describe('the hole of a server that relays for', () => {
  const cases: readonly (readonly [rule: string, Rule, expected: Partial<Hole>, sentence: string])[] = [
    ['everybody', ANYONE, { cause: 'anyone' }, 'It accepts mail to anywhere from anyone.'],
    ['everybody, in every form', () => true, { cause: 'anyone' }, 'It accepts mail to anywhere from anyone.'],
    [
      'the empty sender',
      from('<>'),
      { cause: 'null-sender' },
      'It accepts mail to anywhere from whoever gives the empty sender of bounces (MAIL FROM:<>).',
    ],
    [
      'senders at its domain',
      from('@example.org>'),
      { cause: 'claimed-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at example.org.',
    ],
    [
      'senders at its domain or below it',
      from('example.org>'),
      { cause: 'claimed-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at example.org.',
    ],
    [
      'senders at its domain, in whatever form the recipient is',
      ({ envelope }) => envelope.from.endsWith('@example.org>'),
      { cause: 'claimed-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at example.org.',
    ],
    [
      'senders at its domain, localhost among them, and those without a domain',
      (each) => from('example.org>')(each) || from('@localhost>')(each) || from('<relay-audit>')(each),
      { cause: 'claimed-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at example.org.',
    ],
    [
      'its postmaster',
      from('<postmaster@example.org>'),
      { cause: 'claimed-sender', name: 'postmaster@example.org' },
      'It accepts mail to anywhere from whoever claims to be postmaster@example.org.',
    ],
    [
      'senders at its address',
      from('@[192.0.2.1]>'),
      { cause: 'claimed-sender', name: '[192.0.2.1]' },
      'It accepts mail to anywhere from whoever claims a sender at [192.0.2.1].',
    ],
    [
      'senders at localhost',
      from('@localhost>'),
      { cause: 'localhost-sender' },
      'It accepts mail to anywhere from whoever claims a sender at localhost.',
    ],
    [
      'senders whose domain does not exist',
      from('@nonexistent.probe.example>'),
      { cause: 'nonexistent-sender' },
      'It accepts mail to anywhere from whoever claims a sender at a domain that does not exist.',
    ],
    [
      'senders without a domain',
      from('<relay-audit>'),
      { cause: 'bare-sender' },
      'It accepts mail to anywhere from whoever gives a sender without a domain.',
    ],
    [
      'senders in UUCP form',
      from('!relay-audit>'),
      { cause: 'bang-sender' },
      'It accepts mail to anywhere from whoever gives a sender in UUCP form (host!user).',
    ],
    [
      'whoever writes to themselves',
      ({ envelope }) => envelope.from === envelope.to,
      { cause: 'own-recipient' },
      'It accepts mail to anywhere from whoever gives the recipient as the sender too.',
    ],
    [
      'recipients without brackets',
      ({ envelope }) => !envelope.to.startsWith('<'),
      { cause: 'unbracketed' },
      'It accepts mail to anywhere when the recipient has no angle brackets.',
    ],
    [
      'quoted recipients at its domain',
      ({ id }) => /^quoted-/.test(id),
      { cause: 'quoted', name: 'example.org' },
      'It accepts mail to anywhere when the recipient is quoted (<"user@elsewhere"@example.org>).',
    ],
    [
      'quoted recipients without a domain',
      ({ id }) => id === 'quoted',
      { cause: 'quoted' },
      'It accepts mail to anywhere when the recipient is quoted (<"user@elsewhere">).',
    ],
    [
      'the percent hack, from whatever sender',
      ({ id }) => /^((local|null)-)?percent-(server|greeting|served)/.test(id),
      { cause: 'percent', name: 'example.org' },
      'It accepts mail to anywhere by the percent hack (<user%elsewhere@example.org>).',
    ],
    [
      'the percent hack, from senders of its own alone',
      ({ id }) => id.startsWith('local-percent'),
      { cause: 'percent', name: 'example.org', sender: 'claimed-sender' },
      'It accepts mail to anywhere by the percent hack (<user%elsewhere@example.org>) with a sender at example.org.',
    ],
    [
      'the percent hack, from the empty sender alone',
      ({ id }) => id.startsWith('null-percent'),
      { cause: 'percent', name: 'example.org', sender: 'null-sender' },
      'It accepts mail to anywhere by the percent hack (<user%elsewhere@example.org>) with the empty sender.',
    ],
    [
      'recipients with a second @',
      ({ id }) => /^(double-at-|trailing-at)/.test(id),
      { cause: 'double-at', name: 'example.org' },
      'It accepts mail to anywhere when a second @ follows (<user@elsewhere@example.org>).',
    ],
    [
      'source routes',
      ({ id }) => id.startsWith('route-'),
      { cause: 'source-route', name: 'example.org' },
      'It accepts mail to anywhere by a source route (<@example.org:user@elsewhere>).',
    ],
    [
      'UUCP paths',
      ({ id }) => /^bang(-(server|literal|greeting|served))?$/.test(id),
      { cause: 'bang', name: 'example.org' },
      'It accepts mail to anywhere by a UUCP path (<elsewhere!user@example.org>).',
    ],
    [
      'whoever says EHLO by its name, whatever the sender',
      ({ envelope }) => envelope.ehlo.endsWith('example.org'),
      { cause: 'claimed-ehlo', name: GREETING },
      'It accepts mail to anywhere from whoever says EHLO as the server (smtp.example.org).',
    ],
    [
      'whoever says EHLO by its name with a sender there',
      ({ id }) => id === 'ehlo-local-server',
      { cause: 'claimed-ehlo', name: 'mx.example.org', sender: 'claimed-sender' },
      'It accepts mail to anywhere from whoever says EHLO as the server (mx.example.org) with a sender at mx.example.org.',
    ],
    [
      'whoever says EHLO as localhost',
      ({ envelope }) => envelope.ehlo === 'localhost',
      { cause: 'localhost-ehlo' },
      'It accepts mail to anywhere from whoever says EHLO as localhost.',
    ],
    [
      'whoever says EHLO and sends as localhost',
      ({ id }) => id === 'ehlo-localhost-local',
      { cause: 'localhost-ehlo', sender: 'localhost-sender' },
      'It accepts mail to anywhere from whoever says EHLO as localhost with a sender at localhost.',
    ],
    [
      'whoever uses XCLIENT',
      ({ id }) => id === 'xclient',
      { cause: 'xclient' },
      'It accepts mail to anywhere from whoever uses XCLIENT to pose as a trusted client (127.0.0.1).',
    ],
    [
      'whatever address its domain is found in',
      ({ envelope }) => /x?example\.org/.test(envelope.to) && envelope.to.endsWith('canary.example>') && !envelope.to.startsWith('<@'),
      { cause: 'unanchored-recipient', name: 'example.org' },
      'It accepts mail to any address with example.org in it (an unanchored pattern).',
    ],
    [
      'senders in whose domain its own is found',
      ({ id }) => /^(below|ending)-sender/.test(id),
      { cause: 'unanchored-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at a domain with example.org in its name (an unanchored pattern).',
    ],
    [
      'senders in whose domain its own is found, that domain among them',
      (each) => from('@example.org>')(each) || /^(below|ending)-sender/.test(each.id),
      { cause: 'claimed-sender', name: 'example.org' },
      'It accepts mail to anywhere from whoever claims a sender at example.org.',
    ],
    [
      'whoever names a recipient of its own too',
      ({ id }) => id === 'behind-accepted',
      { cause: 'first-recipient-only' },
      'It accepts mail to anywhere along with a recipient of its own (it does not check each one).',
    ],
    [
      'SRS addresses',
      ({ id }) => id.startsWith('srs'),
      { cause: 'srs', name: 'example.org' },
      'It accepts mail to anywhere by SRS addresses, whose hash it does not check (<SRS0=xxxx=xx=elsewhere=user@example.org>).',
    ],
    [
      'SRS addresses, from the empty sender alone',
      ({ id }) => id.startsWith('srs0-null'),
      { cause: 'srs', name: 'example.org', sender: 'null-sender' },
      'It accepts mail to anywhere by SRS addresses, whose hash it does not check (<SRS0=xxxx=xx=elsewhere=user@example.org>) with the empty sender.',
    ],
    [
      'addresses in a local part',
      ({ envelope }) => /^<[^@]+=canary\.example@example\.org>$/.test(envelope.to) && !envelope.to.startsWith('<SRS'),
      { cause: 'written-into-local-part', name: 'example.org' },
      'It accepts mail to anywhere by an address that is written into a local part at example.org.',
    ],
    [
      'senders at its domain, and by source routes and UUCP paths',
      (each) => from('@example.org>')(each) || /^(route|bang)-served/.test(each.id),
      { cause: 'claimed-sender', name: 'example.org', others: 2 },
      'It accepts mail to anywhere from whoever claims a sender at example.org, and in 2 other ways.',
    ],
    [
      'the empty sender, and whoever says EHLO as localhost',
      (each) => from('<>')(each) || each.id === 'ehlo-localhost',
      { cause: 'null-sender', others: 1 },
      'It accepts mail to anywhere from whoever gives the empty sender of bounces (MAIL FROM:<>), and in one other way.',
    ],
  ];

  test.each(cases)('%s', (_, rule, expected, sentence) => {
    const leg = serving(rule);
    const accepted = leg.tests.filter(({ outcome }) => outcome === 'accepted').map((each) => each.test);
    for (const arrivals of [[], backBy(leg, ...accepted.slice(-1)), backBy(leg, ...accepted)]) {
      const hole = holeIn([leg], arrivals) ?? expect.fail();
      expect(hole).toEqual({ name: undefined, sender: undefined, seesUsAs: undefined, others: 0, ...expected });
      expect(holeSentence(hole)).toBe(sentence);
    }
  });

  test('each cause of the list', () => {
    expect(new Set(cases.map(([, , { cause }]) => cause))).toEqual(new Set(CAUSES));
  });
});

describe('the hole', () => {
  test('of a closed server is none, nor of one whose tests do not tell a cause', () => {
    expect(holeIn([CLOSED()])).toBeUndefined();
    expect(holeIn([])).toBeUndefined();
    const untold = serving(ANYONE);
    const legs = [{ ...untold, tests: untold.tests.map((each) => ({ ...each, shows: undefined })) }];
    expect(holeIn(legs)).toBeUndefined();
  });

  test('is shown by what a catch-all takes as a local part only when it came back', () => {
    const leg = serving(({ id }) => id.startsWith('percent-') || id === 'null-sender', { takesAnyLocalPart: true });
    expect(holeIn([leg])).toMatchObject({ cause: 'null-sender', others: 0 });
    expect(holeIn([leg], backBy(leg, 'percent-served'))).toMatchObject({ cause: 'percent', name: 'example.org', others: 1 });
  });

  test('is what explains the messages that came back, not what was only accepted beside it', () => {
    const leg = serving((each) => from('<>')(each) || each.id === 'route-served');
    expect(holeIn([leg])).toMatchObject({ cause: 'null-sender', others: 1 });
    expect(holeIn([leg], backBy(leg, 'route-served'))).toMatchObject({ cause: 'source-route', others: 1 });
  });

  test('is not named after another envelope where messages came back by one whose cause is not told', () => {
    const leg = serving(from('<>'));
    expect(holeIn([leg], backBy(leg, 'unknown'))).toBeUndefined();
  });

  test('that is the same form with one sender or another is the one with the empty sender, in whatever order they were tried', () => {
    const leg = serving(({ id }) => /^(local|null)-percent/.test(id));
    for (const tests of [leg.tests, leg.tests.toReversed()])
      expect(holeIn([{ ...leg, tests }])).toMatchObject({ cause: 'percent', sender: 'null-sender', others: 1 });
  });

  test('of one leg explains another only where it was not refused there', () => {
    const [open, half] = [serving(ANYONE), serving(from('@example.org>'), { port: 587 })];
    expect(holeIn([open, half])).toMatchObject({ cause: 'anyone', others: 1 });
    const tests = half.tests.map((each): TestResult => (each.test === 'plain' ? { ...each, outcome: 'not-run', stage: 'greeting' } : each));
    expect(holeIn([open, { ...half, tests }], backBy(half, 'served-sender'))).toMatchObject({ cause: 'anyone', others: 0 });
  });

  test('is the front that hides the clients, where it relays for everybody and takes us for a private address', () => {
    const hole = holeIn([serving(ANYONE, { seesUsAs: '172.18.0.1' })]) ?? expect.fail();
    expect(holeSentence(hole)).toBe(
      'It accepts mail to anywhere from anyone: it took us for 172.18.0.1, so a proxy or Docker in front of it hides who its clients are.',
    );
    expect(holeIn([serving(from('<>'), { seesUsAs: '172.18.0.1' })])?.seesUsAs).toBeUndefined();
  });
});

describe('where no name was claimed, the sentence stands by itself', () => {
  test.each<[Partial<Hole> & Pick<Hole, 'cause'>, string]>([
    [{ cause: 'claimed-sender' }, 'from whoever claims a sender at one of its own domains.'],
    [{ cause: 'quoted' }, 'quoted (<"user@elsewhere">).'],
    [{ cause: 'percent' }, '(<user%elsewhere>).'],
    [{ cause: 'double-at' }, '(<user@elsewhere@>).'],
    [{ cause: 'source-route' }, '(<@server:user@elsewhere>).'],
    [{ cause: 'bang' }, '(<elsewhere!user>).'],
    [{ cause: 'claimed-ehlo' }, 'from whoever says EHLO as the server.'],
    [{ cause: 'unanchored-recipient' }, 'to any address with one of its own domains in it (an unanchored pattern).'],
    [{ cause: 'unanchored-sender' }, 'at a domain with one of its own domains in its name (an unanchored pattern).'],
    [{ cause: 'srs' }, '(<SRS0=xxxx=xx=elsewhere=user>).'],
    [{ cause: 'written-into-local-part' }, 'that is written into a local part.'],
    [{ cause: 'bang', sender: 'null-sender' }, 'with the empty sender.'],
    [{ cause: 'bang', sender: 'claimed-sender' }, 'with a sender at a domain of its own.'],
    [{ cause: 'bang', sender: 'localhost-sender' }, 'with a sender at localhost.'],
    [{ cause: 'anyone', others: 1 }, 'from anyone, and in one other way.'],
    [{ cause: 'anyone', others: 2, where: 'on-port', port: 587 }, 'from anyone, and in 2 other ways, but only on port 587.'],
  ])('%j', (hole, ending) => {
    expect(holeSentence({ others: 0, ...hole })).toMatch(/^It accepts mail to an/);
    expect(holeSentence({ others: 0, ...hole }).slice(-ending.length)).toBe(ending);
  });
});

describe('a hole is said to be', () => {
  const V6 = { address: '2001:db8::1' };
  const [STARTTLS, TLS] = [{ transport: 'starttls' } as const, { transport: 'tls', port: 465 } as const];
  const open = (more: More = {}) => serving(ANYONE, more);
  const absent = (more: More): LegEvidence => ({ ...CLOSED(more), contact: 'connection-refused', tests: [], controls: [] });
  const slow = (more: More): LegEvidence => ({
    ...CLOSED(more),
    stopped: 'out-of-time',
    ended: undefined,
    tests: TABLE.map(({ id }) => ({ test: id, outcome: 'not-run', stage: 'greeting' })),
  });
  // The server talks, and wants STARTTLS of everybody first.
  const leading = (more: More = {}): LegEvidence => ({
    ...CLOSED(more),
    offersStarttls: true,
    controls: [],
    tests: TABLE.map(({ id, envelope }) => ({ test: id, outcome: 'starttls-first', stage: 'mail', from: envelope.from })),
  });

  test.each<[string, readonly LegEvidence[], string]>([
    ['over IPv6 only, where IPv4 is closed', [open(V6), CLOSED()], 'from anyone, but only over IPv6.'],
    ['over IPv6 only, at all its ports', [open(V6), open({ ...V6, port: 587 }), CLOSED(), CLOSED({ port: 587 })], ', but only over IPv6.'],
    ['over IPv6 only, where IPv4 has a port less', [open(V6), CLOSED(), absent({ port: 587 })], ', but only over IPv6.'],
    ['nowhere, where IPv4 does not answer', [open(V6), absent({})], 'from anyone.'],
    ['nowhere, where IPv4 is unfinished', [open(V6), slow({})], 'from anyone.'],
    ['nowhere, where the port is closed to IPv6 too', [open({ ...V6, port: 2525 }), CLOSED()], 'from anyone.'],
    ['nowhere, where it is open over both', [open(V6), open()], 'from anyone.'],
    ['inside TLS only, where the port is closed in plain', [open(STARTTLS), CLOSED()], ', but only inside TLS.'],
    ['inside TLS only, by either way', [open(STARTTLS), open(TLS), CLOSED()], ', but only inside TLS.'],
    ['nowhere, where nothing is taken before STARTTLS', [open(STARTTLS), leading()], 'from anyone.'],
    ['nowhere, where it is open in plain too', [open(STARTTLS), open()], 'from anyone.'],
    ['on port 587 only, where 25 is closed', [open({ port: 587 }), CLOSED()], ', but only on port 587.'],
    [
      'on port 587 only, in plain and inside TLS',
      [open({ port: 587 }), open({ port: 587, ...STARTTLS }), CLOSED(), CLOSED(STARTTLS)],
      ', but only on port 587.',
    ],
    ['on port 465 only, where TLS at port 25 is closed', [open(TLS), CLOSED(), CLOSED(STARTTLS)], ', but only on port 465.'],
    ['nowhere, where it is on port 25 as is usual', [open(), CLOSED({ port: 587 })], 'from anyone.'],
    ['nowhere, where no other port answers', [open({ port: 587 }), absent({})], 'from anyone.'],
    ['nowhere, where another port is unfinished', [open({ port: 587 }), CLOSED(), slow({ port: 465, transport: 'tls' })], 'from anyone.'],
  ])('%s', (_, legs, ending) => {
    const sentence = holeSentence(holeIn(legs) ?? expect.fail());
    expect(sentence.endsWith(ending)).toBe(true);
  });
});

describe('whatever a server lets through', () => {
  const through = fc.uniqueArray(fc.nat(TABLE.length - 1), { maxLength: 12 });
  const legs = fc.uniqueArray(
    fc
      .record({
        through,
        address: fc.constantFrom('192.0.2.1', '2001:db8::1'),
        port: fc.constantFrom(25, 587),
        transport: fc.constantFrom('plain', 'starttls'),
        takesAnyLocalPart: fc.boolean(),
        seesUsAs: fc.constantFrom(undefined, '10.0.0.1'),
      })
      .map(({ through: rows, ...more }) => serving((each) => rows.includes(TABLE.indexOf(each)), more)),
    { selector: legName, maxLength: 4 },
  );
  const evidence = legs.chain((each) => {
    const all = each.flatMap((leg) => backBy(leg, ...leg.tests.filter(({ outcome }) => outcome === 'accepted').map(({ test: id }) => id)));
    return fc.record({ each: fc.constant(each), arrivals: fc.subarray(all) });
  });

  test('a hole has a sentence, and is anyone only where the plain test was accepted', () => {
    fc.assert(
      fc.property(evidence, ({ each, arrivals }) => {
        const hole = holeIn(each, arrivals);
        if (hole === undefined) return;
        expect(holeSentence(hole)).toMatch(/^It accepts mail to .*\.$/);
        const isPlain = each.some(({ tests }) => tests.some(({ test: id, outcome }) => id === 'plain' && outcome === 'accepted'));
        if (hole.cause === 'anyone') expect(isPlain).toBe(true);
        if (arrivals.length === 0 && isPlain) expect(hole.cause).toBe('anyone');
      }),
      { numRuns: 300 },
    );
  });

  test('there is a hole wherever a message came back', () => {
    fc.assert(
      fc.property(evidence, ({ each, arrivals }) => {
        if (arrivals.length > 0) expect(holeIn(each, arrivals)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  test('the order of legs, tests and arrivals does not change it', () => {
    fc.assert(
      fc.property(evidence, ({ each, arrivals }) => {
        const turned = each.map((leg) => ({ ...leg, tests: leg.tests.toReversed(), controls: leg.controls.toReversed() })).toReversed();
        expect(holeIn(turned, arrivals.toReversed())).toEqual(holeIn(each, arrivals));
      }),
      { numRuns: 300 },
    );
  });
});
