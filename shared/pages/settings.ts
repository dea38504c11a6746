import type { Host } from '../domain/host.ts';
import { type Html, html } from '../markup/html.ts';
import { type FieldFaults, type HostFields, hostFields } from './host-fields.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { copyable, ownForm } from './parts.ts';
import { type StoppedRecipient, stopWords } from './stops.ts';

/** The settings of a host in a form, with what is wrong with what was typed. `revision` is that of the settings which the form was made of. */
export type SettingsPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly fields: HostFields;
  readonly faults: FieldFaults;
  readonly revision: number;
  readonly told?: string | undefined;
  /** What was typed, when it was not saved because the settings were changed elsewhere. */
  readonly typed?: HostFields | undefined;
  /** What calls of the webhook are signed with, if there is one. */
  readonly secret?: string | undefined;
  readonly unconfirmed: readonly string[];
  readonly stopped: readonly StoppedRecipient[];
  readonly probePorts: readonly number[];
};

/** The page of a host's settings. */
export function settingsPage({
  visitor,
  host,
  fields,
  faults,
  revision,
  told,
  typed,
  secret,
  unconfirmed,
  stopped,
  probePorts,
}: SettingsPage): string {
  return layout(
    `Settings of ${host.settings.name}`,
    html`${hostHead(host, '/settings')}
<h2>Settings</h2>
${told === undefined ? undefined : html`<p class="note" role="status">${told}</p>`}
${typed === undefined ? undefined : typedFields(typed)}
${stopped.length === 0 ? undefined : html`<ul class="note">${stopped.map(({ email, why }) => html`<li>${email} is not mailed: ${stopWords(why)}. Name another recipient.</li>`)}</ul>`}
${unconfirmed.length === 0 ? undefined : html`<p class="note">Not confirmed yet, and so without alerts: ${unconfirmed.join(', ')}. Saving their address again asks again, once a day.</p>`}
${ownForm(
  visitor.formToken,
  `/hosts/${host.id}/settings`,
  html`<input type="hidden" name="revision" value="${revision}">
${hostFields(fields, faults, probePorts)}
<button type="submit">Save</button>`,
)}
${secret === undefined ? undefined : html`<details><summary>What calls of the webhook are signed with</summary>${copyable(secret)}</details>`}
<p><a href="/hosts/${host.id}/delete">Delete this host</a></p>`,
    { visitor },
  );
}

function typedFields(fields: HostFields): Html {
  const all = Object.entries(fields).map(([name, value]) => (typeof value === 'string' ? value : `${value ? 'with' : 'without'} ${name}`));
  return html`<details open><summary>What you had typed</summary><pre>${all.filter((each) => each !== '').join('\n')}</pre></details>`;
}

/** The page that asks before a host is deleted. */
export function deletePage(visitor: Visitor, host: Host, error?: string): string {
  const { id, settings } = host;
  return layout(
    `Delete ${settings.name}`,
    html`${hostHead(host, undefined)}
<h2>Delete this host</h2>
<p>It is probed no more, and its scans, changes and mails are out of reach at once, for good. Records of yours in DNS may go too.</p>
${ownForm(
  visitor.formToken,
  `/hosts/${id}/delete`,
  html`<p class="field"><label for="confirm">Type ${settings.name} to confirm</label>
<input id="confirm" name="confirm" type="text" autocomplete="off" autocapitalize="off" spellcheck="false"${error === undefined ? undefined : html` aria-invalid="true" aria-describedby="confirm-error"`}>
${error === undefined ? undefined : html`<span class="error" id="confirm-error">${error}</span>`}</p>
<button class="danger" type="submit">Delete ${settings.name}</button>`,
)}
<p><a href="/hosts/${id}">Keep it</a></p>`,
    { visitor },
  );
}
