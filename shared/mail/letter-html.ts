import { type Html, html, textOf } from '../markup/html.ts';
import { type Letter, type Line, type Section, UNSUBSCRIBE } from './parts.ts';
import { STYLE } from './style.ts';

/** The HTML of a letter, every word of it escaped. */
export function letterAsHtml({ subject, label, tone = 'plain', opening, sections, signature, unsubscribeUrl }: Letter): string {
  const end = unsubscribeUrl === undefined ? '' : html`<p class="end">${UNSUBSCRIBE} <a href="${unsubscribeUrl}">unsubscribe</a></p>`;
  return textOf(html`<!doctype html>
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
  const items = section.lines.map(lineAsHtml);
  return section.steps === true ? html`<ol>\n${items}</ol>` : html`<ul>\n${items}</ul>`;
}

function lineAsHtml(line: Line): Html {
  if (typeof line === 'string') return html`<li>${linked(line)}</li>\n`;
  if ('code' in line) return html`<li>${line.text}<pre>${line.code.join('\n')}</pre></li>\n`;
  return html`<li>${line.text}\n<ul>\n${line.items.map(lineAsHtml)}</ul></li>\n`;
}

// A line that ends in an address of the web leads there.
function linked(line: string) {
  const [, before = '', url] = /^(.*?)(https?:\/\/\S+)$/.exec(line) ?? [];
  return url === undefined ? line : html`${before}<a href="${url}">${url}</a>`;
}
