import type { AuditStore, Turn, TurnGiven } from '../../shared/store/audit-store.ts';

type Standing = { leaseUntil: number; holder: string; freshAt?: number; freshScan?: string; nextFree?: number };

/** Turns at addresses in memory, with the conditions of those on DynamoDB. Checked against them by `memory-turns.test.ts`. */
export function memoryTurns(): Pick<AuditStore, 'takeTurn' | 'endTurn'> {
  const items = new Map<string, Standing>();
  const stepOf = ({ spacingMs }: Turn) => spacingMs + spacingMs / 5;
  const scanOf = ({ ref }: Turn) => `${ref.hostId}/${ref.scanId}`;

  const freeAt = (turn: Turn, own: number | undefined, there: Standing): number => {
    const lease = there.holder === turn.attempt ? 0 : there.leaseUntil;
    if (!turn.fresh || there.freshScan === scanOf(turn)) return lease;
    const distant = there.freshAt === undefined ? 0 : there.freshAt + turn.spacingMs;
    return Math.max(lease, distant, own === undefined ? (there.nextFree ?? 0) : 0);
  };

  const refused = (turn: Turn, own: number | undefined, there: Standing, retryAt: number): TurnGiven => {
    if (own !== undefined) return { granted: false, retryAt, booked: own };
    if (!turn.fresh || turn.books !== true || turn.spacingMs === 0) return { granted: false, retryAt };
    const at = Math.max(retryAt, there.nextFree ?? 0);
    there.nextFree = at + stepOf(turn);
    return { granted: false, retryAt: at, booked: at };
  };

  return {
    async takeTurn(turn) {
      const { address, booked, now } = turn;
      if (booked !== undefined && booked > now) return { granted: false, retryAt: booked, booked };
      const own = booked !== undefined && now < booked + stepOf(turn) ? booked : undefined;
      const there = items.get(address);
      const retryAt = there === undefined ? 0 : freeAt(turn, own, there);
      if (there !== undefined && retryAt > now) return refused(turn, own, there, retryAt);
      const fresh = turn.fresh ? { freshAt: now, freshScan: scanOf(turn) } : {};
      items.set(address, { ...there, leaseUntil: now + turn.leaseMs, holder: turn.attempt, ...fresh });
      return { granted: true };
    },
    async endTurn(address, attempt, now) {
      const there = items.get(address);
      if (there?.holder === attempt && there.leaseUntil > now) there.leaseUntil = now;
    },
  };
}
