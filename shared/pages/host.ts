import { backscatterOf, latestBounces } from '../domain/backscatter.ts';
import { brokenTlsAt, brokenTlsSentence } from '../domain/broken-tls.ts';
import { explanationOf } from '../domain/explanation.ts';
import { holeSentence } from '../domain/hole.ts';
import type { Host, LastScan } from '../domain/host.ts';
import { isAcknowledged } from '../domain/noise.ts';
import { type Seen, seenIn } from '../domain/notice.ts';
import type { LegEvidence, OwedScan, Scan } from '../domain/scan.ts';
import { nextDue } from '../domain/schedule.ts';
import type { Span } from '../domain/timeline.ts';
import { type Html, html } from '../markup/html.ts';
import { backscatterNote } from './backscatter.ts';
import { evidence, remedy } from './evidence.ts';
import { adviceOn } from './host-advice.ts';
import { PERIOD_WORDS } from './host-fields.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { actButton, badge, counted, relative, when } from './parts.ts';
import { scanTable } from './scan-table.ts';
import { type StoppedRecipient, stopWords } from './stops.ts';
import { timeline } from './timeline.ts';
import { owedScans, refreshSeconds } from './under-way.ts';

/** A host with all that its page shows. `last` is its last counted scan with what its legs showed. */
export type HostPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly now: number;
  readonly days: number;
  readonly last: { readonly scan: Scan; readonly legs: readonly LegEvidence[] } | undefined;
  readonly spans: readonly Span[];
  readonly scans: readonly Scan[];
  readonly owed: readonly OwedScan[];
  readonly unconfirmed: readonly string[];
  readonly stopped: readonly StoppedRecipient[];
};

/** The page of one host: what is wrong, what to do, what it showed. */
export function hostPage(page: HostPage): string {
  const { visitor, host, now, days, last, spans, scans, owed } = page;
  const { relay } = host.state;
  const isBad = relay === 'open' || relay === 'suspected';
  const seen = isBad && last !== undefined ? seenIn(last.scan, last.legs, relay) : undefined;
  const isKnownSink = relay === 'suspected' && isAcknowledged(host.settings, host.state);
  const bounces = latestBounces(scans);
  const again = actButton(visitor.formToken, `/hosts/${host.id}/scans`, 'Scan again');
  return layout(
    host.settings.name,
    html`${hostHead(host, '', again)}
${verdictBox(page, seen)}
${attention(page)}
${backscatterNote(backscatterOf(bounces, last?.legs ?? []), bounces)}
${owedScans(owed, now)}
${seen === undefined ? undefined : evidence(seen)}
${isBad && !isKnownSink ? remedy({ software: seen?.software, hole: seen?.hole }) : undefined}
${timeline({ hostId: host.id, spans, lastScanAt: host.state.last?.startedAt, days, now })}
<h2>Last scans</h2>
${scans.length === 0 ? html`<p class="dim">None yet.</p>` : html`${scanTable(scans, now)}<p><a href="/hosts/${host.id}/scans">All scans, and files of them</a></p>`}
${facts(host, now)}`,
    { visitor, wide: true, refreshSeconds: refreshSeconds(owed, now) },
  );
}

function verdictBox(page: HostPage, seen: Seen | undefined): Html {
  const { visitor, host, now, last } = page;
  const { relay, since, sink, pending } = host.state;
  const tone = relay === 'open' || relay === 'suspected' ? ' bad' : relay === 'closed' && pending === undefined ? ' good' : '';
  return html`<div class="note${tone}"><p class="verdict">${badge(relay)} ${SAYS[relay]}${since === undefined ? undefined : html` <span class="dim">Since ${when(since, now)}.</span>`}</p>
${seen?.hole === undefined ? undefined : html`<p><strong>${holeSentence(seen.hole)}</strong></p>`}
${last === undefined ? undefined : html`<p>The last scan, ${when(last.scan.startedAt, now)}: ${badge(last.scan.judgement.verdict)} ${explanationOf(last.scan)}${countsOf(last.scan)}</p>`}
${pending === undefined ? undefined : html`<p>A scan showed it to be <strong>${pending.to}</strong>. That counts when a second scan agrees, which ${pending.notBefore > now ? html`is due ${when(pending.notBefore, now)}` : 'is due now'}.</p>`}
${relay === 'closed' ? closedWords(host, now) : undefined}
${relay === 'suspected' && sink === true ? sinkWords(host, visitor) : undefined}</div>`;
}

const SAYS: Readonly<Record<Host['state']['relay'], string>> = {
  open: 'It is an open relay: mail of strangers goes through it to anyone.',
  suspected: 'It answers as an open relay. Whether it delivers such mail is not proven.',
  closed: 'It refuses to relay for strangers.',
  unknown: 'Nothing is proven of it yet.',
};

function countsOf({ judgement: { completed, planned } }: Scan): string {
  return planned === 0 ? '' : ` ${completed} of ${planned} tests were completed.`;
}

function closedWords({ id, settings, state }: Host, now: number): Html {
  const full = state.lastFull === undefined ? undefined : html`The full table of tests was last run ${when(state.lastFull, now)}. `;
  return html`${settings.servedDomains.length === 0 ? noDomainWords(id) : undefined}<p class="hint">${full}<a href="/closed">What “closed” does not cover</a></p>`;
}

function noDomainWords(id: string): Html {
  return html`<p>It has no served domain, so tests that claim one were left out, and a refusal of us looks like a refusal to relay: <a href="/hosts/${id}/settings#servedDomains">name a domain it takes mail for</a>.</p>\n`;
}

function sinkWords(host: Host, { formToken }: Visitor): Html {
  if (isAcknowledged(host.settings, host.state))
    return html`<p>You have acknowledged it as a sink: you hear no more of it until something changes.</p>`;
  return html`<p>It takes invented users of its own too, as a mail sink or a honeypot does. If it is one on purpose, acknowledge it, and you hear no more of it until something changes.</p>
${actButton(formToken, `/hosts/${host.id}/acknowledge`, 'Acknowledge it as a sink', 'quiet')}`;
}

function attention({ host, last, owed, unconfirmed, stopped, now }: HostPage): Html | undefined {
  const { id, state } = host;
  const points: Html[] = [
    ...(state.last === undefined && owed.length === 0
      ? [html`It has not been scanned. <a href="/hosts/${id}/consent">See whether consent is there</a>.`]
      : []),
    ...pausedWords(state.last?.paused ?? [], id),
    ...(last === undefined || isPaused(state.last, last.scan) ? [] : adviceOn(last.scan.judgement.reason, id)),
    ...brokenTls(last?.legs ?? [], state.brokenTls ?? []),
    ...(state.silence === undefined
      ? []
      : [
          html`No scheduled scan could audit it since ${when(state.silence.since, now)}${state.silence.scans === 0 ? '' : ` (${counted(state.silence.scans, 'scan')})`}.`,
        ]),
    ...unconfirmed.map(
      (email) =>
        html`${email} has not confirmed that they want alerts, and gets none until they do. <a href="/hosts/${id}/settings">Save the settings</a> to have them asked again.`,
    ),
    ...stopped.map(
      ({ email, why }) => html`${email} is not mailed: ${stopWords(why)}. <a href="/hosts/${id}/settings">Name another recipient</a>.`,
    ),
  ];
  if (points.length === 0) return undefined;
  return html`<section class="note"><h2 class="first">Needs attention</h2><ul>${points.map((point) => html`<li>${point}</li>`)}</ul></section>`;
}

// What the last scan saw, and not how it stands now: only who proves an address now may know that, and its consent page asks.
function pausedWords(paused: readonly string[], hostId: string): Html[] {
  if (paused.length === 0) return [];
  const addresses = paused.length === 1 ? paused[0] : `${paused.slice(0, -1).join(', ')} and ${paused.at(-1)}`;
  return [
    html`An opt-out had paused <strong>${addresses}</strong>, so the last scan sent nothing there. <a href="/hosts/${hostId}/consent">The consent page</a> says whether that still holds; if it does, you can lift the pause there.`,
  ];
}

// Vetoed by nothing that is not told more exactly already.
function isPaused(state: LastScan | undefined, { judgement }: Scan): boolean {
  return judgement.reason === 'vetoed' && state?.paused !== undefined;
}

// With the reason, where the last scan tried that port; or else as the last full table showed it.
function brokenTls(legs: readonly LegEvidence[], ports: readonly number[]): Html[] {
  const seen = legs.flatMap((leg) => brokenTlsSentence(leg) ?? []);
  const others = ports.filter((port) => !legs.some((leg) => leg.port === port && leg.transport !== 'plain'));
  const all = [...seen, ...others.map((port) => `${brokenTlsAt(port)}, as the last full table of tests showed.`)];
  return [...new Set(all)]
    .slice(0, BROKEN_SHOWN)
    .map((each) => html`${each} Look at its certificate, its key and its versions of TLS; or stop offering it there.`);
}

const BROKEN_SHOWN = 4; // as many as there are ports; at each of several addresses it may be broken for another reason

function facts({ id, settings, createdAt }: Host, now: number): Html {
  const { period, ports, servedDomains, controlMailbox, alertRecipients, webhook } = settings;
  return html`<h2>Settings</h2>
<dl>
<dt>Scanned</dt><dd>${PERIOD_WORDS[period]}, next ${relative(nextDue(id, period, now), now)}</dd>
<dt>Ports</dt><dd>${ports.join(', ')}</dd>
<dt>Served domains</dt><dd>${servedDomains.length === 0 ? html`none: a refusal to relay cannot be told from a refusal of us` : servedDomains.join(', ')}</dd>
${servedDomains.length === 0 ? undefined : html`<dt>Control mailbox</dt><dd>${controlMailbox ?? 'postmaster at a served domain'}</dd>`}
<dt>Alerts go to</dt><dd>${alertRecipients.join(', ')}${webhook === undefined ? undefined : ' and a webhook'}</dd>
<dt>Registered</dt><dd>${when(createdAt, now)}</dd>
</dl>
<p><a href="/hosts/${id}/settings">Change settings</a> · <a href="/hosts/${id}/delete">Delete this host</a></p>`;
}
