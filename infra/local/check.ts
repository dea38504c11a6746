// `npm run check-host -- HOST`: one audit from the terminal. It keeps nothing and needs no running service; consent and
// target policy are those of the service, and `--own` is the operator's word for a network.
import { setTimeout as wait } from 'node:timers/promises';
import { type AuditOrder, type AuditRules, auditHost } from '../../functions/probe/audit-host.ts';
import type { Finding } from '../../functions/probe/finding.ts';
import type { Gate } from '../../functions/probe/permit-host.ts';
import { isUnfinished, nextSitting } from '../../shared/domain/coverage.ts';
import type { Verdict } from '../../shared/domain/reason.ts';
import { judgeHost } from '../../shared/domain/verdict.ts';
import { PROBE_LIMITS } from '../../shared/network/leg-session.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { type CanaryBook, openCanaryBook } from './canary-book.ts';
import { type CheckOptions, readCheckOptions } from './check-options.ts';
import { asJson, asText } from './check-report.ts';
import { EHLO_NAME } from './environment.ts';
import { UsageError } from './options.ts';

/** What the process ends with: what a script can go by. */
const EXIT: Record<Verdict, number> = { closed: 0, open: 1, suspected: 2, inconclusive: 3, untestable: 3, unreachable: 3 };
const EXIT_USAGE = 4;
const LOOK_MS = 100; // how often it is looked whether a canary came back

async function main(args: readonly string[]): Promise<void> {
  const options = readCheckOptions(args);
  const { host, canaryListen, canaryDomain } = options;
  const ref = { accountId: host.accountId, hostId: host.id, scanId: 'terminal' };
  const book = canaryListen === undefined ? undefined : await openCanaryBook(canaryListen, canaryDomain, ref);
  try {
    const sat = await sit(options, book);
    if (book !== undefined) await untilBack(book, options.waitMs);
    const arrivals = book?.arrivals ?? [];
    const finding = arrivals.length === 0 ? sat : { ...sat, judgement: judgeHost(sat.legs, [], arrivals) };
    const report = { host, finding, arrivals };
    console.log(options.json ? JSON.stringify(asJson(report), null, 2) : asText(report, options.transcript));
    process.exitCode = EXIT[finding.judgement.verdict];
  } finally {
    await book?.sink.stop();
  }
}

// One sitting, and as many more as the server's own slowness asks for, if it may be asked again.
async function sit({ host, own, dns, canaryDomain, retryAfterMs }: CheckOptions, book: CanaryBook | undefined): Promise<Finding> {
  const rules: AuditRules = {
    gate: gateOf(own, dns),
    families: [4, 6],
    ehloName: EHLO_NAME,
    canaryDomain,
    optOutAddress: `postmaster@${EHLO_NAME}`,
    limits: PROBE_LIMITS,
  };
  const order: AuditOrder = {
    scope: 'full',
    takeTurn: async () => ({ granted: true }),
    expectCanary: book?.expectCanary,
    onProgress: ({ leg, answered, planned }) => console.error(`${leg}: ${answered} of ${planned} tests`),
  };
  let finding = await auditHost(host, order, rules);
  for (let sittings = 1; isUnfinished(finding.judgement.reason) && retryAfterMs !== undefined; sittings++) {
    if (nextSitting(sittings, retryAfterMs) === undefined) break;
    console.error(`some tests are not done; trying again in ${retryAfterMs / 1000} s (Ctrl-C ends it)`);
    await wait(retryAfterMs);
    finding = await auditHost(host, { ...order, before: finding.legs }, rules);
  }
  return finding;
}

// Nobody has an account here, so nothing but the caller's own networks can be proven; a record that forbids probes is heeded.
function gateOf(operatorNetworks: CheckOptions['own'], dns: readonly string[]): Gate {
  return {
    lookups: dnsLookups(dns),
    operatorNetworks,
    tokenOf: () => undefined,
    isVetoed: () => false,
    pausedAmong: async () => [],
    mayLookAtGreeting: async () => false,
    greetingProved: async () => {},
  };
}

// The first that comes back proves it; the others would prove no more.
async function untilBack(book: CanaryBook, waitMs: number): Promise<void> {
  if (!book.waiting() || book.arrivals.length > 0) return;
  console.error(`waiting for messages to come back, at most ${waitMs / 1000} s`);
  for (const until = Date.now() + waitMs; book.arrivals.length === 0 && Date.now() < until; ) await wait(LOOK_MS);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof UsageError ? `check-host: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT.untestable;
});
