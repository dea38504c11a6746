import { type Html, html } from '../markup/html.ts';
import { layout } from './layout.ts';
import { textField } from './parts.ts';

/** The form that asks for a link, with what was typed and what is wrong with it. `to` is the page to go on to. */
export type SignInForm = {
  readonly to: string | undefined;
  readonly registration:
    | { readonly kind: 'open' }
    | { readonly kind: 'closed' }
    | { readonly kind: 'domains'; readonly domains: readonly string[] };
  readonly email?: string;
  readonly error?: string;
};

/** The page where one signs in, or begins. */
export function signInPage({ to, registration, email = '', error }: SignInForm): string {
  return layout(
    'Sign in',
    html`<h1>Sign in</h1>
<p>Enter your mail address, and we mail you a link that signs you in. There is no password.</p>
${to === undefined ? undefined : html`<p class="note">Sign in to see that page. If you were signed in before, your session has ended.</p>`}
<form method="post" action="/sign-in">
${to === undefined ? undefined : html`<input type="hidden" name="to" value="${to}">`}
${textField('email', 'Mail address', email, { type: 'email', required: true, error })}
<button type="submit">Mail me a link</button>
</form>
<p class="hint">${beginning(registration)}</p>`,
  );
}

function beginning(registration: SignInForm['registration']): string {
  if (registration.kind === 'open') return 'An address that has no account yet gets one when its link is used.';
  if (registration.kind === 'closed') return 'New accounts are made by the operator of this service.';
  return `New accounts are for mail addresses at ${registration.domains.join(', ')}.`;
}

/** The page after it, which is the same for every address. `crowded`: so many ask at this time that addresses without an account get nothing. */
export function toldPage(email: string, minutes: number, crowded: boolean): string {
  return layout(
    'Look into your mail',
    html`<h1>Look into your mail</h1>
<p>If ${email} ${crowded ? 'has an account' : 'may sign in here'}, a link is on its way to it. It works once, for ${minutes} minutes. Open it in this browser.</p>
${crowded ? html`<p class="note">So many links are asked for at this time that only addresses with an account are mailed. If yours has none, try again in an hour, or tomorrow if it goes on.</p>` : undefined}
<p class="hint">Nothing there after some minutes? Look among the spam. Until its link is used, an address gets one such mail a day, and somebody else may have asked for today’s. Then open the newest mail of ours that you have: its page mails you another link. <a href="/sign-in">Try again</a></p>`,
  );
}

/** The page after a link was asked for by means of an earlier one. */
export function mailedAgainPage(minutes: number): string {
  return layout(
    'Look into your mail',
    html`<h1>Look into your mail</h1>
<p>Another link is on its way to you. It works once, for ${minutes} minutes. Open it in this browser.</p>`,
  );
}

/** The button that mails another link to the holder of one that no longer works. */
export function linkAgain(token: string): Html {
  return html`<form method="post" action="/sign-in/again">
<input type="hidden" name="token" value="${token}">
<button type="submit">Mail me a link to sign in</button>
</form>`;
}

/** The page that the link leads to. */
export function linkPage(token: string, email: string): string {
  return layout(
    'Sign in',
    html`<h1>Sign in</h1>
<p>You are about to sign in as <strong>${email}</strong>, in this browser, for two weeks at most.</p>
<form method="post" action="/sign-in/link">
<input type="hidden" name="token" value="${token}">
<button type="submit">Sign in</button>
</form>
<p class="hint">You did not ask for this? Close the page: nothing happens.</p>`,
  );
}

const WHY: Readonly<Record<'unreadable' | 'expired' | 'used' | 'ended' | 'not-admitted', string>> = {
  unreadable: 'This link is not whole. Copy all of it from the mail, or ask for another.',
  expired: 'This link is too old, or not whole. It works for fifteen minutes.',
  used: 'This link has been used. If it was not you who used it, sign in and choose “Sign out everywhere” under Account.',
  ended: 'This link ended when its account was signed out everywhere, or deleted.',
  'not-admitted': 'This address has no account here any more, and none may be opened for it.',
};

/** The page of a link that signs nobody in. If the token was once valid, its holder can have another link mailed. */
export function notSignedInPage(why: keyof typeof WHY, token?: string): string {
  const again: Html = token === undefined ? html`<p><a class="button" href="/sign-in">Ask for another link</a></p>` : linkAgain(token);
  return layout('Not signed in', html`<h1>Not signed in</h1>\n<p>${WHY[why]}</p>\n${again}`);
}
