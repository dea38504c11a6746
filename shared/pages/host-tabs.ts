import type { Host } from '../domain/host.ts';
import { type Html, html } from '../markup/html.ts';

const TABS = [
  ['', 'Overview'],
  ['/scans', 'Scans'],
  ['/changes', 'Changes'],
  ['/notices', 'Mails'],
  ['/consent', 'Consent'],
  ['/settings', 'Settings'],
] as const;

/** A page of a host. */
export type HostTab = (typeof TABS)[number][0];

/** What stands over every page of a host: the way back, its name as the heading, and its pages. `beside` stands beside the name. */
export function hostHead({ id, settings }: Pick<Host, 'id' | 'settings'>, at: HostTab | undefined, beside?: Html): Html {
  const tabs = TABS.map(
    ([path, name]) => html`<a href="/hosts/${id}${path}"${path === at ? html` aria-current="page"` : undefined}>${name}</a>\n`,
  );
  return html`<nav class="trail" aria-label="Way back"><a href="/hosts">Hosts</a> › ${settings.name}</nav>
<div class="head"><h1>${settings.name}</h1>${beside}</div>
<nav class="tabs" aria-label="Pages of this host">${tabs}</nav>`;
}
