import { admits, ownAccount } from '../../shared/accounts/account.ts';
import { spendFrom, tooOften } from '../../shared/accounts/budgets.ts';
import { confirm } from '../../shared/accounts/confirm.ts';
import { askToConfirm } from '../../shared/accounts/confirmation-mail.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import * as accounts from '../../shared/accounts/removal.ts';
import { causeFrom } from '../../shared/accounts/stranger-mail.ts';
import { accountRequest, confirmationRequest, removeAccountRequest } from '../../shared/contract/accounts.ts';
import { accountConfirmation } from '../../shared/mail/confirmations.ts';
import type { Registration } from '../../shared/runtime/config.ts';
import { CONFIRMATION_HOURS, readConfirmation } from '../../shared/runtime/confirmation-token.ts';
import { json, type OpenCall, type OpenVerb, type Verb } from './call.ts';
import { readBody, readNoQuery } from './read-request.ts';
import { accountView } from './views.ts';

const EVEN_MS = 700; // a wish is answered no earlier, so that the time tells nobody whether an address was mailed

const ASKED = `If this address may be mailed, a mail is on its way to it. Follow its link within ${CONFIRMATION_HOURS} hours. An address gets one such mail a day and three in 30 days, until a link is used: if none comes, look for today’s in the mailbox, or sign in on the pages.`;
const CROWDED =
  'So many accounts are asked for at this time that no mail was sent. Ask again in an hour, or tomorrow if it goes on. If you have an account, sign in on the pages: links to sign in are still mailed to it.';

/** `POST /v1/accounts`: the same answer, whether or not the address has an account or has had its mails. */
export const askForAccount: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { email } = readBody(call.event, accountRequest);
  if (!admits(call.registration, email)) throw notAdmitted(call.registration);
  const { sourceIp } = call.event.requestContext.http;
  const fields = await spendFrom(call, 'accounts', sourceIp, 'There were too many requests for accounts from your address.');
  const wish = { cause: causeFrom(call.secrets, sourceIp), pastCrowd: false };
  const [{ mailed, told }] = await Promise.all([
    askToConfirm(call, { kind: 'account', email }, wish, (link) => accountConfirmation(link, CONFIRMATION_HOURS)),
    call.wait(EVEN_MS),
  ]);
  if (typeof told !== 'string')
    throw tooOften('Your network has had as many mails sent to others as it may in a day.', secondsUntil(call, told.resetAt));
  if (mailed === 'failed') throw new Problem(503, 'The mail could not be sent just now. Try again in some minutes.');
  return json(202, { next: told === 'crowded' ? CROWDED : ASKED }, fields);
};

/** `POST /v1/confirmations`: what the page of a mailed link does, for programs. */
export const useConfirmation: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { token } = readBody(call.event, confirmationRequest);
  // Only forged tokens are counted, so a good one is never held up by its neighbours.
  if (readConfirmation(call.secrets, token, call.clock()).kind === 'unreadable')
    await spendFrom(
      call,
      'source',
      call.event.requestContext.http.sourceIp,
      'There were too many requests without an API key from your address.',
    );
  const confirmed = await confirm(token, call);
  if (confirmed.kind === 'refused') throw new Problem(422, REFUSED[confirmed.why]);
  if (confirmed.kind === 'recipient') return json(200, { email: confirmed.email, confirmed: true });
  const { accountId, email, apiKey, scope } = confirmed;
  return json(201, { accountId, email, apiKey, scope }, { 'cache-control': 'no-store' });
};

const ASK_AGAIN =
  'For an account or a new API key, ask for another mail with POST /v1/accounts; for alerts, ask the owner of the server to name you once more.';

const REFUSED = {
  unreadable: `This is not the whole token of a mail of ours. Take all of it, up to the end of the link. ${ASK_AGAIN}`,
  expired: `This token is older than ${CONFIRMATION_HOURS} hours. ${ASK_AGAIN}`,
  used: `This token was used already. ${ASK_AGAIN}`,
  ended: `This token ended when its account was signed out everywhere, or deleted. ${ASK_AGAIN}`,
};

/** `GET /v1/account` */
export const showAccount: Verb = async (call) => {
  readNoQuery(call.event);
  const [account, waitingScans] = await Promise.all([ownAccount(call), call.store.waitingScans(call.accountId, call.clock())]);
  return json(200, accountView(account, waitingScans));
};

/** `DELETE /v1/account`: what broke off can be asked for again with the same key. */
export const removeAccount: Verb = async (call) => {
  readNoQuery(call.event);
  const body = readBody(call.event, removeAccountRequest);
  await accounts.removeAccount(call, body.confirm);
  return { statusCode: 204 };
};

function secondsUntil({ clock }: Pick<OpenCall, 'clock'>, time: number): number {
  return Math.max(1, Math.ceil((time - clock()) / 1000));
}

function notAdmitted(registration: Registration): Problem {
  if (registration.kind === 'domains')
    return new Problem(403, `Accounts here are for mail addresses at ${registration.domains.join(', ')} only.`);
  return new Problem(403, 'Registration is closed here. Ask the operator of this service for an account.');
}
