import type { Host } from '../domain/host.ts';
import { html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';

/** The page that says why something that was asked for a host was not done, with the way back to it. */
export function hostProblemPage(visitor: Visitor, host: Host, why: string): string {
  return layout(
    host.settings.name,
    html`${hostHead(host, undefined)}
<div class="note bad" role="alert"><p>${why}</p></div>
<p><a href="/hosts/${host.id}">Back to the host</a></p>`,
    { visitor, wide: true },
  );
}
