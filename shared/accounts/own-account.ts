import type { Account } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { Problem } from './problem.ts';

/** The account that somebody acts for. */
export async function ownAccount({ store, accountId }: Pick<Acting, 'store' | 'accountId'>): Promise<Account> {
  const account = await store.findAccount(accountId);
  if (account === undefined) throw accountGone();
  return account;
}

/** The problem of whoever acts for an account that is removed. */
export function accountGone(): Problem {
  return new Problem(401, 'This account is gone.');
}
