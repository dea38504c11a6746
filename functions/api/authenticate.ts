import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { spendFrom } from '../../shared/accounts/budgets.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { readApiKey } from '../../shared/runtime/api-key.ts';
import { loggedError } from '../../shared/runtime/logging.ts';
import type { StoredKey } from '../../shared/store/audit-store.ts';
import type { Services } from './call.ts';

const TOUCH_MS = 60 * 60_000; // a key's last use is true to the hour, so that most requests write nothing for it

/**
 * The key that the request bears, with its account. A made-up key is refused by its checksum, without a read; those without a good
 * key spend the budget of their address, so that a good one is never held up by its neighbours.
 */
export async function authenticate(event: APIGatewayProxyEventV2, services: Services): Promise<StoredKey> {
  const { secrets, store } = services;
  const [, text] = /^Bearer +(\S+)$/i.exec(event.headers.authorization ?? '') ?? [];
  const key = text === undefined ? undefined : readApiKey(secrets, text);
  const stored = key === undefined ? undefined : await store.findKey(key.prefix);
  if (key !== undefined && stored !== undefined && secrets.verify('api-key', key.text, stored.mac)) {
    await noteUse(event, services, stored);
    return stored;
  }
  await spendFrom(
    services,
    'source',
    event.requestContext.http.sourceIp,
    'There were too many requests without a valid API key from your address.',
  );
  const why = text === undefined ? 'Send your API key in the header Authorization: Bearer <key>.' : 'This API key is not valid here.';
  throw new Problem(401, why, undefined, { 'www-authenticate': 'Bearer' });
}

/** Refuses what changes something to a key that may only read. */
export function requireWriteScope(key: StoredKey): void {
  if (key.scope === 'write') return;
  throw new Problem(403, 'This API key may only read. Use one with the scope write.');
}

// Nobody's request fails because of it.
async function noteUse(event: APIGatewayProxyEventV2, { store, clock, log }: Services, key: StoredKey): Promise<void> {
  const now = clock();
  if (key.lastUsedAt !== undefined && now - key.lastUsedAt < TOUCH_MS) return;
  try {
    await store.touchKey(key.prefix, now);
  } catch (error) {
    log(event, 'the use of a key could not be noted', { error: loggedError(error) });
  }
}
