import { type Html, textOf } from '../markup/html.ts';

/** The first of `items`, as HTML, as far as `limit` characters have room for them; `least` of them however long they are. */
export function fitting<T>(items: readonly T[], show: (item: T) => Html, limit: number, least = 0): Html[] {
  const shown: Html[] = [];
  let size = 0;
  for (const item of items) {
    const next = show(item);
    size += textOf(next).length;
    if (size > limit && shown.length >= least) break;
    shown.push(next);
  }
  return shown;
}
