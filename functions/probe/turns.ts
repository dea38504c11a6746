import type { ScanRef } from '../../shared/domain/scan.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { newId } from '../../shared/runtime/ids.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { TakeTurn } from './permit-host.ts';

/** The turns of one delivery of a scan at the addresses of its host. */
export type Turns = { readonly take: TakeTurn; readonly end: () => Promise<void> };

/** How addresses are shared: for how long one scan has one, and what lies between fresh scans. `soonestMs`: when a scan may follow another at the earliest. */
export type TurnRules = { readonly leaseMs: number; readonly spacingMs: number; readonly soonestMs: number };

/** Takes turns at addresses, and ends them where a lease would hold up the scan that follows; elsewhere it lapses by itself, which costs no write. */
export function turnsOf(
  ref: ScanRef,
  fresh: boolean,
  store: Pick<AuditStore, 'takeTurn' | 'endTurn'>,
  clock: Clock,
  rules: TurnRules,
): Turns {
  const { leaseMs, spacingMs, soonestMs } = rules;
  const attempt = newId();
  const taken: string[] = [];
  return {
    async take(address) {
      const given = await store.takeTurn({ address, ref, attempt, fresh, now: clock(), leaseMs, spacingMs });
      if (given.granted) taken.push(address);
      return given;
    },
    async end() {
      if (soonestMs < leaseMs) await Promise.all(taken.map((address) => store.endTurn(address, attempt, clock())));
    },
  };
}
