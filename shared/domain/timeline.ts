import type { Effect } from './change.ts';
import { type Host, letterOf } from './host.ts';
import type { Verdict } from './reason.ts';
import { type LegEvidence, type Scan, transportsAt } from './scan.ts';
import { fnv1a, PERIOD_MINUTES } from './schedule.ts';
import { judgeLeg, legName } from './verdict.ts';

/** What a leg showed. */
export type SeenLeg = { readonly leg: string; readonly verdict: Verdict };

/**
 * What a host and its legs showed from one scan on, until the next span. If it is not `whole`, it names only some legs; the others stay as
 * they were. `gapSince` is the scan before it, when that is so long ago that nothing is known of the time between. Times are epoch
 * milliseconds.
 */
export type Span = {
  readonly from: number;
  readonly gapSince?: number | undefined;
  readonly whole: boolean;
  readonly verdict: Verdict;
  readonly legs: readonly SeenLeg[];
};

/** A stretch of time in which a host or a leg showed the same. */
export type Stretch = { readonly from: number; readonly to: number; readonly verdict: Verdict };

/** One line of the picture: the host, or one of its legs. */
export type Row = { readonly leg: string | undefined; readonly stretches: readonly Stretch[] };

const GAP_PERIODS = 2; // so that a scan that was put off, or a changed schedule, makes no gap
const GAP_LEAST_MS = 60 * 60_000;
const LEGS_TOLD = 10; // legs that the host's state has room for one by one
const CODE = '#';
const TAG_LENGTH = 4; // characters that stand for a leg's name in the host's state

/**
 * The effect of a scan, and a new span when it shows something new. The host's state holds what was shown last, in five characters a leg
 * and at most 51, so a scan that shows the same as before reads and writes nothing for this.
 */
export function spanned(effect: Effect, host: Host, scan: Scan, legs: readonly LegEvidence[]): { effect: Effect; span?: Span } {
  if (effect.kind === 'late') return { effect };
  const seen = legs.map((leg) => ({ leg: legName(leg), verdict: judgeLeg(leg, scan.arrivals).verdict }));
  return spannedBy(effect, host, {
    verdict: scan.judgement.verdict,
    legs: seen,
    whole: scan.full || legs.length === 0,
    at: scan.startedAt,
  });
}

/** The same for a scan that returned canaries have raised to open: so are the legs that they went through. */
export function spannedByArrival(effect: Effect, host: Host, scan: Scan): { effect: Effect; span?: Span } {
  if (effect.kind === 'late' || scan.judgement.verdict !== 'open') return { effect };
  const legs = [...new Set((scan.arrivals ?? []).map(({ leg }) => leg))].map((leg): SeenLeg => ({ leg, verdict: 'open' }));
  return spannedBy(effect, host, { verdict: 'open', legs, whole: false, at: scan.startedAt });
}

type Shown = { readonly verdict: Verdict; readonly legs: readonly SeenLeg[]; readonly whole: boolean; readonly at: number };

function spannedBy<E extends Exclude<Effect, { kind: 'late' }>>(
  effect: E,
  { settings, state }: Host,
  { verdict, legs, whole, at }: Shown,
): { effect: E; span?: Span } {
  const last = state.last?.startedAt;
  const gapMs = Math.max(GAP_LEAST_MS, GAP_PERIODS * PERIOD_MINUTES[settings.period] * 60_000);
  const gap = last !== undefined && at - last > gapMs;
  const before = gap ? undefined : state.shown;
  const shown = markerAfter(before, { verdict, legs, whole });
  if (shown === before) return { effect };
  const marked = { ...effect, state: { ...effect.state, shown } };
  return { effect: marked, span: { from: at, ...(gap ? { gapSince: last } : {}), whole, verdict, legs } };
}

// What the host's state keeps, `c` for closed and so on: the host's letter, then a tag and a letter for each leg, as in `cq7x2c` with one.
// More than ten legs share one code, which only whole scans change.
function markerAfter(before: string | undefined, { verdict, legs, whole }: Omit<Shown, 'at'>): string {
  const isCode = before?.charAt(1) === CODE;
  const known = isCode ? new Map([['', before?.charAt(0) ?? '']]) : readMarker(before);
  const now = new Map([...(whole ? [] : known), ['', kept(known.get(''), verdict)] as const]);
  for (const { leg, verdict: each } of legs) now.set(tagOf(leg), kept(known.get(tagOf(leg)), each));
  const letter = now.get('') ?? '';
  if (isCode && !whole) return `${letter}${before?.slice(1)}`;
  const text = [...now]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tag, each]) => `${tag}${each}`)
    .join('');
  return now.size - 1 > LEGS_TOLD ? `${letter}${CODE}${fnv1a(text).toString(36)}` : text;
}

// An open relay stays open until it is seen closed. A later canary that does not come back changes nothing.
function kept(before: string | undefined, verdict: Verdict): string {
  return before === letterOf('open') && verdict === 'suspected' ? before : letterOf(verdict);
}

function readMarker(marker: string | undefined): Map<string, string> {
  if (marker === undefined) return new Map();
  const known = new Map([['', marker.slice(0, 1)]]);
  for (let at = 1; at < marker.length; at += TAG_LENGTH + 1)
    known.set(marker.slice(at, at + TAG_LENGTH), marker.slice(at + TAG_LENGTH, at + TAG_LENGTH + 1));
  return known;
}

/** Whether the last span names a leg at one of these addresses and ports. Tags are short, so rarely another leg has the same. */
export function hasShown(shown: string | undefined, addresses: readonly string[], ports: readonly number[]): boolean {
  if (shown?.charAt(1) === CODE) return true; // more than ten legs: their names are not kept
  const known = readMarker(shown);
  const legs = addresses.flatMap((address) =>
    ports.flatMap((port) => transportsAt(port).map((transport) => legName({ address, port, transport }))),
  );
  return legs.some((leg) => known.has(tagOf(leg)));
}

function tagOf(leg: string): string {
  return fnv1a(leg).toString(36).padStart(TAG_LENGTH, '0').slice(-TAG_LENGTH);
}

/** The lines of the picture: the host first, then its legs by name. `spans` are newest first; nothing is known after `until`. */
export function rowsOf(spans: readonly Span[], until: number): Row[] {
  const lines = new Map<string, Stretch[]>();
  const open = new Map<string, { from: number; verdict: Verdict }>();
  const close = (line: string, to: number) => {
    const begun = open.get(line);
    open.delete(line);
    if (begun === undefined || to < begun.from) return;
    const before = lines.get(line) ?? [];
    const last = before.at(-1);
    const goesOn = last !== undefined && last.to === begun.from && last.verdict === begun.verdict;
    lines.set(line, goesOn ? [...before.slice(0, -1), { ...last, to }] : [...before, { ...begun, to }]);
  };
  for (const { from, gapSince, whole, verdict, legs } of spans.toReversed()) {
    const shown = new Map<string, Verdict>([['', verdict], ...legs.map(({ leg, verdict: each }) => [leg, each] as const)]);
    for (const line of [...open.keys()]) if (whole || gapSince !== undefined || shown.has(line)) close(line, gapSince ?? from);
    for (const [line, each] of shown) open.set(line, { from, verdict: each });
  }
  for (const line of [...open.keys()]) close(line, Math.max(until, open.get(line)?.from ?? 0));
  return [...lines]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([line, stretches]) => ({ leg: line === '' ? undefined : line, stretches }));
}

/** The part of a line between two times. */
export function within(stretches: readonly Stretch[], from: number, to: number): Stretch[] {
  return stretches
    .filter((stretch) => stretch.to >= from && stretch.from <= to)
    .map((stretch) => ({ ...stretch, from: Math.max(from, stretch.from), to: Math.min(to, stretch.to) }));
}

/** The worse of two verdicts, where the picture has room for only one. */
export function worse(a: Verdict, b: Verdict): Verdict {
  return WORST.indexOf(a) <= WORST.indexOf(b) ? a : b;
}

const WORST: readonly Verdict[] = ['open', 'suspected', 'unreachable', 'untestable', 'inconclusive', 'closed'];
