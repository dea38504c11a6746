import type { KeyScope } from '../domain/key-scope.ts';
import { type Html, html } from '../markup/html.ts';
import { layout, type Visitor } from './layout.ts';
import { actButton, copyable, fieldError, ownForm, when } from './parts.ts';

/** An API key as its owner sees it. */
export type ShownApiKey = {
  readonly prefix: string;
  readonly scope: KeyScope;
  readonly label?: string | undefined;
  readonly createdAt: number;
  readonly lastUsedAt?: number | undefined;
};

/** The account, with what was typed wrongly. */
export type AccountPage = {
  readonly visitor: Visitor;
  readonly now: number;
  readonly keys: readonly ShownApiKey[];
  /** How many keys an account may have. */
  readonly most: number;
  /** How many hosts it has, and may have. */
  readonly hosts: { readonly count: number; readonly quota: number };
  readonly errors?: { readonly key?: string; readonly remove?: string };
};

/** The page of the account: API keys, sessions, and its end. */
export function accountPage(account: AccountPage): string {
  const { visitor, hosts, errors = {} } = account;
  return layout(
    'Account',
    html`<h1>Account</h1>
<p>You are signed in as <strong>${visitor.email}</strong>. Alerts of your hosts are mailed to this address unless a host names others.</p>
<p>You use ${hosts.count} of your ${hosts.quota} hosts. If you need more, ask the operator of this service.</p>
${keysSection(account)}
<h2>Sessions</h2>
<p>A session ends after two weeks. If a device of yours was lost, or a link of yours was used by somebody else, end them all.</p>
${actButton(visitor.formToken, '/sign-out/everywhere', 'Sign out everywhere', 'quiet')}
<h2>Delete the account</h2>
<p>Every host with its history, every API key and every confirmed recipient goes with it, at once and for good. Nothing of yours is probed or mailed any more.</p>
${ownForm(
  visitor.formToken,
  '/account/delete',
  html`<p class="field"><label for="confirm">Type ${visitor.email} to confirm</label>
<input id="confirm" name="confirm" type="text" autocomplete="off" autocapitalize="off" spellcheck="false"${errors.remove === undefined ? undefined : html` aria-invalid="true" aria-describedby="confirm-error"`}>${fieldError('confirm', errors.remove)}</p>
<button class="danger" type="submit">Delete the account</button>`,
)}`,
    { visitor },
  );
}

function keysSection({ visitor, keys, most, now, errors = {} }: AccountPage): Html {
  const rows = keys.map(
    ({ prefix, scope, label, createdAt, lastUsedAt }) => html`<tr>
<th scope="row"><code>ra1_${prefix}_…</code>${label === undefined ? undefined : html`<span class="hint">${label}</span>`}</th>
<td data-label="May">${scope === 'read' ? 'read' : 'read and change'}</td>
<td data-label="Made">${when(createdAt, now)}</td>
<td data-label="Last used">${lastUsedAt === undefined ? html`<span class="dim">never</span>` : when(lastUsedAt, now)}</td>
<td>${actButton(visitor.formToken, `/account/keys/${prefix}/revoke`, 'Revoke', 'quiet')}</td>
</tr>`,
  );
  return html`<h2>API keys</h2>
<p>For programs of yours; <a href="/docs">the API</a> does all that these pages do. An account has ${most} at most: the one in use, and the one that takes its place.</p>
${keys.length === 0 ? html`<p class="dim">There is none.</p>` : html`<table class="stacked"><thead><tr><th scope="col">Key</th><th scope="col">May</th><th scope="col">Made</th><th scope="col">Last used</th><th scope="col">Revoke</th></tr></thead><tbody>${rows}</tbody></table>`}
${fieldError('key', errors.key)}
${keys.length >= most ? undefined : newKeyForm(visitor)}`;
}

function newKeyForm({ formToken }: Visitor): Html {
  return ownForm(
    formToken,
    '/account/keys',
    html`<fieldset><legend>A new key</legend>
<p class="field"><label for="label">What it is for (so that you know it again)</label>
<input id="label" name="label" type="text" maxlength="60" placeholder="monitoring"></p>
<p><label><input type="radio" name="scope" value="write" checked>It may read and change</label>
<label><input type="radio" name="scope" value="read">It may only read</label></p></fieldset>
<button type="submit">Make a key</button>`,
  );
}

/** The page that shows a new key, this once. */
export function newKeyPage(visitor: Visitor, apiKey: string): string {
  return layout(
    'Your new API key',
    html`<h1>Your new API key</h1>
<p>It is shown only now: keep it where you keep passwords.</p>
${copyable(apiKey)}
<p><a href="/account">Back to the account</a> · <a href="/docs">How to use it</a></p>`,
    { visitor },
  );
}

/** The page after the account is gone. */
export function accountGonePage(): string {
  return layout(
    'The account is gone',
    html`<h1>The account is gone</h1>\n<p>Its hosts are not probed any more, and nothing is mailed. What is left of its history is erased within the hour.</p>`,
  );
}
