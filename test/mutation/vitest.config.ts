import { defineConfig } from 'vitest/config';

// The tests that a room's mutants are tried against: its own, and no long search.
const TESTS: Readonly<Record<string, readonly string[]>> = {
  'shared/domain': ['test/unit/domain/**/*.test.ts'],
  'shared/smtp': ['test/unit/smtp/**/!(cut-short).test.ts'],
  'shared/store': ['test/unit/store/**/*.test.ts', 'test/contract/**/*.test.ts'],
  'functions/probe': ['test/unit/probe/**/*.test.ts'],
  'functions/notify': ['test/unit/notify/**/*.test.ts'],
};

export default defineConfig({
  test: { include: [...(TESTS[process.env.ROOM ?? 'shared/domain'] ?? [])], testTimeout: 30_000 },
});
