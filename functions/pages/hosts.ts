import { hostsPage } from '../../shared/pages/hosts.ts';
import { page, queryOf, type SignedRoute, type SignedVerb } from './call.ts';

const HOSTS_A_PAGE = 30; // with their strips under 100 KiB

/** `GET /hosts?after=…` */
const showHosts: SignedVerb = async (call) => {
  const after = queryOf(call, 'after');
  const isFirst = !/^[0-9a-f]{20}$/.test(after);
  const { items, next } = await call.store.listHosts(call.accountId, HOSTS_A_PAGE, isFirst ? undefined : after);
  const following = next === undefined ? undefined : `/hosts?after=${next}`;
  return page(200, hostsPage({ visitor: call.visitor, hosts: items, now: call.clock(), isFirst, next: following }));
};

export const HOSTS_ROUTES: readonly SignedRoute[] = [['GET', '/hosts', showHosts]];
