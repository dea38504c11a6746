import { html } from '../markup/html.ts';
import { layout } from './layout.ts';

/** A page that says one thing. */
export function messagePage(title: string, ...sentences: readonly string[]): string {
  return layout(title, html`<h1>${title}</h1>\n${sentences.map((sentence) => html`<p>${sentence}</p>\n`)}`);
}
