import { memoryTable } from './memory-table.ts';
import { startTable as startOnEngine } from './table.ts';

/**
 * The table that the functions are tested on: the embedded engine's in `npm test`, the one in memory, which is told to be alike by
 * `silence.test.ts`, where one waits for the result (`TABLES=memory`, as in `npm run test:unit`).
 */
export const startTable: typeof startOnEngine = process.env.TABLES !== undefined ? memoryTable : startOnEngine;
