import type { Host } from '../domain/host.ts';
import type { HostNotice, NoticeOutcome, NoticeRecord } from '../domain/notice.ts';
import { printable } from '../domain/transcript.ts';
import { html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { actButton, badge, when } from './parts.ts';

/** A page of notices, newest first; `next` is the address of the following page. */
export type NoticesPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly notices: readonly NoticeRecord<HostNotice>[];
  readonly next: string | undefined;
  readonly now: number;
};

const ABOUT: Readonly<Record<HostNotice['occasion']['kind'], string>> = {
  change: 'a change',
  digest: 'a digest of changes',
  reminder: 'a reminder',
  silent: 'that it cannot be audited',
  back: 'that it can be audited again',
  proven: 'that its first scan is made',
  'gave-up': 'that its first scan is given up',
  'dns-trouble': 'that DNS fails for it',
};

const BECAME: Readonly<Record<NoticeOutcome, string>> = {
  sent: 'sent; whether it arrived is not known yet',
  delivered: 'delivered',
  bounced: 'bounced: the address gets no more mail',
  complained: 'its reader called it spam: the address gets no more mail',
  rejected: 'the mail service did not send it',
  withheld: 'not sent: the address gets no mail',
  grouped: 'sent together with news of other hosts',
  'given-up': 'given up: the webhook did not take it, in 24 calls or two days',
};

/** The page of a host's mails and webhook calls. */
export function noticesPage({ visitor, host, notices, next, now }: NoticesPage): string {
  const rows = notices.map(({ notice, tries, outcome, dueAt, why }) => {
    const became = outcome === undefined ? `owed${tries > 0 ? `, after ${tries} tries` : ''}` : BECAME[outcome];
    const again = notice.channel === 'webhook' && outcome !== undefined;
    return html`<tr><th scope="row">${when(notice.owedAt, now)}</th><td data-label="About">${ABOUT[notice.occasion.kind]}: ${badge(notice.relay)}</td>
<td data-label="To">${notice.channel === 'webhook' ? 'the webhook ' : undefined}${printable(notice.recipient)}</td>
<td data-label="Became">${became}${dueAt === undefined ? undefined : html`<span class="hint">next try ${when(dueAt, now)}</span>`}${why === undefined || outcome === 'grouped' ? undefined : html`<span class="hint">${printable(why)}</span>`}
${again ? actButton(visitor.formToken, `/hosts/${host.id}/notices/${notice.id}/repeat`, 'Call again', 'quiet') : undefined}</td></tr>
`;
  });
  return layout(
    `Mails of ${host.settings.name}`,
    html`${hostHead(host, '/notices')}
<h2>Mails and webhook calls</h2>
${notices.length === 0 ? html`<p class="dim">None yet.</p>` : html`<table class="stacked"><thead><tr><th scope="col">When</th><th scope="col">About</th><th scope="col">To</th><th scope="col">What became of it</th></tr></thead><tbody>${rows}</tbody></table>`}
${next === undefined ? undefined : html`<p><a href="${next}">Earlier ones</a></p>`}`,
    { visitor, wide: true },
  );
}
