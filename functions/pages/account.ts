import { LIVE_KEYS, newKey, ownAccount } from '../../shared/accounts/account.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { quotasOf } from '../../shared/accounts/quotas.ts';
import { removeAccount } from '../../shared/accounts/removal.ts';
import { createKeyRequest } from '../../shared/contract/accounts.ts';
import { type AccountPage, accountGonePage, accountPage, newKeyPage } from '../../shared/pages/account.ts';
import { type Answer, page, pathOf, type SignedCall, type SignedRoute, type SignedVerb, seeOther } from './call.ts';
import { readForm } from './read-form.ts';
import { withoutSession } from './session.ts';

/** `GET /account` */
const showAccount: SignedVerb = (call) => shown(call, 200);

/** `POST /account/keys`: the only page that shows the key. */
const makeKey: SignedVerb = async (call) => {
  const form = readForm(call);
  const label = (form.get('label') ?? '').trim();
  const wish = createKeyRequest.safeParse({ scope: form.get('scope') ?? undefined, ...(label === '' ? {} : { label }) });
  if (!wish.success) return shown(call, 422, { key: 'Say what the key may do, and name it with at most 60 characters, or not at all.' });
  const key = newKey(call.secrets, { accountId: call.accountId, createdAt: call.clock(), ...wish.data });
  if (!(await call.store.addKey(key.stored, LIVE_KEYS)))
    return shown(call, 409, { key: 'There are as many keys as there may be. Revoke one first.' });
  return page(200, newKeyPage(call.visitor, key.text));
};

/** `POST /account/keys/{prefix}/revoke`: one that is gone already is gone. */
const revokeKey: SignedVerb = async (call) => {
  await call.store.revokeKey(call.accountId, pathOf(call, 'prefix'));
  return seeOther('/account');
};

/** `POST /account/delete` */
const remove: SignedVerb = async (call) => {
  try {
    await removeAccount(call, (readForm(call).get('confirm') ?? '').trim());
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 422) throw error;
    return shown(call, 422, { remove: `Type ${call.visitor.email}; everything of the account will be gone.` });
  }
  return withoutSession(call, page(200, accountGonePage()));
};

async function shown(call: SignedCall, statusCode: number, errors?: AccountPage['errors']): Promise<Answer> {
  const [keys, account] = await Promise.all([call.store.listKeys(call.accountId), ownAccount(call)]);
  const hosts = { count: account.hosts ?? 0, quota: quotasOf(account).hosts };
  return page(statusCode, accountPage({ visitor: call.visitor, now: call.clock(), keys, most: LIVE_KEYS, hosts, errors }));
}

export const ACCOUNT_ROUTES: readonly SignedRoute[] = [
  ['GET', '/account', showAccount],
  ['POST', '/account/keys', makeKey],
  ['POST', '/account/keys/{prefix}/revoke', revokeKey],
  ['POST', '/account/delete', remove],
];
