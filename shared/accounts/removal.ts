import { ownAccount } from './account.ts';
import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { removeIfThere } from './hosts.ts';
import { invalid } from './problem.ts';

const HOSTS_AT_ONCE = 25; // removed side by side

/** Removes an account and all it has. Hosts go first, so that a removal that broke off can be repeated. `confirm` must be its mail address. */
export async function removeAccount(acting: Acting, confirm: string): Promise<void> {
  const account = await ownAccount(acting);
  if (confirm.toLowerCase() !== account.email.toLowerCase())
    throw invalid([{ field: 'confirm', message: 'must be the mail address of this account; everything of it will be gone' }]);
  await removeHosts(acting);
  await acting.store.removeAccount(account);
  await removeHosts(acting); // what a request that was under way has registered since
}

async function removeHosts(acting: Acting): Promise<void> {
  for await (const hosts of allHosts(acting, HOSTS_AT_ONCE)) await Promise.all(hosts.map(({ id }) => removeIfThere(acting, id)));
}
