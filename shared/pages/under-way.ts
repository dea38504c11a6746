import { awaitsDns } from '../domain/consent-watch.ts';
import { failureSentence } from '../domain/dns-failure.ts';
import { REASONS } from '../domain/reason.ts';
import { kindOf, type OwedScan } from '../domain/scan.ts';
import { type Html, html } from '../markup/html.ts';
import { relative, when } from './parts.ts';
import { kindWords } from './scan-table.ts';

const SITTING_MS = 3 * 60_000; // no sitting takes that long: what says to be under way since then has died
const SOON_MS = 60_000;
const LOOK_SECONDS = 3; // while something happens ...
const LOOK_SELDOM_SECONDS = 30; // ... and while it is waited for, which may take an hour
const REFRESH_SECONDS = 5; // of a browser without script, which loads the whole page
const REFRESH_SELDOM_SECONDS = 60;

/** In how many seconds a browser without script looks again; undefined where nothing is owed. */
export function refreshSeconds(owed: readonly OwedScan[], now: number): number | undefined {
  if (owed.length === 0) return undefined;
  return isLive(owed, now) ? REFRESH_SECONDS : REFRESH_SELDOM_SECONDS;
}

// Whether something is about to change, so that it is worth watching closely.
function isLive(owed: readonly OwedScan[], now: number): boolean {
  return owed.some((each) => isUnderWay(each, now) || each.dueAt <= now + SOON_MS);
}

/** The scans that are owed to a host, how far each has come, or what it waits for; nothing when none is. */
export function owedScans(owed: readonly OwedScan[], now: number): Html | undefined {
  if (owed.length === 0) return undefined;
  const seconds = isLive(owed, now) ? LOOK_SECONDS : LOOK_SELDOM_SECONDS;
  return html`<section id="under-way" data-live="${seconds}" aria-live="polite"><h2>${heading(owed, now)}</h2>
${owed.map((each) => owedScan(each, now))}</section>`;
}

function heading(owed: readonly OwedScan[], now: number): string {
  if (owed.some((each) => isUnderWay(each, now))) return 'A scan is under way';
  if (owed.some(({ begun }) => begun?.awaits !== undefined)) return 'A scan waits for its messages';
  if (owed.some(awaitsDns)) return 'Waiting for DNS';
  return owed.some(({ begun }) => begun?.left !== undefined) ? 'A scan is not finished' : 'A scan follows';
}

function owedScan(owed: OwedScan, now: number): Html {
  const { hostId, scanId, underWay, begun } = owed;
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
  if (begun?.awaits !== undefined) return waiting(name, begun.awaits.until, now);
  if (awaitsDns(owed)) return waitingForDns(name, owed, now);
  return html`<p>${name}: ${dueWords(owed, now)}</p>${whyLater(owed)}`;
}

function waitingForDns(name: Html, { hostId, dueAt, trouble, waits }: OwedScan, now: number): Html {
  const why = waits?.failure === undefined ? trouble && REASONS[trouble].sentence : failureSentence(waits.failure);
  return html`<p>${name}: ${lookWords(dueAt, now)}</p>
<p>${why} <a href="/hosts/${hostId}/consent">See what is missing and what to add</a>. As soon as DNS allows it, the scan is made by itself.</p>`;
}

/** When we look at DNS again by ourselves. */
export function lookWords(at: number, now: number): Html {
  return at <= now ? html`We look again within a minute or two.` : html`Next look: ${when(at, now)}.`;
}

function dueWords({ dueAt, begun, trouble }: OwedScan, now: number): string {
  const goesOn = begun?.left !== undefined && trouble === undefined;
  if (dueAt <= now) return `It ${goesOn ? 'goes on' : 'begins'} within a minute or two.`;
  return `It ${goesOn ? 'goes on' : 'is due'} ${relative(dueAt, now)}.`;
}

// What put it off, or what its server left undone.
function whyLater({ trouble, begun }: OwedScan): Html | undefined {
  if (trouble !== undefined) return html`\n<p>${REASONS[trouble].sentence}</p>`;
  if (begun?.left === undefined) return undefined;
  const { reason, completed, planned } = begun.left;
  const counts = completed < planned ? ` ${completed} of ${planned} tests are complete.` : '';
  const next = ` It is asked in up to ten sittings; the next is number ${begun.sittings + 1}.`;
  return html`
<p>${REASONS[reason].sentence}${counts}${next} The verdict comes with the last of them.</p>`;
}

function waiting(name: Html, until: number, now: number): Html {
  const end =
    until <= now
      ? html`Its time to wait is over; the result follows within a minute or two.`
      : html`Waiting for messages that we sent through it, until ${when(until, now)}.`;
  return html`<p>${name}: ${end}</p>
<p>The server refused every foreign recipient, but takes any local part at its own domains, such as <code>user%foreign.example@its.own</code>. If one of those messages comes back to us, it is an open relay, and you hear of it at once; if none does, it is closed. There is nothing for you to do.</p>`;
}

function isUnderWay({ underWay }: OwedScan, now: number): boolean {
  return underWay !== undefined && now - underWay.since < SITTING_MS;
}
