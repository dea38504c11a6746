import { describe, expect, test } from 'vitest';
import type { Effect } from '../../../shared/domain/change.ts';
import { effectOf } from '../../../shared/domain/change.ts';
import type { Host } from '../../../shared/domain/host.ts';
import type { Verdict } from '../../../shared/domain/reason.ts';
import type { LegEvidence, Scan } from '../../../shared/domain/scan.ts';
import { hasShown, rowsOf, type Span, spanned, spannedByArrival, within, worse } from '../../../shared/domain/timeline.ts';
import { CLOSED, NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const HOUR = 60 * 60_000;
const RULES = { confirmDelayMs: 300_000 };
const leg = (port: number, outcome: 'refused' | 'accepted' = 'refused'): LegEvidence => ({ ...sampleLeg(outcome), port });

/** A host that is scanned once an hour, and what its scans begin. */
function scanned(host: Host = sampleHost()) {
  const spans: Span[] = [];
  let current = host;
  let at = NOON;
  const take = (effect: Effect, span: Span | undefined) => {
    if (effect.kind !== 'late') current = { ...current, state: effect.state };
    if (span !== undefined) spans.unshift(span);
  };
  return {
    spans,
    host: () => current,
    at: () => at,
    scan(legs: readonly LegEvidence[], more: Partial<Scan> = {}, afterMs = HOUR) {
      at += afterMs;
      const bad = legs.some(({ tests }) => tests.some(({ outcome }) => outcome === 'accepted'));
      const scan = { ...sampleScan(current, `${at}`, at, bad ? SUSPECTED : CLOSED), ...more };
      const { effect, span } = spanned(effectOf(current, scan, RULES), current, scan, legs);
      take(effect, span);
      return { scan, span };
    },
    arrive(scan: Scan) {
      const arrivals = [sampleArrival(sampleCanary(scan, 'canary'))];
      const open: Scan = { ...scan, arrivals, judgement: { ...scan.judgement, verdict: 'open', reason: 'canary-arrived' } };
      const raised = { kind: 'unchanged', state: { ...current.state, version: current.state.version + 1 } } as const;
      const { effect, span } = spannedByArrival(raised, current, open);
      take(effect, span);
      return span;
    },
  };
}

describe('a span', () => {
  test('begins with the first scan, and with each that shows something else of a leg', () => {
    const { scan, spans } = scanned();
    expect(scan([leg(25), leg(587)]).span).toMatchObject({
      verdict: 'closed',
      whole: true,
      legs: [{ leg: '192.0.2.1:25' }, { leg: '192.0.2.1:587' }],
    });
    expect(scan([leg(25), leg(587)]).span).toBeUndefined();
    expect(scan([leg(25), leg(587, 'accepted')]).span).toMatchObject({
      verdict: 'suspected',
      legs: [{ verdict: 'closed' }, { verdict: 'suspected' }],
    });
    expect(scan([leg(25), leg(587, 'accepted')]).span).toBeUndefined();
    expect(spans).toHaveLength(2);
  });

  test('begins when a leg comes or goes', () => {
    const { scan } = scanned();
    scan([leg(25)]);
    expect(scan([leg(25), leg(465)]).span).toBeDefined();
    expect(scan([leg(25)]).span).toMatchObject({ legs: [{ leg: '192.0.2.1:25' }] });
  });

  test('does not begin with a scan of the core, which leaves legs out that show what they did', () => {
    const { scan } = scanned();
    scan([leg(25), leg(587)]);
    expect(scan([leg(25)], { full: false }).span).toBeUndefined();
    expect(scan([leg(587)], { full: false }).span).toBeUndefined();
    expect(scan([leg(587, 'accepted')], { full: false }).span).toMatchObject({
      whole: false,
      legs: [{ leg: '192.0.2.1:587', verdict: 'suspected' }],
    });
    expect(scan([leg(25), leg(587, 'accepted')]).span).toBeUndefined();
  });

  test('begins after a gap, and tells since when nothing is known', () => {
    const { scan, at } = scanned();
    scan([leg(25)]);
    const last = at();
    expect(scan([leg(25)], {}, 2 * HOUR).span).toBeUndefined();
    expect(scan([leg(25)], {}, 2 * HOUR + 1).span).toMatchObject({ gapSince: last + 2 * HOUR, verdict: 'closed' });
  });

  test('is whole when nothing was tested at all', () => {
    const { scan } = scanned();
    scan([leg(25)]);
    const untestable = { judgement: { verdict: 'untestable', reason: 'no-consent', completed: 0, planned: 0 }, full: false } as const;
    expect(scan([], untestable).span).toMatchObject({ whole: true, verdict: 'untestable', legs: [] });
    expect(scan([], untestable).span).toBeUndefined();
  });

  test('does not begin with a scan that came too late to count', () => {
    const { scan, host } = scanned();
    const { scan: first } = scan([leg(25)]);
    expect(spanned({ kind: 'late' }, host(), first, [leg(25, 'accepted')])).toEqual({ effect: { kind: 'late' } });
  });

  test('begins with a canary that came back, and not again while the host still answers as a relay', () => {
    const { scan, arrive } = scanned();
    const { scan: first } = scan([leg(25, 'accepted'), leg(587)]);
    expect(arrive(first)).toMatchObject({
      from: first.startedAt,
      whole: false,
      verdict: 'open',
      legs: [{ leg: '192.0.2.1:25', verdict: 'open' }],
    });
    const { scan: second, span } = scan([leg(25, 'accepted'), leg(587)]);
    expect(span).toBeUndefined();
    expect(arrive(second)).toBeUndefined();
    expect(scan([leg(25), leg(587)]).span).toMatchObject({ verdict: 'closed' });
  });

  test('is of all legs together where there are more than ten, and of whole scans alone', () => {
    const { scan, host } = scanned();
    const many = Array.from({ length: 11 }, (_, index) => leg(1_000 + index));
    scan(many);
    expect(host().state.shown?.length).toBeLessThan(12);
    expect(scan(many).span).toBeUndefined();
    expect(scan([leg(1_000, 'accepted')], { full: false, judgement: CLOSED }).span).toBeUndefined();
    expect(scan([...many.slice(1), leg(1_000, 'accepted')]).span).toBeDefined();
  });

  test('is of each leg by itself where there are ten', () => {
    const { scan, host } = scanned();
    scan(Array.from({ length: 10 }, (_, index) => leg(1_000 + index)));
    expect(host().state.shown).toHaveLength(1 + 10 * 5);
  });

  test('of all legs together begins with each scan that changes the host itself, a part of it too', () => {
    const { scan } = scanned();
    const many = Array.from({ length: 11 }, (_, index) => leg(1_000 + index));
    scan(many);
    expect(scan([leg(1_000, 'accepted')], { full: false }).span).toMatchObject({ verdict: 'suspected', whole: false });
    expect(scan([leg(1_000, 'accepted')], { full: false }).span).toBeUndefined();
    expect(scan(many).span).toMatchObject({ verdict: 'closed', whole: true });
  });

  test('begins with a canary of what was not seen before, unless it came too late or raised nothing', () => {
    const { scan, host } = scanned();
    const { scan: first } = scan([leg(25, 'accepted')]);
    const open: Scan = { ...first, judgement: { ...first.judgement, verdict: 'open', reason: 'canary-arrived' } };
    const raised = { kind: 'unchanged', state: host().state } as const;
    expect(spannedByArrival({ kind: 'late' }, host(), open)).toEqual({ effect: { kind: 'late' } });
    expect(spannedByArrival(raised, host(), first)).toEqual({ effect: raised });
    expect(spannedByArrival(raised, host(), open).span).toMatchObject({ verdict: 'open', legs: [] });
  });

  test('goes on over two periods without a scan, and over an hour of the shortest', () => {
    const { scan } = scanned(sampleHost({ period: '6h' }));
    scan([leg(25)]);
    expect(scan([leg(25)], {}, 12 * HOUR).span).toBeUndefined();
    expect(scan([leg(25)], {}, 12 * HOUR + 1).span).toBeDefined();
  });

  test('costs the host five characters a leg', () => {
    const { scan, host } = scanned();
    scan([25, 465, 587].map((port) => leg(port)));
    expect(host().state.shown).toHaveLength(1 + 3 * 5);
  });
});

describe('what a host showed last', () => {
  const shownBy = (legs: readonly LegEvidence[]) => {
    const { scan, host } = scanned();
    scan(legs);
    return host().state.shown;
  };

  test('names the legs at its addresses and ports, inside TLS too', () => {
    const shown = shownBy([leg(25), { ...leg(587), transport: 'starttls' }, { ...leg(465), transport: 'tls' }]);
    for (const port of [25, 465, 587]) expect(hasShown(shown, ['192.0.2.9', '192.0.2.1'], [port])).toBe(true);
    expect(hasShown(shown, ['192.0.2.1'], [2_525])).toBe(false);
    expect(hasShown(shown, ['192.0.2.2'], [25, 465, 587])).toBe(false);
    expect(hasShown(shown, [], [25])).toBe(false);
  });

  test('names none before the first scan, and may be any where it has too many', () => {
    expect(hasShown(undefined, ['192.0.2.1'], [25])).toBe(false);
    const many = shownBy(Array.from({ length: 11 }, (_, index) => leg(1_000 + index)));
    expect(hasShown(many, ['192.0.2.2'], [25])).toBe(true);
  });
});

describe('the picture', () => {
  const span = (from: number, verdict: Verdict, legs: Record<string, Verdict>, more: Partial<Span> = {}): Span => ({
    from,
    whole: true,
    verdict,
    legs: Object.entries(legs).map(([name, each]) => ({ leg: name, verdict: each })),
    ...more,
  });
  const rows = (...oldestFirst: Span[]) =>
    Object.fromEntries(rowsOf(oldestFirst.toReversed(), 100).map(({ leg: name, stretches }) => [name ?? 'host', stretches]));

  test('joins what goes on, and ends with the last scan', () => {
    expect(rows(span(0, 'closed', { a: 'closed', b: 'closed' }), span(50, 'suspected', { a: 'closed', b: 'suspected' }))).toEqual({
      host: [
        { from: 0, to: 50, verdict: 'closed' },
        { from: 50, to: 100, verdict: 'suspected' },
      ],
      a: [{ from: 0, to: 100, verdict: 'closed' }],
      b: [
        { from: 0, to: 50, verdict: 'closed' },
        { from: 50, to: 100, verdict: 'suspected' },
      ],
    });
  });

  test('shows nothing where nothing is known', () => {
    expect(rows(span(0, 'closed', { a: 'closed' }), span(60, 'closed', { a: 'closed' }, { gapSince: 20 })).a).toEqual([
      { from: 0, to: 20, verdict: 'closed' },
      { from: 60, to: 100, verdict: 'closed' },
    ]);
  });

  test('ends a leg that is gone, and goes on with one that a part left out', () => {
    expect(rows(span(0, 'closed', { a: 'closed', b: 'closed' }), span(40, 'closed', { a: 'closed' })).b).toEqual([
      { from: 0, to: 40, verdict: 'closed' },
    ]);
    expect(rows(span(0, 'closed', { a: 'closed', b: 'closed' }), span(40, 'open', { a: 'open' }, { whole: false })).b).toEqual([
      { from: 0, to: 100, verdict: 'closed' },
    ]);
  });

  test('has the host first, then its legs by name, and all that are not told again end at a gap', () => {
    const spans = [span(60, 'open', { b: 'open' }, { gapSince: 20, whole: false }), span(0, 'closed', { b: 'closed', a: 'closed' })];
    expect(rowsOf(spans, 100).map(({ leg: name }) => name)).toEqual([undefined, 'a', 'b']);
    expect(rows(...spans.toReversed()).a).toEqual([{ from: 0, to: 20, verdict: 'closed' }]);
  });

  test('of a time before its last span ends with the beginning of that', () => {
    expect(rows(span(0, 'closed', {}), span(150, 'open', {})).host).toEqual([
      { from: 0, to: 150, verdict: 'closed' },
      { from: 150, to: 150, verdict: 'open' },
    ]);
  });

  test('holds what touches the time that is asked for', () => {
    const stretches = [0, 10, 20].map((from) => ({ from, to: from + 10, verdict: 'closed' }) as const);
    expect(within(stretches, 10, 20).map(({ from, to }) => [from, to])).toEqual([
      [10, 10],
      [10, 20],
      [20, 20],
    ]);
  });

  test('is cut to the time that is asked for', () => {
    const stretches = [
      { from: 0, to: 10, verdict: 'closed' },
      { from: 10, to: 90, verdict: 'open' },
    ] as const;
    expect(within(stretches, 20, 50)).toEqual([{ from: 20, to: 50, verdict: 'open' }]);
  });

  test('shows the worse of two where there is room for one', () => {
    expect(worse('closed', 'suspected')).toBe('suspected');
    expect(worse('open', 'suspected')).toBe('open');
    expect(worse('inconclusive', 'closed')).toBe('inconclusive');
    const worst = ['open', 'suspected', 'unreachable', 'untestable', 'inconclusive', 'closed'] as const;
    for (const [index, one] of worst.entries())
      for (const other of worst.slice(index)) expect([worse(one, other), worse(other, one)]).toEqual([one, one]);
  });
});
