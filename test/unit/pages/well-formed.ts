const VOID = new Set(['meta', 'input', 'br', 'hr', 'img', 'link']);
const TAG = /<!doctype html>|<(\/?)([a-z][a-zA-Z0-9]*)((?: [a-z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)( ?\/)?>/y;
const TEXT = /[^<>&]+|&(?:amp|lt|gt|quot|#39);/y;
const RAW = /[^<]*/y; // what a style sheet holds

/**
 * The elements of a page in order, such as `input`. Throws when it is not what `html` and `layout` may write: every tag closed in its
 * order, attribute values in double quotes, no `<`, `>` or `&` in a text that is not escaped.
 */
export function elementsOf(page: string): string[] {
  const open: string[] = [];
  const elements: string[] = [];
  for (let at = 0; at < page.length; ) {
    const fail = (why: string) => new Error(`${why} at ${at}: ${page.slice(Math.max(0, at - 40), at + 60)}`);
    const text = open.at(-1) === 'style' && page[at] !== '<' ? match(RAW, page, at) : match(TEXT, page, at);
    const tag = text === undefined ? match(TAG, page, at) : undefined;
    const found = text ?? tag;
    if (found === undefined) throw fail('neither text nor tag');
    const [, slash, name, , selfClosed] = tag ?? []; // shapes of pictures close themselves
    if (name !== undefined && slash === '/' && open.pop() !== name) throw fail(`</${name}> closes nothing`);
    if (name !== undefined && slash === '') {
      elements.push(name);
      if (!VOID.has(name) && selfClosed === undefined) open.push(name);
    }
    at += found[0].length;
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(' ')}`);
  return elements;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
