import type { Host } from '../../shared/domain/host.ts';
import type { OwedScan } from '../../shared/domain/scan.ts';
import { hostsPage, pageOfHosts } from '../../shared/pages/hosts.ts';
import { page, queryOf, type SignedCall, type SignedRoute, type SignedVerb } from './call.ts';

const HOSTS_READ = 1_000; // some 1 MB, which one query gives: so many are sorted by what they need

/** `GET /hosts?page=…` */
const showHosts: SignedVerb = async (call) => {
  const [{ items, next }, waiting] = await Promise.all([
    call.store.listHosts(call.accountId, HOSTS_READ),
    call.store.waitingScans(call.accountId, call.clock()),
  ]);
  const number = Number(/^\d{1,3}$/.exec(queryOf(call, 'page'))?.[0] ?? 1);
  const shown = pageOfHosts(items, number);
  const unfinished = await unfinishedOf(call, shown.hosts);
  const { visitor, clock } = call;
  return page(200, hostsPage({ visitor, hosts: items, shown, unfinished, waiting, more: next !== undefined, now: clock() }));
};

// What the hosts of one page wait for: few, and none of most accounts.
async function unfinishedOf({ store }: SignedCall, hosts: readonly Host[]): Promise<OwedScan[]> {
  const owed = await Promise.all(hosts.flatMap(({ id, state: { putOff } }) => (putOff === undefined ? [] : [store.findOwed(id, putOff)])));
  return owed.filter((each) => each !== undefined);
}

export const HOSTS_ROUTES: readonly SignedRoute[] = [['GET', '/hosts', showHosts]];
