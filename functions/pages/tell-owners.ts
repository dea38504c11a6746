import { takePauseMail } from '../../shared/accounts/stranger-mail.ts';
import { type PausedHost, pausedMail } from '../../shared/mail/opt-out-mail.ts';
import { baseUrlOf, type Call } from './call.ts';

const MAILS_AT_ONCE = 10; // SES takes 14 a second of a fresh account
const HOSTS_AT_ONCE = 25; // read side by side

/**
 * Mails every account that has a host which was scanned at one of the addresses that they are paused: one mail for each account. Only
 * who has shown consent at an address ever scans it. What fails is reported and changes nothing: whoever asked for the pause must not
 * see by it that there are owners.
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
    const scanners = await store.hostsAt(address);
    for (let start = 0; start < scanners.length; start += HOSTS_AT_ONCE) {
      const batch = scanners.slice(start, start + HOSTS_AT_ONCE);
      const hosts = await Promise.all(batch.map(({ accountId, hostId }) => store.findHost(accountId, hostId)));
      for (const host of hosts) {
        if (host === undefined) continue;
        const paused = { hostId: host.id, hostName: host.settings.name, address };
        owners.set(host.accountId, [...(owners.get(host.accountId) ?? []), paused]);
      }
    }
  }
  return [...owners];
}

async function tell(accountId: string, hosts: readonly PausedHost[], until: number, call: Call): Promise<void> {
  try {
    const account = await call.store.findAccount(accountId);
    if (account === undefined || (await call.store.mailStops(accountId, [account.email])).length > 0) return;
    if (!(await takePauseMail(call, account.email))) return;
    const handover = await call.send(pausedMail(hosts, until, baseUrlOf(call)), account.email, { account: accountId });
    if (handover.kind === 'refused') call.report(new Error(`SES refused the mail about a pause: ${handover.why}`));
  } catch (error) {
    call.report(error);
  }
}
