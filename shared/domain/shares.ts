/**
 * How many scans of one account begin in a minute, those of the wheel and owed ones together. A scan lasts 200 seconds at the most, with DNS
 * and the line in front of it, so that 50 of an account are under way at once: one message, which one of the workers can do by itself.
 */
export const SCANS_A_MINUTE = 15;

const MINUTES_FOR_ALL = 30; // within which each host has its turn once: twice as often as the fastest wheel asks for

/** The share of an account with so many hosts: with very many it is more than the usual one, or it would never be done with them. */
export function shareOf(hosts: number): number {
  return Math.max(SCANS_A_MINUTE, Math.ceil(hosts / MINUTES_FOR_ALL));
}

/** What was taken, in the order it is to be done, and what was left for later. */
export type Shares<T> = { readonly taken: readonly T[]; readonly left: readonly T[] };

/**
 * Takes of the accounts in turn: first one of each, then a second of each that has one, and so on, of each account at most its share and
 * `most` in all. Within an account, and among accounts, what comes first goes first. So no account waits for more than one of each other's.
 * Of one host one goes at a time: two would meet at its address, and which of them is let in would hang on what others have due.
 */
export function inTurn<T extends { readonly accountId: string; readonly hostId: string }>(
  items: readonly T[],
  share: (accountId: string) => number,
  most: number,
): Shares<T> {
  const taken: T[] = [];
  let waiting = [...Map.groupBy(items, ({ accountId }) => accountId)].map(([accountId, all]) =>
    firstOfEachHost(all).slice(0, share(accountId)),
  );
  for (let round = 0; waiting.length > 0 && taken.length < most; round++) {
    taken.push(...waiting.flatMap((each) => each.slice(round, round + 1)));
    waiting = waiting.filter((each) => each.length > round + 1);
  }
  const sent = new Set(taken.slice(0, most));
  return { taken: [...sent], left: items.filter((item) => !sent.has(item)) };
}

/**
 * Items for `inTurn` where more accounts may wait than there is room for in one go: it begins with another account at each `place`. When that goes
 * on by as many as there was room for, those that were passed over come first in the next go, as long as the same accounts wait. They go by their
 * ids, which stay as they are from one go to the next; the order of what they have due does not.
 */
export function startingAt<T extends { readonly accountId: string }>(items: readonly T[], place: number): T[] {
  const accounts = [...Map.groupBy(items, ({ accountId }) => accountId)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const first = place % Math.max(1, accounts.length);
  return [...accounts.slice(first), ...accounts.slice(0, first)].flatMap(([, all]) => all);
}

function firstOfEachHost<T extends { readonly hostId: string }>(items: readonly T[]): T[] {
  const seen = new Set<string>();
  return items.filter(({ hostId }) => seen.size < seen.add(hostId).size);
}
