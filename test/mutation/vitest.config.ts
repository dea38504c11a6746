import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The tests that a room's mutants are tried against: its own, and no long search.
const TESTS: Readonly<Record<string, readonly string[]>> = {
  'shared/domain': ['test/unit/domain/**/*.test.ts'],
  'shared/smtp': ['test/unit/smtp/**/!(cut-short).test.ts'],
  'shared/store': ['test/unit/store/**/*.test.ts', 'test/contract/**/*.test.ts'],
  'functions/probe': ['test/unit/probe/**/*.test.ts', 'test/integration/schedule.test.ts'],
  'functions/notify': ['test/unit/notify/**/*.test.ts'],
};

const ROOM = process.env.ROOM ?? 'shared/domain';

export default defineConfig({
  test: {
    include: [...(TESTS[ROOM] ?? [])],
    exclude: ['**/adversary*.test.ts', '**/other-servers.test.ts', '**/shared-address.test.ts'], // long searches, and servers of other makes
    isolate: ROOM === 'functions/probe', // whose tests take over sockets; elsewhere one worker for all files is four times as fast
    alias: [{ find: /^@aws-sdk\/(client|lib)-dynamodb$/, replacement: fileURLToPath(new URL('dynamodb.ts', import.meta.url)) }],
    testTimeout: 30_000,
    env: { TABLES: 'memory-only' }, // thousands of runs on the embedded engine would take a day
  },
});
