import { type Hole, holeSentence } from '../domain/hole.ts';
import { holeRemedies, otherRemedies } from '../domain/hole-remedies.ts';
import type { Seen } from '../domain/notice.ts';
import { queueCommands } from '../domain/queue-commands.ts';
import { type Software, softwareSentence } from '../domain/remedies.ts';
import { printable } from '../domain/transcript.ts';
import { type Html, html } from '../markup/html.ts';
import { copyable, counted, moment } from './parts.ts';

const TEXT_LIMIT = 300; // characters of what a server said, on pages that show many

/** What a server said, safe to show and no longer than a line or two. */
export function said(text: string): string {
  const shown = printable(text);
  return shown.length <= TEXT_LIMIT ? shown : `${shown.slice(0, TEXT_LIMIT)} …`;
}

/** What the last scan saw that shows a host to be open or suspected, in words that stand in the server's log too. */
export function evidence({ arrival, evidence: lines, envelopes }: Seen): Html {
  const rows = lines.map(
    ({
      leg,
      from,
      to,
      reply,
    }) => html`<tr><td data-label="Leg"><code>${leg}</code></td><td data-label="MAIL FROM"><code>${said(from)}</code></td>
<td data-label="RCPT TO"><code>${said(to)}</code></td><td data-label="It answered"><code>${said(reply)}</code></td></tr>
`,
  );
  return html`<h2>What it let through</h2>
${arrival === undefined ? undefined : way(arrival)}
${rows.length === 0 ? html`<p>Nothing in the last scan; the scan that showed it first is in the history.</p>` : html`<table class="stacked"><thead><tr><th scope="col">Leg</th><th scope="col">MAIL FROM</th><th scope="col">RCPT TO</th><th scope="col">It answered</th></tr></thead><tbody>${rows}</tbody></table>`}
${envelopes > lines.length ? html`<p class="hint">And ${counted(envelopes - lines.length, 'envelope')} more: the scan has all.</p>` : undefined}`;
}

/** The way of a message that came back. */
export function way({ leg, sentAt, at, path }: NonNullable<Seen['arrival']>): Html {
  const hops = path.slice(0, 10).map(({ from, address, by }) => {
    const sender = [from, address === undefined ? undefined : `[${address}]`].flatMap((each) => (each === undefined ? [] : [said(each)]));
    return html`<li>from <code>${sender.join(' ') || 'unknown'}</code> to <code>${said(by ?? 'unknown')}</code></li>`;
  });
  return html`<p>A message of ours went in at <code>${leg}</code>, ${moment(sentAt)}, and came back to our mailbox, ${moment(at)}.</p>
${hops.length === 0 ? undefined : html`<details><summary>Its way, by its Received headers, newest first</summary><ol>${hops}</ol></details>`}`;
}

/** The steps from an open relay to one that is closed and trusted again, with the commands of its software where we know it. */
export function remedy({ software, hole }: Pick<Seen, 'software' | 'hole'>): Html {
  const queue = queueCommands(software);
  return html`<h2>What to do now</h2>
${software === undefined ? undefined : html`<p>${said(softwareSentence(software))}</p>`}
<ol>
<li>Stop SMTP from outside: close port 25 at the firewall, or stop the mail service.</li>
<li>Hold what waits in the outgoing queue.${commands(queue?.hold)}</li>
${closing(hole, software)}
<li>Look through the queue and delete mail that is not yours.${commands(queue === undefined ? undefined : [...queue.look, ...queue.remove])}</li>
<li>Open SMTP again, and press “Scan again” here. Closed is shown when a second scan agrees, five minutes later.</li>
<li>Release the queue.${commands(queue?.release)}</li>
<li>Ask the blocklists for removal only then: <a href="https://check.spamhaus.org/">Spamhaus</a>, <a href="https://www.barracudacentral.org/lookups">Barracuda</a>, <a href="https://www.spamcop.net/bl.shtml">SpamCop</a>.</li>
</ol>`;
}

function closing(hole: Hole | undefined, software: Software | undefined): Html {
  const others = list(otherRemedies(hole, software));
  if (hole === undefined) return html`<li>Close it. Its own settings come first, what closes any server after them:${others}</li>`;
  return html`<li>Close the hole:${list(holeRemedies(hole, software))}</li>
<li>Make sure that nothing else relays:${others}</li>`;
}

/** What a scan has shown to be open, and what closes that; nothing where its cause is not known. */
export function holeBox(hole: Hole | undefined, software: Software | undefined): Html | undefined {
  if (hole === undefined) return undefined;
  return html`<section class="note bad"><h2 class="first">The hole</h2><p><strong>${holeSentence(hole)}</strong></p>
<p>${software === undefined ? undefined : html`${said(softwareSentence(software))} `}What closes it:</p>
${list(holeRemedies(hole, software))}</section>`;
}

function list(lines: readonly string[]): Html {
  return html`<ul>${lines.map((each) => html`<li>${each}</li>`)}</ul>`;
}

function commands(lines: readonly string[] | undefined): Html | undefined {
  return lines === undefined ? undefined : copyable(lines.join('\n'));
}
