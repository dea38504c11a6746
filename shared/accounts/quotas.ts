import type { Account } from '../store/audit-store.ts';

const HOSTS = 100; // more than a company has mail servers of its own; a hoster asks its operator
const DAILY_PER_HOST = 2; // who begins may register all hosts, and do so once more after a mistake

/** How much an account may have and ask for. */
export type Quotas = { readonly hosts: number; readonly registrationsADay: number; readonly scansADay: number };

/** The quotas of an account: the usual ones, or what follows from the number of hosts that an operator allows it. */
export function quotasOf({ hostQuota: hosts = HOSTS }: Pick<Account, 'hostQuota'>): Quotas {
  return { hosts, registrationsADay: DAILY_PER_HOST * hosts, scansADay: DAILY_PER_HOST * hosts };
}
