import type { Backscatter } from '../domain/backscatter.ts';
import type { Bounce } from '../domain/canary.ts';
import { type Html, html } from '../markup/html.ts';
import { said } from './evidence.ts';
import { counted, moment } from './parts.ts';

/** That a server bounces mail for unknown users, by which message that was seen, and what to set; nothing where it does not. */
export function backscatterNote(backscatter: Backscatter | undefined, bounces: readonly Bounce[]): Html | undefined {
  const [first] = bounces;
  if (backscatter === undefined || first === undefined) return undefined;
  const { leg, sentAt, at, by } = first;
  const more = bounces.length - 1;
  return html`<section class="note"><h2 class="first">It sends backscatter</h2>
<p>${backscatter.sentence}</p>
<p>A message of ours went in at <code>${leg}</code>, ${moment(sentAt)}, and was bounced to us${by === undefined ? undefined : html` by <code>${said(by)}</code>`}, ${moment(at)}.${more === 0 ? undefined : ` So ${more === 1 ? 'was' : 'were'} ${counted(more, 'other')}.`}</p>
<ul>${backscatter.settings.map((each) => html`<li>${each}</li>`)}</ul></section>`;
}
