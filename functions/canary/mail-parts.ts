/** One header of a mail or of a part of it, unfolded. */
export type Header = { readonly name: string; readonly value: string };

/** A part of a mail that has no parts of its own, with what it says, decoded; one character a byte (ISO 8859-1). */
export type Part = { readonly type: string; readonly headers: readonly Header[]; readonly text: string };

const DEPTH_LIMIT = 4; // parts within parts; a report has one level, and what wraps a report another
const PARTS_LIMIT = 20; // of one level; a report has three
const HEADERS_LIMIT = 200; // of the mail or of one part
const BOUNDARY = /\bboundary\s*=\s*(?:"([^"\n]{1,200})"|([^\s;"]{1,70}))/i; // RFC 2046 §5.1.1 allows 70 characters

/**
 * The headers of a mail, and its parts in their order (RFC 2046). A message that is quoted as one is a part like the others, whose
 * text begins with its headers. A mail may be cut off anywhere: what there is of it is read. The work is linear in its length.
 */
export function mailParts(raw: string): { readonly headers: readonly Header[]; readonly parts: readonly Part[] } {
  const { headers, body } = split(raw);
  return { headers, parts: partsOf(headers, body, 1) };
}

/** The values of all headers of a name, in their order. */
export function valuesOf(headers: readonly Header[], wanted: string): string[] {
  return headers.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()).map(({ value }) => value);
}

function split(text: string): { headers: Header[]; body: string } {
  if (/^\r?\n/.test(text)) return { headers: [], body: text.replace(/^\r?\n/, '') }; // RFC 2046 §5.1: a part may do without headers
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = lines.slice(0, HEADERS_LIMIT).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [{ name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1).trim() }];
  });
  return { headers, body: end === null ? '' : text.slice(end.index + end[0].length) };
}

function partsOf(headers: readonly Header[], body: string, depth: number): Part[] {
  const [declared = 'text/plain'] = valuesOf(headers, 'Content-Type');
  const type = /^[^\s;]{1,100}/.exec(declared)?.[0].toLowerCase() ?? '';
  const [, quoted, plain] = BOUNDARY.exec(declared) ?? [];
  const boundary = quoted ?? plain;
  if (!type.startsWith('multipart/') || boundary === undefined || depth > DEPTH_LIMIT)
    return [{ type, headers, text: decoded(body, valuesOf(headers, 'Content-Transfer-Encoding')[0] ?? '') }];
  return sections(body, boundary).flatMap((section) => {
    const inner = split(section);
    return partsOf(inner.headers, inner.body, depth + 1);
  });
}

// What stands between the lines of a boundary; before the first and behind the last stands nothing that counts.
function sections(body: string, boundary: string): string[] {
  const found: string[][] = [];
  for (const line of body.split(/\r?\n/)) {
    const mark = line.trimEnd();
    if (mark === `--${boundary}--` || (mark === `--${boundary}` && found.length === PARTS_LIMIT)) break;
    if (mark === `--${boundary}`) found.push([]);
    else found.at(-1)?.push(line);
  }
  return found.map((lines) => lines.join('\n'));
}

function decoded(body: string, encoding: string): string {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64').toString('latin1');
    case 'quoted-printable':
      return body
        .replace(/=[ \t]*\r?\n/g, '')
        .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    default:
      return body;
  }
}
