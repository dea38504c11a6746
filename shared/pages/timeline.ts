import type { Verdict } from '../domain/reason.ts';
import { type Row, rowsOf, type Span, type Stretch, within, worse } from '../domain/timeline.ts';
import { type Html, html } from '../markup/html.ts';
import { fitting } from './fitting.ts';
import { counted, moment } from './parts.ts';

const DAY_MS = 24 * 60 * 60_000;
const WIDTH = 1_000; // units of a row, whatever its width on the screen
const HEIGHT = 20;
const LEAST = 4; // units: an hour of a year must still be seen
const STRETCHES_LIMIT = 250; // of a row, drawn one by one; more are put into columns, the worst of each on top
const SHAPES_LIMIT = 1_300; // of the picture: some 25 KiB
const ROWS_LIMIT = 41; // the host and 40 legs
const TABLE_LIMIT = 22_000; // characters: some 60 rows. The page as a whole may have 100 KiB

/** The days that the picture may show. */
export const RANGES = [30, 90, 365] as const;

/** What the picture is drawn from: `spans` newest first, up to the last scan, if there was one. */
export type TimelineView = {
  readonly hostId: string;
  readonly spans: readonly Span[];
  readonly lastScanAt: number | undefined;
  readonly days: number;
  readonly now: number;
};

/** What host and legs showed over days to a year, as a picture and as a table. */
export function timeline(view: TimelineView): Html {
  const { hostId, spans, lastScanAt, days, now } = view;
  const links = RANGES.map(
    (each) =>
      html`<a href="/hosts/${hostId}?days=${each}#history"${each === days ? html` aria-current="true"` : undefined}>${rangeWords(each)}</a>\n`,
  );
  const from = now - days * DAY_MS;
  const all = lastScanAt === undefined ? [] : shownRows(rowsOf(spans, lastScanAt), from, now);
  const rows = all.slice(0, ROWS_LIMIT);
  const most = Math.min(STRETCHES_LIMIT, Math.floor(SHAPES_LIMIT / Math.max(1, rows.length)));
  return html`<section id="history"><h2>What it showed</h2>
<nav class="tabs" aria-label="Time to show">${links}</nav>
${
  rows.length === 0
    ? html`<p class="dim">No scan in this time.</p>`
    : html`${legend()}
<div class="timeline">
${rows.map((row) => rowOf(row, from, now, most))}
<div class="axis"><span class="hint">Days in UTC</span><span class="dates">${axis(from, now)}</span></div>
</div>
${rows.some(({ stretches }) => stretches.length > most) ? html`<p class="hint">Where it turned often, a bar shows the worst verdict of its time; the table has each turn.</p>` : undefined}
${all.length > rows.length ? html`<p class="hint">And ${counted(all.length - rows.length, 'more leg')}: the scans have them.</p>` : undefined}
${tableOf(rows)}`
}
</section>`;
}

function rangeWords(days: number): string {
  return days === 365 ? 'A year' : `${days} days`;
}

// A port at which nothing ever answered tells nothing.
function shownRows(rows: readonly Row[], from: number, to: number): Row[] {
  const cut = rows
    .map(({ leg, stretches }) => ({ leg, stretches: within(stretches, from, to) }))
    .filter(({ stretches }) => stretches.length > 0);
  return cut.filter(({ leg, stretches }) => leg === undefined || stretches.some(({ verdict }) => verdict !== 'unreachable'));
}

// How high a verdict stands, so that it is told without colour; stripes tell the three that are no proof apart.
const HEIGHTS: Readonly<Record<Verdict, number>> = {
  open: 20,
  suspected: 15,
  inconclusive: 10,
  untestable: 10,
  unreachable: 10,
  closed: 5,
};

function rowOf({ leg, stretches }: Row, from: number, to: number, most: number): Html {
  const drawn = stretches.length > most ? columns(stretches, from, to, most) : stretches;
  const unit = (to - from) / WIDTH;
  // The worst comes last, and so lies on top.
  const verdicts = (Object.keys(HEIGHTS) as Verdict[]).toSorted((a, b) => HEIGHTS[a] - HEIGHTS[b]);
  const bars = verdicts.flatMap((verdict) => {
    const own = drawn.filter((stretch) => stretch.verdict === verdict);
    const shapes = own.map(({ from: begin, to: end }) => {
      const width = Math.max(LEAST, Math.ceil((end - begin) / unit));
      return shape(verdict, Math.min(WIDTH - LEAST, Math.round((begin - from) / unit)), width);
    });
    return shapes.length === 0 ? [] : [bar(verdict, shapes.join(''))];
  });
  const name = leg ?? 'Host';
  const label = leg === undefined ? html`<strong>Host</strong>` : html`<code>${leg}</code>`;
  return html`<div class="line"><span>${label}</span><svg role="img" aria-label="${name}: ${inWords(stretches)}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${bars}</svg></div>
`;
}

function shape(verdict: Verdict, x: number, width: number): string {
  const height = HEIGHTS[verdict];
  return `M${x} ${HEIGHT - height}h${width}v${height}h-${width}z`;
}

function bar(verdict: Verdict, path: string): Html {
  return html`<path class="bar ${verdict}" d="${path}"/>`;
}

function columns(stretches: readonly Stretch[], from: number, to: number, count: number): Stretch[] {
  const width = (to - from) / count;
  const worst = new Map<number, Verdict>();
  for (const { from: begin, to: end, verdict } of stretches) {
    const last = Math.min(count - 1, Math.floor((end - from) / width));
    for (let column = Math.floor((begin - from) / width); column <= last; column++)
      worst.set(column, worse(worst.get(column) ?? verdict, verdict));
  }
  const joined: { begin: number; end: number; verdict: Verdict }[] = [];
  for (const [column, verdict] of worst) {
    const last = joined.at(-1);
    if (last?.end === column && last.verdict === verdict) last.end = column + 1;
    else joined.push({ begin: column, end: column + 1, verdict });
  }
  return joined.map(({ begin, end, verdict }) => ({ from: from + begin * width, to: from + end * width, verdict }));
}

function inWords(stretches: readonly Stretch[]): string {
  const verdicts = [...new Set(stretches.map(({ verdict }) => verdict))];
  return `${verdicts.join(', ')}; ${stretches.at(-1)?.verdict ?? 'nothing known'} at the end`;
}

function legend(): Html {
  const items = (Object.keys(HEIGHTS) as Verdict[]).map(
    (verdict) =>
      html`<li><svg viewBox="0 0 24 ${HEIGHT}" width="24" height="${HEIGHT}" aria-hidden="true">${bar(verdict, shape(verdict, 0, 24))}</svg>${verdict}</li>`,
  );
  return html`<svg class="shapes" width="0" height="0" aria-hidden="true"><defs>
<pattern id="p-suspected" width="8" height="8" patternUnits="userSpaceOnUse"><path class="bar suspected solid" d="M0 0h5v8H0z"/></pattern>
<pattern id="p-untestable" width="8" height="8" patternUnits="userSpaceOnUse"><path class="bar untestable solid" d="M0 0h2v8H0z"/></pattern>
<pattern id="p-unreachable" width="8" height="4" patternUnits="userSpaceOnUse"><path class="bar unreachable solid" d="M0 0h8v1.5H0z"/></pattern>
</defs></svg>
<ul class="legend" aria-label="What the picture shows">${items}<li class="dim">blank: nothing known</li></ul>`;
}

// Five dates, so that neighbours never touch on a narrow screen.
function axis(from: number, to: number): Html {
  return html`${[0, 1, 2, 3, 4].map((step) => html`<span>${dateOf(from + ((to - from) * step) / 4)}</span>`)}`;
}

function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

function tableOf(rows: readonly Row[]): Html {
  const all = rows.flatMap(({ leg, stretches }) => stretches.map((stretch) => ({ leg, ...stretch }))).toSorted((a, b) => b.from - a.from);
  const shown = fitting(all, tableRow, TABLE_LIMIT);
  const rest = all.length - shown.length;
  return html`<details><summary>The same as a table (${counted(all.length, 'row')})</summary>
<table class="stacked"><thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">Of</th><th scope="col">Verdict</th></tr></thead><tbody>${shown}</tbody></table>
${rest > 0 ? html`<p class="hint">And ${counted(rest, 'earlier row')}: choose a shorter time, or take the scans as a file.</p>` : undefined}</details>`;
}

function tableRow({ leg, from, to, verdict }: Stretch & Pick<Row, 'leg'>): Html {
  return html`<tr><td data-label="From">${moment(from)}</td><td data-label="To">${moment(to)}</td><td data-label="Of">${leg ?? 'the host'}</td><td data-label="Verdict">${verdict}</td></tr>\n`;
}
