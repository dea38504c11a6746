import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Arrival } from '../../../shared/domain/canary.ts';
import { type Change, type Confirmation, type Effect, effectOf, raise } from '../../../shared/domain/change.ts';
import { type Host, type HostState, NEW_STATE } from '../../../shared/domain/host.ts';
import { type Reason, untested, VERDICTS, type Verdict } from '../../../shared/domain/reason.ts';
import { kindOf, type Scan, type ScanKind, scanId } from '../../../shared/domain/scan.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 5, 1, 12);
const RULES = { confirmDelayMs: 5 * MINUTE };
const LEG = '192.0.2.1:25';

const NEW_HOST: Host = {
  accountId: 'account1',
  id: '0123456789abcdef0123',
  createdAt: NOON,
  revision: 1,
  settings: {
    name: 'mail.example.org',
    servedDomains: [],
    ports: [25],
    period: 'hour',
    alertRecipients: ['owner@example.org'],
    reminders: true,
  },
  state: NEW_STATE,
};

const REASON_OF: Record<Verdict, Reason> = {
  open: 'canary-arrived',
  suspected: 'recipient-accepted',
  inconclusive: 'greylisted',
  untestable: 'policy-against-us',
  unreachable: 'connection-timed-out',
  closed: 'all-refused',
};

/** A scan a minute long. */
function scan(verdict: Verdict, startedAt: number, kind: ScanKind = 'scheduled'): Scan {
  const judgement = untested(REASON_OF[verdict]);
  return {
    hostId: NEW_HOST.id,
    id: scanId(startedAt, kind),
    kind,
    startedAt,
    finishedAt: startedAt + MINUTE,
    judgement,
    openLegs: verdict === 'suspected' || verdict === 'open' ? [LEG] : [],
    closedLegs: verdict === 'closed' ? [LEG] : [],
    full: true,
  };
}

/** The host after these scans, and the effect of the last of them. */
function afterScans(scans: readonly Scan[], host: Host = NEW_HOST): { host: Host; effect: Effect } {
  let current = host;
  let effect: Effect = { kind: 'late' };
  for (const each of scans) {
    effect = effectOf(current, each, RULES);
    if (effect.kind !== 'late') current = { ...current, state: effect.state };
  }
  return { host: current, effect };
}

function owedBy(effect: Effect): Confirmation | undefined {
  return effect.kind === 'unchanged' ? effect.owed : undefined;
}

const FIRST = scan('suspected', NOON, 'first');
const NOT_BEFORE = FIRST.finishedAt + RULES.confirmDelayMs;

describe('a turn is confirmed by a second scan', () => {
  test('the first scan that shows it makes it pending and owes a confirming scan, and changes nothing', () => {
    const { effect } = afterScans([FIRST]);
    expect(effect).toMatchObject({
      kind: 'unchanged',
      state: { relay: 'unknown', pending: { to: 'suspected', scanId: FIRST.id, notBefore: NOT_BEFORE }, openLegs: [LEG] },
      owed: { scanId: scanId(NOT_BEFORE, 'confirming'), dueAt: NOT_BEFORE },
    });
  });

  test('a second scan that agrees, late enough, is the change', () => {
    const second = scan('suspected', NOT_BEFORE, 'confirming');
    const { effect } = afterScans([FIRST, second]);
    expect(effect).toMatchObject({
      kind: 'changed',
      state: { relay: 'suspected', pending: undefined, since: second.finishedAt, version: 2 },
      change: { from: 'unknown', to: 'suspected', version: 2, firstScanId: FIRST.id, scanId: second.id, at: second.finishedAt },
    });
  });

  test('the same scan twice never confirms', () => {
    expect(afterScans([FIRST, FIRST]).effect).toEqual({ kind: 'late' });
    // The same id with a later start is a second delivery that was probed again.
    const again: Scan = { ...scan('suspected', NOT_BEFORE), id: FIRST.id };
    expect(afterScans([FIRST, again]).effect).toEqual({ kind: 'late' });
    const between = scan('inconclusive', FIRST.finishedAt + MINUTE);
    expect(afterScans([FIRST, between, again]).effect.kind).toBe('unchanged');
  });

  test('a scan that started a millisecond too early never confirms', () => {
    const early = scan('suspected', NOT_BEFORE - 1);
    const { host, effect } = afterScans([FIRST, early]);
    expect(effect.kind).toBe('unchanged');
    expect(host.state.pending).toEqual({ to: 'suspected', scanId: FIRST.id, notBefore: NOT_BEFORE });
  });

  test('a scheduled scan confirms as well as a confirming one', () => {
    expect(afterScans([FIRST, scan('suspected', NOON + 60 * MINUTE)]).effect.kind).toBe('changed');
  });

  test('a scan that disagrees clears what was pending', () => {
    const { host, effect } = afterScans([scan('closed', NOON - 60 * MINUTE), FIRST, scan('closed', NOT_BEFORE, 'confirming')]);
    expect(effect.kind).toBe('unchanged');
    expect(owedBy(effect)).toBeUndefined();
    expect(host.state).toMatchObject({ relay: 'closed', pending: undefined, openLegs: [] });
  });

  test('after a disagreement the count starts anew', () => {
    const start = [scan('closed', NOON - 60 * MINUTE), FIRST, scan('closed', NOT_BEFORE)];
    const third = scan('suspected', NOT_BEFORE + 10 * MINUTE);
    const { effect, host } = afterScans([...start, third]);
    expect(effect.kind).toBe('unchanged');
    expect(host.state.pending?.scanId).toBe(third.id);
  });

  test('closed again needs two scans too', () => {
    const wasOpen = afterScans([FIRST, scan('suspected', NOT_BEFORE, 'confirming')]).host;
    const closed = scan('closed', NOON + 60 * MINUTE);
    const once = afterScans([closed], wasOpen);
    expect(once.effect).toMatchObject({ kind: 'unchanged', state: { relay: 'suspected', pending: { to: 'closed' } } });
    const twice = afterScans([scan('closed', closed.finishedAt + RULES.confirmDelayMs, 'confirming')], once.host);
    expect(twice.effect).toMatchObject({ kind: 'changed', change: { from: 'suspected', to: 'closed' } });
  });

  test('a message that came back needs no second scan', () => {
    expect(afterScans([scan('open', NOON)]).effect).toMatchObject({ kind: 'changed', change: { from: 'unknown', to: 'open' } });
  });
});

describe('a scan of the core alone', () => {
  const core = (verdict: Verdict, startedAt: number): Scan => ({ ...scan(verdict, startedAt), full: false });

  test.each([
    ['suspected', 'closed'],
    ['closed', 'suspected'],
    ['open', 'closed'],
  ] as const)('begins a turn from %s to %s, and never confirms it', (relay, to) => {
    const host: Host = { ...NEW_HOST, state: { ...NEW_STATE, relay } };
    const first = core(to, NOON);
    const notBefore = first.finishedAt + RULES.confirmDelayMs;
    const once = afterScans([first], host);
    expect(once.effect).toMatchObject({ kind: 'unchanged', owed: { scanId: scanId(notBefore, 'confirming') } });
    const twice = afterScans([core(to, NOON + 60 * MINUTE), core(to, NOON + 120 * MINUTE)], once.host);
    expect(twice.host.state).toMatchObject({ relay, pending: { to, scanId: first.id } });
    expect(afterScans([scan(to, NOON + 180 * MINUTE)], twice.host).effect).toMatchObject({ kind: 'changed', change: { from: relay, to } });
  });

  test.each([
    ['open', true, NOON],
    ['suspected', true, NOON],
    ['closed', true, NOON],
    ['inconclusive', true, undefined],
    ['untestable', true, undefined],
    ['unreachable', true, undefined],
    ['closed', false, undefined],
  ] as const)(
    'is told from the full table: one that proved %s, full being %s, leaves the last full one at %s',
    (verdict, full, expected) => {
      expect(afterScans([{ ...scan(verdict, NOON), full }]).host.state.lastFull).toBe(expected);
    },
  );

  test('leaves the time of the last full one', () => {
    expect(afterScans([scan('closed', NOON), core('closed', NOON + 60 * MINUTE)]).host.state.lastFull).toBe(NOON);
  });
});

describe('a host that was seen to relay', () => {
  const OPEN: Host = { ...NEW_HOST, state: { ...NEW_STATE, relay: 'open', since: NOON - MINUTE, openLegs: [LEG] } };

  test('stays open while it answers as if it did, whether or not a canary comes back', () => {
    const { effect } = afterScans([scan('suspected', NOON)], OPEN);
    expect(effect).toMatchObject({ kind: 'unchanged', state: { relay: 'open', since: NOON - MINUTE, pending: undefined } });
    expect(owedBy(effect)).toBeUndefined();
  });

  test('loses a closure that was pending when it answers so again', () => {
    const { host, effect } = afterScans([scan('closed', NOON), scan('suspected', NOON + 60 * MINUTE)], OPEN);
    expect(host.state).toMatchObject({ relay: 'open', pending: undefined });
    expect(owedBy(effect)).toBeUndefined();
  });

  test('is closed by two scans, as any other', () => {
    const { effect } = afterScans([scan('closed', NOON), scan('closed', NOON + 6 * MINUTE, 'confirming')], OPEN);
    expect(effect).toMatchObject({ kind: 'changed', change: { from: 'open', to: 'closed', firstScanId: scan('closed', NOON).id } });
  });
});

test('where TLS is broken is known by the last full table, and a core scan or one that proves nothing forgets it not', () => {
  const brokenAfter = (more: Partial<Scan>) => {
    const host = { ...NEW_HOST, state: { ...NEW_HOST.state, brokenTls: [25] } };
    const effect = effectOf(host, { ...scan('closed', NOON), ...more }, RULES);
    return effect.kind === 'late' ? 'late' : effect.state.brokenTls;
  };
  expect(brokenAfter({ brokenTls: [587] })).toEqual([587]);
  expect(brokenAfter({})).toBeUndefined();
  expect(brokenAfter({ full: false })).toEqual([25]);
  expect(brokenAfter({ ...scan('inconclusive', NOON) })).toEqual([25]);
  expect(brokenAfter({ ...scan('inconclusive', NOON), brokenTls: [465] })).toEqual([465]);
});

test('a closed host that the full table shows closed again is closed as of then, by a core scan it is not', () => {
  const { host } = afterScans([
    scan('closed', NOON),
    scan('suspected', NOON + 5 * MINUTE),
    scan('closed', NOON + 11 * MINUTE, 'confirming'),
  ]);
  expect(host.state.closedAt).toBe(NOON + 11 * MINUTE);
  expect(afterScans([{ ...scan('closed', NOON + 60 * MINUTE), full: false }], host).host.state.closedAt).toBe(NOON + 11 * MINUTE);
});

test('a host that is confirmed to be closed is closed as of the scan that confirmed it, and one that is confirmed to relay keeps that time', () => {
  const turned = [scan('suspected', NOON), scan('suspected', NOON + 10 * MINUTE, 'confirming')];
  const closedAgain = [scan('closed', NOON + 20 * MINUTE), scan('closed', NOON + 30 * MINUTE, 'confirming')];
  const { host } = afterScans(turned, { ...NEW_HOST, state: { ...NEW_STATE, relay: 'closed', closedAt: NOON - MINUTE } });
  expect(host.state).toMatchObject({ relay: 'suspected', closedAt: NOON - MINUTE });
  expect(afterScans([scan('suspected', NOON + 60 * MINUTE)], host).host.state.closedAt).toBe(NOON - MINUTE);
  expect(afterScans(closedAgain, host).host.state).toMatchObject({ relay: 'closed', closedAt: NOON + 30 * MINUTE });
});

test('whether a host takes any local part is known by the last full table that showed it closed', () => {
  const known = (catchAll: true | undefined, more: Partial<Scan>) => {
    const effect = effectOf({ ...NEW_HOST, state: { ...NEW_STATE, catchAll } }, { ...scan('closed', NOON), ...more }, RULES);
    return effect.kind === 'late' ? 'late' : effect.state.catchAll;
  };
  const catchAll = { judgement: untested('catch-all') };
  expect(known(undefined, catchAll)).toBe(true);
  expect(known(true, {})).toBeUndefined();
  expect(known(true, { full: false })).toBe(true);
  expect(known(undefined, { ...catchAll, full: false })).toBeUndefined();
  expect(known(true, scan('inconclusive', NOON))).toBe(true);
});

test('the evidence that was stored last is that of the last scan which has some', () => {
  const { host } = afterScans([{ ...scan('closed', NOON), evidence: '=first' }]);
  expect(host.state.evidence).toBe('=first');
  expect(afterScans([scan('closed', NOON + MINUTE)], host).host.state.evidence).toBe('=first');
  expect(afterScans([{ ...scan('closed', NOON + MINUTE), evidence: '=second' }], host).host.state.evidence).toBe('=second');
});

describe('what is no change', () => {
  test('the first thing known of a host being that it is closed', () => {
    const { effect } = afterScans([scan('closed', NOON, 'first')]);
    expect(effect).toMatchObject({ kind: 'unchanged', state: { relay: 'closed', since: NOON, pending: undefined } });
    expect(owedBy(effect)).toBeUndefined();
  });

  test('a scan that proves what is known', () => {
    const { effect } = afterScans([scan('closed', NOON), scan('closed', NOON + 60 * MINUTE)]);
    expect(effect).toMatchObject({ kind: 'unchanged', state: { since: NOON } });
    expect(owedBy(effect)).toBeUndefined();
  });

  test.each(['inconclusive', 'untestable', 'unreachable'] as const)(
    'an %s scan leaves the relay state, the pending turn and the open legs',
    (verdict) => {
      const { host, effect } = afterScans([scan('closed', NOON - 60 * MINUTE), FIRST, scan(verdict, NOON + 60 * MINUTE)]);
      expect(effect.kind).toBe('unchanged');
      expect(owedBy(effect)).toBeUndefined();
      expect(host.state).toMatchObject({ relay: 'closed', pending: { to: 'suspected', scanId: FIRST.id }, openLegs: [LEG] });
    },
  );

  test('a scan that started no later than the last counted one: history only', () => {
    const { host } = afterScans([scan('closed', NOON)]);
    expect(afterScans([scan('suspected', NOON - 1)], host).effect).toEqual({ kind: 'late', owed: undefined });
    expect(afterScans([scan('suspected', NOON, 'on-demand')], host).effect).toEqual({ kind: 'late', owed: undefined });
    const again = { ...scan('suspected', NOON + MINUTE), id: scan('closed', NOON).id };
    expect(afterScans([again], host).effect).toEqual({ kind: 'late', owed: undefined }); // a second delivery, which began later
  });
});

describe('a leg that was open', () => {
  const OTHER = '192.0.2.1:587';
  const wasOpen: Host = { ...NEW_HOST, state: { ...NEW_STATE, relay: 'suspected', openLegs: [LEG, OTHER] } };

  test('stays so while another shows that the host is open, and nothing was heard of it', () => {
    expect(afterScans([scan('suspected', NOON)], wasOpen).host.state.openLegs).toEqual([LEG, OTHER]);
  });

  test('is closed by the scan that proves it closed, beside whatever else', () => {
    const halfFixed: Scan = { ...scan('suspected', NOON), openLegs: [OTHER], closedLegs: [LEG] };
    expect(afterScans([halfFixed], wasOpen).host.state.openLegs).toEqual([OTHER]);
  });
});

describe('a confirming scan that comes too late to count', () => {
  test('is made again, since what is pending has no other on its way', () => {
    const confirming = scan('suspected', NOT_BEFORE, 'confirming');
    const overtaker = scan('inconclusive', NOT_BEFORE + 1_000, 'on-demand');
    const { effect } = afterScans([FIRST, overtaker, confirming]);
    expect(effect).toMatchObject({ kind: 'late', owed: { dueAt: confirming.finishedAt + 15 * MINUTE } });
  });
});

describe('a confirming scan that proves nothing', () => {
  test('is made again a quarter of an hour later', () => {
    const vain = scan('inconclusive', NOT_BEFORE, 'confirming');
    const dueAt = vain.finishedAt + 15 * MINUTE;
    expect(afterScans([FIRST, vain]).effect).toMatchObject({ owed: { dueAt, scanId: scanId(dueAt, 'confirming') } });
  });

  test('is made again up to the very end of two hours', () => {
    const { host } = afterScans([FIRST]);
    const endsAt = (finishedAt: number) =>
      owedBy(afterScans([{ ...scan('unreachable', NOT_BEFORE, 'confirming'), finishedAt }], host).effect);
    expect(endsAt(NOT_BEFORE + 105 * MINUTE)?.dueAt).toBe(NOT_BEFORE + 120 * MINUTE);
    expect(endsAt(NOT_BEFORE + 105 * MINUTE + 1)).toBeUndefined();
  });

  test('is not made again for ever: after two hours the schedule goes on alone', () => {
    const owed: Confirmation[] = [];
    let { host, effect } = afterScans([FIRST]);
    for (let tries = 0; tries < 100 && effect.kind === 'unchanged' && effect.owed !== undefined; tries++) {
      owed.push(effect.owed);
      ({ host, effect } = afterScans([scan('unreachable', effect.owed.dueAt, 'confirming')], host));
    }
    expect(owed.length).toBeGreaterThan(2);
    expect(owed.length).toBeLessThan(12);
    for (const { dueAt } of owed) expect(dueAt).toBeLessThanOrEqual(NOT_BEFORE + 120 * MINUTE);
    expect(new Set(owed.map((each) => each.scanId)).size).toBe(owed.length);
    expect(host.state.pending?.to).toBe('suspected');
  });
});

describe('every counted scan', () => {
  test('raises the version and is put in front of the recent verdicts, of which thirty are kept', () => {
    const scans = Array.from({ length: 40 }, (_, hour) => scan(hour === 39 ? 'unreachable' : 'closed', NOON + hour * 60 * MINUTE));
    const { state } = afterScans(scans).host;
    expect(state.version).toBe(40);
    expect(state.recent).toBe(`x${'c'.repeat(29)}`);
    expect(state.last).toEqual({ id: scans[39]?.id, startedAt: scans[39]?.startedAt, verdict: 'unreachable' });
  });

  test('ends a wait that trouble of ours began', () => {
    const host: Host = { ...NEW_HOST, state: { ...NEW_STATE, putOff: 'some-scan' } };
    expect(afterScans([scan('inconclusive', NOON)], host).host.state.putOff).toBeUndefined();
  });

  test('leaves another that waits for DNS where it stands when it ends for what DNS said itself', () => {
    const waiting: Host = { ...NEW_HOST, state: { ...NEW_STATE, putOff: scanId(NOON, 'first') } };
    const refused: Scan = { ...scan('untestable', NOON + MINUTE, 'on-demand'), judgement: untested('no-consent') };
    expect(afterScans([refused], waiting).host.state.putOff).toBe(scanId(NOON, 'first'));
    expect(afterScans([{ ...refused, id: scanId(NOON, 'first') }], waiting).host.state.putOff).toBeUndefined();
  });

  test('that waited in vain for DNS that fails makes each later one a look only, until DNS answers one', () => {
    const lost: Scan = { ...scan('untestable', NOON), judgement: untested('dns-trouble'), waitedSince: NOON - 7 * 24 * 60 * MINUTE };
    const { host } = afterScans([lost, { ...scan('untestable', NOON + MINUTE), judgement: untested('dns-trouble') }]);
    expect(host.state.dnsLostSince).toBe(lost.waitedSince);
    expect(
      afterScans([{ ...scan('untestable', NOON + 2 * MINUTE), judgement: untested('no-consent') }], host).host.state.dnsLostSince,
    ).toBeUndefined();
    // One that ended at once, beside another that waits, says nothing of how long DNS has failed.
    const beside: Scan = { ...scan('untestable', NOON), judgement: untested('dns-trouble') };
    expect(afterScans([beside]).host.state.dnsLostSince).toBeUndefined();
  });
});

describe('what the owner is told', () => {
  const OPEN: Host = { ...NEW_HOST, state: { ...NEW_STATE, relay: 'open', since: NOON, openLegs: [LEG] } };
  const toldBy = (effect: Effect) => (effect.kind === 'late' ? 'late' : effect.occasion);

  test('of a change is the change, and of the scan that only began it nothing', () => {
    expect(toldBy(afterScans([FIRST]).effect)).toBeUndefined();
    const { effect } = afterScans([FIRST, scan('suspected', NOT_BEFORE, 'confirming')]);
    expect(toldBy(effect)).toEqual({ kind: 'change', from: 'unknown', to: 'suspected' });
  });

  test('of the first scan that shows a host closed is nothing', () => {
    expect(toldBy(afterScans([scan('closed', NOON, 'first')]).effect)).toBeUndefined();
  });

  test('of a scan without a change may be a reminder, which the state counts in the same version', () => {
    const { effect } = afterScans([scan('suspected', NOON + 25 * 60 * MINUTE)], OPEN);
    expect(effect).toMatchObject({ kind: 'unchanged', occasion: { kind: 'reminder', count: 1 }, state: { version: 1, reminders: 1 } });
  });

  test('of a canary that opens a host is the change, and of one that is only noted nothing', () => {
    const back: Arrival = { canary: 'a', leg: LEG, test: 'plain', sentAt: NOON + 1_000, at: NOON + MINUTE, path: [] };
    expect(toldBy(raise(NEW_HOST, FIRST, { arrivals: [back], bounces: [] }).effect)).toEqual({
      kind: 'change',
      from: 'unknown',
      to: 'open',
    });
    const seen: Host = { ...OPEN, state: { ...OPEN.state, last: { id: FIRST.id, startedAt: NOON, verdict: 'suspected' } } };
    expect(toldBy(raise(seen, FIRST, { arrivals: [back], bounces: [] }).effect)).toBeUndefined();
    const closedSince: Host = { ...NEW_HOST, state: { ...NEW_STATE, relay: 'closed', closedAt: NOON + MINUTE } };
    expect(toldBy(raise(closedSince, FIRST, { arrivals: [back], bounces: [] }).effect)).toBe('late');
  });
});

describe('whatever scans come, in whatever order', () => {
  type Step = { readonly verdict: Verdict; readonly waitMs: number; readonly kind: ScanKind; readonly deliver: 'once' | 'twice' | 'old' };

  const step: fc.Arbitrary<Step> = fc.record({
    verdict: fc.constantFrom(...VERDICTS.filter((verdict) => verdict !== 'open'), 'suspected', 'closed'),
    waitMs: fc.oneof(fc.integer({ min: 0, max: 12 * MINUTE }), fc.integer({ min: 0, max: 120 * MINUTE })),
    kind: fc.constantFrom<ScanKind>('scheduled', 'on-demand', 'confirming'),
    deliver: fc.constantFrom('once', 'once', 'twice', 'old'),
  });

  function play(steps: readonly Step[]): { scans: Map<string, Scan>; changes: Change[]; owed: Confirmation[]; effects: Effect[] } {
    const scans = new Map<string, Scan>();
    const changes: Change[] = [];
    const owed: Confirmation[] = [];
    const effects: Effect[] = [];
    let host = NEW_HOST;
    let now = NOON;
    const deliver = (each: Scan) => {
      const effect = effectOf(host, each, RULES);
      effects.push(effect);
      if (effect.kind === 'late') return;
      expect(effect.state.version).toBe(host.state.version + 1);
      host = { ...host, state: effect.state };
      scans.set(each.id, each);
      if (effect.kind === 'changed') changes.push(effect.change);
      else if (effect.owed !== undefined) owed.push(effect.owed);
    };
    let previous: Scan | undefined;
    for (const { verdict, waitMs, kind, deliver: how } of steps) {
      now += Math.max(waitMs, 1_000); // two scans of a kind that are due in the same second are one scan
      const next = scan(verdict, now, kind);
      if (how === 'old' && previous !== undefined) deliver(previous);
      deliver(next);
      if (how === 'twice') deliver(next);
      previous = next;
    }
    return { scans, changes, owed, effects };
  }

  const assertAlways = (check: (played: ReturnType<typeof play>) => void) =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => check(play(steps))),
      { numRuns: 300 },
    );

  test('every change is backed by two scans that agree, the second started late enough after the first', () => {
    assertAlways(({ changes, scans }) => {
      for (const { firstScanId, scanId: secondId, to } of changes) {
        const [first, second] = [scans.get(firstScanId), scans.get(secondId)];
        expect(firstScanId).not.toBe(secondId);
        expect([first?.judgement.verdict, second?.judgement.verdict]).toEqual([to, to]);
        expect(second?.startedAt).toBeGreaterThanOrEqual((first?.finishedAt ?? Number.NaN) + RULES.confirmDelayMs);
      }
    });
  });

  test('no scan between the two of a change proved the contrary', () => {
    assertAlways(({ changes, scans }) => {
      for (const { firstScanId, scanId: secondId, to } of changes) {
        const [first, second] = [scans.get(firstScanId), scans.get(secondId)];
        const between = [...scans.values()].filter(
          ({ startedAt }) => startedAt > (first?.startedAt ?? 0) && startedAt < (second?.startedAt ?? 0),
        );
        const contrary = to === 'closed' ? 'suspected' : 'closed';
        expect(between.map(({ judgement }) => judgement.verdict)).not.toContain(contrary);
      }
    });
  });

  test('changes alternate, each starts where the last ended, and versions rise', () => {
    assertAlways(({ changes }) => {
      for (const [index, change] of changes.entries()) {
        const before = changes[index - 1];
        expect(change.from).not.toBe(change.to);
        if (before !== undefined) expect(change.from).toBe(before.to);
        if (before !== undefined) expect(change.version).toBeGreaterThan(before.version);
      }
    });
  });

  test('what is owed is a confirming scan, whose id says when it is due', () => {
    assertAlways(({ owed }) => {
      for (const each of owed) expect(each.scanId).toBe(scanId(each.dueAt, 'confirming'));
      for (const each of owed) expect(kindOf(each.scanId)).toBe('confirming');
    });
  });

  test('what is pending always has a confirmation on its way when it begins', () => {
    assertAlways(({ effects }) => {
      let pending: string | undefined;
      for (const effect of effects) {
        if (effect.kind === 'late') continue;
        const now = effect.state.pending?.scanId;
        if (now !== undefined && now !== pending) expect(effect).toMatchObject({ owed: { dueAt: effect.state.pending?.notBefore } });
        pending = now;
      }
    });
  });
});

describe('a canary that was bounced', () => {
  const SENT = scan('closed', NOON);
  const bounce = (canary: string) => ({ canary, leg: LEG, test: 'plain', sentAt: NOON + 1_000, at: NOON + MINUTE, by: 'mail.example.org' });
  const host: Host = { ...NEW_HOST, state: { ...NEW_STATE, version: 7, relay: 'closed' } };

  test('is noted beside its scan, once, and neither the verdict nor the host turns', () => {
    const noted = raise(host, SENT, { arrivals: [], bounces: [bounce('a')] });
    expect(noted).toEqual({ scan: { ...SENT, bounces: [bounce('a')] }, effect: { kind: 'late' } });
    const again = raise(host, noted.scan, { arrivals: [], bounces: [bounce('a')] });
    expect(again.scan).toBe(noted.scan);
    expect(raise(host, noted.scan, { arrivals: [], bounces: [bounce('a'), bounce('b')] }).scan.bounces).toEqual([bounce('a'), bounce('b')]);
  });

  test('is kept with nineteen others at most, and one more is no write', () => {
    const many = Array.from({ length: 30 }, (_, index) => bounce(String(index)));
    const { scan: full } = raise(host, SENT, { arrivals: [], bounces: many });
    expect(full.bounces).toHaveLength(20);
    expect(raise(host, full, { arrivals: [], bounces: many }).scan).toBe(full);
  });

  test('takes nothing from one that came back: the scan is open, and has both', () => {
    const arrival = { canary: 'b', leg: LEG, test: 'plain', sentAt: NOON + 1_000, at: NOON + 2 * MINUTE, path: [] };
    const { scan: open, effect } = raise(host, SENT, { arrivals: [arrival], bounces: [bounce('a')] });
    expect(open).toMatchObject({ judgement: { verdict: 'open' }, arrivals: [arrival], bounces: [bounce('a')] });
    expect(effect.kind).toBe('changed');
  });
});

describe('a canary that came back', () => {
  const SENT = scan('suspected', NOON);
  const OTHER = `${LEG}/starttls`;
  const arrival = (canary: string, at = NOON + 10 * MINUTE, leg = LEG): Arrival => ({
    canary,
    leg,
    test: 'plain',
    sentAt: NOON + 1_000,
    at,
    path: [],
  });
  const hostIn = (state: Partial<HostState>): Host => ({ ...NEW_HOST, state: { ...NEW_STATE, version: 7, ...state } });
  const last = (each: Scan) => ({ id: each.id, startedAt: each.startedAt, verdict: each.judgement.verdict });
  const later = scan('inconclusive', NOON + 5 * MINUTE);

  test('makes its scan open, with the arrival, the same counts and the leg among the open ones', () => {
    const counted: Scan = { ...SENT, judgement: { ...SENT.judgement, completed: 5, planned: 9 }, openLegs: [], closedLegs: [LEG, OTHER] };
    expect(raise(hostIn({}), counted, { arrivals: [arrival('a')], bounces: [] }).scan).toEqual({
      ...counted,
      judgement: { verdict: 'open', reason: 'canary-arrived', completed: 5, planned: 9 },
      openLegs: [LEG],
      closedLegs: [OTHER],
      arrivals: [arrival('a')],
    });
  });

  test.each(['unknown', 'suspected', 'closed'] as const)('needs no second scan: a host that was %s is open at once', (relay) => {
    const pending = { to: 'suspected', scanId: 'earlier', notBefore: NOON } as const;
    const host = hostIn({ relay, since: NOON - MINUTE, pending, last: last(SENT), recent: 'sc' });
    const { effect } = raise(host, SENT, {
      arrivals: [arrival('a', NOON + 10 * MINUTE), arrival('b', NOON + 12 * MINUTE, OTHER)],
      bounces: [],
    });
    expect(effect).toMatchObject({
      kind: 'changed',
      state: { version: 8, relay: 'open', since: NOON + 10 * MINUTE, pending: undefined, recent: 'oc', openLegs: [LEG, OTHER] },
      change: { version: 8, from: relay, to: 'open', at: NOON + 10 * MINUTE, firstScanId: SENT.id, scanId: SENT.id },
    });
    expect(effect).toMatchObject({ state: { last: { id: SENT.id, verdict: 'open' } } });
  });

  type Case = {
    readonly what: string;
    readonly state: Partial<HostState>;
    readonly kind: Effect['kind'];
    readonly verdict: Verdict;
    readonly after?: Partial<HostState>;
  };
  const before = scan('suspected', NOON - 60 * MINUTE);
  const CASES: readonly Case[] = [
    {
      what: 'sent before the last confirmed closure: noted only',
      state: { relay: 'closed', closedAt: NOON + 2_000 },
      kind: 'late',
      verdict: 'suspected',
    },
    {
      what: 'the same when the host has turned again since: noted only',
      state: { relay: 'suspected', since: NOON + 20 * MINUTE, closedAt: NOON + 2_000 },
      kind: 'late',
      verdict: 'suspected',
    },
    {
      what: 'sent after it, by a scan that began before: it counts',
      state: { relay: 'closed', closedAt: NOON + 500 },
      kind: 'changed',
      verdict: 'open',
    },
    {
      what: 'a scan that later ones have overtaken: the host is open, its last scan stays',
      state: { relay: 'suspected', last: last(later), recent: 'is' },
      kind: 'changed',
      verdict: 'open',
      after: { last: last(later), recent: 'is' },
    },
    {
      what: 'a closure that is only pending: not confirmed, so it counts',
      state: { relay: 'suspected', pending: { to: 'closed', scanId: later.id, notBefore: NOON + 10 * MINUTE } },
      kind: 'changed',
      verdict: 'open',
      after: { pending: undefined },
    },
    {
      what: 'the last scan of a host that is open: its verdict and letter',
      state: { relay: 'open', since: NOON - MINUTE, last: last(SENT), recent: 'so' },
      kind: 'unchanged',
      verdict: 'open',
      after: { since: NOON - MINUTE, last: { ...last(SENT), verdict: 'open' }, recent: 'oo' },
    },
    {
      what: 'an overtaken scan of a host that is open: only the scan',
      state: { relay: 'open', last: last(later), recent: 'is' },
      kind: 'late',
      verdict: 'open',
    },
    {
      what: 'a scan that is stored but not counted yet: the host is open, and counts it later',
      state: { relay: 'suspected', last: last(before), recent: 's' },
      kind: 'changed',
      verdict: 'open',
      after: { recent: 's', last: last(before) },
    },
  ];
  test.each(CASES)('$what', ({ state, kind, verdict, after }) => {
    const { scan: raised, effect } = raise(hostIn(state), SENT, { arrivals: [arrival('a')], bounces: [] });
    expect(effect.kind).toBe(kind);
    expect(raised.judgement.verdict).toBe(verdict);
    expect(raised.arrivals).toEqual([arrival('a')]);
    if (effect.kind !== 'late') expect(effect.state).toMatchObject({ ...after, version: 8 });
  });

  test('is noted once: an arrival that the scan has already changes nothing, whatever the host is by now', () => {
    const { scan: once } = raise(hostIn({}), SENT, { arrivals: [arrival('a')], bounces: [] });
    for (const relay of ['open', 'suspected', 'closed', 'unknown'] as const) {
      const again = raise(hostIn({ relay, last: last(SENT) }), once, { arrivals: [arrival('a', NOON + 60 * MINUTE)], bounces: [] });
      expect(again).toEqual({ scan: once, effect: { kind: 'late' } });
      expect(again.scan).toBe(once);
    }
    expect(raise(hostIn({ relay: 'open' }), once, { arrivals: [arrival('a'), arrival('b')], bounces: [] }).scan.arrivals).toEqual([
      arrival('a'),
      arrival('b'),
    ]);
  });

  test('by the hundred leaves a scan that can be read: fifty are kept', () => {
    const many = Array.from({ length: 200 }, (_, index) => arrival(`canary-${index}`));
    expect(raise(hostIn({}), SENT, { arrivals: many, bounces: [] }).scan.arrivals).toHaveLength(50);
  });

  test('after another of the same scan turns nothing, while one of a scan that was not known to be open is the last verdict', () => {
    const { scan: once, effect } = raise(hostIn({ relay: 'open', last: last(SENT), recent: 'sc' }), SENT, {
      arrivals: [arrival('a')],
      bounces: [],
    });
    expect(effect).toMatchObject({ kind: 'unchanged', state: { last: { verdict: 'open' }, recent: 'oc' } });
    const open = hostIn({ relay: 'open', last: { ...last(SENT), verdict: 'open' } });
    expect(raise(open, once, { arrivals: [arrival('b')], bounces: [] }).effect).toEqual({ kind: 'late' });
    expect(raise(hostIn({ relay: 'open' }), SENT, { arrivals: [arrival('a')], bounces: [] }).effect).toEqual({ kind: 'late' });
  });

  test('counts from the moment of the last confirmed closure on', () => {
    const raised = (closedAt: number) =>
      raise(hostIn({ relay: 'closed', closedAt }), SENT, { arrivals: [arrival('a')], bounces: [] }).effect.kind;
    expect([NOON + 1_000, NOON + 1_001].map(raised)).toEqual(['changed', 'late']);
  });

  test('no arrival, no effect', () => {
    expect(raise(hostIn({}), SENT, { arrivals: [], bounces: [] })).toEqual({ scan: SENT, effect: { kind: 'late' } });
  });

  test('a change to open never lies before the change that it follows, nor before the end of its scan', () => {
    const early = arrival('a', NOON + 1_000);
    expect(raise(hostIn({ relay: 'suspected', since: NOON + 30 * MINUTE }), SENT, { arrivals: [early], bounces: [] }).effect).toMatchObject(
      {
        change: { at: NOON + 30 * MINUTE },
      },
    );
    expect(raise(hostIn({}), SENT, { arrivals: [early], bounces: [] }).effect).toMatchObject({ change: { at: SENT.finishedAt } });
  });
});
