import { confirm } from '../../shared/accounts/confirm.ts';
import { accountRequest, confirmationRequest, removeAccountRequest } from '../../shared/contract/accounts.ts';
import { accountConfirmation } from '../../shared/mail/confirmations.ts';
import type { Registration } from '../../shared/runtime/config.ts';
import { CONFIRMATION_HOURS } from '../../shared/runtime/confirmation-token.ts';
import type { Account } from '../../shared/store/audit-store.ts';
import { sourceOf, spend } from './budgets.ts';
import { type Call, json, type OpenVerb, type Verb } from './call.ts';
import { askToConfirm } from './confirmation-mail.ts';
import { invalid, Problem } from './problem.ts';
import { readBody, readNoQuery } from './read-request.ts';
import { accountView } from './views.ts';

const ASKED = `If this address may be mailed, a mail is on its way to it. Follow its link within ${CONFIRMATION_HOURS} hours. An address gets one such mail a day and three in 30 days at most.`;
const HOSTS_AT_ONCE = 25; // removed side by side
const REMOVE_TRIES = 5; // each time the settings of the host were changed since it was read

/** `POST /v1/accounts`: the same answer, whether or not the address has an account or has had its mails. */
export const askForAccount: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { email } = readBody(call.event, accountRequest);
  admit(call.registration, email);
  const fields = await spend(call, 'accounts', sourceOf(call.event), 'There were too many requests for accounts from your address.');
  const asked = await askToConfirm(call, { kind: 'account', email }, (link) => accountConfirmation(link, CONFIRMATION_HOURS));
  if (asked === 'failed') throw new Problem(503, 'The mail could not be sent just now. Try again in some minutes.');
  return json(202, { next: ASKED }, fields);
};

/** `POST /v1/confirmations`: what the page of a mailed link does, for programs. */
export const useConfirmation: OpenVerb = async (call) => {
  readNoQuery(call.event);
  const { token } = readBody(call.event, confirmationRequest);
  await spend(call, 'source', sourceOf(call.event), 'There were too many requests without an API key from your address.');
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
  return json(200, accountView(await ownAccount(call)));
};

/** `DELETE /v1/account`: hosts first, so that what broke off can be asked for again with the same key. */
export const removeAccount: Verb = async (call) => {
  readNoQuery(call.event);
  const body = readBody(call.event, removeAccountRequest);
  const account = await ownAccount(call);
  if (body.confirm.toLowerCase() !== account.email.toLowerCase())
    throw invalid([{ field: 'confirm', message: 'must be the mail address of this account; everything of it will be gone' }]);
  await removeHosts(call);
  await call.store.removeAccount(account);
  await removeHosts(call); // what a request that was under way has registered since
  return { statusCode: 204 };
};

/** The account of the caller's key. */
export async function ownAccount({ store, accountId }: Call): Promise<Account> {
  const account = await store.findAccount(accountId);
  if (account === undefined) throw new Problem(401, 'This account is gone.');
  return account;
}

function admit(registration: Registration, email: string): void {
  if (registration.kind === 'closed')
    throw new Problem(403, 'Registration is closed here. Ask the operator of this service for an account.');
  if (registration.kind === 'open') return;
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  if (!registration.domains.includes(domain))
    throw new Problem(403, `Accounts here are for mail addresses at ${registration.domains.join(', ')} only.`);
}

async function removeHosts({ store, accountId }: Call): Promise<void> {
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const page = await store.listHosts(accountId, HOSTS_AT_ONCE, after);
    await Promise.all(page.items.map(({ id }) => removeHost(store, accountId, id)));
    after = page.next;
    isLast = after === undefined;
  }
}

async function removeHost(store: Call['store'], accountId: string, hostId: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    const host = await store.findHost(accountId, hostId);
    if (host === undefined || (await store.removeHost(host))) return;
  }
  throw new Problem(409, 'A host of this account is being changed at the same time. Try again.');
}
