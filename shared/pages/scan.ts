import { backscatterOf } from '../domain/backscatter.ts';
import { brokenTlsSentence } from '../domain/broken-tls.ts';
import { explanationOf } from '../domain/explanation.ts';
import { type Hole, holeIn } from '../domain/hole.ts';
import type { Host } from '../domain/host.ts';
import { type Judgement, REASONS, type Reason, type Verdict } from '../domain/reason.ts';
import { LOST_ADDRESSES, softwareSentence } from '../domain/remedies.ts';
import type { LegEvidence, Outcome, OwedScan, Scan, Stage, TestResult } from '../domain/scan.ts';
import { worse } from '../domain/timeline.ts';
import { printable } from '../domain/transcript.ts';
import { hasBrokenTls, judgeLeg, legName, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import { type Html, html } from '../markup/html.ts';
import { backscatterNote } from './backscatter.ts';
import { holeBox, said, way } from './evidence.ts';
import { fitting } from './fitting.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { badge, counted, spanWords, when } from './parts.ts';
import { kindWords } from './scan-table.ts';
import { owedScans, refreshSeconds } from './under-way.ts';

// Characters as they are sent, of which the page as a whole may have 100 KiB: a quotation mark that a server said is six of them.
const LEGS_LIMIT = 64_000; // of the legs that are shown whole; the first that is may be longer, as far as the next two let it
const TESTS_LIMIT = 38_000; // of one leg's tests: the table twice over
const TRANSCRIPT_LIMIT = 16_000; // of one leg's transcript

/** A finished scan with all it saw. `leg` is the one to be shown, if not all; `provesOf` says what a test would prove if it were accepted. */
export type ScanPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly scan: Scan;
  readonly legs: readonly LegEvidence[];
  readonly leg?: string | undefined;
  readonly provesOf: (test: string) => string | undefined;
  readonly now: number;
};

/** The page of one scan: each leg, the worst first, what each test of it proves, and every line that was said. */
export function scanPage({ visitor, host, scan, legs, leg, provesOf, now }: ScanPage): string {
  const { verdict, completed, planned } = scan.judgement;
  const path = `/hosts/${host.id}/scans/${scan.id}`;
  const hole = holeIn(legs, scan.arrivals);
  const judged = legs.map((each) => ({ leg: each, judgement: judgeLeg(each, scan.arrivals) })).toSorted(byVerdict(verdict));
  const chosen = judged.filter((each) => legName(each.leg) === leg);
  const shown = fitting(chosen.length === 0 ? judged : chosen, (each) => legSection(each, provesOf, hole), LEGS_LIMIT, 1);
  const others = chosen.length === 0 ? judged.slice(shown.length) : judged.filter((each) => !chosen.includes(each));
  const arrivals = scan.arrivals?.length ?? 0;
  const software = legs.find((each) => scan.openLegs.includes(legName(each)))?.software;
  return layout(
    `Scan of ${host.settings.name}`,
    html`${hostHead(host, '/scans')}
<h2>Scan of ${when(scan.startedAt, now)}</h2>
<p class="verdict">${badge(verdict)} ${explanationOf(scan)}</p>
${holeBox(hole, software)}
<dl>
<dt>Kind</dt><dd>${kindWords(scan.kind)}, ${scan.full ? 'the full table of tests' : 'a part of the table'}</dd>
<dt>Tests</dt><dd>${completed} of ${planned} completed</dd>
<dt>Took</dt><dd>${took(scan)}</dd>
<dt>Everything</dt><dd><a href="${path}.json">this scan as a JSON file</a></dd>
</dl>
${(scan.arrivals ?? []).slice(0, 1).map(way)}
${arrivals > 1 ? html`<p>And ${counted(arrivals - 1, 'more message')}: <a href="${path}.json">the file</a> has their ways.</p>` : undefined}
${backscatterNote(backscatterOf(scan.bounces, legs), scan.bounces ?? [])}
${shown}
${others.length === 0 ? undefined : html`<h2>Other legs</h2>\n${chosen.length === 0 ? html`<p>${counted(others.length, 'more leg')} would make this page too long. Each can be looked at by itself.</p>` : html`<p><a href="${path}">Show them all</a></p>`}\n${legList(others, path)}`}
${legs.length === 0 ? html`<p class="dim">Nothing was sent, so no leg showed anything; or what it showed has expired.</p>` : undefined}`,
    { visitor, wide: true },
  );
}

const LONG_MS = 120_000; // told in minutes: its sittings lay apart, or it waited

function took({ startedAt, finishedAt, waitedMs }: Scan): string {
  const ms = finishedAt - startedAt;
  const all = ms < LONG_MS ? `${Math.max(1, Math.round(ms / 1000))} s` : spanWords(ms);
  return waitedMs === undefined ? all : `${all}, most of it waiting for messages`;
}

type JudgedLeg = { readonly leg: LegEvidence; readonly judgement: Judgement };

// The worst first; a leg that nobody gets into by TLS comes last, unless it made the verdict of the scan.
function byVerdict(ofScan: Verdict): (a: JudgedLeg, b: JudgedLeg) => number {
  const isLast = ({ leg, judgement: { verdict } }: JudgedLeg) => hasBrokenTls(leg) && verdict !== ofScan;
  return (a, b) => {
    const [one, other] = [a.judgement.verdict, b.judgement.verdict];
    const worst = one === other ? 0 : worse(one, other) === one ? -1 : 1;
    return Number(isLast(a)) - Number(isLast(b)) || worst;
  };
}

function legList(legs: readonly JudgedLeg[], path: string): Html {
  const items = legs.map(({ leg, judgement }) => {
    const name = legName(leg);
    return html`<li><a href="${path}?leg=${encodeURIComponent(name)}"><code>${name}</code></a> ${badge(judgement.verdict)} ${REASONS[judgement.reason].sentence}</li>\n`;
  });
  return html`<ul>${items}</ul>`;
}

/** The page of a scan that is still to be made, or being made. */
export function owedScanPage(visitor: Visitor, host: Host, owed: OwedScan, now: number): string {
  return layout(`Scan of ${host.settings.name}`, html`${hostHead(host, '/scans')}\n${owedScans([owed], now)}`, {
    visitor,
    wide: true,
    refreshSeconds: refreshSeconds([owed], now),
  });
}

function legSection({ leg, judgement }: JudgedLeg, provesOf: ScanPage['provesOf'], hole: Hole | undefined): Html {
  const { verdict, reason } = judgement;
  const { costs, tls, software, seesUsAs, injected } = leg;
  const broken = brokenTlsSentence(leg);
  const facts: Html[] = [
    ...(software === undefined ? [] : [html`${said(softwareSentence(software))}`]),
    ...(tls === undefined
      ? []
      : [
          html`TLS: ${said(tls.version)}, ${said(tls.cipher)}${tls.subject === undefined ? undefined : `, certificate of ${said(tls.subject)}`}${tls.distrust === undefined ? undefined : `, which a browser would not trust (${said(tls.distrust)})`}.`,
        ]),
    ...(seesUsAs === undefined || seesUsAs === hole?.seesUsAs ? [] : [html`${LOST_ADDRESSES}`]),
    ...(broken === undefined ? [] : [html`<strong>${broken}</strong>`]),
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
${testsOf(leg, provesOf, ANY_LOCAL_PART.includes(reason))}
${transcriptOf(leg)}</section>
`;
}

// Of a server that takes any local part, whose accepted recipients would otherwise read as proof.
const ANY_LOCAL_PART: readonly Reason[] = ['catch-all', 'awaiting-messages', 'any-local-part'];
const PROVES_NOTHING = html`<p>It takes invented local parts of the same forms too, so these prove nothing unless a message comes back.</p>`;

function testsOf({ contact, tests, controls }: LegEvidence, provesOf: ScanPage['provesOf'], anyLocal: boolean): Html | undefined {
  const accepted = tests.filter(({ outcome }) => outcome === 'accepted');
  // Without TLS none of them could run, and a table of that says nothing.
  const isTold = ({ outcome }: TestResult) => contact !== 'tls-failed' || outcome !== 'not-run';
  const others = [...tests.filter(({ outcome }) => outcome !== 'accepted'), ...controls].filter(isTold);
  const rows = fitting([...accepted, ...others], (each) => testRow(each, provesOf), TESTS_LIMIT);
  const [first, second] = [rows.slice(0, accepted.length), rows.slice(accepted.length)];
  return html`${accepted.length === 0 ? undefined : html`<h3>Accepted</h3>${anyLocal ? PROVES_NOTHING : undefined}${testTable(first, accepted.length)}`}
${others.length === 0 ? undefined : html`<details><summary>${counted(others.length, accepted.length === 0 ? 'test' : 'other test')}, controls among them</summary>${testTable(second, others.length)}</details>`}`;
}

function testTable(rows: readonly Html[], all: number): Html {
  const rest = all - rows.length;
  return html`<table class="stacked"><thead><tr><th scope="col">If accepted, it shows</th><th scope="col">Outcome</th><th scope="col">Envelope</th><th scope="col">Answer</th></tr></thead><tbody>${rows}</tbody></table>
${rest === 0 ? undefined : html`<p class="hint">${counted(rest, 'more test')}: the file has them all.</p>`}`;
}

const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  accepted: 'accepted',
  refused: 'refused',
  greylisted: 'greylisted',
  deferred: 'put off',
  'about-us': 'refused because of who we are',
  'authentication-required': 'authentication required',
  'starttls-first': 'STARTTLS required',
  'not-run': 'not run',
};

const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  greeting: 'at the greeting',
  ehlo: 'at EHLO',
  mail: 'at MAIL FROM',
  rcpt: 'at RCPT TO',
  data: 'at DATA',
  message: 'after the message',
};

function testRow({ test, outcome, stage, from, to, reply }: TestResult, provesOf: ScanPage['provesOf']): Html {
  const how = outcome === 'not-run' ? OUTCOME_WORDS[outcome] : `${OUTCOME_WORDS[outcome]} ${STAGE_WORDS[stage]}`;
  const envelope = [from, to].flatMap((each) => (each === undefined ? [] : [html`<code>${said(each)}</code>`]));
  const [sender, recipient] = envelope;
  return html`<tr><td data-label="If accepted">${provesOf(test) ?? controlWords(test) ?? test}</td><td data-label="Outcome">${how}</td>
<td data-label="Envelope">${sender}${recipient === undefined ? undefined : html` → ${recipient}`}</td><td data-label="Answer">${reply === undefined ? undefined : html`<code>${said(reply)}</code>`}</td></tr>
`;
}

function controlWords(test: string): string | undefined {
  if (test === POSITIVE_CONTROL) return 'Control: it takes mail for a domain of its own from us at all.';
  return test.startsWith(NEGATIVE_CONTROL) ? 'Control: it takes mail for users that do not exist, so it takes everything.' : undefined;
}

function transcriptOf({ transcript }: LegEvidence): Html | undefined {
  if (transcript.length === 0) return undefined;
  const shown = fitting(transcript, (line) => html`${printable(line)}\n`, TRANSCRIPT_LIMIT);
  const rest = transcript.length - shown.length;
  return html`<details><summary>Transcript (${counted(transcript.length, 'line')})</summary>
<pre class="transcript" tabindex="0" role="region" aria-label="Transcript">${shown}</pre>
${rest === 0 ? undefined : html`<p class="hint">${counted(rest, 'more line')}: the file has them all.</p>`}</details>`;
}
