import type { Change } from '../domain/change.ts';
import type { Host } from '../domain/host.ts';
import { html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { badge, when } from './parts.ts';

/** A page of confirmed changes, newest first; `next` is the address of the following page. */
export type ChangesPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly changes: readonly Change[];
  readonly next: string | undefined;
  readonly now: number;
};

/** The page of a host's confirmed changes. */
export function changesPage({ visitor, host, changes, next, now }: ChangesPage): string {
  const rows = changes.map(
    ({
      at,
      from,
      to,
      firstScanId,
      scanId,
    }) => html`<tr><th scope="row">${when(at, now)}</th><td data-label="From">${badge(from)}</td><td data-label="To">${badge(to)}</td>
<td data-label="Shown by"><a href="/hosts/${host.id}/scans/${firstScanId}">the scan that showed it first</a>${firstScanId === scanId ? undefined : html`<br><a href="/hosts/${host.id}/scans/${scanId}">the one that confirmed it</a>`}</td></tr>
`,
  );
  return layout(
    `Changes of ${host.settings.name}`,
    html`${hostHead(host, '/changes')}
<h2>Changes</h2>
<p>A change to <em>open</em> counts when a message of ours came back; one to <em>suspected</em> or <em>closed</em> when a second scan agrees. Each is mailed.</p>
${changes.length === 0 ? html`<p class="dim">There was none yet.</p>` : html`<table class="stacked"><thead><tr><th scope="col">When</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Shown by</th></tr></thead><tbody>${rows}</tbody></table>`}
${next === undefined ? undefined : html`<p><a href="${next}">Earlier changes</a></p>`}`,
    { visitor, wide: true },
  );
}
