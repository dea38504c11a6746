import type { Booking, ScanRef } from './scan.ts';

/**
 * A scan that wants to send packets to an address. A `fresh` one is neither a confirmation nor a continuation, and keeps its distance from
 * the last fresh one.
 */
export type Turn = {
  readonly address: string;
  readonly ref: ScanRef;
  /** Names this delivery of the scan: of two deliveries in flight only one gets the turn. */
  readonly attempt: string;
  readonly fresh: boolean;
  readonly now: number;
  /** How long nobody else may have the address, unless this turn is ended earlier. */
  readonly leaseMs: number;
  /** How long after a fresh scan began the next fresh one of another scan may. */
  readonly spacingMs: number;
  /** Its place in the line at this address. */
  readonly booked?: Booking | undefined;
  /** Whether it is to have a place in the line when the address is not free. */
  readonly books?: boolean | undefined;
  /** Who scans the address is not remembered: being there makes nobody one of its owners. */
  readonly unlisted?: boolean | undefined;
};

/** Whether an address was given to a scan; if not, when it may be asked for again, and its place in the line if it has one. */
export type TurnGiven = { readonly granted: true } | { readonly granted: false; readonly retryAt: number; readonly booked?: Booking };

/**
 * Who waits for fresh turns at an address. It goes in rounds: in each, every account that waits has one turn, in the order in which they
 * joined the line. Every scan in it has a round of its account's own; those up to `served` have been had, or missed, and those up to `issued` wait.
 */
export type Line = readonly InLine[];
type InLine = { readonly account: string; readonly served: number; readonly issued: number };

/** How an address stands: who has it until when, whether it is held after that, its last fresh scan, and the line with the time when that is over. */
export type Standing = {
  readonly leaseUntil: number;
  readonly holder: string;
  readonly heldUntil?: number | undefined;
  readonly freshAt?: number | undefined;
  readonly freshScan?: string | undefined;
  readonly nextFree?: number | undefined;
  readonly waiting: Line;
};

/**
 * What is to be done about a turn that is asked for. `book`: the scan joins the line, has this place, and the address stands otherwise.
 * `hold`: its time has come while a confirmation or a continuation has the address, and no other of those may take it until then.
 * `before` and `after`: the line as it must still be found, and as it is written.
 */
export type TurnStep<S extends Standing> =
  | { readonly do: 'wait'; readonly given: TurnGiven }
  | { readonly do: 'hold'; readonly until: number; readonly given: TurnGiven }
  | {
      readonly do: 'book';
      readonly before: Line;
      readonly after: Line;
      readonly nextFree: number;
      readonly place: Booking;
      readonly standing: S;
    }
  | { readonly do: 'take'; readonly served?: { readonly before: Line; readonly after: Line } };

const HOLD_MS = 2 * 60_000; // after the lease: dispatch comes once a minute, and a worker takes the scan up within another

/** Decides about a turn from how its address stands; undefined where it has never been given to anybody. */
export function stepFor<S extends Standing>(turn: Turn, standing: S | undefined): TurnStep<S> {
  if (standing === undefined) return { do: 'take' };
  const { now, booked, books = false, ref } = turn;
  const { nextFree = 0, waiting: line, freshAt = Number.NEGATIVE_INFINITY } = standing;
  const lease = standing.holder === turn.attempt ? 0 : standing.leaseUntil;
  if (!turn.fresh || standing.freshScan === freshScanOf(turn)) {
    const until = turn.fresh || lease === 0 ? lease : Math.max(lease, standing.heldUntil ?? 0);
    return until > now ? wait(until) : { do: 'take' };
  }
  const distant = freshAt + turn.spacingMs;
  const own = booked === undefined ? undefined : placeOf(line, ref.accountId, booked.round);
  if (booked !== undefined && own !== undefined) {
    const due = Math.max(distant, nextFree - (waitingIn(line) - own.before) * stepOf(turn));
    const at = Math.max(lease, due);
    if (at <= now) return { do: 'take', served: { before: line, after: own.after } };
    const { given } = wait(at, { round: booked.round, at });
    return due <= now ? { do: 'hold', until: lease + HOLD_MS, given } : { do: 'wait', given };
  }
  const free = Math.max(lease, distant, nextFree);
  if (free <= now) return { do: 'take' };
  if (!books || turn.spacingMs === 0) return wait(free);
  const { after, round } = join(nextFree > now && line.length > 0 ? line : anew(standing, now), ref.accountId);
  const until = (waitingIn(after) === 1 ? free : nextFree) + stepOf(turn);
  return {
    do: 'book',
    before: line,
    after,
    nextFree: until,
    place: { round, at: now },
    standing: { ...standing, waiting: after, nextFree: until },
  };
}

function wait(retryAt: number, booked?: Booking): { readonly do: 'wait'; readonly given: TurnGiven } {
  return { do: 'wait', given: { granted: false, retryAt, ...(booked === undefined ? {} : { booked }) } };
}

/** Names the scan that a fresh turn was given to. */
export function freshScanOf({ ref }: Turn): string {
  return `${ref.accountId}/${ref.hostId}/${ref.scanId}`;
}

// Between booked times. Dispatch comes once a minute, so a scan may be a little late without holding up the next.
function stepOf({ spacingMs }: Turn): number {
  return spacingMs + spacingMs / 5;
}

// Rounds are counted from the time at which the line begins, so none is ever that of a line before. Who had the turn last has had the first.
function anew({ freshScan = '' }: Standing, now: number): Line {
  const [last = ''] = freshScan.split('/');
  return [{ account: last, served: now, issued: now }];
}

// Joins behind what waits of the account, or in the round that is under way if it has had no turn in that.
function join(line: Line, account: string): { after: Line; round: number } {
  const there = line.find((each) => each.account === account);
  if (there === undefined) {
    const round = Math.max(...line.map(({ served }) => served));
    return { after: [...line, { account, served: round - 1, issued: round }], round };
  }
  const round = there.issued + 1;
  return { after: line.map((each) => (each === there ? { ...each, issued: round } : each)), round };
}

// How many wait before this round of the account, and the line once it has its turn: those before it have missed theirs, and accounts that
// have none in this round or a later one join anew. Undefined when it was had or missed.
function placeOf(line: Line, account: string, round: number): { before: number; after: Line } | undefined {
  const own = line.findIndex((each) => each.account === account && each.served < round && round <= each.issued);
  if (own < 0) return undefined;
  const passed = line.map((each, index) => {
    const last = index <= own ? round : round - 1;
    return { ...each, served: Math.max(each.served, Math.min(each.issued, last)) };
  });
  return { before: waitingIn(line) - waitingIn(passed) - 1, after: passed.filter(({ issued }) => issued >= round) };
}

function waitingIn(line: Line): number {
  return line.reduce((sum, { served, issued }) => sum + issued - served, 0);
}
