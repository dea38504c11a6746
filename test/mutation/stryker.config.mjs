/**
 * Mutation testing of one room: `ROOM=shared/domain npm run mutants`; `-- --mutate FILE:FROM-TO` for a few lines.
 * Mutants of what a module says once (tables, words) are left out: each would cost a whole run, and a test that repeats a text proves little.
 * So are the words of logs and defects (`words.mjs`), and the handlers: they only join what the rooms decide to AWS, and are tried with the
 * whole service, in a thread where no mutant can be switched on.
 */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', new URL('words.mjs', import.meta.url).pathname],
  ignorers: ['words'],
  coverageAnalysis: 'perTest',
  mutate: [`${process.env.ROOM ?? 'shared/domain'}/**/*.ts`, '!**/handler.ts'],
  ignoreStatic: true,
  concurrency: Number(process.env.WORKERS ?? 2),
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  tsconfigFile: 'none', // Stryker would read it by an API that TypeScript 7 has no more
  tempDirName: '.mutants',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: '.mutants-report.json' },
  clearTextReporter: { allowColor: false, reportTests: false },
  thresholds: { high: 95, low: 95, break: 95 },
};
