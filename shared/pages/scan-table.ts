import { explanationOf } from '../domain/explanation.ts';
import type { Scan, ScanKind } from '../domain/scan.ts';
import { type Html, html } from '../markup/html.ts';
import { badge, when } from './parts.ts';

const KINDS: Readonly<Record<ScanKind, string>> = {
  scheduled: 'scheduled',
  first: 'first',
  'on-demand': 'asked for',
  confirming: 'second, to confirm',
};

/** Why a scan was made, in words. */
export function kindWords(kind: ScanKind): string {
  return KINDS[kind];
}

/** Scans as a table, each leading to its page. */
export function scanTable(scans: readonly Scan[], now: number): Html {
  const rows = scans.map((scan) => {
    const { hostId, id, startedAt, kind, judgement, full } = scan;
    const { verdict, completed, planned } = judgement;
    return html`<tr><th scope="row"><a href="/hosts/${hostId}/scans/${id}">${when(startedAt, now)}</a></th>
<td data-label="Verdict">${badge(verdict)}</td><td data-label="Why">${explanationOf(scan)}</td>
<td data-label="Tests">${completed} of ${planned}${full ? undefined : html`<span class="hint">a part of the table</span>`}</td><td data-label="Kind">${KINDS[kind]}</td></tr>
`;
  });
  return html`<table class="stacked"><thead><tr><th scope="col">Scan</th><th scope="col">Verdict</th><th scope="col">Why</th><th scope="col">Tests</th><th scope="col">Kind</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}
