import { coverOf } from '../../shared/domain/never.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

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
