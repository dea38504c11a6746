import { CONSENT_LABEL, DENY } from '../domain/consent.ts';
import { ADDRESSES_LIMIT } from '../domain/look-bounds.ts';
import { type Html, html } from '../markup/html.ts';
import { layout } from './layout.ts';

const TARGET_LIMIT = 253; // characters of the longest name, RFC 1035 §2.3.4

/** The form as it is shown: what is typed in already, and what is wrong with that, as the end of a sentence about it. */
export type OptOutForm = { readonly target?: string | undefined; readonly error?: string | undefined };

/**
 * An address that somebody wants no probes of. `listed`: a deny record proved the wish, which holds for good; `stands`: it did, and no more were
 * listed today, so that it holds as long as the record stands. `places` are the names at which a deny record would prove the wish.
 */
export type OptedOutAddress = {
  readonly address: string;
  readonly proof: 'listed' | 'stands' | 'none';
  readonly places: readonly string[];
};

/** What became of a wish, as far as everybody may know it. */
export type OptOutOutcome = {
  readonly target: string;
  /** The name that was entered, and what a deny record proved for it. */
  readonly name?: { readonly text: string; readonly proof: OptedOutAddress['proof'] } | undefined;
  readonly addresses: readonly OptedOutAddress[];
  /** How many addresses the target has in all. */
  readonly addressesFound: number;
  /** How long an unproven wish lasts, and when it ends at the latest; epoch milliseconds. */
  readonly pauseHours: number;
  readonly pausedUntil: number;
  /** How long no pause is heeded after one. */
  readonly unheededDays: number;
};

/** The page with the form, empty, filled in, or with what is wrong. */
export function optOutPage({ target, error }: OptOutForm, pauseHours: number): string {
  return layout(
    'Stop our probes',
    html`<h1>Stop our probes of a mail server</h1>
<p class="lead">Enter its address or its name. You need no account.</p>
<form method="post" action="/opt-out">
<label for="target">Address or name of the mail server</label>
<input id="target" name="target" type="text" required maxlength="${TARGET_LIMIT}" autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="mail.example.org" value="${(target ?? '').slice(0, TARGET_LIMIT)}"${error === undefined ? html` aria-describedby="hint"` : html` aria-invalid="true" aria-describedby="error hint"`}>
${error === undefined ? undefined : html`<p class="error" id="error">It ${error}.</p>`}
<p class="hint" id="hint">Such as <code>192.0.2.1</code>, <code>2001:db8::1</code> or <code>mail.example.org</code></p>
<button type="submit">Stop probes</button>
</form>
<h2>What happens then</h2>
<ul>
<li><strong>At once, for ${pauseHours} hours, without proof:</strong> nothing of ours connects to the address. For a name, that is every address that a scan of it would use now, which is ${ADDRESSES_LIMIT} at most. Whoever registered the server, if anybody did, is told, and can lift the pause by proving again that the server consents.</li>
<li><strong>For good, with proof:</strong> set one record in DNS, then send this form again. The word is <code>${DENY}</code>, in a TXT record at one of two places. After you send the form we show the exact records.</li>
</ul>
<dl>
<dt>by address</dt><dd><code>${CONSENT_LABEL}.1.2.0.192.in-addr.arpa</code></dd>
<dt>by name</dt><dd><code>${CONSENT_LABEL}.mail.example.org</code></dd>
</dl>
<p>The record by name counts for an address whose reverse DNS is that name. As long as a record stands we keep to it, with or without this form.</p>`,
  );
}

/** The page that says what became of a wish. It says the same whether or not anybody has registered the server. */
export function optedOutPage(outcome: OptOutOutcome): string {
  const { name, addresses } = outcome;
  const by = (kind: OptedOutAddress['proof']) => addresses.filter(({ proof }) => proof === kind);
  const [proven, standing, paused] = [by('listed'), by('stands'), by('none')];
  const until = [...(name?.proof === 'stands' ? [name.text] : []), ...addressesOf(standing)];
  const title = paused.length > 0 ? 'Probes paused' : until.length > 0 ? 'Stopped while the record stands' : 'Stopped for good';
  return layout(
    title,
    html`<h1>${title}</h1>
${name?.proof === 'listed' ? nameProven(name.text) : undefined}
${proven.length === 0 ? undefined : addressesProven(proven)}
${until.length === 0 ? undefined : untilListed(until)}
${paused.length === 0 ? undefined : addressesPaused(paused, outcome)}
${outcome.addressesFound > addresses.length ? html`<p><code>${outcome.target}</code> has ${outcome.addressesFound} addresses. Our scans use the first ${ADDRESSES_LIMIT} in order, which are those above. To stop probes of any other, enter that address.</p>` : undefined}
${paused.length === 0 ? undefined : howToProve(paused, outcome)}
<p class="hint">A scan that is under way ends within two minutes. <a href="/opt-out">Enter another server</a>, or read <a href="/about">who we are and why we connect</a>.</p>`,
  );
}

function nameProven(name: string): Html {
  return html`<div class="note good"><p>A ${DENY} record proves your wish for <code>${name}</code>. Nothing that is registered under this name, or a name below it, is probed any more, even if you remove the record.</p></div>`;
}

function addressesProven(proven: readonly OptedOutAddress[]): Html {
  return html`<div class="note good"><p>A ${DENY} record proves your wish for ${list(addressesOf(proven))}. Nothing of ours connects there any more, even if you remove the record. To take it back, <a href="/about#contact">write to us</a>.</p></div>`;
}

function untilListed(targets: readonly string[]): Html {
  return html`<div class="note"><p>A ${DENY} record forbids probes of ${list(targets)}, and nothing of ours connects there as long as it stands. We could list no more for good today: to have that hold even if you remove the record, send this form again tomorrow.</p></div>`;
}

function addressesPaused(paused: readonly OptedOutAddress[], { pausedUntil, unheededDays }: OptOutOutcome): Html {
  return html`<div class="note"><p><strong>Probes of ${list(addressesOf(paused))} stop now</strong>, until ${utc(pausedUntil)} at the latest, unless they were paused in the last ${unheededDays} days already: without proof we heed one wish in that time. If somebody has registered the server with us, we tell them, and they can end the pause by proving that it is theirs.</p></div>`;
}

function howToProve(paused: readonly OptedOutAddress[], { target, name }: OptOutOutcome): Html {
  const single = paused.length === 1 ? 'it' : 'them';
  const provable = paused.filter(({ places }) => places.length > 0);
  return html`<h2>Stop ${single} for good</h2>
${name?.proof !== 'none' ? undefined : html`<p>For the name <code>${name.text}</code> and whatever is registered under it, set this record:</p>${record(`${CONSENT_LABEL}.${name.text}`)}`}
${provable.map(({ address, places }) => html`<p>For the address <code>${address}</code>, set ${places.length === 1 ? 'this record' : 'one of these records'}:</p>${places.map(record)}`)}
${provable.length === 0 ? html`<p>No record can prove anything for an address that is not in public DNS. <a href="/about#contact">Write to us</a> instead.</p>` : undefined}
${
  provable.length === 0 && name?.proof !== 'none'
    ? undefined
    : html`<p>When you have added a record, press the button. We keep to the record from then on, and once we have seen it here, even if you remove it. If you see this page again, we found no record.</p>
<form method="post" action="/opt-out"><input type="hidden" name="target" value="${target}"><button type="submit">I have added the record</button></form>`
}`;
}

function record(place: string): Html {
  return html`<pre>${place}. IN TXT "${DENY}"</pre>`;
}

function addressesOf(all: readonly OptedOutAddress[]): string[] {
  return all.map(({ address }) => address);
}

function list(targets: readonly string[]): Html {
  return html`${targets.map((target, index) => html`${index === 0 ? '' : index === targets.length - 1 ? ' and ' : ', '}<code>${target}</code>`)}`;
}

function utc(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
