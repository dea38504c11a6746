import type { Host } from '../domain/host.ts';
import { kindOf, type OwedScan, scanId } from '../domain/scan.ts';
import { ownAccount } from './account.ts';
import type { Acting } from './acting.ts';
import { BUDGETS, spend } from './budgets.ts';
import { quotasOf } from './quotas.ts';

const SECOND_MS = 1_000;

/** Owes a scan of a host, unless one that was asked for is owed already: then that one is given. `before` is done before it is owed. */
export async function requestScan(
  acting: Acting,
  host: Host,
  before: (owed: OwedScan) => Promise<unknown> = async () => {},
): Promise<OwedScan> {
  const { store } = acting;
  const waiting = (await store.owedOf(host.id)).find((owed) => kindOf(owed.scanId) === 'on-demand');
  if (waiting !== undefined) {
    await before(waiting);
    return waiting;
  }
  await spend(
    acting,
    'host-scans',
    host.id,
    `You can ask for ${BUDGETS['host-scans'].limit} scans of a host an hour. Looks at its consent are counted apart.`,
  );
  const { scansADay } = quotasOf(await ownAccount(acting));
  const detail = `This account has asked for ${scansADay} scans today, which is as many as it may in a day. Its scheduled scans go on.`;
  await spend(acting, 'account-scans', acting.accountId, detail, scansADay);
  const fresh = await newScan(acting, host);
  await before(fresh);
  await store.owe(fresh);
  return fresh;
}

// One that has not been made. Ids are of a second: one that was made in this very second is not asked for again, but the next.
async function newScan({ store, clock, accountId }: Acting, host: Host): Promise<OwedScan> {
  let dueAt = clock();
  while ((await store.findScan(host.id, scanId(dueAt, 'on-demand'))) !== undefined) dueAt += SECOND_MS;
  return { accountId, hostId: host.id, scanId: scanId(dueAt, 'on-demand'), dueAt, tries: 0 };
}
