/** How many owed scans of one account are begun in a minute: one message, which one of the workers can do by itself. */
export const SCANS_A_MINUTE = 50;

/** What was taken, in the order it is to be done, and how many of each account were left for later. */
export type Shares<T> = { readonly taken: readonly T[]; readonly left: ReadonlyMap<string, number> };

/**
 * Takes of the accounts in turn: first one of each, then a second of each that has one, and so on, at most `share` of one account and `most`
 * in all. Within an account, and among accounts, what comes first goes first. So no account waits for more than one of each other's.
 */
export function inTurn<T extends { readonly accountId: string }>(items: readonly T[], share: number, most: number): Shares<T> {
  const byAccount = new Map<string, T[]>();
  for (const item of items) {
    const own = byAccount.get(item.accountId);
    if (own === undefined) byAccount.set(item.accountId, [item]);
    else own.push(item);
  }
  const taken: T[] = [];
  let waiting = [...byAccount.values()];
  for (let round = 0; round < share && waiting.length > 0; round++) {
    taken.push(...waiting.flatMap((own) => own.slice(round, round + 1)));
    waiting = waiting.filter((own) => own.length > round + 1);
  }
  const sent = new Set(taken.splice(0, most));
  const left = [...byAccount].map(([accountId, own]) => [accountId, own.filter((item) => !sent.has(item)).length] as const);
  return { taken: [...sent], left: new Map(left.filter(([, count]) => count > 0)) };
}
