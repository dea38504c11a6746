import type { Host } from '../domain/host.ts';
import type { Acting } from './acting.ts';

/** All hosts of the account, so many at a time. */
export async function* allHosts({ store, accountId }: Pick<Acting, 'store' | 'accountId'>, atOnce = 100): AsyncGenerator<readonly Host[]> {
  let after: string | undefined;
  do {
    const page = await store.listHosts(accountId, atOnce, after);
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}
