import { LIVE_KEYS, newKey } from '../../shared/accounts/account.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { createKeyRequest, keyPath } from '../../shared/contract/accounts.ts';
import { json, type Verb } from './call.ts';
import { problemAnswer } from './problem.ts';
import { readBody, readNoQuery } from './read-request.ts';
import { keyView } from './views.ts';

/** `POST /v1/keys`: the only answer that shows the key. */
export const createKey: Verb = async (call) => {
  readNoQuery(call.event);
  const { scope, label } = readBody(call.event, createKeyRequest);
  const key = newKey(call.secrets, { accountId: call.accountId, createdAt: call.clock(), scope, label });
  if (!(await call.store.addKey(key.stored, LIVE_KEYS)))
    throw new Problem(
      409,
      `This account has ${LIVE_KEYS} API keys. Revoke one first: GET /v1/keys lists them, DELETE /v1/keys/{prefix} revokes.`,
    );
  const { lastUsedAt, ...view } = keyView(key.stored);
  return json(201, { ...view, apiKey: key.text }, { 'cache-control': 'no-store' });
};

/** What a repeated `POST /v1/keys` is answered: its first answer holds a secret, and is kept nowhere. */
export const KEY_SHOWN_ONCE = problemAnswer(
  new Problem(409, 'The key of this request was made, and was shown once. If you have lost it, revoke it and create another.'),
);

/** `GET /v1/keys` */
export const listKeys: Verb = async (call) => {
  readNoQuery(call.event);
  return json(200, { items: (await call.store.listKeys(call.accountId)).map(keyView) });
};

/** `DELETE /v1/keys/{prefix}` */
export const revokeKey: Verb = async (call) => {
  readNoQuery(call.event);
  const path = keyPath.safeParse(call.event.pathParameters ?? {});
  if (path.success && (await call.store.revokeKey(call.accountId, path.data.prefix))) return { statusCode: 204 };
  throw new Problem(404, 'There is no such API key in this account. GET /v1/keys lists yours.');
};
