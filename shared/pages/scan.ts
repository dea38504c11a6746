import type { Host } from '../domain/host.ts';
import { REASONS } from '../domain/reason.ts';
import { LOST_ADDRESSES, softwareSentence } from '../domain/remedies.ts';
import type { LegEvidence, OwedScan, Scan, TestResult } from '../domain/scan.ts';
import { printable } from '../domain/transcript.ts';
import { judgeLeg, legName } from '../domain/verdict.ts';
import { said, way } from './evidence.ts';
import { hostHead } from './host-tabs.ts';
import { type Html, html, textOf } from './html.ts';
import { layout, type Visitor } from './layout.ts';
import { badge, counted, when } from './parts.ts';
import { kindWords } from './scan-table.ts';
import { isLive, owedScans, REFRESH_SECONDS } from './under-way.ts';

const PAGE_LIMIT = 80_000; // characters of legs on one page; with the rest under 100 KiB
const TRANSCRIPT_LIMIT = 12_000; // characters of one leg's transcript

/** A finished scan with all it saw. `provesOf` says what a test would prove if it were accepted. */
export type ScanPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly scan: Scan;
  readonly legs: readonly LegEvidence[];
  readonly provesOf: (test: string) => string | undefined;
  readonly now: number;
};

/** The page of one scan: each leg, what each test of it proves, and every line that was said. */
export function scanPage({ visitor, host, scan, legs, provesOf, now }: ScanPage): string {
  const { verdict, reason, completed, planned } = scan.judgement;
  const file = `/hosts/${host.id}/scans/${scan.id}.json`;
  const shown = fitting(legs.map((leg) => legSection(leg, scan, provesOf)));
  const rest = legs.length - shown.length;
  const arrivals = scan.arrivals?.length ?? 0;
  return layout(
    `Scan of ${host.settings.name}`,
    html`${hostHead(host, '/scans')}
<h2>Scan of ${when(scan.startedAt, now)}</h2>
<p class="verdict">${badge(verdict)} ${REASONS[reason].sentence}</p>
<dl>
<dt>Kind</dt><dd>${kindWords(scan.kind)}, ${scan.full ? 'the full table of tests' : 'a part of the table'}</dd>
<dt>Tests</dt><dd>${completed} of ${planned} completed</dd>
<dt>Took</dt><dd>${Math.max(1, Math.round((scan.finishedAt - scan.startedAt) / 1000))} s</dd>
<dt>Everything</dt><dd><a href="${file}">this scan as a JSON file</a></dd>
</dl>
${(scan.arrivals ?? []).slice(0, 1).map(way)}
${arrivals > 1 ? html`<p>And ${counted(arrivals - 1, 'more message')}: the file has their ways.</p>` : undefined}
${shown}
${rest === 0 ? undefined : html`<p class="note">${counted(rest, 'more leg')} would make this page too long: <a href="${file}">the file</a> has them all.</p>`}
${legs.length === 0 ? html`<p class="dim">Nothing was sent, so no leg showed anything; or what it showed has expired.</p>` : undefined}`,
    { visitor, wide: true },
  );
}

/** The page of a scan that is still to be made, or being made. */
export function owedScanPage(visitor: Visitor, host: Host, owed: OwedScan, now: number): string {
  const refreshSeconds = isLive([owed], now) ? REFRESH_SECONDS : undefined;
  return layout(`Scan of ${host.settings.name}`, html`${hostHead(host, '/scans')}\n${owedScans([owed], now)}`, {
    visitor,
    wide: true,
    refreshSeconds,
  });
}

function fitting(sections: readonly Html[]): Html[] {
  const shown: Html[] = [];
  let size = 0;
  for (const section of sections) {
    size += textOf(section).length;
    if (size > PAGE_LIMIT && shown.length > 0) break;
    shown.push(section);
  }
  return shown;
}

function legSection(leg: LegEvidence, scan: Scan, provesOf: ScanPage['provesOf']): Html {
  const { verdict, reason } = judgeLeg(leg, scan.arrivals);
  const { costs, tls, software, seesUsAs, injected } = leg;
  const facts: Html[] = [
    ...(software === undefined ? [] : [html`${said(softwareSentence(software))}`]),
    ...(tls === undefined
      ? []
      : [
          html`TLS: ${said(tls.version)}, ${said(tls.cipher)}${tls.subject === undefined ? undefined : `, certificate of ${said(tls.subject)}`}${tls.distrust === undefined ? undefined : `, which a browser would not trust (${said(tls.distrust)})`}.`,
        ]),
    ...(seesUsAs === undefined ? [] : [html`${LOST_ADDRESSES}`]),
    ...(injected === undefined
      ? []
      : [html`Plaintext came behind the answer to STARTTLS, and was dropped: <code>${said(injected)}</code>`]),
    ...(costs.connections === 0
      ? []
      : [
          html`${counted(costs.connections, 'connection')}, ${counted(costs.commands, 'command')}, ${counted(costs.refusals, 'refusal')} that it counts against us.`,
        ]),
  ];
  return html`<section><h2><code>${legName(leg)}</code> ${badge(verdict)}</h2>
<p>${REASONS[reason].sentence}</p>
${facts.length === 0 ? undefined : html`<ul>${facts.map((fact) => html`<li>${fact}</li>`)}</ul>`}
${testsOf(leg, provesOf)}
${transcriptOf(leg)}</section>
`;
}

function testsOf({ tests, controls }: LegEvidence, provesOf: ScanPage['provesOf']): Html | undefined {
  const accepted = tests.filter(({ outcome }) => outcome === 'accepted');
  const others = [...tests.filter(({ outcome }) => outcome !== 'accepted'), ...controls];
  return html`${accepted.length === 0 ? undefined : html`<h3>Accepted</h3>${testTable(accepted, provesOf)}`}
${others.length === 0 ? undefined : html`<details><summary>${counted(others.length, accepted.length === 0 ? 'test' : 'other test')}, controls among them</summary>${testTable(others, provesOf)}</details>`}`;
}

function testTable(tests: readonly TestResult[], provesOf: ScanPage['provesOf']): Html {
  const rows = tests.map(
    ({
      test,
      outcome,
      stage,
      from,
      to,
      reply,
    }) => html`<tr><td data-label="Test">${provesOf(test) ?? (test.startsWith('control') ? 'Control: shows whether the server talks to us, or takes everything.' : test)}</td>
<td data-label="Outcome">${outcome} at ${stage}</td><td data-label="Envelope">${from === undefined ? undefined : html`<code>${said(from)}</code>`}${to === undefined ? undefined : html` → <code>${said(to)}</code>`}</td>
<td data-label="Answer">${reply === undefined ? undefined : html`<code>${said(reply)}</code>`}</td></tr>
`,
  );
  return html`<table class="stacked"><thead><tr><th scope="col">Test</th><th scope="col">Outcome</th><th scope="col">Envelope</th><th scope="col">Answer</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function transcriptOf({ transcript }: LegEvidence): Html | undefined {
  if (transcript.length === 0) return undefined;
  const lines: string[] = [];
  let size = 0;
  for (const line of transcript) {
    const shown = printable(line);
    size += shown.length + 1;
    if (size > TRANSCRIPT_LIMIT) break;
    lines.push(shown);
  }
  const rest = transcript.length - lines.length;
  return html`<details><summary>Transcript (${counted(transcript.length, 'line')})</summary>
<pre class="transcript" tabindex="0" role="region" aria-label="Transcript">${lines.join('\n')}</pre>
${rest === 0 ? undefined : html`<p class="hint">${counted(rest, 'more line')}: the file has them all.</p>`}</details>`;
}
