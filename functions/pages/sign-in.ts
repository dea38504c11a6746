import * as z from 'zod';
import { sourceOf, spend } from '../../shared/accounts/budgets.ts';
import { askToSignIn, type SignedIn, signIn, whoSignsIn } from '../../shared/accounts/sign-in.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { linkPage, notSignedInPage, signInPage, toldPage } from '../../shared/pages/sign-in.ts';
import { SIGN_IN_MINUTES } from '../../shared/runtime/confirmation-token.ts';
import { type OpenRoute, page, queryOf, type SignedRoute, seeOther, type Verb } from './call.ts';
import { fieldOf, refusalOf } from './read-form.ts';
import { signedIn, withoutSession, withSession } from './session.ts';

const EVEN_MS = 700; // a wish is answered no earlier, so that the time tells nobody who has an account
const OWN_PAGE = /^\/(hosts|account)([/?][\x21-\x7e]{0,400})?$/;

/** `GET /sign-in?to=…` */
const showSignIn: Verb = async (call) => {
  if ((await signedIn(call)) !== undefined) return seeOther(ownPage(queryOf(call, 'to')) ?? '/hosts');
  return page(200, signInPage({ to: ownPage(queryOf(call, 'to')), registration: call.registration }));
};

/** `POST /sign-in`: the same answer, whether or not the address has an account. */
const askSignIn: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const email = (fieldOf(call.event, 'email') ?? '').trim();
  const to = ownPage(fieldOf(call.event, 'to') ?? '');
  const { registration } = call;
  if (!z.email().max(254).safeParse(email).success)
    return page(422, signInPage({ to, registration, email, error: 'That is not a mail address such as you@example.org.' }));
  await spend(call, 'sign-ins', sourceOf(call.event.requestContext.http.sourceIp), 'Too many links were asked for from your network.');
  const [asked] = await Promise.all([askToSignIn(call, email, to), call.wait(EVEN_MS)]);
  if (asked === 'failed')
    return page(503, messagePage('No mail was sent', 'The mail could not be sent just now. Go back and try again in some minutes.'));
  return page(200, toldPage(email, SIGN_IN_MINUTES));
};

/** `GET /sign-in/link?token=…`: asks; mail filters open links too. */
const showLink: Verb = async (call) => {
  const token = queryOf(call, 'token');
  const email = whoSignsIn(call, token);
  return email === undefined ? page(422, notSignedInPage('expired')) : page(200, linkPage(token, email));
};

/** `POST /sign-in/link`: signs in, once. */
const useLink: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const signedInNow: SignedIn = await signIn(call, fieldOf(call.event, 'token') ?? '');
  if (signedInNow.kind === 'refused') return page(422, notSignedInPage(signedInNow.why));
  const { session, isNew, to } = signedInNow;
  return withSession(call, seeOther(to ?? (isNew ? '/hosts/new' : '/hosts')), session);
};

export const SIGN_IN_ROUTES: readonly OpenRoute[] = [
  ['GET', '/sign-in', showSignIn],
  ['POST', '/sign-in', askSignIn],
  ['GET', '/sign-in/link', showLink],
  ['POST', '/sign-in/link', useLink],
];

export const SIGN_OUT_ROUTES: readonly SignedRoute[] = [
  [
    'POST',
    '/sign-out',
    async (call) => {
      await call.store.endSession(call.accountId, call.session.sessionId);
      return withoutSession(call, seeOther('/'));
    },
  ],
  [
    'POST',
    '/sign-out/everywhere',
    async (call) => {
      await call.store.endSessions(call.accountId);
      return withoutSession(call, seeOther('/sign-in'));
    },
  ],
];

// A page of ours to go on to; nothing that a link from elsewhere made up leads away.
function ownPage(to: string): string | undefined {
  return OWN_PAGE.test(to) ? to : undefined;
}
