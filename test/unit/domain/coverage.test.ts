import { describe, expect, test } from 'vitest';
import type { Arrival } from '../../../shared/domain/canary.ts';
import {
  ended,
  following,
  isFull,
  isUnfinished,
  leftIn,
  nextSitting,
  restOf,
  rotationOf,
  roundOf,
} from '../../../shared/domain/coverage.ts';
import { type HostState, NEW_STATE } from '../../../shared/domain/host.ts';
import { REASONS, type Reason } from '../../../shared/domain/reason.ts';
import { type LegEvidence, type Outcome, SCAN_KINDS, type ScanKind } from '../../../shared/domain/scan.ts';
import { legName } from '../../../shared/domain/verdict.ts';
import { NOON, sampleLeg } from '../../support/samples.ts';

const DAY = 24 * 60 * 60_000;
const CLOSED: HostState = { ...NEW_STATE, relay: 'closed', lastFull: NOON - DAY };

describe('the full table is run', () => {
  test.each<[string, ScanKind, Partial<HostState>, boolean]>([
    ['not by a scheduled scan of a closed host that had it yesterday', 'scheduled', {}, false],
    ['by the scheduled scan a week after the last', 'scheduled', { lastFull: NOON - 7 * DAY }, true],
    [
      'by the weekly scan of a host that is scanned weekly, though it started a little later last time',
      'scheduled',
      { lastFull: NOON - 7 * DAY + 60_000 },
      true,
    ],
    ['by one that is an hour early for it, and by none before', 'scheduled', { lastFull: NOON - 7 * DAY + 60 * 60_000 }, true],
    ['not by one that is more than an hour early', 'scheduled', { lastFull: NOON - 7 * DAY + 60 * 60_000 + 1 }, false],
    ['by a scheduled scan of a host that never had it', 'scheduled', { lastFull: undefined }, true],
    ['by every scan of a host that is not closed', 'scheduled', { relay: 'suspected' }, true],
    ['by every scan of a host with a leg that was not seen closed', 'scheduled', { openLegs: ['192.0.2.1:25'] }, true],
    [
      'by every scan while a turn waits for its confirmation',
      'scheduled',
      { pending: { to: 'suspected', scanId: 's', notBefore: 0 } },
      true,
    ],
    ...SCAN_KINDS.filter((kind) => kind !== 'scheduled').map((kind): [string, ScanKind, Partial<HostState>, boolean] => [
      `by a scan that is ${kind}`,
      kind,
      {},
      true,
    ]),
  ])('%s', (_, kind, state, full) => {
    expect(isFull(kind, { ...CLOSED, ...state }, NOON)).toBe(full);
  });
});

test('the rotating part goes on by one with every scan of the period', () => {
  for (const [period, ms] of [
    ['hour', 3_600_000],
    ['day', DAY],
  ] as const)
    expect(rotationOf(period, NOON + ms)).toBe(rotationOf(period, NOON) + 1);
});

test('a scan goes on after 5, 10 and then 15 minutes, in at most ten sittings', () => {
  const waits = Array.from({ length: 10 }, (_, index) => nextSitting(index + 1, 5));
  expect(waits).toEqual([5, 10, 15, 15, 15, 15, 15, 15, 15, undefined]);
});

test('a scan goes on for what time may mend, and for nothing else', () => {
  const reasons = Object.keys(REASONS) as Reason[];
  expect(reasons.filter(isUnfinished).toSorted()).toEqual([
    'deferred',
    'dropped',
    'fell-silent',
    'greylisted',
    'not-carried-through',
    'out-of-time',
    'tls-failed',
  ]);
  for (const reason of reasons.filter(isUnfinished)) expect(REASONS[reason].verdict).toBe('inconclusive');
});

describe('what is left of a scan', () => {
  const leg = (outcome: Outcome, more: Partial<LegEvidence> = {}): LegEvidence => ({
    ...sampleLeg(),
    tests: sampleLeg().tests.map((each) => ({ ...each, outcome })),
    ...more,
  });
  const anyLocal = (more: Partial<LegEvidence> = {}): LegEvidence => ({
    ...sampleLeg(),
    tests: [{ test: 'percent-served', outcome: 'accepted', stage: 'message', negative: 'control-random-user:percent-served', canary: 'c' }],
    controls: [{ test: 'control-random-user:percent-served', outcome: 'accepted', stage: 'rcpt' }],
    ...more,
  });
  const brokenTls = (sittings: number) => leg('not-run', { contact: 'tls-failed', brokenTls: { sittings, why: 'no shared cipher' } });

  test.each<[string, readonly LegEvidence[], Reason | undefined, ReturnType<typeof restOf>]>([
    ['nothing where every leg is closed', [leg('refused')], undefined, 'nothing'],
    ['what one leg left undone, beside whatever others show', [leg('refused'), leg('greylisted')], 'greylisted', 'another-sitting'],
    ['another sitting before the wait for messages', [anyLocal(), leg('deferred')], 'deferred', 'another-sitting'],
    ['the messages of a server that takes any local part', [leg('refused'), anyLocal()], 'awaiting-messages', 'its-messages'],
    ['nothing once they have been waited for', [anyLocal({ ended: 'waited' })], undefined, 'nothing'],
    ['TLS that failed, in one sitting', [leg('refused'), brokenTls(1)], 'tls-failed', 'another-sitting'],
    ['and no more in the second', [leg('refused'), brokenTls(2)], undefined, 'nothing'],
  ])('is %s', (_, legs, reason, rest) => {
    expect([leftIn(legs), restOf(legs)]).toEqual([reason, rest]);
  });

  test.each<[string, LegEvidence[], Arrival[]]>([
    ['open', [], [{ canary: 'c', leg: legName(anyLocal()), test: 'percent-served', sentAt: NOON, at: NOON, path: [] }]],
    ['suspected', [leg('accepted')], []],
    ['banning us', [leg('not-run', { stopped: 'silent-after-refusals' })], []],
  ])('is nothing where the host is %s: its owner hears of that at once', (_, more, arrivals) => {
    const legs = [leg('greylisted'), anyLocal(), ...more];
    expect([restOf(legs, arrivals), following({ legs, arrivals, full: true, sittings: 1 }, 1)]).toEqual([
      'nothing',
      { kind: 'result', legs },
    ]);
  });

  test('is another sitting while there are some, of a core no sooner than two steps later, and then the wait or the end', () => {
    const [unfinished, waits] = [leg('greylisted'), anyLocal()];
    const next = (legs: LegEvidence[], sittings: number, full = true) => following({ legs, full, sittings }, 5);
    expect([1, 2, 3].map((sittings) => next([unfinished, waits], sittings))).toEqual(
      [5, 10, 15].map((inMs) => ({ kind: 'sitting', inMs })),
    );
    expect([1, 2, 3].map((sittings) => next([unfinished], sittings, false))).toEqual(
      [10, 10, 15].map((inMs) => ({ kind: 'sitting', inMs })),
    );
    const used = { ...unfinished, ended: 'sittings-used-up' };
    expect(next([unfinished, waits], 10)).toEqual({ kind: 'messages', legs: [used, waits] });
    expect(next([waits], 1)).toEqual({ kind: 'messages', legs: [waits] });
    expect(next([unfinished], 10)).toEqual({ kind: 'result', legs: [used] });
    expect(following({ legs: [unfinished], full: true, sittings: 10 }, 5, 'given-up')).toMatchObject({ legs: [{ ended: 'given-up' }] });
    expect(next([], 1)).toEqual({ kind: 'result', legs: [] });
    const kept = leg('not-run', { contact: 'unproven' }); // stronger than what is not known yet
    expect(next([kept, waits], 1)).toEqual({ kind: 'messages', legs: [kept, waits] });
  });

  test('is told by the legs that had something left, when no sitting follows, or their messages have been waited for', () => {
    const legs = [leg('refused'), leg('greylisted'), anyLocal()];
    expect(ended(legs, 'sittings-used-up').map((each) => each.ended)).toEqual([undefined, 'sittings-used-up', undefined]);
    expect(ended(legs, 'waited').map((each) => each.ended)).toEqual([undefined, undefined, 'waited']);
  });
});

describe('the round of messages to a server that is known to take any local part', () => {
  const known: HostState = { ...CLOSED, catchAll: true };

  test('is another with every week', () => {
    const first = roundOf('scheduled', known, NOON) ?? expect.fail();
    expect(roundOf('scheduled', known, NOON + 7 * DAY)).toBe(first + 1);
  });

  test('is one of scheduled scans only: whoever asks for a scan has all of them sent', () => {
    for (const kind of SCAN_KINDS) expect(roundOf(kind, known, NOON) !== undefined).toBe(kind === 'scheduled');
    expect(roundOf('scheduled', CLOSED, NOON)).toBeUndefined();
  });
});
