import { sourceOf, spend } from '../../shared/accounts/budgets.ts';
import { confirm } from '../../shared/accounts/confirm.ts';
import { askToConfirm } from '../../shared/accounts/confirmation-mail.ts';
import { ownAccount } from '../../shared/accounts/own-account.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { admits } from '../../shared/accounts/registration-policy.ts';
import * as accounts from '../../shared/accounts/removal.ts';
import { accountRequest, confirmationRequest, removeAccountRequest } from '../../shared/contract/accounts.ts';
import { accountConfirmation } from '../../shared/mail/confirmations.ts';
import type { Registration } from '../../shared/runtime/config.ts';
import { CONFIRMATION_HOURS } from '../../shared/runtime/confirmation-token.ts';
import { json, type OpenVerb, type Verb } from './call.ts';
import { readBody, readNoQuery } from './read-request.ts';
import { accountView } from './views.ts';

const ASKED = `If this address may be mailed, a mail is on its way to it. Follow its link within ${CONFIRMATION_HOURS} hours. An address gets one such mail a day and three in 30 days at most.`;

/** `POST /v1/accounts`: the same answer, whether or not the address has an account or has had its mails. */
export const askForAccount: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { email } = readBody(call.event, accountRequest);
  if (!admits(call.registration, email)) throw notAdmitted(call.registration);
  const source = sourceOf(call.event.requestContext.http.sourceIp);
  const fields = await spend(call, 'accounts', source, 'There were too many requests for accounts from your address.');
  const asked = await askToConfirm(call, { kind: 'account', email }, (link) => accountConfirmation(link, CONFIRMATION_HOURS));
  if (asked === 'failed') throw new Problem(503, 'The mail could not be sent just now. Try again in some minutes.');
  return json(202, { next: ASKED }, fields);
};

/** `POST /v1/confirmations`: what the page of a mailed link does, for programs. */
export const useConfirmation: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { token } = readBody(call.event, confirmationRequest);
  const source = sourceOf(call.event.requestContext.http.sourceIp);
  await spend(call, 'source', source, 'There were too many requests without an API key from your address.');
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

function notAdmitted(registration: Registration): Problem {
  if (registration.kind === 'domains')
    return new Problem(403, `Accounts here are for mail addresses at ${registration.domains.join(', ')} only.`);
  return new Problem(403, 'Registration is closed here. Ask the operator of this service for an account.');
}
