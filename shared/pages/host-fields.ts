import type { HostSettings, OwnSetting } from '../domain/host.ts';
import type { Period } from '../domain/schedule.ts';
import { type Html, html } from '../markup/html.ts';
import { textField } from './parts.ts';

/** The settings of a host as they stand in a form: lists with one entry a line, ports with commas between. */
export type HostFields = { readonly [K in OwnSetting]: NonNullable<HostSettings[K]> extends boolean ? boolean : string };

/** What is wrong with fields, by their names. */
export type FieldFaults = Readonly<Partial<Record<keyof HostFields | 'name', string>>>;

/** A period in words. */
export const PERIOD_WORDS: Readonly<Record<Period, string>> = {
  hour: 'every hour',
  '6h': 'every 6 hours',
  day: 'every day',
  week: 'every week',
};

/** The fields of a host's form as they were sent. */
export function fieldsIn(form: URLSearchParams): HostFields {
  const text = (name: string) => (form.get(name) ?? '').replaceAll('\r\n', '\n').trim();
  return {
    servedDomains: text('servedDomains'),
    alertRecipients: text('alertRecipients'),
    period: text('period'),
    controlMailbox: text('controlMailbox'),
    ports: text('ports'),
    reminders: form.has('reminders'),
    webhook: text('webhook'),
  };
}

/** The fields of a host's form as its settings fill them. */
export function fieldsOf(settings: Omit<HostSettings, 'name'>): HostFields {
  const { servedDomains, alertRecipients, ports, period, reminders, webhook, controlMailbox } = settings;
  return {
    servedDomains: servedDomains.join('\n'),
    alertRecipients: alertRecipients.join('\n'),
    period,
    controlMailbox: controlMailbox ?? '',
    ports: ports.join(', '),
    reminders,
    webhook: webhook ?? '',
  };
}

/** The settings that fields name, for the schemas of the API to check. */
export function wishOf({ servedDomains, alertRecipients, ports, period, reminders, webhook, controlMailbox }: HostFields) {
  return {
    servedDomains: partsOf(servedDomains),
    alertRecipients: partsOf(alertRecipients),
    ports: partsOf(ports).map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : Number.NaN)),
    period,
    reminders,
    webhook,
    controlMailbox,
  } satisfies Readonly<Record<OwnSetting, unknown>>;
}

// Whatever stands between names, they hold none of it.
function partsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== '');
}

const CONTROL_HINT =
  'A scan asks for it first, to see that your server talks to us at all. Empty: postmaster. If your server has no postmaster, name a mailbox that it takes mail for, at one of the domains above.';

/** The fields of a host's settings. The unusual ones are folded away unless one of them is wrong. */
export function hostFields(fields: HostFields, faults: FieldFaults, probePorts: readonly number[]): Html {
  const { servedDomains, alertRecipients, period, ...unusual } = allFields(fields, faults, probePorts);
  const isWrong = Object.keys(unusual).some((field) => field in faults);
  return html`${servedDomains}
${alertRecipients}
${period}
<details${isWrong ? html` open` : undefined}><summary>Control mailbox, ports, reminders, webhook</summary>
${Object.values(unusual).map((field) => html`${field}\n`)}</details>`;
}

function allFields(fields: HostFields, faults: FieldFaults, probePorts: readonly number[]): Readonly<Record<OwnSetting, Html>> {
  return {
    servedDomains: linesField(
      'servedDomains',
      'Domains it takes mail for, one a line',
      fields.servedDomains,
      'With at least one a scan can tell a refusal to relay from a refusal of us. Each is used while its MX names this server, or it carries your record. There may be 100; of more than ten, a scan uses ten, and others the next week.',
      faults.servedDomains,
    ),
    alertRecipients: linesField(
      'alertRecipients',
      'Alerts go to, one mail address a line',
      fields.alertRecipients,
      'Other addresses than your own are asked by mail first. Choose one whose mail does not go through this server.',
      faults.alertRecipients,
    ),
    period: selectField('period', 'Scanned', PERIOD_WORDS, fields.period, faults.period),
    controlMailbox: textField('controlMailbox', 'Control mailbox', fields.controlMailbox, {
      hint: CONTROL_HINT,
      error: faults.controlMailbox,
    }),
    ports: textField('ports', 'Ports', fields.ports, {
      hint: `With commas between. Probed here: ${probePorts.join(', ')}. 465 is spoken to inside TLS, the others plain and after STARTTLS.`,
      error: faults.ports,
    }),
    reminders: html`<p class="field"><label><input type="checkbox" name="reminders" value="on"${fields.reminders ? html` checked` : undefined}>Remind me while it stays open or suspected: after 1, 7 and then every 30 days</label></p>`,
    webhook: textField('webhook', 'Webhook', fields.webhook, {
      hint: 'An HTTPS address, at port 443 or 8443, that is called with every notice; empty for none.',
      error: faults.webhook,
      type: 'url',
    }),
  };
}

function selectField(
  field: OwnSetting,
  label: string,
  words: Readonly<Record<string, string>>,
  value: string,
  error: string | undefined,
): Html {
  const options = Object.entries(words).map(
    ([each, word]) => html`<option value="${each}"${each === value ? html` selected` : undefined}>${word}</option>`,
  );
  return html`<p class="field"><label for="${field}">${label}</label><select id="${field}" name="${field}"${error === undefined ? undefined : html` aria-describedby="${field}-error" aria-invalid="true"`}>${options}</select>${
    error === undefined
      ? undefined
      : html`
<span class="error" id="${field}-error">${error}</span>`
  }</p>`;
}

function linesField(
  field: 'servedDomains' | 'alertRecipients',
  label: string,
  value: string,
  hint: string,
  error: string | undefined,
): Html {
  const described = `${field}-hint${error === undefined ? '' : ` ${field}-error`}`;
  return html`<p class="field"><label for="${field}">${label}</label>
<textarea id="${field}" name="${field}" rows="${Math.max(2, Math.min(10, value.split('\n').length))}" aria-describedby="${described}"${error === undefined ? undefined : html` aria-invalid="true"`} autocapitalize="off" spellcheck="false">
${value}</textarea>
<span class="hint" id="${field}-hint">${hint}</span>${error === undefined ? undefined : html`<span class="error" id="${field}-error">${error}</span>`}</p>`;
}
