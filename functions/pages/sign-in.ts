import * as z from 'zod';
import { spendFrom, tooOften } from '../../shared/accounts/budgets.ts';
import {
  type AskedToSignIn,
  askAgain,
  askToSignIn,
  type SignedIn,
  signIn,
  signOutEverywhere,
  whoSignsIn,
} from '../../shared/accounts/sign-in.ts';
import { causeFrom } from '../../shared/accounts/stranger-mail.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { linkPage, mailedAgainPage, notSignedInPage, signInPage, toldPage } from '../../shared/pages/sign-in.ts';
import { readConfirmation, SIGN_IN_MINUTES } from '../../shared/runtime/confirmation-token.ts';
import { type Answer, type Call, type OpenRoute, page, queryOf, type SignedRoute, seeOther, type Verb } from './call.ts';
import { fieldOf, refusalOf } from './read-form.ts';
import { knownReaderSince, signedIn, withoutSession, withSession } from './session.ts';

const EVEN_MS = 700; // a wish is answered no earlier, so that the time tells nobody who has an account
const OWN_PAGE = /^\/(hosts|account|here)([/?][\x21-\x7e]{0,400})?$/;

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
  const { sourceIp } = call.event.requestContext.http;
  const readerSince = knownReaderSince(call, email);
  if (readerSince === undefined) await spendFrom(call, 'sign-ins', sourceIp, 'Too many links were asked for from your network.');
  const wish = { email, to, cause: causeFrom(call.secrets, sourceIp), readerSince };
  const [asked] = await Promise.all([askToSignIn(call, wish), call.wait(EVEN_MS)]);
  return refusedMail(call, asked) ?? page(200, toldPage(email, SIGN_IN_MINUTES, asked.kind === 'crowded'));
};

/** `POST /sign-in/again`: by an earlier link. Its holder is known to read the mailbox. */
const askLinkAgain: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const token = fieldOf(call.event, 'token') ?? '';
  if (!isOurs(call, token)) return page(422, notSignedInPage('unreadable'));
  const cause = causeFrom(call.secrets, call.event.requestContext.http.sourceIp);
  const [asked] = await Promise.all([askAgain(call, token, cause), call.wait(EVEN_MS)]);
  if (asked === undefined) return page(422, notSignedInPage('unreadable'));
  return refusedMail(call, asked) ?? page(200, mailedAgainPage(SIGN_IN_MINUTES));
};

function refusedMail({ clock }: Call, asked: AskedToSignIn): Answer | undefined {
  if (asked.kind === 'failed')
    return page(503, messagePage('No mail was sent', 'The mail could not be sent just now. Go back and try again in some minutes.'));
  if (asked.kind !== 'too-many') return undefined;
  const seconds = Math.max(1, Math.ceil((asked.resetAt - clock()) / 1000));
  throw tooOften(
    'No mail was sent: too many links were asked for. Open the newest mail that you have from us: its page mails you another.',
    seconds,
  );
}

/** `GET /sign-in/link?token=…`: asks; mail filters open links too. */
const showLink: Verb = async (call) => {
  const token = queryOf(call, 'token');
  const email = whoSignsIn(call, token);
  if (email !== undefined) return page(200, linkPage(token, email));
  return page(422, notSignedInPage('expired', isOurs(call, token) ? token : undefined));
};

/** `POST /sign-in/link`: signs in, once. */
const useLink: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const token = fieldOf(call.event, 'token') ?? '';
  const signedInNow: SignedIn = await signIn(call, token);
  if (signedInNow.kind === 'refused') return page(422, notSignedInPage(signedInNow.why, isOurs(call, token) ? token : undefined));
  const { session, isNew, to } = signedInNow;
  return withSession(call, seeOther(to ?? (isNew ? '/hosts/new' : '/hosts')), session);
};

export const SIGN_IN_ROUTES: readonly OpenRoute[] = [
  ['GET', '/sign-in', showSignIn],
  ['POST', '/sign-in', askSignIn],
  ['GET', '/sign-in/link', showLink],
  ['POST', '/sign-in/link', useLink],
  ['POST', '/sign-in/again', askLinkAgain],
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
      await signOutEverywhere(call, { id: call.accountId, email: call.visitor.email });
      return withoutSession(call, seeOther('/sign-in'));
    },
  ],
];

function isOurs({ secrets, clock }: Call, token: string): boolean {
  return readConfirmation(secrets, token, clock()).kind !== 'unreadable';
}

// One of our pages to go on to. A forged link cannot lead away from this site.
function ownPage(to: string): string | undefined {
  return OWN_PAGE.test(to) ? to : undefined;
}
