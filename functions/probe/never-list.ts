import { contains, type Network, parseAddress, parseNetwork } from '../../shared/domain/address.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore, NeverEntry } from '../../shared/store/audit-store.ts';

/** The operator's never-list as it stands: asked at every dial. Stop it when no more is dialled. */
export type NeverList = { readonly isVetoed: (target: string) => boolean; readonly stop: () => void };

const REFRESH_MS = 20_000;
const TRUSTED_MS = 55_000; // an entry is in force within a minute: what was read before that says nothing any more

/** Reads the list, and reads it again every 20 seconds. When it cannot be read any more, everything is vetoed. */
export async function watchNeverList(
  store: Pick<AuditStore, 'neverList'>,
  clock: Clock,
  log: (error: unknown) => void,
): Promise<NeverList> {
  let readAt = clock();
  let covers = coverOf(await store.neverList());
  const timer = setInterval(() => {
    const began = clock();
    store.neverList().then((entries) => {
      covers = coverOf(entries);
      readAt = began;
    }, log);
  }, REFRESH_MS);
  return { isVetoed: (target) => clock() - readAt > TRUSTED_MS || covers(target), stop: () => clearInterval(timer) };
}

/** Whether a list covers an address, or a name: its own entry or one above it. */
export function coverOf(entries: readonly NeverEntry[]): (target: string) => boolean {
  const networks: Network[] = [];
  const names = new Set<string>();
  for (const { target } of entries) {
    const network = parseNetwork(target) ?? singleAddress(target);
    if (network === undefined) names.add(target.toLowerCase());
    else networks.push(network);
  }
  return (target) => {
    const address = parseAddress(target);
    if (address !== undefined) return networks.some((network) => contains(network, address));
    const labels = target.toLowerCase().split('.');
    return labels.some((_, index) => names.has(labels.slice(index).join('.')));
  };
}

function singleAddress(text: string): Network | undefined {
  const address = parseAddress(text);
  return address === undefined
    ? undefined
    : { family: address.family, value: address.value, prefixLength: address.family === 4 ? 32 : 128 };
}
