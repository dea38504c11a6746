import { memoryTable } from './memory-table.ts';
import { startTable } from './table.ts';

/**
 * How far a search goes that proves more the longer it goes on: `small` in `npm test`, so that one waits for it gladly, `whole` where
 * `SEARCHES=whole` asks for it, as the checks before a release do.
 */
export function runs(small: number, whole: number): number {
  return IS_WHOLE ? whole : small;
}

/** Whether searches go all the way; what only such a search can show is skipped without. */
export const IS_WHOLE = process.env.SEARCHES === 'whole';

/**
 * The table that a search is made on: the embedded engine's where it goes all the way, else the one in memory, which is told to be alike by
 * `silence.test.ts`.
 */
export const searchTable = IS_WHOLE ? startTable : memoryTable;
