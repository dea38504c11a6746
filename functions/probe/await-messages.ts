import type { Returns } from '../../shared/domain/canary.ts';
import { ended } from '../../shared/domain/coverage.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Begun, LegEvidence, OwedScan } from '../../shared/domain/scan.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { Finding } from './finding.ts';

type Services = { readonly store: Pick<AuditStore, 'readReturns' | 'continueScan' | 'leaseScan'>; readonly clock: Clock };

/**
 * Looks what became of the messages that a scan waits for; sends nothing. One that came back ends the wait; so do bounces of all of
 * them, after which none will; and so does its time. Undefined: it goes on waiting.
 */
export async function lookForMessages(
  host: Host,
  owed: OwedScan,
  { until }: NonNullable<Begun['awaits']>,
  legs: readonly LegEvidence[],
  { store, clock }: Services,
): Promise<Finding | undefined> {
  const canaries = legs.flatMap((leg) => leg.canaries ?? []);
  const returns = await store.readReturns(owed, canaries);
  const { arrivals, bounces } = returns;
  const bounced = new Set(bounces.map(({ canary }) => canary));
  const onTheirWay = legs
    .flatMap(({ tests }) => tests)
    .filter(({ canary, outcome }) => outcome === 'accepted' && !bounced.has(canary ?? ''));
  const some = onTheirWay.some(({ canary }) => canary !== undefined);
  if (arrivals.length === 0 && some && clock() < until) {
    await store.continueScan(host, { ...owed, dueAt: until });
    // Who took in more since then has woken this scan before it was put to sleep again.
    const since = await store.readReturns(owed, canaries);
    if (countOf(since) > countOf(returns)) await store.leaseScan(owed, clock());
    return undefined;
  }
  const waited = ended(legs, 'waited');
  return { legs: waited, arrivals };
}

function countOf({ arrivals, bounces }: Returns): number {
  return arrivals.length + bounces.length;
}
