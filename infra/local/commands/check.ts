// `npm run check-host -- HOST`: one audit from the terminal. It keeps nothing and needs no running service; consent and
// target policy are those of the service, and `--own` is the operator's word for a network.
import { setTimeout as wait } from 'node:timers/promises';
import { type AuditOrder, type AuditRules, auditHost } from '../../../functions/probe/audit-host.ts';
import { type Finding, judgementOf } from '../../../functions/probe/finding.ts';
import type { Gate } from '../../../functions/probe/permit-host.ts';
import { ended, type Following, following } from '../../../shared/domain/coverage.ts';
import { REASONS, type Verdict } from '../../../shared/domain/reason.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import { dnsLookups } from '../../../shared/network/lookups.ts';
import { type CanaryBook, openCanaryBook } from '../service/canary-book.ts';
import { EHLO_NAME } from '../service/environment.ts';
import { sayConsent } from './check-consent.ts';
import { type CheckOptions, readCheckOptions } from './check-options.ts';
import { asJson, asText, type Cut, type Report } from './check-report.ts';
import { inWords } from './duration.ts';
import { UsageError } from './options.ts';

/** What the process ends with: what a script can go by. */
const EXIT: Record<Verdict, number> = { closed: 0, open: 1, suspected: 2, inconclusive: 3, untestable: 3, unreachable: 3 };
const EXIT_USAGE = 4;
const SERVICE_STEP_MS = 5 * 60_000; // between the first two sittings of a scan in a deployment
const LOOK_MS = 100; // how often it is looked whether a canary came back
const WAIT_MS = 30_000; // for canaries: those of a server that relays take seconds ...
const WAIT_LOCAL_MS = 5 * 60_000; // ... and where nothing but one that comes back would tell, they get more

async function main(args: readonly string[]): Promise<void> {
  const options = readCheckOptions(args);
  if (options === undefined) return;
  if (options.consent !== undefined) return sayConsent(options, options.consent);
  const { host, canaryListen, canaryDomain } = options;
  const ref = { accountId: host.accountId, hostId: host.id, scanId: 'terminal' };
  const book = canaryListen === undefined ? undefined : await openCanaryBook(canaryListen, canaryDomain, ref);
  const over = untilOver(options.maxTimeMs);
  try {
    const { finding, waitedMs } = await check(options, book, over);
    const stopped = over.why();
    const report = { host, finding, bounces: book?.bounces ?? [], stopped, waitedMs };
    if (stopped !== undefined) console.error(`${cutWords(stopped, options)}. This is what is known so far.`);
    console.log(options.json ? JSON.stringify(asJson(report), null, 2) : asText(report, options.transcript));
    process.exitCode = EXIT[judgementOf(finding, []).verdict];
  } finally {
    over.end();
    await book?.sink.stop();
  }
}

// Ctrl-C, or the end of the time that the whole may take, cuts a sitting short; what it showed by then is judged as any other.
function untilOver(maxTimeMs: number) {
  const controller = new AbortController();
  const end = Date.now() + maxTimeMs;
  let why: Cut | undefined;
  const stop = (cut: Cut) => () => {
    why ??= cut;
    controller.abort();
  };
  const interrupt = stop('interrupted');
  process.once('SIGINT', interrupt);
  const timer = setTimeout(stop('max-time'), maxTimeMs);
  return {
    signal: controller.signal,
    why: () => why,
    leftMs: () => Math.max(0, end - Date.now()),
    end() {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
    },
  };
}

function cutWords(cut: Cut, { maxTimeMs }: CheckOptions): string {
  return cut === 'interrupted' ? 'Interrupted' : `The time is over (--max-time ${inWords(maxTimeMs)})`;
}

type Over = ReturnType<typeof untilOver>;

type Checked = Pick<Report, 'finding' | 'waitedMs'>;

// As a scan of the service: it sits again while the server has something left to answer, then waits for its messages.
async function check(options: CheckOptions, book: CanaryBook | undefined, over: Over): Promise<Checked> {
  const { finding, next } = await sitAll(options, book, over.signal);
  if (finding.untested !== undefined) return { finding };
  // One that was cut short shows no end.
  const legs = next.kind === 'sitting' || over.signal.aborted ? finding.legs : next.legs;
  if (book === undefined || legs.length === 0) return { finding: { legs } };
  const local = next.kind === 'messages';
  const waitMs = options.waitMs ?? (local ? WAIT_LOCAL_MS : WAIT_MS);
  const outcome = await untilBack(
    book,
    local ? 'It takes any local part, so only a message that comes back would show a relay' : undefined,
    waitMs,
    over,
  );
  const all = outcome === 'cut' ? legs : ended(legs, 'waited');
  return { finding: { legs: all, arrivals: book.arrivals }, waitedMs: outcome === 'in-vain' ? waitMs : undefined };
}

// `next` is another sitting when the time for that was over.
async function sitAll(
  options: CheckOptions,
  book: CanaryBook | undefined,
  signal: AbortSignal,
): Promise<{ finding: Finding; next: Following }> {
  const { host, own, dns, canaryDomain, retryAfterMs } = options;
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
    signal,
  };
  // Only sittings as far apart as the service's show what a server never answers.
  const end = retryAfterMs >= SERVICE_STEP_MS ? 'sittings-used-up' : 'given-up';
  let finding = await auditHost(host, order, rules);
  for (let sittings = 1; ; sittings++) {
    const next = following({ legs: finding.legs, full: true, sittings }, retryAfterMs, end);
    if (next.kind !== 'sitting' || signal.aborted) return { finding, next };
    const { sentence } = REASONS[judgementOf(finding, []).reason];
    console.error(`${sentence} Trying again in ${inWords(next.inMs)} (Ctrl-C shows what is known).`);
    await wait(next.inMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return { finding, next };
    finding = await auditHost(host, { ...order, before: finding.legs }, rules);
  }
}

// Nobody has an account here, so nothing but the caller's own networks can be proven; a record that forbids probes is heeded.
function gateOf(operatorNetworks: CheckOptions['own'], dns: readonly string[]): Gate {
  const lookups = dnsLookups(dns);
  return {
    lookups,
    lookAgain: () => lookups,
    now: Date.now,
    operatorNetworks,
    tokenOf: () => undefined,
    isVetoed: () => false,
    pausedAmong: async () => [],
    isThere: async () => false,
    isRegistered: async () => true,
  };
}

// The first that comes back proves it; the others would prove no more, and one that was bounced will not come.
async function untilBack(
  book: CanaryBook,
  why: string | undefined,
  waitMs: number,
  { signal, leftMs }: Over,
): Promise<'settled' | 'in-vain' | 'cut'> {
  const isSettled = () => !book.waiting() || book.arrivals.length > 0;
  if (isSettled()) return 'settled';
  const mostMs = Math.min(waitMs, leftMs());
  const what = why === undefined ? 'Waiting' : `${why}: waiting`;
  console.error(`${what} for our messages to come back, at most ${inWords(mostMs)} (Ctrl-C shows what is known).`);
  const until = Date.now() + waitMs;
  while (!isSettled() && Date.now() < until && !signal.aborted) await wait(LOOK_MS);
  if (signal.aborted) return 'cut';
  return isSettled() ? 'settled' : 'in-vain';
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof UsageError ? `check-host: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT.untestable;
});
