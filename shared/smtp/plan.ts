import type { Stop, TestResult } from '../domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import type { SessionEvidence } from './dialogue.ts';
import {
  type Cast,
  negativeEnvelope,
  positiveEnvelope,
  type RelayTest,
  relayEnvelope,
  shortest,
  type Trial,
  testsFor,
} from './relay-tests.ts';

/**
 * What default configurations let a stranger do in one session before they slow down or hang up. Trials: Exim ends the
 * session at the 12th RSET-like command (smtp_accept_max_nonmail 10), Postfix slows after 10 errors
 * (smtpd_soft_error_limit). Odd: Exim hangs up after 3 syntax errors (smtp_max_synprot_errors).
 */
export const SESSION_BUDGET = { trials: 8, odd: 3 } as const;

const NEGATIVE_DOMAIN_CHARACTERS = 120;
const NEGATIVE_CONTROLS = 3; // accepted tests, different in kind, whose form is tried with an invented local user
const SESSIONS_LIMIT = 8; // connections to one port in a scan; a server that drops every session is not asked for ever
const IDLE_SESSIONS_LIMIT = 2; // sessions in a row that completed nothing

/** What has come of a leg so far. `idle` counts the sessions in a row that completed no trial. */
export type Progress = { readonly results: readonly TestResult[]; readonly sessions: number; readonly idle: number };

/** Nothing done yet. */
export const BEGIN: Progress = { results: [], sessions: 0, idle: 0 };

/** The progress with one more session that the server greeted. What such a session left undone stays to be done. */
export function advance(progress: Progress, session: SessionEvidence): Progress {
  const news = session.results.filter((result) => result.outcome !== 'not-run' && !isAboutTheSession(result, progress));
  return {
    results: [...progress.results, ...news],
    sessions: progress.sessions + 1,
    idle: news.length > 0 ? 0 : progress.idle + 1,
  };
}

/** Whether a session that ended this way says that the leg is to be left alone, and why. */
export function stopAfter(progress: Progress, session: SessionEvidence): Stop | undefined {
  if (session.cutShort === 'out-of-time') return 'out-of-time';
  const refused = [...progress.results, ...session.results].some(({ outcome }) => outcome === 'refused');
  return refused && (session.contact !== 'answered' || session.cutShort === 'silent') ? 'silent-after-refusals' : undefined;
}

// EHLO refused that was taken before, or a sender refused that was taken before, says "no more of you", not "no relaying".
function isAboutTheSession({ outcome, stage, from }: TestResult, { results, sessions }: Progress): boolean {
  if (outcome !== 'refused') return false;
  if (stage === 'ehlo') return sessions > 0 && results.some((before) => before.stage === 'mail' || before.stage === 'rcpt');
  return stage === 'mail' && results.some((before) => before.stage === 'rcpt' && before.from === from);
}

/** The trials of the next session, within the budget; empty when the leg is done or further sessions are of no use. */
export function nextSession(cast: Cast, progress: Progress): Trial[] {
  if (progress.sessions >= SESSIONS_LIMIT || progress.idle >= IDLE_SESSIONS_LIMIT) return [];
  const done = new Set(progress.results.filter((result) => result.outcome !== 'not-run').map((result) => result.test));
  const open = [...plannedControls(cast), ...plannedTests(cast)].filter((trial) => !done.has(trial.id));
  const trials = open.length > 0 ? open : negativeControls(cast, progress.results).filter((trial) => !done.has(trial.id));
  return withinBudget(trials);
}

/** The relay tests of a leg as trials, in the order of the table. */
export function plannedTests(cast: Cast): Trial[] {
  return testsFor(cast).map((test) => ({ id: test.id, odd: test.odd, envelope: (greeting) => relayEnvelope(test, cast, greeting) }));
}

function plannedControls(cast: Cast): Trial[] {
  if (cast.servedDomains.length === 0) return [];
  return [{ id: POSITIVE_CONTROL, odd: false, envelope: () => positiveEnvelope(cast) }];
}

// Only what was accepted needs unmasking, and each refused control would count against us with ban tools.
function negativeControls(cast: Cast, results: readonly TestResult[]): Trial[] {
  if (cast.servedDomains.length === 0) return [];
  const accepted = new Set(results.filter((result) => result.outcome === 'accepted').map((result) => result.test));
  const perKind = new Map<string, RelayTest>();
  // A longer domain at a long host name would not fit into a command.
  if (shortest(cast.servedDomains).length > NEGATIVE_DOMAIN_CHARACTERS) return [];
  for (const test of testsFor(cast)) if (accepted.has(test.id) && !perKind.has(test.kind)) perKind.set(test.kind, test);
  return [...perKind.values()].slice(0, NEGATIVE_CONTROLS).map((test) => ({
    id: `${NEGATIVE_CONTROL}${test.id}`,
    odd: test.odd,
    envelope: (greeting) => negativeEnvelope(test, cast, greeting),
  }));
}

function withinBudget(trials: readonly Trial[]): Trial[] {
  const chosen: Trial[] = [];
  let odd = 0;
  for (const trial of trials) {
    if (chosen.length >= SESSION_BUDGET.trials) break;
    if (trial.odd && odd >= SESSION_BUDGET.odd) continue;
    if (trial.odd) odd++;
    chosen.push(trial);
  }
  return chosen;
}
