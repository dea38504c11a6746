import { type Html, html } from '../markup/html.ts';
import { layout } from './layout.ts';
import { copyable } from './parts.ts';

/** A field of an input or an answer. `of` names the schema that it is described by elsewhere. */
export type DocField = {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly text: string;
  readonly of?: string | undefined;
};

/** A body: its fields, or the schema that describes it elsewhere. */
export type DocBody = { readonly fields: readonly DocField[]; readonly of?: string | undefined };

/** One answer of an operation. */
export type DocAnswer = {
  readonly status: string;
  readonly text: string;
  readonly headers: readonly string[];
  readonly body?: DocBody | undefined;
};

/** One operation of the API. */
export type DocOperation = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly text: string;
  readonly open: boolean;
  readonly parameters: readonly (DocField & { readonly place: string })[];
  readonly body?: DocBody | undefined;
  readonly answers: readonly DocAnswer[];
  readonly curl: string;
};

/** What the documentation begins with: the document's own words, and its operations by what they are about. */
export type DocOverview = {
  readonly text: string;
  readonly baseUrl: string;
  readonly groups: readonly (readonly [about: string, operations: readonly DocOperation[]])[];
};

/** The page that all others of the documentation start from. */
export function docsPage({ text, baseUrl, groups }: DocOverview): string {
  const lists = groups.map(
    ([about, operations]) => html`<h2>${about}</h2>
<ul>${operations.map(({ id, method, path, summary }) => html`<li><a href="/docs/${id}"><code>${method} ${path}</code></a><br>${summary}</li>\n`)}</ul>`,
  );
  return layout(
    'API',
    html`<h1>API</h1>
<p class="lead">${text}</p>
<h2>To begin</h2>
<p>Make a key under <a href="/account">Account</a>, and send it with every request:</p>
${copyable(`curl -H "Authorization: Bearer KEY" ${baseUrl}/v1/hosts`)}
<ul>
<li>Bodies and answers are JSON. Times are UTC, as 2026-11-24T10:31:00Z.</li>
<li>What goes wrong is answered as problem+json (RFC 9457): <code>detail</code> says what to do, <code>errors</code> which field is wrong.</li>
<li>Lists come in pages: send <code>next</code> of one as <code>cursor</code> for the following.</li>
<li>A request with an <code>Idempotency-Key</code> may be repeated, and acts once.</li>
<li>Settings are changed safely with <code>If-Match</code> and the <code>ETag</code> that you have read.</li>
</ul>
<p>The whole as OpenAPI 3.1: <a href="/v1/openapi.json">openapi.json</a></p>
${lists}`,
  );
}

/** The page of one operation. */
export function operationPage(operation: DocOperation): string {
  const { id, method, path, summary, text, open, parameters, body, answers, curl } = operation;
  return layout(
    id,
    html`<nav class="trail" aria-label="Way back"><a href="/docs">API</a> › ${id}</nav>
<h1><code>${method} ${path}</code></h1>
<p class="lead">${summary}</p>
${text === '' ? undefined : html`<p>${text}</p>`}
<p class="hint">${open ? 'Needs no API key.' : 'Needs an API key.'}</p>
${copyable(curl)}
${parameters.length === 0 ? undefined : html`<h2>Parameters</h2>${fieldTable(parameters, 'Parameter')}`}
${body === undefined ? undefined : html`<h2>Body</h2>${bodyOf(body)}`}
<h2>Answers</h2>
<table class="stacked"><thead><tr><th scope="col">Status</th><th scope="col">When</th><th scope="col">Headers</th><th scope="col">Body</th></tr></thead><tbody>${answers.map(answerOf)}</tbody></table>`,
    { wide: true },
  );
}

/** The page of a schema that several operations share. */
export function schemaPage(name: string, body: DocBody): string {
  return layout(
    name,
    html`<nav class="trail" aria-label="Way back"><a href="/docs">API</a> › ${name}</nav>
<h1>${name}</h1>
${bodyOf(body)}`,
    { wide: true },
  );
}

function answerOf({ status, text, headers, body }: DocAnswer): Html {
  const given =
    body === undefined
      ? html`<span class="dim">none</span>`
      : body.of === undefined
        ? html`${body.fields.map(({ of }) => (of === undefined ? undefined : html`${schemaLink(of)} `))}`
        : schemaLink(body.of);
  return html`<tr><th scope="row"><code>${status}</code></th><td data-label="When">${text}</td><td data-label="Headers">${headers.join(', ')}</td><td data-label="Body">${given}</td></tr>
`;
}

function bodyOf({ fields, of }: DocBody): Html {
  if (of !== undefined) return html`<p>${schemaLink(of)}</p>`;
  return fields.length === 0 ? html`<p class="dim">Anything.</p>` : fieldTable(fields, 'Field');
}

function fieldTable(fields: readonly (DocField & { readonly place?: string })[], heading: string): Html {
  const rows = fields.map(
    ({
      name,
      type,
      required,
      text,
      of,
      place,
    }) => html`<tr><th scope="row"><code>${name}</code>${required ? html` <span class="hint">required</span>` : undefined}${place === undefined ? undefined : html` <span class="hint">in the ${place}</span>`}</th>
<td data-label="Type">${of === undefined ? type : html`${type} ${schemaLink(of)}`}</td><td data-label="Meaning">${text}</td></tr>
`,
  );
  return html`<table class="stacked"><thead><tr><th scope="col">${heading}</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function schemaLink(name: string): Html {
  return html`<a href="/docs/schema/${name}">${name}</a>`;
}
