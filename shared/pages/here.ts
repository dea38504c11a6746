import { type Html, html } from '../markup/html.ts';
import { layout, type Visitor } from './layout.ts';
import { ownForm } from './parts.ts';

/** Where its reader comes from, why that cannot be checked, if so, and what has changed since they pressed. */
export type HerePage = {
  readonly visitor: Visitor;
  readonly address: string;
  readonly why?: string | undefined;
  readonly told?: string | undefined;
};

/** The page with one button: check the address that I come from. */
export function herePage({ visitor, address, why, told }: HerePage): string {
  return layout(
    'Check the address you come from',
    html`<h1>Check the address you come from</h1>
${told === undefined ? undefined : html`<p class="note bad" role="alert">${told}</p>`}
${why === undefined ? ask(visitor, address) : html`<p>You come from <strong>${address}</strong>.</p>\n<p class="note bad" role="alert">${why}</p>`}
<h2>Who must not press it</h2>
<p>Press it only if you run the mail server at this address. Many others may share the address with you:</p>
<ul><li>a home or mobile connection whose provider puts many customers behind one address,</li>
<li>a shared web host,</li>
<li>a VPN or a proxy,</li>
<li>an office, a school or a hotel whose mail server somebody else runs.</li></ul>
<p>There you would speak for others, who have not agreed.</p>
<h2>What it does not allow</h2>
<p>It allows one scan of ports 25, 465 and 587, with what completes and confirms it, within 24 hours. It allows no schedule: nothing tells us tomorrow that the address is still yours. The address is listed among your hosts, and its scheduled scans end as “no consent” until you <a href="/hosts/new">show in DNS that it is yours</a>.</p>
<p>A <code>deny</code> record in DNS, an <a href="/opt-out">opt-out</a> and the operator’s list of what is never probed hold here too. An address is checked in this way three times a day at most.</p>
<h2>From the server itself</h2>
<p>Your browser rarely runs on your mail server. On the server, one request with an API key does the same: <code>POST /v1/scans/here</code>, <a href="/docs/scanHere">described here</a>.</p>`,
    { visitor },
  );
}

function ask({ formToken }: Visitor, address: string): Html {
  return html`<p class="lead">You come from <strong>${address}</strong>. Is that your mail server’s address?</p>
${ownForm(formToken, '/here', html`<input type="hidden" name="address" value="${address}"><button type="submit">It is: check it</button>`)}`;
}
