import { html } from '../markup/html.ts';
import { layout } from './layout.ts';

/** The page that the unsubscribe link of a mail leads to. Nothing happens before its button is pressed: mail filters open links too. */
export function unsubscribePage(token: string, email: string): string {
  return layout(
    'No more mail',
    html`<h1>No more mail</h1>
<p>Press the button and ${email} gets no more alerts, reminders or digests from the account that this mail came from. Alerts of other accounts go on.</p>
<p>The servers are still audited. Whoever owns the account sees that you have unsubscribed.</p>
${form(token, 'stop', 'Send me no more mail')}`,
  );
}

/** The page after it, which leads back. */
export function unsubscribedPage(token: string, email: string): string {
  return layout(
    'You get no more mail',
    html`<h1>You get no more mail</h1>
<p>${email} gets no more mail from the account that the mail came from.</p>
<p>If that was a mistake, take it back here; the link in the mail stays good for it too.</p>
${form(token, 'resume', 'Send me alerts again')}`,
  );
}

/** The page after the reader changed their mind and gets mail again. */
export function resumedPage(email: string): string {
  return layout('You get mail again', html`<h1>You get mail again</h1>\n<p>Alerts are mailed to ${email} again.</p>`);
}

function form(token: string, act: 'stop' | 'resume', button: string) {
  return html`<form method="post" action="/unsubscribe?token=${token}">
<input type="hidden" name="act" value="${act}">
<button type="submit">${button}</button>
</form>`;
}
