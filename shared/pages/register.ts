import { isSameName, type Known } from '../domain/known-server.ts';
import type { Proposal, ProposedServer } from '../domain/proposal.ts';
import { type Html, html } from '../markup/html.ts';
import { type FieldFaults, type HostFields, hostFields } from './host-fields.ts';
import { layout, type Visitor } from './layout.ts';
import { copyable, ownForm } from './parts.ts';

/** A form that registers one server. `once` is good for one registration, so that a form that is sent twice registers once. */
export type RegisterForm = {
  readonly name: string;
  readonly fields: HostFields;
  readonly faults: FieldFaults;
  readonly once: string;
  readonly probePorts: readonly number[];
};

/** The first step: what is it called? With what was typed and what is wrong with it. */
export function askNamePage(visitor: Visitor, name = '', error?: string): string {
  return layout(
    'Register a server',
    html`<h1>Register a server</h1>\n${nameForm(name, error)}\n<p class="hint">Nothing is sent to any server for this: DNS alone is asked.</p>
<p class="hint">You run a mail server and cannot set DNS? <a href="/here">Check the address you come from</a>, once.</p>`,
    { visitor },
  );
}

function nameForm(name: string, error?: string): Html {
  return html`<form method="get" action="/hosts/new">
<p class="field"><label for="name">Your domain, or the name or address of a mail server</label>
<input id="name" name="name" type="text" value="${name}" placeholder="example.org" required autocapitalize="off" spellcheck="false"${error === undefined ? undefined : html` aria-invalid="true" aria-describedby="name-error"`}>
${error === undefined ? undefined : html`<span class="error" id="name-error">${error}</span>`}</p>
<button type="submit">Look it up</button>
</form>`;
}

/** The second step: what the name leads to, whose it is, and a form for each server that may be theirs. */
export type ProposalPage = {
  readonly visitor: Visitor;
  readonly proposal: Proposal;
  readonly forms: readonly RegisterForm[];
};

/** The page of the second step. */
export function proposalPage({ visitor, proposal, forms }: ProposalPage): string {
  const { name, servers, registered = [], exempt, recipientWarning, trouble = [] } = proposal;
  return layout(
    `Register ${name}`,
    html`<nav class="trail" aria-label="Way back"><a href="/hosts">Hosts</a> › <a href="/hosts/new">Register a server</a></nav>
<h1>${name}</h1>
${registered.map((known) => html`<div class="note"><p>${isSameName(known) ? html`${hostLink(known)} is registered already.` : leadsTo(known)}</p>${addForm(visitor, known)}</div>`)}
${servers.length === 0 ? nothingFound(trouble.length > 0) : html`<h2 class="first">What it leads to</h2>${servers.map(server)}`}
${trouble.map((sentence) => html`<p class="note">${sentence}</p>`)}
${recipientWarning === undefined ? undefined : html`<p class="note bad">${recipientWarning}</p>`}
${forms.length === 0 && servers.length > 0 && registered.length === 0 ? html`<p>There is nothing here for you to register. If another server of your own takes mail, enter its name.</p>` : undefined}
${forms.slice(0, 1).map((form) => registerSection(visitor, form))}
${forms.length < 2 ? undefined : html`<h2>Its other servers</h2><ul>${forms.slice(1).map((form) => html`<li><a href="/hosts/new?name=${encodeURIComponent(form.name)}">Register ${form.name}</a></li>`)}</ul>`}
${
  exempt === undefined || forms.length === 0
    ? undefined
    : html`<h2>Tell your ban tool about us</h2>
<p>${exempt.where}</p>${copyable(exempt.ignoreip)}<p class="hint">${exempt.warning}</p>`
}
<h2>Something else?</h2>
${nameForm('')}`,
    { visitor },
  );
}

function nothingFound(inTrouble: boolean): Html {
  if (inTrouble)
    return html`<p>DNS did not answer, so we cannot say what it leads to. Try again later, or enter the name of the server itself.</p>`;
  return html`<p>DNS knows no mail server for it, nor an address. Check the spelling, or enter the name of the server itself.</p>`;
}

function server({ name, role, preference, addresses, runBy, auditable, why, forward }: ProposedServer): Html {
  const place = role === 'mx' ? `takes its mail (MX ${preference ?? ''})` : '(the name you entered)';
  return html`<section><h3><code>${name}</code> <span class="dim">${place}</span></h3>
<p>${addresses.length === 0 ? 'No address' : addresses.join(', ')}. ${runBy === undefined ? (auditable ? 'It may be yours. ' : '') : `Run by ${runBy.provider}. `}${why}</p>
${forward === undefined ? undefined : html`<details><summary>A text for ${runBy?.provider ?? 'them'}</summary>${copyable(forward)}</details>`}</section>
`;
}

/** A form again, with what is wrong with it, or why nothing can be registered now. */
export function registerAgainPage(visitor: Visitor, form: RegisterForm, problem?: string): string {
  return layout(
    `Register ${form.name}`,
    html`<h1>Register ${form.name}</h1>
${problem === undefined ? undefined : html`<p class="error">${problem} <a href="/hosts">Your hosts</a></p>`}
${form.faults.name === undefined ? undefined : html`<p class="error">${form.name} ${form.faults.name}. <a href="/hosts/new">Enter another name</a></p>`}
${registerForm(visitor, form)}`,
    { visitor },
  );
}

/** The page that says which host a server is already, with a button that adds the domains to it. */
export function knownServerPage(visitor: Visitor, known: Known): string {
  const { name, host, add } = known;
  const [same, link] = [isSameName(known), hostLink(known)];
  return layout(
    `Register ${name}`,
    html`<h1>${same ? html`You have ${name} already` : html`${name} is a server that you have already`}</h1>
<div class="note" role="status"><p>${same ? html`It is the host ${link}.` : html`${leadsTo(known)} A server is audited once: a second host would wait behind the first and find the same.`} Nothing was registered.</p></div>
${add.length === 0 ? html`<p><a href="/hosts/${host.id}">Go to ${host.settings.name}</a></p>` : addForm(visitor, known)}
${same ? undefined : html`<p class="hint">To audit it under the name ${name} instead, <a href="/hosts/${host.id}/delete">delete ${host.settings.name}</a> first.</p>`}`,
    { visitor },
  );
}

function hostLink({ host: { id, settings } }: Known): Html {
  return html`<a href="/hosts/${id}">${settings.name}</a>`;
}

function leadsTo(known: Known): Html {
  return html`${known.name} leads to the server that you audit as ${hostLink(known)}.`;
}

function addForm({ formToken }: Visitor, { host: { id, settings }, add }: Known): Html | undefined {
  if (add.length === 0) return undefined;
  const [domains, it] = add.length === 1 ? [add[0], 'it'] : [`${add.length} domains`, 'them'];
  return html`<p>Does it take mail for ${add.join(', ')}? Add ${it} to the domains of ${settings.name}, and its scans use ${it} too.</p>
${ownForm(
  formToken,
  `/hosts/${id}/domains`,
  html`${add.map((domain) => html`<input type="hidden" name="domain" value="${domain}">`)}<button type="submit">Add ${domains} to ${settings.name}</button>`,
)}`;
}

function registerSection(visitor: Visitor, form: RegisterForm): Html {
  return html`<section><h2>Register <code>${form.name}</code></h2>
${registerForm(visitor, form)}</section>`;
}

function registerForm({ formToken }: Visitor, { name, fields, faults, once, probePorts }: RegisterForm): Html {
  return ownForm(
    formToken,
    '/hosts',
    html`<input type="hidden" name="name" value="${name}"><input type="hidden" name="once" value="${once}">
${hostFields(fields, faults, probePorts)}
<button type="submit">Register ${name}</button>`,
  );
}
