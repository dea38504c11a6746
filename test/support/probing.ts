import type { Services } from '../../functions/probe/probe-scans.ts';

const MINUTE = 60_000;

/** What a probe needs beside its store, its audits and its turns, where none of that is what a game is about: no mail, no canary, an open way out. */
export const QUIET_PROBING = {
  canaries: () => async () => undefined,
  raise: async () => {},
  egressBlocked: async () => false,
  dnsAnswers: async () => true,
  wakeNotices: async () => {},
  count: () => {},
  log: { info: () => {}, error: () => {} },
  confirmDelayMs: 5 * MINUTE,
  continueMs: 5 * MINUTE,
  putOffMs: 15 * MINUTE,
  awaitMs: 60 * MINUTE,
} as const satisfies Partial<Services>;
