import type { ScanRef } from '../../shared/domain/scan.ts';
import type { ExpectCanary, ExpectedCanary } from '../../shared/network/leg-session.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

const CANARIES_LIMIT = 300; // of one sitting: a server that refuses after the final dot needs one for each test of each leg

/** Writes down canaries of one scan before they are sent. */
export function canariesOf(ref: ScanRef, mint: () => ExpectedCanary, store: Pick<AuditStore, 'expectCanary'>, clock: Clock): ExpectCanary {
  let left = CANARIES_LIMIT;
  return async (about) => {
    if (left-- <= 0) return undefined;
    const canary = mint();
    await store.expectCanary({ id: canary.id, ...ref, ...about, sentAt: clock() });
    return canary;
  };
}
