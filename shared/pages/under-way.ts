import { REASONS } from '../domain/reason.ts';
import { kindOf, type OwedScan } from '../domain/scan.ts';
import { type Html, html } from './html.ts';
import { relative, when } from './parts.ts';
import { kindWords } from './scan-table.ts';

const SITTING_MS = 3 * 60_000; // no sitting takes that long: what says to be under way since then has died
const SOON_MS = 60_000;
const LOOK_SECONDS = 3;

/** In how many seconds a browser without script looks again, while a scan is under way or about to be. */
export const REFRESH_SECONDS = 5;

/** Whether something is about to change, so that it is worth watching. */
export function isLive(owed: readonly OwedScan[], now: number): boolean {
  return owed.some((each) => isUnderWay(each, now) || each.dueAt <= now + SOON_MS);
}

/** The scans that are owed to a host, how far each has come, or what it waits for; nothing when none is. */
export function owedScans(owed: readonly OwedScan[], now: number): Html | undefined {
  if (owed.length === 0) return undefined;
  const live = isLive(owed, now);
  return html`<section id="under-way"${live ? html` data-live="${LOOK_SECONDS}"` : undefined} aria-live="polite"><h2>${owed.some((each) => isUnderWay(each, now)) ? 'A scan is under way' : 'A scan follows'}</h2>
${owed.map((each) => owedScan(each, now))}</section>`;
}

function owedScan(owed: OwedScan, now: number): Html {
  const { hostId, scanId, dueAt, trouble, sittings, underWay } = owed;
  const kind = kindWords(kindOf(scanId) ?? 'on-demand');
  const name = html`<a href="/hosts/${hostId}/scans/${scanId}">Scan (${kind})</a>`;
  if (underWay !== undefined && isUnderWay(owed, now)) {
    const legs = underWay.legs.map(
      ({ leg, answered, planned }) =>
        html`<li><label><code>${leg}</code> <progress max="${planned}" value="${answered}"></progress> ${answered} of ${planned} tests</label></li>`,
    );
    return html`<p>${name}: under way since ${when(underWay.since, now)}.${legs.length === 0 ? ' Consent is checked, and the first connection made.' : ''}</p>
${legs.length === 0 ? undefined : html`<ul class="legs">${legs}</ul>`}`;
  }
  const why =
    trouble === undefined
      ? sittings === undefined
        ? undefined
        : ` It goes on with what the server left undone (sitting ${sittings + 1} of ten at most).`
      : ` ${REASONS[trouble].sentence}`;
  const due = dueAt <= now ? 'It begins within a minute or two.' : `It is due ${relative(dueAt, now)}.`;
  return html`<p>${name}: ${due}${why}</p>`;
}

function isUnderWay({ underWay }: OwedScan, now: number): boolean {
  return underWay !== undefined && now - underWay.since < SITTING_MS;
}
