/** A mail to one recipient, without its envelope. */
export type Mail = { readonly subject: string; readonly text: string; readonly html: string };

export type Section = { readonly heading: string; readonly lines: readonly string[]; readonly code?: boolean };

/** A mail before it is rendered. `signature` says why its reader gets it. */
export type Letter = {
  readonly subject: string;
  readonly opening: string;
  readonly sections: readonly Section[];
  readonly signature: string;
};

/** The mail of a letter: its text and its HTML say the same things in the same order. */
export function renderLetter(letter: Letter): Mail {
  return { subject: letter.subject, text: asText(letter), html: asHtml(letter) };
}

function asText({ opening, sections, signature }: Letter): string {
  const parts = sections.map(({ heading, lines, code }) =>
    [heading, ...lines.map((line) => (code ? `  ${line}`.trimEnd() : `- ${line}`))].join('\n'),
  );
  return `${[opening, ...parts, signature].join('\n\n')}\n`;
}

function asHtml({ subject, opening, sections, signature }: Letter): string {
  const body = sections.map(({ heading, lines, code }) => {
    const content = code
      ? `<pre style="white-space:pre-wrap;font-size:13px">${lines.map(escapeHtml).join('\n')}</pre>`
      : `<ul>${lines.map((line) => `<li>${linked(line)}</li>`).join('')}</ul>`;
    return `<h2 style="font-size:16px">${escapeHtml(heading)}</h2>${content}`;
  });
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(subject)}</title></head>`,
    '<body style="font-family:sans-serif;max-width:42em;margin:1em auto;padding:0 1em;line-height:1.5">',
    `<h1 style="font-size:20px">${escapeHtml(subject)}</h1><p>${escapeHtml(opening)}</p>`,
    ...body,
    `<p style="font-size:13px">${escapeHtml(signature)}</p></body></html>`,
  ].join('\n');
}

function linked(line: string): string {
  const escaped = escapeHtml(line);
  return /^https?:\/\/\S+$/.test(line) ? `<a href="${escaped}">${escaped}</a>` : escaped;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
