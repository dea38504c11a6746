import { html } from '../markup/html.ts';
import { layout } from './layout.ts';
import { linkAgain } from './sign-in.ts';

/** The page that a confirmation mail leads to. Nothing happens before its button is pressed: mail filters open links too. */
export function confirmPage(token: string): string {
  return layout(
    'Confirm your address',
    html`<h1>Confirm your address</h1>
<p>Press the button to confirm what the mail asked you. If you did not ask for it, close this page: nothing happens.</p>
<form method="post" action="/confirm">
<input type="hidden" name="token" value="${token}">
<button type="submit">Confirm</button>
</form>`,
  );
}

/** The page of a link that confirms nothing. If the token was once valid, its holder can have a sign-in link mailed. */
export function notConfirmedPage(why: string, token: string | undefined): string {
  return layout('Not confirmed', html`<h1>Not confirmed</h1>\n<p>${why}</p>\n${token === undefined ? undefined : linkAgain(token)}`);
}

/** A new key, shown this once, and what to do with it. */
export type ShownKey = {
  readonly email: string;
  readonly apiKey: string;
  readonly how: 'opened' | 'added' | 'replaced';
  /** Where the API answers; empty when it cannot be told. */
  readonly baseUrl: string;
};

const HOW: Readonly<Record<ShownKey['how'], string>> = {
  opened: 'Your account is open.',
  added: 'Your account has another API key.',
  replaced: 'Your account has a new API key. The older of its two has stopped working.',
};

/** The page that shows a new key. */
export function keyPage({ email, apiKey, how, baseUrl }: ShownKey): string {
  return layout(
    'Your API key',
    html`<h1>Your API key</h1>
<p>${HOW[how]} It belongs to ${email}.</p>
<p>This is the key. It is shown only now: keep it where you keep passwords.</p>
<pre><code>${apiKey}</code></pre>
<h2>What comes next</h2>
<p>Ask what to register for your domain, with your key in the place of KEY and your domain in the place of example.org:</p>
<pre><code>curl -H "Authorization: Bearer KEY" "${baseUrl}/v1/proposals?name=example.org"</code></pre>
<p>The answer says which servers are yours to audit, and holds the request that registers them.</p>`,
  );
}

/** The page of a recipient who now gets the alerts of an account. */
export function recipientPage(email: string): string {
  return layout('Confirmed', html`<h1>Confirmed</h1>\n<p>Alerts of the account that named you are mailed to ${email} from now on.</p>`);
}
