const MARKUP: unique symbol = Symbol('markup');

/** A fragment of HTML in which everything that was put in is escaped. Only `html` makes them. */
export type Html = { readonly [MARKUP]: string };

/** What may be put into markup. */
export type Value = Html | string | number | undefined | readonly Value[];

/**
 * Writes HTML: texts are escaped, fragments go in as they are, lists one after the other, and undefined is nothing. Escaped for
 * text and for attribute values in double quotes; a value that is to be a URL or a tag must be ours.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { [MARKUP]: parts.map((part, index) => part + written(values[index])).join('') };
}

/** A fragment as text, to be sent. */
export function textOf(fragment: Html): string {
  return fragment[MARKUP];
}

function written(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return isHtml(value) ? value[MARKUP] : value.map(written).join('');
}

function isHtml(value: Html | readonly Value[]): value is Html {
  return MARKUP in value;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

// Control characters have no place in HTML (its standard calls them errors), tabs and line ends apart.
function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '').replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\ufffd');
}
