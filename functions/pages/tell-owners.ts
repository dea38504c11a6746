import { type PausedHost, pausedMail } from '../../shared/mail/opt-out-mail.ts';
import { baseUrlOf, type Call } from './call.ts';

const MAILS_AT_ONCE = 10; // SES takes 14 a second of a fresh account

/**
 * Mails every account that has a host at one of the addresses that they are paused: one mail for each account. What fails
 * is reported and changes nothing: whoever asked for the pause must not see by it that there are owners.
 */
export async function tellOwners(addresses: readonly string[], until: number, call: Call): Promise<void> {
  try {
    const owners = await ownersAt(addresses, call);
    for (let start = 0; start < owners.length; start += MAILS_AT_ONCE) {
      const batch = owners.slice(start, start + MAILS_AT_ONCE);
      await Promise.all(batch.map(([accountId, hosts]) => tell(accountId, hosts, until, call)));
    }
  } catch (error) {
    call.report(error);
  }
}

async function ownersAt(addresses: readonly string[], { store }: Call): Promise<[accountId: string, hosts: PausedHost[]][]> {
  const owners = new Map<string, PausedHost[]>();
  for (const address of addresses) {
    for (const { accountId, hostId } of await store.hostsAt(address)) {
      const host = await store.findHost(accountId, hostId);
      if (host === undefined) continue;
      owners.set(accountId, [...(owners.get(accountId) ?? []), { hostId, hostName: host.settings.name, address }]);
    }
  }
  return [...owners];
}

async function tell(accountId: string, hosts: readonly PausedHost[], until: number, call: Call): Promise<void> {
  try {
    const account = await call.store.findAccount(accountId);
    if (account === undefined) return;
    const handover = await call.send(pausedMail(hosts, until, baseUrlOf(call)), account.email);
    if (handover.kind === 'refused') call.report(new Error(`SES refused the mail about a pause: ${handover.why}`));
  } catch (error) {
    call.report(error);
  }
}
