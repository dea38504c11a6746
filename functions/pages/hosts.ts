import { hostsPage } from '../../shared/pages/hosts.ts';
import { page, queryOf, type SignedRoute, type SignedVerb } from './call.ts';

const HOSTS_READ = 1_000; // some 1 MB, which one query gives: so many are sorted by what they need

/** `GET /hosts?page=…` */
const showHosts: SignedVerb = async (call) => {
  const { items, next } = await call.store.listHosts(call.accountId, HOSTS_READ);
  const number = Number(/^\d{1,3}$/.exec(queryOf(call, 'page'))?.[0] ?? 1);
  return page(200, hostsPage({ visitor: call.visitor, hosts: items, more: next !== undefined, number, now: call.clock() }));
};

export const HOSTS_ROUTES: readonly SignedRoute[] = [['GET', '/hosts', showHosts]];
