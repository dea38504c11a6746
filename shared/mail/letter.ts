import { html } from 'hono/html';
import { STYLE } from './style.ts';

/** A mail to one recipient, without its envelope. With `unsubscribeUrl` its reader can end such mails by one click (RFC 8058). */
export type Mail = { readonly subject: string; readonly text: string; readonly html: string; readonly unsubscribeUrl?: string | undefined };

/** A line of a section, with commands or settings to copy below it. */
export type Line = string | { readonly text: string; readonly code: readonly string[] };

/** A part of a letter. `code` is shown as it is, in columns; `steps` are done one after the other. */
export type Section =
  | { readonly heading: string; readonly lines: readonly Line[]; readonly steps?: boolean; readonly code?: false }
  | { readonly heading: string; readonly lines: readonly string[]; readonly code: true };

/** How a letter is to be taken at a glance. */
export type Tone = 'alarm' | 'warning' | 'good' | 'plain';

/** A mail before it is rendered. `signature` says why its reader gets it. */
export type Letter = {
  readonly subject: string;
  /** One or two words above the subject; none in a plain letter. */
  readonly label?: string | undefined;
  readonly tone?: Tone | undefined;
  readonly opening: string;
  readonly sections: readonly Section[];
  readonly signature: string;
  readonly unsubscribeUrl?: string | undefined;
};

/** The mail of a letter: its text and its HTML say the same things in the same order. */
export function renderLetter(letter: Letter): Mail {
  const { subject, unsubscribeUrl } = letter;
  return { subject: oneLine(subject), text: asText(letter), html: asHtml(letter), unsubscribeUrl };
}

const UNSUBSCRIBE = 'No more mail from this account:';

function asText({ opening, sections, signature, unsubscribeUrl }: Letter): string {
  const end = unsubscribeUrl === undefined ? signature : `${signature}\n${UNSUBSCRIBE} ${unsubscribeUrl}`;
  return `${[opening, ...sections.map(sectionAsText), end].join('\n\n')}\n`;
}

function sectionAsText(section: Section): string {
  const { heading, lines } = section;
  const shown =
    section.code === true ? section.lines.map((line) => `  ${line}`.trimEnd()) : lines.flatMap(lineAsText(section.steps === true));
  return [heading, ...shown].join('\n');
}

function lineAsText(steps: boolean) {
  return (line: Line, index: number): string[] => {
    const mark = steps ? `${index + 1}. ` : '- ';
    if (typeof line === 'string') return [`${mark}${line}`];
    return [`${mark}${line.text}`, ...line.code.map((each) => `${' '.repeat(mark.length + 2)}${each}`)];
  };
}

function asHtml({ subject, label, tone = 'plain', opening, sections, signature, unsubscribeUrl }: Letter): string {
  const end = unsubscribeUrl === undefined ? '' : html`<p class="end">${UNSUBSCRIBE} <a href="${unsubscribeUrl}">unsubscribe</a></p>`;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${STYLE}</style>
</head>
<body>
<div class="letter">
<div class="verdict ${tone}">
${label === undefined ? '' : html`<p class="label">${label}</p>`}
<h1>${subject}</h1>
<p>${opening}</p>
</div>
${sections.map(
  (section) => html`<h2>${section.heading}</h2>
${sectionAsHtml(section)}
`,
)}
<p class="end">${signature}</p>
${end}
</div>
</body>
</html>
`);
}

function sectionAsHtml(section: Section) {
  if (section.code === true) return html`<pre>${section.lines.join('\n')}</pre>`;
  const items = section.lines.map((line) => html`<li>${typeof line === 'string' ? linked(line) : withCode(line)}</li>\n`);
  return section.steps === true ? html`<ol>\n${items}</ol>` : html`<ul>\n${items}</ul>`;
}

function withCode({ text, code }: Exclude<Line, string>) {
  return html`${text}<pre>${code.join('\n')}</pre>`;
}

// A line that ends in an address of the web leads there.
function linked(line: string) {
  const [, before = '', url] = /^(.*?)(https?:\/\/\S+)$/.exec(line) ?? [];
  return url === undefined ? line : html`${before}<a href="${url}">${url}</a>`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
