import { type Html, html } from '../markup/html.ts';
import { layout } from './layout.ts';

/** Who this deployment is to the mail servers that it connects to. */
type Us = {
  readonly ehloName: string;
  /** Where our connections come from; empty when the operator has not said. */
  readonly egressAddresses: readonly string[];
  /** A mail address that a person reads. */
  readonly contact: string;
};

/** The page for a mail administrator who found our connections in a log. */
export function aboutPage(us: Us): string {
  return layout(
    'Who we are',
    html`<h1>Did we turn up in your mail server’s log?</h1>
<p class="lead">Relay Audit looks for open relays: mail servers that forward mail from anyone to anyone. It audits servers for their owners, so that they hear of one before spammers find it.</p>
<h2>Is it us?</h2>
<dl>
<dt>We say</dt><dd><code>EHLO ${us.ehloName}</code></dd>
<dt>We come from</dt><dd>${whereFrom(us)}</dd>
</dl>
<p>A connection that uses this name and comes from anywhere else is not ours.</p>
<h2>Why do we connect to you?</h2>
<p>Somebody registered your server with us, and DNS showed that it is theirs. Since then we connect on a schedule, as a stranger would, and ask your server to pass on mail to an address of ours. It should refuse. Refused recipients are what you see in your log, and nothing was delivered. Or somebody asked us from your server’s own address, over HTTPS, to check it: then we connect for that one scan, for a day at most. Two recipients of your own, postmaster and a user that we invented, show whether your server refuses relaying or refuses us.</p>
<p>If your server accepts, we send it one kind of message: a short test that says who we are. It is addressed to a mailbox of ours and to nobody else.</p>
<h2>Nothing is probed without consent</h2>
<p>Before every scan on a schedule we prove two things afresh: whoever registered the server controls its name, and the address agrees, by a record in its reverse DNS zone or by a reverse DNS name of the same owner. Owning a name is not enough, since anybody can point a name at your address.</p>
<p>We never try passwords, and we test nothing but whether mail is passed on between strangers.</p>
<h2>You want it to stop</h2>
<p>One form stops our probes of an address at once. You need no account and no proof; with a record in DNS they stop for good.</p>
<p><a class="button" href="/opt-out">Stop our probes</a></p>
<h2 id="contact">Reach us</h2>
<p>Write to ${mailLink(us.contact)}. A person reads it. Tell us the address of your server and, if you have them, lines of your log. Weaknesses of Relay Audit itself are welcome there too; give us 90 days, and try nothing against servers that are not yours.</p>`,
  );
}

function whereFrom({ egressAddresses, ehloName }: Us): Html {
  if (egressAddresses.length === 0) return html`the addresses that <code>${ehloName}</code> resolves to`;
  return html`${egressAddresses.map((address, index) => html`${index === 0 ? '' : ', '}<code>${address}</code>`)}`;
}

function mailLink(address: string): Html {
  return html`<a href="mailto:${encodeURIComponent(address).replace('%40', '@')}">${address}</a>`;
}
