import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { ownAccount } from './own-account.ts';
import { invalid, Problem } from './problem.ts';

const HOSTS_AT_ONCE = 25; // removed side by side
const REMOVE_TRIES = 5; // each time the settings of the host were changed since it was read

/** Removes the account with everything of it. Hosts go first, so that what broke off can be asked for again. `confirm` must be its mail address. */
export async function removeAccount(acting: Acting, confirm: string): Promise<void> {
  const account = await ownAccount(acting);
  if (confirm.toLowerCase() !== account.email.toLowerCase())
    throw invalid([{ field: 'confirm', message: 'must be the mail address of this account; everything of it will be gone' }]);
  await removeHosts(acting);
  await acting.store.removeAccount(account);
  await removeHosts(acting); // what a request that was under way has registered since
}

async function removeHosts(acting: Acting): Promise<void> {
  for await (const hosts of allHosts(acting, HOSTS_AT_ONCE))
    await Promise.all(hosts.map(({ id }) => removeHost(acting.store, acting.accountId, id)));
}

async function removeHost(store: Acting['store'], accountId: string, hostId: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    const host = await store.findHost(accountId, hostId);
    if (host === undefined || (await store.removeHost(host))) return;
  }
  throw new Problem(409, 'A host of this account is being changed at the same time. Try again.');
}
