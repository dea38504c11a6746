import { type KnownState, VERDICTS, type Verdict } from '../domain/reason.ts';
import { type Html, html, type Value } from '../markup/html.ts';
import { tokenField } from './layout.ts';

// What several pages are made of.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A time as pages show it: absolute and relative. UTC until the script makes it the reader's own time; UTC stays there to be pointed at. */
export function when(epochMs: number, now: number): Html {
  return html`${moment(epochMs)} <span class="ago">${relative(epochMs, now)}</span>`;
}

/** A time alone: `24 Nov 2026, 12:37 UTC`. */
export function moment(epochMs: number): Html {
  const iso = new Date(epochMs).toISOString();
  return html`<time datetime="${iso}" title="${iso.slice(0, 19).replace('T', ' ')} UTC">${utc(epochMs)}</time>`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function utc(epochMs: number): string {
  const date = new Date(epochMs);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** How far off a time is, in the words of a person: `3 hours ago`, `in 12 minutes`. */
export function relative(epochMs: number, now: number): string {
  const ms = Math.abs(epochMs - now);
  if (ms < MINUTE_MS) return epochMs > now ? 'in under a minute' : 'just now';
  const span = spanWords(ms);
  return epochMs > now ? `in ${span}` : `${span} ago`;
}

/** A span of time in the words of a person: `5 minutes`, `3 hours`, `12 days`. */
export function spanWords(ms: number): string {
  if (ms < 2 * HOUR_MS) return counted(Math.max(1, Math.round(ms / MINUTE_MS)), 'minute');
  return ms < 2 * DAY_MS ? counted(Math.round(ms / HOUR_MS), 'hour') : counted(Math.round(ms / DAY_MS), 'day');
}

/** `1 host`, `2 hosts`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** A verdict or relay state as a badge: a word, a colour, and a shape for readers who see no colours. */
export function badge(state: Verdict | KnownState): Html {
  return html`<span class="badge ${state}">${mark(state)}${state === 'unknown' ? 'not known yet' : state}</span>`;
}

// Shapes in a square of 12, different enough to be told apart without colour.
const SHAPES: Readonly<Record<Verdict | 'unknown', Html>> = {
  open: html`<path d="M6 1 11.5 11H.5z"/>`,
  suspected: html`<path d="M6 .5 11.5 6 6 11.5.5 6z"/>`,
  closed: html`<circle cx="6" cy="6" r="5"/>`,
  inconclusive: html`<path d="M6 1a5 5 0 0 0 0 10z"/><circle class="rim" cx="6" cy="6" r="4.25"/>`,
  untestable: html`<rect class="rim" x="1.75" y="1.75" width="8.5" height="8.5"/>`,
  unreachable: html`<path class="rim" d="M2 2l8 8M10 2l-8 8"/>`,
  unknown: html`<circle class="rim" cx="6" cy="6" r="4.25"/>`,
};

/** The shape of a verdict, in its colour. It says nothing by itself: words stand beside it. */
function mark(state: Verdict | 'unknown'): Html {
  return html`<svg class="mark ${state}" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">${SHAPES[state]}</svg>`;
}

/** The shapes that strips refer to; once on each page that has strips. */
export function stripShapes(): Html {
  const shapes = VERDICTS.map(
    (verdict) => html`<symbol id="m-${verdict}" viewBox="0 0 12 12"><g class="mark ${verdict}">${SHAPES[verdict]}</g></symbol>`,
  );
  return html`<svg class="shapes" width="0" height="0" aria-hidden="true">${shapes}</svg>`;
}

const STEP = 9; // pixels from one shape of a strip to the next

/** The last verdicts as a strip, oldest first, and in words for those who cannot see it. `recent` is newest first. The page needs `stripShapes`. */
export function strip(recent: readonly Verdict[]): Html {
  if (recent.length === 0) return html`<span class="dim">no scan yet</span>`;
  const width = recent.length * STEP;
  const shapes = recent.toReversed().map((verdict, index) => html`<use href="#m-${verdict}" x="${index * STEP}" width="8" height="8"/>`);
  return html`<svg class="strip" role="img" aria-label="${stripWords(recent)}" viewBox="0 0 ${width} 8" width="${width}" height="8">${shapes}</svg>`;
}

function stripWords(recent: readonly Verdict[]): string {
  const runs: { verdict: Verdict; count: number }[] = [];
  for (const verdict of recent) {
    const last = runs.at(-1);
    if (last?.verdict === verdict) last.count += 1;
    else runs.push({ verdict, count: 1 });
  }
  return `The last ${counted(recent.length, 'scan')}, newest first: ${runs.map(({ verdict, count }) => (count === 1 ? verdict : `${count} × ${verdict}`)).join(', ')}`;
}

/** A text to be copied as a whole; the script gives it a button. */
export function copyable(text: string): Html {
  return html`<pre class="copy"><code>${text}</code></pre>`;
}

/** A form of a signed-in reader. `action` must be ours. */
export function ownForm(formToken: string, action: string, ...body: readonly Value[]): Html {
  return html`<form method="post" action="${action}">${tokenField(formToken)}
${body}
</form>`;
}

/** A button that does one thing: a form without fields. */
export function actButton(formToken: string, action: string, label: string, kind: 'main' | 'quiet' = 'main'): Html {
  return html`<form class="act" method="post" action="${action}">${tokenField(formToken)}<button${kind === 'main' ? undefined : html` class="${kind}"`} type="submit">${label}</button></form>`;
}

/** What is wrong with a field, to stand behind it. Its input names it by `aria-describedby="<field>-error"`. */
export function fieldError(field: string, message: string | undefined): Html | undefined {
  return message === undefined ? undefined : html`<p class="error" id="${field}-error">${message}</p>`;
}

/** A text field with its label, hint and fault. */
export function textField(
  field: string,
  label: string,
  value: string,
  {
    hint,
    error,
    type = 'text',
    required = false,
  }: { hint?: Value; error?: string | undefined; type?: 'text' | 'email' | 'url'; required?: boolean } = {},
): Html {
  const described = [...(hint === undefined ? [] : [`${field}-hint`]), ...(error === undefined ? [] : [`${field}-error`])].join(' ');
  return html`<p class="field"><label for="${field}">${label}</label>
<input id="${field}" name="${field}" type="${type}" value="${value}"${required ? html` required` : undefined}${described === '' ? undefined : html` aria-describedby="${described}"`}${error === undefined ? undefined : html` aria-invalid="true"`} autocapitalize="off" spellcheck="false">
${hint === undefined ? undefined : html`<span class="hint" id="${field}-hint">${hint}</span>`}
${error === undefined ? undefined : html`<span class="error" id="${field}-error">${error}</span>`}</p>`;
}
