import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,search,contract,simulation,integration,infra,browser}/**/*.test.ts'],
    maxWorkers: Math.max(2, availableParallelism()), // much of what they do is waiting
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/engine.ts',
    maxConcurrency: 8, // of the cases of a mail server, which mostly wait
  },
});
