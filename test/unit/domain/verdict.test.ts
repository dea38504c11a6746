import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Judgement, REASONS, type Reason } from '../../../shared/domain/reason.ts';
import {
  type LegEvidence,
  OUTCOMES,
  type Outcome,
  SAYS,
  SILENCES,
  STOPS,
  type Stage,
  type TestResult,
} from '../../../shared/domain/scan.ts';
import { closedLegs, judgeHost, judgeLeg, legName, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { runs } from '../../support/searches.ts';

type Said = readonly [Outcome, Stage];

const REFUSED: Said = ['refused', 'rcpt'];
const ACCEPTED: Said = ['accepted', 'rcpt'];
const NOT_RUN: Said = ['not-run', 'greeting'];

function results(said: readonly Said[]): TestResult[] {
  return said.map(([outcome, stage], index) => ({ test: `test-${index}`, outcome, stage }));
}

function control(name: string, [outcome, stage]: Said): TestResult {
  return { test: name, outcome, stage };
}

function leg(said: readonly Said[], more: Partial<LegEvidence> = {}): LegEvidence {
  return {
    address: '192.0.2.1',
    port: 25,
    transport: 'plain',
    contact: 'answered',
    costs: { connections: 1, commands: 1, roundTrips: 1, refusals: 1 },
    tests: results(said),
    controls: [],
    transcript: [],
    ...more,
  };
}

const positive = (...said: Said) => ({ controls: [control(POSITIVE_CONTROL, said)] });
const negative = (...said: Said) => ({ controls: [control(`${NEGATIVE_CONTROL}plain`, said)] });

const AUTHENTICATING = (senders: number): TestResult[] =>
  Array.from({ length: senders }, (_, index) => ({
    test: index === 0 ? 'plain' : `sender-${index}`,
    from: `<${index}@probe.example>`,
    outcome: 'authentication-required',
    stage: 'mail',
  }));

/** A leg after the last sitting that its scan has. */
const used = (evidence: LegEvidence): LegEvidence => ({ ...evidence, ended: 'sittings-used-up' });

/** A leg with one form that reads as a local part of the server's, and what it said to an invented user in the same form. */
function anyLocal(invented: Said, [outcome, stage]: Said, more: Partial<LegEvidence> = {}): LegEvidence {
  const form = `${NEGATIVE_CONTROL}percent`;
  const carried = stage === 'message' ? { canary: 'canary' } : {};
  return leg([], {
    tests: [...results([REFUSED]), { test: 'percent', outcome, stage, negative: form, ...carried }],
    controls: [control(form, invented)],
    ...more,
  });
}

type Case = readonly [rule: string, evidence: LegEvidence, reason: Reason];

describe('a leg is judged by what was proven', () => {
  const cases: readonly Case[] = [
    ['a foreign recipient that was accepted proves suspected, not open', leg([REFUSED, ACCEPTED]), 'recipient-accepted'],
    ['a message taken after the final dot proves suspected, and more', leg([REFUSED, ['accepted', 'message']]), 'message-accepted'],
    ['a message refused after the dot is a refusal', leg([REFUSED, ['refused', 'message'], ['refused', 'data']]), 'all-refused'],
    ['a message put off after the dot is put off', leg([REFUSED, ['greylisted', 'message']]), 'greylisted'],
    [
      'a leg that wants STARTTLS first, and offers it, leaves its tests to the leg inside',
      leg(
        [
          ['starttls-first', 'mail'],
          ['refused', 'mail'],
        ],
        { offersStarttls: true },
      ),
      'starttls-required',
    ],
    [
      'a leg behind STARTTLS that falls silent has not gone: its plain one just offered it',
      leg([NOT_RUN], { contact: 'closed-early', transport: 'starttls' }),
      'dropped',
    ],
    [
      'a port that fell silent after our refused tests at another is no absent port',
      leg([NOT_RUN], { contact: 'connection-refused', stopped: 'silent-after-refusals' }),
      'probably-banned',
    ],
    ['a leg whose TLS failed is not told', leg([NOT_RUN], { contact: 'tls-failed' }), 'tls-failed'],
    ['one acceptance outweighs every refusal', leg([...Array<Said>(18).fill(REFUSED), ACCEPTED]), 'recipient-accepted'],
    ['one acceptance outweighs unfinished tests', leg([NOT_RUN, ACCEPTED, ['greylisted', 'rcpt']]), 'recipient-accepted'],
    ['one acceptance outweighs words about us', leg([['about-us', 'rcpt'], ACCEPTED]), 'recipient-accepted'],
    ['one acceptance outweighs a ban that followed', leg([ACCEPTED, REFUSED], { stopped: 'silent-after-refusals' }), 'recipient-accepted'],
    ['one acceptance outweighs a refused postmaster', leg([ACCEPTED], positive('refused', 'rcpt')), 'recipient-accepted'],
    ['an invented local user accepted beside it says accepts everything', leg([ACCEPTED], negative(...ACCEPTED)), 'accepts-everything'],
    ['an invented local user refused beside it does not', leg([ACCEPTED], negative(...REFUSED)), 'recipient-accepted'],
    ['an accepted postmaster does not unmask anybody', leg([ACCEPTED], positive(...ACCEPTED)), 'recipient-accepted'],
    ['every test refused is closed', leg([REFUSED, REFUSED]), 'all-refused'],
    ['every test refused beside an accepted postmaster is closed', leg([REFUSED], positive(...ACCEPTED)), 'all-refused'],
    ['a sender refused outright completes its test when another reached RCPT', leg([['refused', 'mail'], REFUSED]), 'all-refused'],
    ['authentication asked at RCPT is a refusal', leg([['authentication-required', 'rcpt'], REFUSED]), 'all-refused'],
    ['a test that was not run keeps the leg from closed', leg([REFUSED, NOT_RUN]), 'dropped'],
    ['a greylisted test keeps the leg from closed', leg([REFUSED, ['greylisted', 'rcpt']]), 'greylisted'],
    ['a deferred test keeps the leg from closed', leg([REFUSED, ['deferred', 'rcpt']]), 'deferred'],
    ['a test that must go after STARTTLS keeps the leg from closed', leg([['starttls-first', 'mail'], REFUSED]), 'starttls-first'],
    ['no test run at all is never closed', leg([NOT_RUN, NOT_RUN]), 'dropped'],
    [
      'every sender refused proves nothing of recipients',
      leg([
        ['refused', 'mail'],
        ['refused', 'mail'],
      ]),
      'no-recipient-reached',
    ],
    [
      'EHLO refused proves nothing of recipients',
      leg([
        ['refused', 'ehlo'],
        ['refused', 'ehlo'],
      ]),
      'no-recipient-reached',
    ],
    ['a refusal of our address makes the leg untestable', leg([REFUSED, ['about-us', 'rcpt']]), 'policy-against-us'],
    ['a refusal of our address at the greeting makes the leg untestable', leg([['about-us', 'greeting']]), 'policy-against-us'],
    [
      'a postmaster refused because of our address makes the leg untestable',
      leg([REFUSED], positive('about-us', 'rcpt')),
      'policy-against-us',
    ],
    ['a refused postmaster makes the leg untestable', leg([REFUSED], positive('refused', 'rcpt')), 'control-refused'],
    ['a postmaster refused with its sender makes the leg untestable', leg([REFUSED], positive('refused', 'mail')), 'control-refused'],
    ['a greylisted postmaster speaks neither for nor against us', leg([REFUSED], positive('greylisted', 'rcpt')), 'all-refused'],
    ['a refused invented user is no refused postmaster', leg([REFUSED], negative(...REFUSED)), 'all-refused'],
    ['tests left undone by our own time are not laid at their door', leg([REFUSED, NOT_RUN], { stopped: 'out-of-time' }), 'out-of-time'],
    ['a leg that we never got to keeps the host from closed', leg([NOT_RUN], { contact: 'out-of-time' }), 'out-of-time'],
    ['silence after our refused tests is a probable ban', leg([REFUSED, NOT_RUN], { stopped: 'silent-after-refusals' }), 'probably-banned'],
    [
      'authentication asked of every sender closes the leg',
      leg([
        ['authentication-required', 'mail'],
        ['authentication-required', 'mail'],
      ]),
      'authentication-required',
    ],
    ['authentication asked of one sender closes nothing', leg([['authentication-required', 'mail'], NOT_RUN, REFUSED]), 'dropped'],
    [
      'authentication asked of senders that we only claimed says nothing of the others',
      leg([...Array<Said>(5).fill(['authentication-required', 'mail']), NOT_RUN]),
      'dropped',
    ],
    [
      'authentication asked of four senders, ours among them, says nothing of those that are left to be asked',
      leg([NOT_RUN], { tests: [...AUTHENTICATING(4), ...results([NOT_RUN])] }),
      'dropped',
    ],
    ['authentication asked of every one of them closes the leg', leg([], { tests: AUTHENTICATING(4) }), 'authentication-required'],
    [
      'but not where the control was taken as a sender',
      leg([NOT_RUN], { tests: [...AUTHENTICATING(4), ...results([NOT_RUN])], ...positive('greylisted', 'rcpt') }),
      'dropped',
    ],
    ['authentication asked of one sender completes its test', leg([['authentication-required', 'mail'], REFUSED]), 'all-refused'],
    ['authentication asked for one recipient does not close the leg', leg([['authentication-required', 'rcpt'], NOT_RUN]), 'dropped'],
    ...SILENCES.map((silence): Case => [`${silence} is unreachable`, leg([NOT_RUN], { contact: silence }), silence]),
  ];

  test.each(cases)('%s', (_, evidence, reason) => {
    expect(judgeLeg(evidence)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });

  test('it counts completed tests of those planned; controls are neither', () => {
    const evidence = leg([REFUSED, ['refused', 'mail'], ['greylisted', 'rcpt'], NOT_RUN], positive(...ACCEPTED));
    expect(judgeLeg(evidence)).toMatchObject({ completed: 2, planned: 4 });
  });
});

describe('what was accepted is judged when it was carried through, and not before', () => {
  const accepted = leg([REFUSED, ACCEPTED], { toCarry: 1 });
  const throughNow = leg([ACCEPTED, ['accepted', 'message']], { toCarry: 1 });
  const cases: readonly Case[] = [
    ['a leg with a message left to carry is not told yet', accepted, 'not-carried-through'],
    ['nor is it when our time is over', { ...accepted, stopped: 'out-of-time' }, 'not-carried-through'],
    ['nor when a limit of the server’s cut us off', { ...accepted, limited: true }, 'not-carried-through'],
    ['nor when it fell silent', { ...accepted, stopped: 'silent-after-refusals', silentSittings: 2 }, 'not-carried-through'],
    ['nor when invented users were accepted too', { ...accepted, ...negative(...ACCEPTED) }, 'not-carried-through'],
    ['nor when some message went through and another is left', throughNow, 'not-carried-through'],
    ['its limits are to blame once the sittings are used up', used({ ...accepted, limited: true }), 'accepted-then-limited'],
    ['and so are they where it put us off without a word of limits', used(accepted), 'accepted-then-limited'],
    ['and its slowness where our time ran out', used({ ...accepted, stopped: 'out-of-time' }), 'accepted-then-slow'],
    ['but not where a message went through', used(throughNow), 'message-accepted'],
    [
      'what was refused at DATA and after the dot is refused',
      leg(
        [
          ['refused', 'data'],
          ['refused', 'message'],
        ],
        { toCarry: 0 },
      ),
      'all-refused',
    ],
  ];

  test.each(cases)('%s', (_, evidence, reason) => {
    expect(judgeLeg(evidence)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });
});

describe('a local part proves nothing where any is taken', () => {
  const taken = anyLocal(ACCEPTED, ['accepted', 'message']);
  const unasked = { ...taken, controls: [] };
  const cases: readonly Case[] = [
    ['the messages that went out that way are waited for', taken, 'awaiting-messages'],
    ['none that comes back in its time closes the leg', { ...taken, ended: 'waited' }, 'catch-all'],
    ['nothing tells where no message could come back', { ...taken, noMailbox: true }, 'any-local-part'],
    ['a form whose invented user is refused is routed', anyLocal(REFUSED, ['accepted', 'message']), 'message-accepted'],
    ['so is one that was not carried through in the end', used(anyLocal(REFUSED, ACCEPTED, { toCarry: 1 })), 'accepted-then-limited'],
    ['a form whose invented user was not asked for is not judged', unasked, 'not-carried-through'],
    ['nor one whose invented user was put off', anyLocal(['deferred', 'rcpt'], ACCEPTED), 'not-carried-through'],
    ['in the end such a one says only that any local part is taken', used(unasked), 'any-local-part'],
    ['a message that is left to carry is not judged either', { ...taken, toCarry: 1 }, 'not-carried-through'],
    ['one that was refused after the dot is a refusal like others', anyLocal(ACCEPTED, ['refused', 'message']), 'all-refused'],
    ['a foreign recipient beside it outweighs it', { ...taken, tests: [...taken.tests, ...results([ACCEPTED])] }, 'accepts-everything'],
    [
      'a test that is not done keeps it from closed',
      { ...taken, tests: [...taken.tests, ...results([NOT_RUN])], ended: 'waited' },
      'dropped',
    ],
  ];

  test.each(cases)('%s', (_, evidence, reason) => {
    expect(judgeLeg(evidence)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });

  test('a message of it that comes back opens the leg', () => {
    const arrival = { canary: 'canary', leg: legName(taken), test: 'percent', sentAt: 0, at: 1, path: [] };
    expect(judgeLeg({ ...taken, ended: 'waited' }, [arrival])).toMatchObject({ verdict: 'open', reason: 'canary-arrived' });
  });

  test('is said of a host that is closed, whichever leg comes first', () => {
    const catchAll = { ...taken, ended: 'waited', port: 587 } as const;
    for (const legs of [
      [leg([REFUSED]), catchAll],
      [catchAll, leg([REFUSED])],
    ])
      expect(judgeHost(legs, [])).toMatchObject({ verdict: 'closed', reason: 'catch-all' });
  });
});

describe('a server that puts off every foreign recipient to the last sitting does not relay', () => {
  const deferring = leg([['deferred', 'rcpt'], ['greylisted', 'rcpt'], REFUSED], positive(...ACCEPTED));
  const cases: readonly Case[] = [
    ['beside an accepted postmaster', used(deferring), 'always-deferred'],
    ['but not before its sittings are used up', deferring, 'greylisted'],
    ['nor where the postmaster was not accepted', used({ ...deferring, ...positive('deferred', 'rcpt') }), 'greylisted'],
    ['nor where it put off a sender', used({ ...deferring, tests: results([['deferred', 'mail'], REFUSED]) }), 'deferred'],
    ['nor where a test was not run', used({ ...deferring, tests: results([['deferred', 'rcpt'], NOT_RUN]) }), 'deferred'],
    ['nor where it put off a message', used({ ...deferring, tests: results([['deferred', 'message']]) }), 'accepted-then-limited'],
  ];

  test.each(cases)('%s', (_, evidence, reason) => {
    expect(judgeLeg(evidence)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });
});

describe('silence is a ban when it lasts into another sitting', () => {
  test.each([
    ['of one sitting', 1, 'fell-silent'],
    ['of two in a row', 2, 'probably-banned'],
    ['that was told before sittings were counted', undefined, 'probably-banned'],
  ] as const)('silence %s', (_, silentSittings, reason) => {
    const more = { stopped: 'silent-after-refusals', silentSittings } as const;
    expect(judgeLeg(leg([REFUSED, NOT_RUN], more)).reason).toBe(reason);
    expect(judgeLeg(leg([NOT_RUN], { ...more, contact: 'connection-refused' })).reason).toBe(reason);
  });
});

describe('the control, and no words, tells whether a server refuses us', () => {
  const said = (reply: string, says?: TestResult['says']): Partial<TestResult> => ({ reply, says });
  const unknown = said('550 5.1.1 User unknown', 'unknown-user');
  const beside = (control_: Partial<TestResult>, ...tests: readonly Partial<TestResult>[]) =>
    leg([], {
      tests: tests.map((each, index) => ({ test: `test-${index}`, outcome: 'refused', stage: 'rcpt', ...each })),
      controls: [{ test: POSITIVE_CONTROL, outcome: 'refused', stage: 'rcpt', ...control_ }],
    });
  const aboutUs = { outcome: 'about-us', ...said('550 5.7.1 Your host may not send there') } as const;
  const okay = { outcome: 'accepted' } as const;
  const cases: readonly Case[] = [
    ['words about us beside an accepted control are a refusal', beside(okay, aboutUs, {}), 'all-refused'],
    ['but not a greeting of that kind', beside(okay, { ...aboutUs, stage: 'greeting' }), 'policy-against-us'],
    ['beside a control that was put off they wait for it', beside({ outcome: 'deferred' }, aboutUs), 'deferred'],
    ['and count once it is put off to the end', used(beside({ outcome: 'deferred' }, aboutUs)), 'policy-against-us'],
    [
      'a control that is no user, where relaying is denied in words, is told apart',
      beside(unknown, said('550 5.1.1 No', 'no-relaying')),
      'all-refused',
    ],
    ['or in another class of reply', beside(unknown, said('550 5.7.1 No'), said('554 5.7.1 No')), 'all-refused'],
    ['and then words about us are a refusal too', beside(unknown, aboutUs), 'all-refused'],
    ['but not where the reply is of the same class', beside(unknown, said('550 5.1.1 No')), 'control-refused'],
    ['nor where some foreign recipient is no user either', beside(unknown, said('550 5.7.1 No'), unknown), 'control-refused'],
    [
      'nor where the control is refused for another reason',
      beside(said('550 5.7.1 Denied'), said('554 5.7.1 No', 'no-relaying')),
      'control-refused',
    ],
    ['a control that is no user waits for foreign refusals', beside(unknown, { outcome: 'not-run', stage: 'greeting' }), 'dropped'],
  ];

  test.each(cases)('%s', (_, evidence, reason) => {
    expect(judgeLeg(evidence)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });
});

describe('TLS that nobody can set up', () => {
  const plain = leg([REFUSED], { offersStarttls: true });
  const broken = (more: Partial<LegEvidence> = {}, sittings = 2) =>
    leg([NOT_RUN], { contact: 'tls-failed', transport: 'starttls', brokenTls: { sittings, why: 'no shared cipher' }, ...more });

  test.each<[string, readonly LegEvidence[], Reason]>([
    ['leaves a host closed whose plain leg at that port is', [plain, broken()], 'all-refused'],
    ['and at the port of TLS, where any leg of that address is', [plain, broken({ port: 465, transport: 'tls' })], 'all-refused'],
    ['is not believed in the first sitting', [plain, broken({}, 1)], 'tls-failed'],
    ['leaves a host untold that has nothing else', [broken()], 'tls-failed'],
    ['and one whose closed leg is at another port', [plain, broken({ port: 587 })], 'tls-failed'],
    ['and one whose closed leg is at another address', [plain, broken({ address: '192.0.2.2' })], 'tls-failed'],
    [
      'and one whose plain leg takes nothing before STARTTLS',
      [leg([['starttls-first', 'mail']], { offersStarttls: true }), broken()],
      'starttls-first',
    ],
    ['and one whose plain leg accepts', [leg([ACCEPTED]), broken()], 'recipient-accepted'],
  ])('%s', (_, legs, reason) => {
    expect(judgeHost(legs, [])).toMatchObject({ verdict: REASONS[reason].verdict, reason });
    expect(judgeHost(legs.toReversed(), []).verdict).toBe(REASONS[reason].verdict);
  });
});

describe('whatever the evidence', () => {
  const stage = fc.constantFrom<Stage>('greeting', 'ehlo', 'mail', 'rcpt', 'data', 'message');
  const said = (outcomes: readonly Outcome[]) => fc.tuple(fc.constantFrom(...outcomes), stage);
  const form = `${NEGATIVE_CONTROL}plain`;
  const result = fc
    .tuple(said(OUTCOMES), fc.constantFrom(undefined, form), fc.constantFrom(undefined, ...SAYS))
    .map(([[outcome, at], negativeId, says]) => ({ outcome, stage: at, negative: negativeId, says }));
  const anyLeg = fc
    .record({
      tests: fc.array(result, { maxLength: 6 }),
      controls: fc.uniqueArray(fc.tuple(fc.constantFrom(POSITIVE_CONTROL, form), said(OUTCOMES)), {
        maxLength: 2,
        selector: ([name]) => name,
      }),
      contact: fc.constantFrom('answered' as const, 'answered' as const, ...SILENCES),
      stopped: fc.constantFrom(undefined, ...STOPS),
      port: fc.constantFrom(25, 587),
      toCarry: fc.constantFrom(undefined, 0, 1),
      limited: fc.constantFrom(undefined, true),
      ended: fc.constantFrom(undefined, 'sittings-used-up' as const, 'waited' as const),
      noMailbox: fc.constantFrom(undefined, true),
      silentSittings: fc.constantFrom(undefined, 1, 2),
    })
    .map(({ tests, controls, ...more }) =>
      leg([], {
        ...more,
        tests: tests.map((each, index) => ({ test: `test-${index}`, ...each })),
        controls: controls.map(([name, each]) => control(name, each)),
      }),
    );
  const tookForeign = ({ tests }: LegEvidence) => tests.some(({ outcome, negative: own }) => outcome === 'accepted' && own === undefined);

  test('P2: `open` only with a canary in hand, and with one always', () => {
    fc.assert(
      fc.property(anyLeg, fc.boolean(), (evidence, back) => {
        const arrivals = back ? [{ canary: 'c', leg: legName(evidence), test: 'plain', sentAt: 0, at: 1, path: [] }] : [];
        expect(judgeHost([evidence], [], arrivals).verdict === 'open').toBe(back);
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('P2: no leg that accepted a foreign recipient is closed: it is suspected, or not judged yet', () => {
    fc.assert(
      fc.property(anyLeg, (evidence) => {
        fc.pre(tookForeign(evidence) && evidence.contact === 'answered');
        const { verdict, reason } = judgeLeg(evidence);
        expect(reason === 'not-carried-through' ? 'suspected' : verdict).toBe('suspected');
        if (evidence.ended === 'sittings-used-up') expect(verdict).toBe('suspected');
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('no leg with a greylisted, deferred or STARTTLS test is closed before its last sitting', () => {
    const unfinished: readonly Outcome[] = ['greylisted', 'deferred', 'starttls-first'];
    fc.assert(
      fc.property(anyLeg, (evidence) => {
        fc.pre(evidence.tests.some((test) => unfinished.includes(test.outcome)));
        fc.pre(evidence.ended === undefined);
        expect(judgeLeg(evidence).verdict).not.toBe('closed');
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('no leg with a test that was not run is closed, unless nobody may send at all without authentication', () => {
    fc.assert(
      fc.property(anyLeg, (evidence) => {
        fc.pre(evidence.tests.some((test) => test.outcome === 'not-run'));
        const { verdict, reason } = judgeLeg(evidence);
        if (verdict === 'closed') expect(reason).toBe('authentication-required');
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('no leg or host that accepted a foreign recipient is ever closed', () => {
    fc.assert(
      fc.property(fc.array(anyLeg, { minLength: 1, maxLength: 4 }), (legs) => {
        fc.pre(legs.some((each) => each.contact === 'answered' && tookForeign(each)));
        expect(['suspected', 'untestable', 'inconclusive']).toContain(judgeHost(legs, []).verdict);
      }),
      { numRuns: runs(300, 1_000) },
    );
  });

  test('nothing is ever called open, for no message of ours came back', () => {
    fc.assert(
      fc.property(fc.array(anyLeg, { maxLength: 4 }), fc.boolean(), (legs, wereOpen) => {
        expect(judgeHost(legs, wereOpen ? legs.map(legName) : []).verdict).not.toBe('open');
      }),
      { numRuns: runs(300, 1_000) },
    );
  });

  test('no trouble on their side is read as ours', () => {
    fc.assert(
      fc.property(fc.array(anyLeg, { maxLength: 4 }), (legs) => {
        const entry = REASONS[judgeHost(legs, []).reason];
        expect('fault' in entry && entry.fault === 'ours').toBe(false);
      }),
      { numRuns: runs(200, 500) },
    );
  });

  test('the order of tests and controls changes nothing of a verdict', () => {
    fc.assert(
      fc.property(anyLeg, (evidence) => {
        const turned = { ...evidence, tests: evidence.tests.toReversed(), controls: evidence.controls.toReversed() };
        expect(judgeLeg(turned)).toEqual(judgeLeg(evidence));
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('a limit that met us, or our own time, makes no verdict stronger', () => {
    fc.assert(
      fc.property(anyLeg, fc.constantFrom({ limited: true }, { stopped: 'out-of-time' as const }), (evidence, cut) => {
        fc.pre(evidence.contact === 'answered' && evidence.stopped === undefined && evidence.ended === undefined);
        expect([judgeLeg(evidence).verdict, 'inconclusive']).toContain(judgeLeg({ ...evidence, ...cut }).verdict);
      }),
      { numRuns: runs(300, 2_000) },
    );
  });

  test('the order of legs changes no verdict', () => {
    fc.assert(
      fc.property(fc.array(anyLeg, { maxLength: 4 }), (legs) => {
        expect(judgeHost(legs.toReversed(), []).verdict).toBe(judgeHost(legs, []).verdict);
      }),
      { numRuns: runs(200, 500) },
    );
  });
});

describe('a host is judged by its legs', () => {
  const closed = leg([REFUSED]);
  const suspected = leg([ACCEPTED], { port: 587 });
  const inconclusive = leg([['greylisted', 'rcpt']], { port: 465 });
  const banned = leg([REFUSED, NOT_RUN], { port: 2525, stopped: 'silent-after-refusals' });
  const silent = leg([NOT_RUN], { port: 26, contact: 'connection-timed-out' });

  const cases: readonly (readonly [string, readonly LegEvidence[], readonly string[], Reason])[] = [
    ['one suspected leg makes the host suspected', [closed, suspected, banned], [], 'recipient-accepted'],
    ['an inconclusive leg keeps the host from closed', [closed, inconclusive], [], 'greylisted'],
    ['an untestable leg keeps the host from closed', [closed, banned], [], 'probably-banned'],
    ['a leg that never answered does not count', [closed, silent], [], 'all-refused'],
    [
      'a leg that last answered as a relay keeps the host from closed by its silence',
      [closed, silent],
      ['192.0.2.1:26'],
      'open-leg-silent',
    ],
    ['a relay leg that answers, and refuses, is closed', [closed], ['192.0.2.1:25'], 'all-refused'],
    ['so does one that was not asked at all', [closed], ['192.0.2.9:26'], 'open-leg-silent'],
    ['a host of which no leg answers is unreachable', [silent], ['192.0.2.1:26'], 'connection-timed-out'],
    ['a host without an address is unreachable', [], [], 'no-address'],
  ];

  test.each(cases)('%s', (_, legs, openLegs, reason) => {
    expect(judgeHost(legs, openLegs)).toMatchObject({ verdict: REASONS[reason].verdict, reason });
  });

  test('it is open by a canary that came back by one of its legs, whatever the others and the leg itself show', () => {
    const arrival = { canary: 'c', leg: legName(closed), test: 'plain', sentAt: 0, at: 0, path: [] };
    expect(judgeHost([closed, silent, inconclusive], [], [arrival])).toMatchObject({ verdict: 'open', reason: 'canary-arrived' });
  });

  test('a canary that came back by another leg proves nothing of this one', () => {
    expect(judgeLeg(closed, [{ canary: 'c', leg: '192.0.2.77:25', test: 'plain', sentAt: 0, at: 0, path: [] }]).verdict).toBe('closed');
  });

  test('“STARTTLS first” closes a leg only beside the one inside', () => {
    const plain = leg([['starttls-first', 'mail']], { offersStarttls: true });
    expect(judgeHost([plain], [])).toMatchObject({ verdict: 'inconclusive', reason: 'starttls-first' });
    expect(closedLegs([plain])).toEqual([]);
    expect(judgeHost([plain, { ...closed, address: plain.address, port: plain.port, transport: 'starttls' }], []).verdict).toBe('closed');
  });

  test('an address that we have no way out to speaks neither for nor against the others', () => {
    const away = leg([], { contact: 'no-ipv6-here' });
    expect(judgeHost([closed, away], []).verdict).toBe('closed');
    expect(judgeHost([away], [])).toMatchObject({ verdict: 'untestable', reason: 'no-ipv6-here' });
  });

  test('it counts the tests of legs that answered', () => {
    const judgement: Judgement = judgeHost([closed, inconclusive, silent], []);
    expect(judgement).toMatchObject({ completed: 1, planned: 2 });
  });

  test('a leg’s name is address and port, IPv6 in brackets', () => {
    expect(legName({ address: '192.0.2.1', port: 25, transport: 'plain' })).toBe('192.0.2.1:25');
    expect(legName({ address: '2001:db8::1', port: 25, transport: 'starttls' })).toBe('[2001:db8::1]:25/starttls');
    expect(legName({ address: '192.0.2.1', port: 465, transport: 'tls' })).toBe('192.0.2.1:465/tls');
  });
});
