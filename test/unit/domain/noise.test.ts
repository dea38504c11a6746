import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, type Effect, effectOf, raise } from '../../../shared/domain/change.ts';
import type { Host, HostSettings, HostState } from '../../../shared/domain/host.ts';
import { digestAt, isAcknowledged, isFlapping, reminderDueAt, silenceAfter, toldAfter, troubleTold } from '../../../shared/domain/noise.ts';
import type { Occasion } from '../../../shared/domain/notice.ts';
import { judged, type Reason, type RelayState, type Verdict } from '../../../shared/domain/reason.ts';
import type { Scan, ScanKind } from '../../../shared/domain/scan.ts';
import { NOON, sampleArrival, sampleCanary, sampleHost, sampleScan } from '../../support/samples.ts';
import { runs } from '../../support/searches.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const REASON_OF: Record<Verdict, Reason> = {
  open: 'canary-arrived',
  suspected: 'recipient-accepted',
  inconclusive: 'greylisted',
  untestable: 'policy-against-us',
  unreachable: 'connection-timed-out',
  closed: 'all-refused',
};

function scanOf(host: Host, verdict: Verdict, more: { kind?: ScanKind; at?: number; reason?: Reason } = {}): Scan {
  const { kind = 'scheduled', at = NOON, reason = REASON_OF[verdict] } = more;
  const scan = sampleScan(host, `${at}-${kind}`, at - 1_000, judged(reason, { completed: 1, planned: 1 }));
  return { ...scan, kind };
}

/** What is told after a scan without a change. */
function told(state: Partial<HostState>, verdict: Verdict, more: Parameters<typeof scanOf>[2] & { settings?: Partial<HostSettings> } = {}) {
  const host = sampleHost(more.settings, { version: 5, ...state });
  return toldAfter(host, { ...host.state, version: 6 }, scanOf(host, verdict, more));
}

describe('changes that come too often', () => {
  test.each([
    ['four in a day are told one by one', [0, 1, 2, 3].map((hours) => NOON - hours * HOUR), false],
    ['the fifth in a day is too many', [0, 1, 2, 3, 4].map((hours) => NOON - hours * HOUR), true],
    ['one a day old does not count', [0, 1, 2, 3].map((hours) => NOON - hours * HOUR).concat(NOON - DAY), false],
    ['one a moment younger does', [0, 1, 2, 3].map((hours) => NOON - hours * HOUR).concat(NOON - DAY + 1), true],
  ] as const)('%s', (_, turns, flapping) => {
    expect(isFlapping(turns, NOON)).toBe(flapping);
  });

  const change = (state: Partial<HostState>, at = NOON) => {
    const host = sampleHost({}, { version: 5, ...state });
    const scan = scanOf(host, 'suspected', { at });
    const record = {
      accountId: '',
      hostId: host.id,
      version: 6,
      from: 'closed',
      to: 'suspected',
      at,
      firstScanId: '',
      scanId: scan.id,
    } as const;
    return toldAfter(host, { ...host.state, version: 6, relay: 'suspected', since: at }, scan, record);
  };
  const FOUR = [1, 2, 3, 4].map((hours) => NOON - hours * HOUR);

  test('a change is told at once', () => {
    expect(change({ turns: FOUR.slice(0, 3) }).occasion).toEqual({ kind: 'change', from: 'closed', to: 'suspected' });
  });

  test('the fifth in a day is told as the first digest, at once', () => {
    const { occasion, state } = change({ turns: FOUR });
    expect(occasion).toEqual({ kind: 'digest', changes: 5, from: NOON - 4 * HOUR });
    expect(state.flapping).toEqual({ toldAt: NOON, changes: 0 });
  });

  test.each([
    ['an hour', HOUR],
    ['a moment less than a day', DAY - 1],
  ])('one too many %s after the last digest is not told, but owes a digest a day after it', (_, ago) => {
    const { occasion, state } = change({ turns: FOUR, flapping: { toldAt: NOON - ago, changes: 0 } });
    expect([occasion, state.flapping]).toEqual([undefined, { toldAt: NOON - ago, owedAt: NOON - ago + DAY, changes: 1 }]);
  });

  test('while a digest is owed, further ones are counted, be there many or few in the last day', () => {
    for (const turns of [FOUR, []]) {
      const owed = { toldAt: NOON - 20 * HOUR, owedAt: NOON + 4 * HOUR, changes: 3 };
      const { occasion, state } = change({ turns, flapping: owed });
      expect([occasion, state.flapping]).toEqual([undefined, { ...owed, changes: 4 }]);
    }
  });

  test('one that comes when it has calmed down is told by itself again, and the day of the last digest is not forgotten', () => {
    const flapping = { toldAt: NOON - DAY + 1, changes: 0 };
    const { occasion, state } = change({ turns: FOUR.slice(0, 3), flapping });
    expect([occasion?.kind, state.flapping]).toEqual(['change', flapping]);
    const again = change({ turns: FOUR, flapping: state.flapping });
    expect([again.occasion, again.state.flapping?.owedAt]).toEqual([undefined, NOON + 1]);
  });

  test('one that comes a day after the last digest begins anew', () => {
    expect(change({ turns: FOUR.slice(0, 3), flapping: { toldAt: NOON - DAY, changes: 0 } }).state.flapping).toBeUndefined();
  });

  test('those that go on a day after the last digest are told by another at once', () => {
    expect(change({ turns: FOUR, flapping: { toldAt: NOON - DAY, changes: 0 } }).occasion?.kind).toBe('digest');
  });

  test('the owed digest tells how many there were since the last, when it is due and not before', () => {
    const host = sampleHost({}, { version: 5, relay: 'closed', flapping: { toldAt: NOON - DAY, owedAt: NOON, changes: 3 } });
    expect(digestAt(host, NOON - 1)).toBeUndefined();
    expect(digestAt(host, NOON)).toEqual({
      state: { ...host.state, version: 6, flapping: { toldAt: NOON, changes: 0 } },
      occasion: { kind: 'digest', changes: 3, from: NOON - DAY },
    });
    expect(digestAt(sampleHost({}, { flapping: { toldAt: NOON, changes: 0 } }), NOON + DAY)).toBeUndefined();
    expect(digestAt(sampleHost(), NOON)).toBeUndefined();
  });

  const SILENT = { scans: 3, since: NOON - DAY, told: true };

  test('one that ends a silence is told alone', () => {
    const { occasion, state } = change({ silence: SILENT });
    expect([occasion?.kind, state.silence]).toEqual(['change', undefined]);
    expect(told(state, 'suspected').occasion).toBeUndefined();
  });

  test('one that shows late, by a canary of a scan before the silence, does not end it: its end is told when it comes', () => {
    const { occasion, state } = change({ silence: SILENT, last: { id: 'later', startedAt: NOON, verdict: 'unreachable' } });
    expect([occasion?.kind, state.silence]).toEqual(['change', SILENT]);
    expect(told(state, 'unreachable', { at: NOON + HOUR }).occasion).toBeUndefined();
    expect(told(state, 'suspected', { at: NOON + HOUR }).occasion).toEqual({ kind: 'back', silentSince: SILENT.since });
  });

  test('a change is written down with those of the day before it, five at most', () => {
    expect(change({}).state.turns).toEqual([NOON]);
    expect(change({ turns: [NOON - DAY + 1, NOON - DAY, NOON - 2 * DAY] }).state.turns).toEqual([NOON, NOON - DAY + 1]);
    expect(change({ turns: [...FOUR, NOON - 5 * HOUR, NOON - 6 * HOUR] }).state.turns).toEqual([NOON, ...FOUR]);
  });

  test('a change forgets the reminders of the state before it', () => {
    expect(change({ reminders: 3 }).state.reminders).toBeUndefined();
  });
});

describe('reminders', () => {
  test('are due after 1, 7 and then every 30 days, and end after 14', () => {
    const days = Array.from({ length: 15 }, (_, sent) => reminderDueAt(NOON, sent)).map((due) =>
      due === undefined ? undefined : (due - NOON) / DAY,
    );
    expect(days).toEqual([1, 7, 37, 67, 97, 127, 157, 187, 217, 247, 277, 307, 337, 367, undefined]);
  });

  const OPEN: Partial<HostState> = { relay: 'open', since: NOON - DAY };

  test.each([
    ['a day after it opened', OPEN, 'open', {}, 1],
    ['when it answers as an open relay though no canary has come back again', OPEN, 'suspected', {}, 1],
    ['of a suspected host', { ...OPEN, relay: 'suspected' }, 'suspected', {}, 1],
    ['not a moment before a day is over', { ...OPEN, since: NOON - DAY + 1 }, 'open', {}, undefined],
    ['not when it was sent', { ...OPEN, reminders: 1 }, 'open', {}, undefined],
    ['the second after a week', { ...OPEN, since: NOON - 7 * DAY, reminders: 1 }, 'open', {}, 2],
    ['not after the last', { ...OPEN, since: NOON - 999 * DAY, reminders: 14 }, 'open', {}, undefined],
    ['not when they are switched off', OPEN, 'open', { settings: { reminders: false } }, undefined],
    ['not by a scan that proves nothing', OPEN, 'inconclusive', {}, undefined],
    ['not by a scan that shows it closed, which is yet to be confirmed', OPEN, 'closed', {}, undefined],
    ['not of a closed host', { ...OPEN, relay: 'closed' }, 'closed', {}, undefined],
    ['not of a closed host that one scan has shown otherwise', { ...OPEN, relay: 'closed' }, 'suspected', {}, undefined],
    ['not of one that nothing is known of', { ...OPEN, relay: 'unknown' }, 'suspected', {}, undefined],
  ] as [string, Partial<HostState>, Verdict, Parameters<typeof told>[2], number | undefined][])('%s', (_, state, verdict, more, count) => {
    const { occasion } = told(state, verdict, more);
    expect(occasion).toEqual(count === undefined ? undefined : { kind: 'reminder', count });
  });

  test('that come due in the very moment of a scan count as sent with it', () => {
    expect(told({ ...OPEN, since: NOON - 7 * DAY }, 'open').state.reminders).toBe(2);
    expect(told({ ...OPEN, since: NOON - 7 * DAY + 1 }, 'open').state.reminders).toBe(1);
  });

  test('that came due while nothing was scanned are sent as one', () => {
    const late = told({ ...OPEN, since: NOON - 40 * DAY }, 'open');
    expect([late.occasion, late.state.reminders]).toEqual([{ kind: 'reminder', count: 1 }, 3]);
  });
});

describe('a sink that its owner knows of', () => {
  const SINK: Partial<HostState> = { relay: 'suspected', since: NOON - 40 * DAY, sink: true };
  const known = { settings: { acknowledgedAt: NOON - 39 * DAY } };

  test.each([
    ['is one that is suspected, accepts everything, and was acknowledged since', SINK, NOON - 39 * DAY, true],
    ['is one that was acknowledged in the moment that showed it', SINK, NOON - 40 * DAY, true],
    ['is none that was acknowledged before it was suspected', SINK, NOON - 41 * DAY, false],
    ['is none that was never acknowledged', SINK, undefined, false],
    ['is none that accepts not everything', { ...SINK, sink: undefined }, NOON, false],
    ['is none that is open', { ...SINK, relay: 'open' }, NOON, false],
  ] as [string, Partial<HostState>, number | undefined, boolean][])('%s', (_, state, acknowledgedAt, is) => {
    const host = sampleHost({ acknowledgedAt }, state);
    expect(isAcknowledged(host.settings, host.state)).toBe(is);
  });

  test('is not reminded of', () => {
    expect(told(SINK, 'suspected', { ...known, reason: 'accepts-everything' }).occasion).toBeUndefined();
    expect(told(SINK, 'suspected', { reason: 'accepts-everything' }).occasion?.kind).toBe('reminder');
  });

  test('is told of once when it has become more than a sink, and reminded of from then on', () => {
    const { occasion, state } = told(SINK, 'suspected', known);
    expect(occasion).toEqual({ kind: 'change', from: 'suspected', to: 'suspected' });
    expect(told(state, 'suspected', known).occasion?.kind).toBe('reminder');
  });

  test('is told of as any other when it is seen to relay', () => {
    const host = sampleHost(known.settings, { version: 5, ...SINK });
    const effect = effectOf(host, scanOf(host, 'open'), { confirmDelayMs: 0 });
    expect(effect).toMatchObject({
      kind: 'changed',
      occasion: { kind: 'change', from: 'suspected', to: 'open' },
      state: { sink: undefined },
    });
  });

  test('is told of as any other when it cannot be audited, and when it can again', () => {
    const silent = { ...SINK, silence: { scans: 2, since: NOON - DAY, told: false } };
    const { occasion, state } = told(silent, 'unreachable', known);
    expect(occasion?.kind).toBe('silent');
    expect(told(state, 'suspected', { ...known, reason: 'accepts-everything' }).occasion?.kind).toBe('back');
  });

  test('stays one through scans that prove nothing', () => {
    const { occasion, state } = told(SINK, 'inconclusive', known);
    expect([occasion, state.sink]).toEqual([undefined, true]);
  });
});

describe('silence', () => {
  const scan = (verdict: Verdict, kind: ScanKind = 'scheduled') => scanOf(sampleHost(), verdict, { kind });
  const TWICE = { scans: 2, since: NOON - DAY, told: false };

  test.each([
    ['grows by a scheduled scan that could not audit', TWICE, scan('unreachable'), { ...TWICE, scans: 3 }],
    ['grows whatever the reason', TWICE, scan('untestable'), { ...TWICE, scans: 3 }],
    ['begins with the first', undefined, scan('untestable'), { scans: 1, since: NOON - 1_000, told: false }],
    ['does not grow by a scan on demand', TWICE, scan('unreachable', 'on-demand'), TWICE],
    ['does not grow by a confirming scan', TWICE, scan('untestable', 'confirming'), TWICE],
    ['ends with any answer, were it one that proves nothing', TWICE, scan('inconclusive'), undefined],
    ['ends by a scan on demand too', TWICE, scan('closed', 'on-demand'), undefined],
  ] as const)('%s', (_, before, after, expected) => {
    expect(silenceAfter(before, after)).toEqual(expected);
  });

  test('is told once, at the third scheduled scan in a row', () => {
    const third = told({ silence: TWICE }, 'unreachable');
    expect(third.occasion).toEqual({ kind: 'silent', reason: 'connection-timed-out', scans: 3, since: NOON - DAY });
    expect(told(third.state, 'unreachable').occasion).toBeUndefined();
    expect(told({ silence: { ...TWICE, scans: 1 } }, 'unreachable').occasion).toBeUndefined();
  });

  test('that was told has its end told, once; one that was not has not', () => {
    const back = told({ silence: { ...TWICE, told: true } }, 'inconclusive');
    expect(back.occasion).toEqual({ kind: 'back', silentSince: NOON - DAY });
    expect(told(back.state, 'closed').occasion).toBeUndefined();
    expect(told({ silence: TWICE }, 'closed').occasion).toBeUndefined();
  });
});

describe('a first scan that waited for DNS', () => {
  const waited = (reason: Reason, state: Partial<HostState> = {}, scan: Partial<Scan> = {}) => {
    const host = sampleHost({}, { version: 5, ...state });
    const first = {
      ...sampleScan(host, '20260604T120000Z-first', NOON, judged(reason, { completed: 0, planned: 0 })),
      kind: 'first',
    } as const;
    return toldAfter(host, { ...host.state, version: 6 }, { ...first, waitedSince: NOON - 3 * DAY, ...scan });
  };
  const GAVE_UP = ['no-consent', 'no-address', 'forbidden-address', 'too-many-lookups', 'dns-trouble'] as const;

  test.each(['all-refused', 'recipient-accepted', 'greylisted', 'connection-timed-out', 'control-refused'] as const)(
    'is told when it is made, whatever it showed: %s',
    (reason) => {
      expect(waited(reason).occasion).toEqual({ kind: 'proven', since: NOON - 3 * DAY });
    },
  );

  test.each(GAVE_UP)('is told when it is given up: %s', (reason) => {
    const { occasion, state } = waited(reason);
    expect(occasion).toEqual({ kind: 'gave-up', reason, since: NOON - 3 * DAY });
    // Its scheduled scans find the same, which is not told as something new; an audit is.
    const later = [1, 2, 3, 4].reduce((before, _) => told(before, 'untestable', { reason }).state, state);
    expect(told(later, 'untestable', { reason }).occasion).toBeUndefined();
    expect(told(later, 'closed').occasion).toEqual({ kind: 'back', silentSince: NOON - 3 * DAY });
  });

  test('is not told when somebody has forbidden it, nor when it did not wait, nor is any other scan', () => {
    expect(waited('vetoed').occasion).toBeUndefined();
    expect(waited('all-refused', {}, { waitedSince: undefined }).occasion).toBeUndefined();
    expect(waited('all-refused', {}, { kind: 'scheduled' }).occasion).toBeUndefined();
  });

  test('is not told twice when a canary of it comes back later', () => {
    const last = { id: '20260604T120000Z-first', startedAt: NOON, verdict: 'suspected' } as const;
    expect(waited('canary-arrived', { relay: 'open', since: NOON, last }).occasion).toBeUndefined();
  });

  test('is told by what it turned, when it turned something', () => {
    const host = sampleHost({}, { version: 5 });
    const first = {
      ...sampleScan(host, '20260604T120000Z-first', NOON, judged('canary-arrived', { completed: 1, planned: 1 })),
      kind: 'first',
    } as const;
    expect(effectOf(host, { ...first, waitedSince: NOON - DAY }, { confirmDelayMs: 0 })).toMatchObject({
      occasion: { kind: 'change', to: 'open' },
    });
  });
});

describe('DNS that fails', () => {
  const failure = { type: 'A', name: 'mail.example.org', said: 'SERVFAIL' } as const;

  test('is told once, with the question that fails, and its end as that of any silence', () => {
    const host = sampleHost({}, { version: 5, silence: { scans: 1, since: NOON - 2 * DAY, told: false } });
    const once = troubleTold(host, NOON - DAY, failure);
    expect(once?.occasion).toEqual({ kind: 'dns-trouble', since: NOON - DAY, failure });
    expect(once?.state).toMatchObject({ version: 6, silence: { scans: 1, since: NOON - 2 * DAY, told: true } });
    expect(troubleTold({ ...host, state: once?.state ?? host.state }, NOON - DAY, failure)).toBeUndefined();
    expect(told(once?.state ?? {}, 'untestable', { reason: 'dns-trouble' }).occasion).toBeUndefined();
    expect(told(once?.state ?? {}, 'closed').occasion?.kind).toBe('back');
  });

  test('is not told of a host whose owner knows already that it cannot be audited', () => {
    expect(troubleTold(sampleHost({}, { silence: { scans: 3, since: NOON, told: true } }), NOON, failure)).toBeUndefined();
  });
});

describe('whatever scans show, one after the other', () => {
  const verdict = fc.constantFrom<Verdict | 'canary'>(
    ...(['suspected', 'closed', 'suspected', 'closed', 'open', 'closed'] as const),
    ...(['canary', 'unreachable', 'untestable', 'inconclusive'] as const),
  );
  const minutes = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 6, max: 120 }) },
    { weight: 2, arbitrary: fc.integer({ min: 600, max: 1_500 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1_500, max: 60_000 }) },
  );
  const step = fc.record({ verdict, minutes, kind: fc.constantFrom<ScanKind>('scheduled', 'scheduled', 'confirming', 'on-demand') });
  type Step = { readonly verdict: Verdict | 'canary'; readonly minutes: number; readonly kind: ScanKind };

  /** A scan, a canary that came back or a digest, with what it turned, what was told of it, and the host after it. */
  type Moment = {
    readonly at: number;
    readonly scan?: Scan | undefined;
    readonly change?: Change | undefined;
    readonly told?: Occasion | undefined;
    readonly state: HostState;
  };

  /** Plays scans, canaries of the last suspected one, and the digests that come due between them as the minute's dispatch would. */
  function play(steps: readonly Step[]): Moment[] {
    const moments: Moment[] = [];
    let host = sampleHost();
    let at = NOON;
    let suspected: Scan | undefined;
    const note = (moment: Moment) => {
      expect(moment.state.version).toBe(host.state.version + 1);
      host = { ...host, state: moment.state };
      moments.push(moment);
    };
    const takeDigestsUntil = (end: number) => {
      for (let due = host.state.flapping?.owedAt; due !== undefined && due <= end; due = host.state.flapping?.owedAt) {
        const digest = digestAt(host, due) ?? expect.fail('a digest that is due is not told');
        note({ at: due, told: digest.occasion, state: digest.state });
      }
    };
    const noteEffect = (effect: Effect, scan?: Scan) => {
      if (effect.kind === 'late') return;
      note({ at, scan, change: effect.kind === 'changed' ? effect.change : undefined, told: effect.occasion, state: effect.state });
    };
    for (const [index, { verdict: shown, minutes: wait, kind }] of steps.entries()) {
      const next = at + wait * MINUTE;
      takeDigestsUntil(next);
      at = next;
      if (shown !== 'canary') {
        const scan = scanOf(host, shown, { kind, at });
        noteEffect(effectOf(host, scan, { confirmDelayMs: 5 * MINUTE }), scan);
        suspected = shown === 'suspected' ? scan : suspected;
      } else if (suspected !== undefined) {
        const canary = sampleCanary(suspected, `canary-${index}`);
        const raised = raise(host, suspected, { arrivals: [{ ...sampleArrival(canary), at }], bounces: [] });
        noteEffect(raised.effect);
        suspected = raised.scan;
      }
    }
    takeDigestsUntil(at + 2 * DAY);
    return moments;
  }

  const SEED = 20_261_125; // a failure names another; put it here to see it again
  const always = (check: (moments: readonly Moment[]) => void, steps = fc.array(step, { maxLength: 60 })) =>
    fc.assert(
      fc.property(steps, (each) => check(play(each))),
      { numRuns: runs(200, 2_000), seed: SEED },
    );
  const timesOf = (moments: readonly Moment[], kind: Occasion['kind']) =>
    moments.filter(({ told: occasion }) => occasion?.kind === kind).map(({ at }) => at);

  test('no more than four changes are told one by one in any 24 hours', () => {
    always((moments) => {
      const alone = timesOf(moments, 'change');
      for (const at of alone) expect(alone.filter((other) => other > at - DAY && other <= at).length).toBeLessThanOrEqual(4);
    });
  });

  test('no two digests come within 24 hours', () => {
    const turns = fc.record({
      verdict: fc.constantFrom<Verdict>('suspected', 'closed', 'open', 'closed'),
      minutes: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 6, max: 20 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1_300, max: 1_440 }) },
      ),
      kind: fc.constant<ScanKind>('scheduled'),
    });
    const check = (moments: readonly Moment[]) => {
      const digests = timesOf(moments, 'digest');
      for (const [index, at] of digests.entries())
        expect(at - (digests[index - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(DAY);
    };
    always(check);
    always(check, fc.array(turns, { minLength: 20, maxLength: 90 }));
  });

  test('every change is told by itself as it comes, or counted in a digest that comes within 24 hours', () => {
    always((moments) => {
      let untold: number[] = [];
      for (const { at, change, told: occasion } of moments) {
        if (change !== undefined) untold.push(at);
        if (change !== undefined && occasion?.kind === 'change') {
          expect(occasion).toEqual({ kind: 'change', from: change.from, to: change.to });
          expect(untold.pop()).toBe(at);
        } else if (occasion?.kind === 'digest') {
          for (const since of untold) expect(at - since).toBeLessThanOrEqual(DAY);
          // The first digest tells again of those of the last day that were told one by one.
          if (change === undefined) expect(occasion.changes).toBe(untold.length);
          else expect(occasion.changes).toBeGreaterThan(4);
          untold = [];
        }
      }
      expect(untold).toEqual([]);
    });
  });

  test('as long as no digest is owed, what was told last is the relay state as it is', () => {
    always((moments) => {
      let lastTold: RelayState | 'unknown' | undefined;
      for (const { change, told: occasion, state } of moments) {
        if (occasion?.kind === 'change') lastTold = occasion.to;
        if (occasion?.kind === 'digest') lastTold = state.relay;
        const isKnown = lastTold !== undefined || change !== undefined;
        if (isKnown && state.flapping?.owedAt === undefined) expect(lastTold).toBe(state.relay);
      }
    });
  });

  test('of one state there are fourteen reminders at most, none of a closed one, and none before a day, a week or a month is over', () => {
    const steady = fc.record({
      verdict: fc.constantFrom<Verdict>('suspected', 'suspected', 'suspected', 'open', 'inconclusive', 'unreachable'),
      minutes: fc.oneof(fc.integer({ min: 30, max: 1_500 }), fc.integer({ min: 1_500, max: 60_000 })),
      kind: fc.constant<ScanKind>('scheduled'),
    });
    const mixed = fc.oneof({ weight: 30, arbitrary: steady }, { weight: 1, arbitrary: step });
    always(
      (moments) => {
        let sent = 0;
        let earliest = 0;
        for (const { at, change, told: occasion, state } of moments) {
          if (change !== undefined) [sent, earliest] = [0, at + DAY];
          if (occasion?.kind !== 'reminder') continue;
          expect(['open', 'suspected']).toContain(state.relay);
          expect(at).toBeGreaterThanOrEqual(earliest);
          expect(occasion.count).toBeGreaterThan(sent);
          sent = occasion.count;
          earliest = (state.since ?? 0) + (sent === 1 ? 7 * DAY : 37 * DAY);
        }
        expect(sent).toBeLessThanOrEqual(14);
      },
      fc.array(mixed, { minLength: 20, maxLength: 90 }),
    );
  });

  test('of a state that lasts, the fourteenth reminder is sent, and none after it', () => {
    const monthly = Array.from({ length: 24 }, (): Step => ({ verdict: 'suspected', minutes: (31 * DAY) / MINUTE, kind: 'scheduled' }));
    const counts = play(monthly).flatMap(({ told: occasion }) => (occasion?.kind === 'reminder' ? [occasion.count] : []));
    expect(counts.at(-1)).toBe(14);
  });

  test('silence is told at the third scheduled scan in a row without an answer, once, and its end when an answer comes that turns nothing', () => {
    always((moments) => {
      let inARow = 0;
      let wasTold = false;
      for (const { scan, change, told: occasion } of moments) {
        if (scan === undefined) continue;
        const { verdict: shown } = scan.judgement;
        const isSilent = shown === 'unreachable' || shown === 'untestable';
        if (isSilent && scan.kind === 'scheduled') inARow++;
        expect(occasion?.kind === 'silent').toBe(isSilent && inARow >= 3 && !wasTold);
        if (isSilent) wasTold ||= occasion?.kind === 'silent';
        expect(occasion?.kind === 'back').toBe(!isSilent && wasTold && change === undefined);
        if (!isSilent) [inARow, wasTold] = [0, false];
      }
    });
  });
});
