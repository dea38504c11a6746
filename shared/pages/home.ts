import { html } from '../markup/html.ts';
import { layout } from './layout.ts';

/** The start page: what this is, for a mail administrator who has never heard of it, and where to go from here. */
export function homePage(): string {
  return layout(
    'Relay Audit',
    html`<h1>Find out before spammers do</h1>
<p class="lead">An <strong>open relay</strong> is a mail server that forwards mail from anyone to anyone. Spammers look for them on port 25; owners learn of theirs when the blocklists do. Relay Audit looks first, and tells you.</p>
<p><a class="button" href="/sign-in">Sign in or start</a></p>
<h2>How it works</h2>
<ol>
<li><strong>You name your domain or mail server.</strong> You see what it leads to and whose it is.</li>
<li><strong>You add a record or two to DNS.</strong> They show that the server is yours. Nothing is sent to it before that, or after you take them away. If you cannot set DNS, <a href="/here">check the address you come from</a> once.</li>
<li><strong>We try it on a schedule, as a stranger would:</strong> more than seventy envelopes, each asking your server to pass mail on to a mailbox of ours. It should refuse them all.</li>
<li><strong>You get a mail</strong> when it does not, with what it let through and what to type; and another when it is closed again.</li>
</ol>
<p>A server counts as <em>open</em> only when a message of ours came back through it, and as <em>closed</em> only when every test was completed. What could not be told is called that. <a href="/closed">What the verdicts mean, and what is not tested</a></p>
<div class="note" id="contact"><p><strong>Did we turn up in your mail server’s log?</strong> Read <a href="/about">who we are and how to reach us</a>, or <a href="/opt-out">stop our probes</a> with one form.</p></div>
<p>Whatever these pages do, programs can do too: <a href="/docs">the API</a>.</p>`,
  );
}
