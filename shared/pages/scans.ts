import type { Host } from '../domain/host.ts';
import { VERDICTS, type Verdict } from '../domain/reason.ts';
import type { Scan } from '../domain/scan.ts';
import { type Html, html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { counted } from './parts.ts';
import { scanTable } from './scan-table.ts';

/** A page of scans, and what they were chosen by. Days are `2026-11-24`, in UTC; `next` is the address of the following page. */
export type ScansPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly scans: readonly Scan[];
  readonly filter: { readonly verdict: Verdict | undefined; readonly from: string; readonly to: string };
  readonly error?: string | undefined;
  readonly next: string | undefined;
  /** Most scans that a file holds. */
  readonly fileLimit: number;
  readonly now: number;
};

/** The page of all scans of a host, with files to take away. */
export function scansPage({ visitor, host, scans, filter, error, next, fileLimit, now }: ScansPage): string {
  return layout(
    `Scans of ${host.settings.name}`,
    html`${hostHead(host, '/scans')}
<h2>Scans</h2>
<form class="filter" method="get" action="/hosts/${host.id}/scans">
<p><label for="verdict">Verdict</label><select id="verdict" name="verdict"><option value="">any</option>${VERDICTS.map((each) => html`<option${each === filter.verdict ? html` selected` : undefined}>${each}</option>`)}</select></p>
${dayField('from', 'From day (UTC)', filter.from)}
${dayField('to', 'To day (UTC)', filter.to)}
<button type="submit">Show</button>
<button class="quiet" type="submit" formaction="/hosts/${host.id}/scans.csv">As CSV</button>
<button class="quiet" type="submit" formaction="/hosts/${host.id}/scans.json">As JSON</button>
</form>
<p class="hint">A file holds at most ${counted(fileLimit, 'scan')}, the newest of the days that you choose, whatever their verdict.</p>
${error === undefined ? undefined : html`<p class="error">${error}</p>`}
${scans.length === 0 ? html`<p class="dim">No scan here${next === undefined ? '' : ' among those looked at'}.</p>` : scanTable(scans, now)}
${next === undefined ? undefined : html`<p><a href="${next}">Earlier scans</a></p>`}`,
    { visitor, wide: true },
  );
}

function dayField(name: string, label: string, value: string): Html {
  return html`<p><label for="${name}">${label}</label><input id="${name}" name="${name}" type="date" value="${value}"></p>`;
}
