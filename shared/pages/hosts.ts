import { brokenTlsAt } from '../domain/broken-tls.ts';
import { awaitsDns } from '../domain/consent-watch.ts';
import { type Host, recentVerdicts } from '../domain/host.ts';
import type { OwedScan } from '../domain/scan.ts';
import { nextDue } from '../domain/schedule.ts';
import { shareOf } from '../domain/shares.ts';
import { type Html, html } from '../markup/html.ts';
import { PERIOD_WORDS } from './host-fields.ts';
import { layout, type Visitor } from './layout.ts';
import { badge, counted, relative, strip, stripShapes, when } from './parts.ts';

const HOSTS_A_PAGE = 30; // with their strips under 100 KiB

/** One page of hosts, counted from 1, and the number of the last. */
export type PageOfHosts = { readonly hosts: readonly Host[]; readonly number: number; readonly last: number };

/**
 * The table of an account's hosts: all of them, of which one page is shown. `more`: there are so many that not all were read.
 * `unfinished` are the scans that hosts of that page wait for.
 */
export type HostsPage = {
  readonly visitor: Visitor;
  readonly hosts: readonly Host[];
  readonly shown: PageOfHosts;
  readonly unfinished: readonly OwedScan[];
  /** How many scans were due and are left for a later minute. */
  readonly waiting: number;
  readonly more: boolean;
  readonly now: number;
};

/** The hosts of one page: those in trouble first, whatever page they would be on. */
export function pageOfHosts(hosts: readonly Host[], number: number): PageOfHosts {
  const last = Math.max(1, Math.ceil(hosts.length / HOSTS_A_PAGE));
  const shown = Math.min(Math.max(1, number), last);
  const sorted = hosts.toSorted((a, b) => rankOf(a) - rankOf(b) || a.settings.name.localeCompare(b.settings.name));
  return { hosts: sorted.slice((shown - 1) * HOSTS_A_PAGE, shown * HOSTS_A_PAGE), number: shown, last };
}

/** The page that answers at a glance which hosts are in trouble. */
export function hostsPage({ visitor, hosts, shown, unfinished, waiting, more, now }: HostsPage): string {
  return layout(
    'Hosts',
    html`<div class="head"><h1>Hosts</h1>${hosts.length === 0 ? undefined : html`<a class="button" href="/hosts/new">Register a server</a>`}</div>
${hosts.length === 0 ? nothingYet() : table(summary(hosts), shown, unfinished, now)}
${waiting === 0 ? undefined : html`<p class="note">${counted(waiting, 'scan')} of yours ${waiting === 1 ? 'waits' : 'wait'}: ${shareOf(hosts.length)} of your scans begin in a minute.</p>`}
${more ? html`<p class="note">There are more hosts than this table reads: the API lists them all.</p>` : undefined}
${shown.last === 1 ? undefined : pagesNav(shown)}`,
    { visitor, wide: true },
  );
}

function pagesNav({ number: shown, last }: PageOfHosts): Html {
  const link = (number: number, words: string) => html`<a href="/hosts?page=${number}">${words}</a> `;
  return html`<nav aria-label="Pages">${shown === 1 ? undefined : link(shown - 1, 'Earlier')}Page ${shown} of ${last} ${shown === last ? undefined : link(shown + 1, 'Further')}</nav>`;
}

function nothingYet(): Html {
  return html`<p class="lead">There is no server here yet.</p>
<p>Enter your domain or the name of a mail server. You see what it leads to and whose it is, and which record in DNS shows that it is yours. Then it is scanned for the first time, and you watch.</p>
<form method="get" action="/hosts/new">
<p class="field"><label for="name">Domain, server name or address</label>
<input id="name" name="name" type="text" placeholder="example.org" required autocapitalize="off" spellcheck="false"></p>
<button type="submit">Look it up</button>
</form>`;
}

const URGENCY: Readonly<Record<Host['state']['relay'], number>> = { open: 0, suspected: 1, unknown: 2, closed: 3 };

function table(lead: string, { hosts }: PageOfHosts, unfinished: readonly OwedScan[], now: number): Html {
  const waitsOf = ({ id }: Host) => unfinished.find(({ hostId }) => hostId === id);
  return html`${stripShapes()}
<p class="lead">${lead}</p>
<table class="stacked hosts">
<thead><tr><th scope="col">Host</th><th scope="col">Relay state</th><th scope="col">Last 30 scans, newest right</th><th scope="col">Last scan</th><th scope="col">Next scan</th><th scope="col">Needs attention</th></tr></thead>
<tbody>
${hosts.map((host) => row(host, waitsOf(host), now))}
</tbody>
</table>`;
}

// Trouble first, then what nobody can audit.
function rankOf(host: Host): number {
  return URGENCY[host.state.relay] * 2 + (attentionOf(host).length > 0 ? 0 : 1);
}

function summary(hosts: readonly Host[]): string {
  const count = (relay: Host['state']['relay']) => hosts.filter(({ state }) => state.relay === relay).length;
  const parts = (['open', 'suspected', 'closed'] as const).flatMap((relay) => (count(relay) === 0 ? [] : [`${count(relay)} ${relay}`]));
  const unknown = count('unknown');
  return [`${counted(hosts.length, 'host')}:`, [...parts, ...(unknown === 0 ? [] : [`${unknown} not known yet`])].join(', ')].join(' ');
}

const DOMAINS_SHOWN = 3; // in a row of the table

function domainsShown(domains: readonly string[]): string {
  const others = domains.length - DOMAINS_SHOWN;
  return others > 1 ? `${domains.slice(0, DOMAINS_SHOWN).join(', ')} and ${others} others` : domains.join(', ');
}

function row(host: Host, waits: OwedScan | undefined, now: number): Html {
  const { id, settings, state } = host;
  const { last } = state;
  const domains = settings.servedDomains.length === 0 ? undefined : html`<span class="hint">${domainsShown(settings.servedDomains)}</span>`;
  return html`<tr>
<th scope="row"><a href="/hosts/${id}">${settings.name}</a>${domains}</th>
<td data-label="Relay state">${badge(state.relay)}${state.since === undefined ? undefined : html`<span class="hint">since ${when(state.since, now)}</span>`}</td>
<td data-label="Last scans">${scansCell(host, waits, now)}</td>
<td data-label="Last scan">${last === undefined ? html`<span class="dim">none yet</span>` : html`${last.verdict}<span class="hint">${when(last.startedAt, now)}</span>`}</td>
<td data-label="Next scan">${relative(nextDue(id, settings.period, now), now)}<span class="hint">${PERIOD_WORDS[settings.period]}</span></td>
<td data-label="Needs attention">${attentionCell(host, waits)}</td>
</tr>
`;
}

function scansCell({ state: { recent, putOff } }: Host, waits: OwedScan | undefined, now: number): Html {
  const waiting = waits === undefined ? undefined : waitWords(waits, now);
  const verdicts = recentVerdicts(recent);
  if (verdicts.length > 0) return html`${strip(verdicts)}${waiting === undefined ? undefined : html`<span class="hint">${waiting}</span>`}`;
  return putOff === undefined ? strip(verdicts) : html`<span class="dim">${waiting ?? 'the first is not finished'}</span>`;
}

function waitWords(owed: OwedScan, now: number): Html | undefined {
  const until = owed.begun?.awaits?.until ?? 0;
  if (until > now) return html`waits for its messages until ${when(until, now)}`;
  return awaitsDns(owed) ? html`waits for DNS; looks again ${relative(owed.dueAt, now)}` : undefined;
}

function attentionCell(host: Host, waits: OwedScan | undefined): Html {
  const points = attentionOf(host, waits);
  if (points.length === 0) return html`<span class="dim">nothing</span>`;
  return html`${points.map(({ text, path }, index) => html`${index === 0 ? '' : html`<br>`}<a href="/hosts/${host.id}${path}">${text}</a>`)}`;
}

type Point = { readonly text: string; readonly path: string };

const FOR_DNS: Point = { text: 'It waits for DNS: see what is missing', path: '/consent' };

function unfinishedScan(scanId: string): Point {
  return { text: 'A scan is not finished', path: `/scans/${scanId}` };
}

function attentionOf({ state }: Host, waits?: OwedScan): Point[] {
  const { relay, last, silence, pending, putOff, brokenTls } = state;
  return [
    ...(relay === 'open' ? [{ text: 'Close it now', path: '' }] : []),
    ...(relay === 'suspected' ? [{ text: state.sink === true ? 'Is it a sink?' : 'It answers as an open relay', path: '' }] : []),
    ...(pending === undefined ? [] : [{ text: `May be ${pending.to}: a second scan follows`, path: '' }]),
    ...(last === undefined && pending === undefined && putOff === undefined
      ? [{ text: 'Not scanned yet: is consent there?', path: '/consent' }]
      : []),
    ...(putOff === undefined ? [] : [waits !== undefined && awaitsDns(waits) ? FOR_DNS : unfinishedScan(putOff)]),
    ...(brokenTls ?? []).slice(0, 1).map((port) => ({ text: brokenTlsAt(port), path: '' })),
    ...(last?.verdict === 'untestable' ? [{ text: 'Could not be tested', path: '' }] : []),
    ...(last?.verdict === 'unreachable' ? [{ text: 'Does not answer', path: '' }] : []),
    ...(silence?.told ? [{ text: 'Silent for several scans', path: '' }] : []),
  ];
}
