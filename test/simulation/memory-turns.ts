import { freshScanOf, type Line, type Standing, stepFor, type Turn } from '../../shared/domain/turn-line.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

/** Turns at addresses in memory, decided as those on DynamoDB are. Checked against them by `memory-turns.test.ts`. */
export function memoryTurns(): Pick<AuditStore, 'takeTurn' | 'endTurn'> {
  const items = new Map<string, Standing>();

  const give = (turn: Turn, waiting: Line) => {
    const fresh = turn.fresh ? { freshAt: turn.now, freshScan: freshScanOf(turn) } : {};
    const lease = { leaseUntil: turn.now + turn.leaseMs, holder: turn.attempt };
    items.set(turn.address, { ...items.get(turn.address), ...lease, ...fresh, waiting });
    return { granted: true } as const;
  };

  return {
    async takeTurn(turn) {
      const { booked, now, address } = turn;
      if (booked !== undefined && booked.at > now) return { granted: false, retryAt: booked.at, booked };
      const first = stepFor(turn, items.get(address));
      if (first.do === 'book') items.set(address, first.standing);
      const next = first.do === 'book' ? stepFor({ ...turn, booked: first.place }, first.standing) : first;
      if (next.do === 'book') throw new Error('booked twice');
      const there = items.get(address);
      if (next.do === 'hold' && there !== undefined) items.set(address, { ...there, heldUntil: next.until });
      return next.do === 'wait' || next.do === 'hold' ? next.given : give(turn, next.served?.after ?? there?.waiting ?? []);
    },
    async endTurn(address, attempt, now) {
      const there = items.get(address);
      if (there?.holder === attempt && there.leaseUntil > now) items.set(address, { ...there, leaseUntil: now });
    },
  };
}
