import type { Verdict } from '../domain/reason.ts';
import { html } from '../markup/html.ts';
import { layout } from './layout.ts';
import { badge } from './parts.ts';

const MEANINGS: readonly (readonly [Verdict, string])[] = [
  ['open', 'A message that we sent through it as a stranger arrived at our mailbox.'],
  [
    'suspected',
    'It accepted a foreign recipient, or the whole message, from a stranger, and nothing has come back. Where it takes invented users of its own too, it may be a sink or a honeypot.',
  ],
  [
    'closed',
    'All refused: every planned test was completed and refused, and nothing spoke against us; or it takes no mail at all without authentication. Or a catch-all: it takes any local part at its own domains and refuses all foreign recipients, and no message that we sent that way came back. Or always put off: it puts every foreign recipient off in all sittings of a scan, and takes mail for its own. Broken TLS does not stand against it beside a plain leg that is closed.',
  ],
  [
    'inconclusive',
    'Some tests could not be completed: greylisted, put off, cut short, out of time. It says how many, and why. The scan asks again, in up to ten sittings over two hours, before that is its result.',
  ],
  [
    'untestable',
    'We may not or cannot test: no consent, our address refused, the control mailbox (postmaster, unless you name another) refused in a way that tells nothing, or probably banned after our own refused tests.',
  ],
  ['unreachable', 'Nothing answers, or nothing that speaks SMTP.'],
];

/** The page that says what the verdicts mean, and what `closed` does not cover. */
export function closedPage(): string {
  const rows = MEANINGS.map(([verdict, text]) => html`<tr><th scope="row">${badge(verdict)}</th><td>${text}</td></tr>\n`);
  return layout(
    'What “closed” does not cover',
    html`<h1>What “closed” does not cover</h1>
<p class="lead">Closed says one thing: a stranger cannot send mail to strangers through your server by any envelope that we know. Spam may leave it all the same.</p>
<h2>Not tested</h2>
<ul>
<li><strong>Stolen passwords.</strong> Whoever has one sends as its owner. We never try any.</li>
<li><strong>Web forms and scripts</strong> on the same machine that mail for whoever calls them.</li>
<li><strong>Forwarding rules</strong> that pass on what they should not, and mailing lists that anyone may write to.</li>
<li><strong>SMTP smuggling</strong>: two servers that disagree about where a message ends.</li>
<li><strong>VRFY and EXPN</strong>, by which a server tells who has a mailbox.</li>
<li>Ports and addresses that are not registered with us.</li>
</ul>
<h2>Closed, yet on a blocklist?</h2>
<p>Look for a stolen password first: the log shows who authenticated for the spam. Then for web forms, then for machines behind the same address. A listing that is older than the closing goes when you ask for it: once, and only when the cause is gone.</p>
<h2>What is tested</h2>
<p>More than seventy envelopes at every address, on port 25 and the submission ports, plain and inside TLS: forged senders, the null sender, source routes, the percent hack, quoted and bang-path recipients, and what a server does to whoever calls itself by the server’s own name. That full table runs on the first scan, when you ask for one, to confirm a change, and once a week. Scans in between run a part of it, so that your ban tools stay calm.</p>
<h2>What each verdict means</h2>
<table><thead><tr><th scope="col">Verdict</th><th scope="col">What proves it</th></tr></thead><tbody>${rows}</tbody></table>
<p>A change to open counts at once; one to suspected or closed when a second scan, at least five minutes later, agrees.</p>`,
  );
}
