import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    maxWorkers: 2 * Math.max(2, availableParallelism()), // half of what they do is waiting
    testTimeout: process.env.SEARCHES === 'whole' ? 120_000 : 30_000, // whole searches take minutes beside others
    hookTimeout: 60_000,
    maxConcurrency: 8, // of the cases of a mail server, which mostly wait
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/{unit,search,contract,simulation,infra}/**/*.test.ts'],
          globalSetup: 'test/support/engine.ts',
          isolate: false, // importing the rooms for each file takes longer than most of them
        },
      },
      { extends: true, test: { name: 'whole service', include: ['test/{integration,browser}/**/*.test.ts'] } },
    ],
  },
});
