import type { Contact, LegEvidence, TestResult } from '../domain/scan.ts';
import { converse, type SessionEvidence } from '../smtp/dialogue.ts';
import { nextSession, type Progress, plannedTests } from '../smtp/plan.ts';
import type { Cast } from '../smtp/relay-tests.ts';
import { newTranscript, type Transcript } from '../smtp/transcript.ts';
import { connect } from './connect.ts';
import { runSession } from './session.ts';
import type { PermittedAddress } from './target-policy.ts';

/** Time limits of a probe, in milliseconds. */
export type ProbeLimits = { readonly connectMs: number; readonly sessionMs: number; readonly sittingMs: number };

/** P7: at most 90 s a session and a sitting. Servers that delay the greeting to shake off spammers wait 15 s and more. */
export const PROBE_LIMITS: ProbeLimits = { connectMs: 15_000, sessionMs: 90_000, sittingMs: 90_000 };

/**
 * Audits one address and port: sessions one after the other until every planned test has an answer, the plan sees no
 * use in another, or the sitting's deadline (epoch milliseconds) is near. What was not done is in the evidence as `not-run`.
 */
export async function probeLeg(
  target: PermittedAddress,
  port: number,
  cast: Cast,
  limits: ProbeLimits,
  deadline: number,
): Promise<LegEvidence> {
  const transcript = newTranscript();
  let progress: Progress = { results: [], sessions: 0, idle: 0 };
  let contact: Contact | undefined;
  let silentAfterRefusals = false;
  for (let trials = nextSession(cast, progress); trials.length > 0 && Date.now() < deadline; trials = nextSession(cast, progress)) {
    if (progress.sessions > 0) transcript.add('');
    const session = await runOne(target, port, cast, trials, limits, deadline, transcript);
    contact ??= session.contact;
    if (session.contact !== 'answered') {
      silentAfterRefusals = progress.results.some((result) => result.outcome === 'refused');
      break;
    }
    progress = advance(progress, session);
  }
  return {
    address: target.text,
    port,
    contact: contact ?? 'connection-timed-out',
    ...sortResults(cast, progress.results),
    silentAfterRefusals,
    transcript: transcript.lines,
  };
}

async function runOne(
  target: PermittedAddress,
  port: number,
  cast: Cast,
  trials: Parameters<typeof converse>[1],
  limits: ProbeLimits,
  deadline: number,
  transcript: Transcript,
): Promise<SessionEvidence> {
  const connection = await connect(target, port, Math.min(limits.connectMs, Math.max(1, deadline - Date.now())));
  if (connection.kind === 'failed') {
    transcript.add(`-- ${connection.contact}`);
    return { contact: connection.contact, results: [] };
  }
  const sessionDeadline = Math.min(deadline, Date.now() + limits.sessionMs);
  return runSession(connection.socket, converse(cast.ourDomain, trials), sessionDeadline, transcript);
}

function advance(progress: Progress, session: SessionEvidence): Progress {
  const news = session.results.filter((result) => result.outcome !== 'not-run');
  return {
    results: [...progress.results, ...news],
    sessions: progress.sessions + 1,
    idle: news.length > 0 ? 0 : progress.idle + 1,
  };
}

function sortResults(cast: Cast, results: readonly TestResult[]): Pick<LegEvidence, 'tests' | 'controls'> {
  const planned = plannedTests(cast).map((trial) => trial.id);
  const tests = planned.map(
    (id): TestResult => results.find((result) => result.test === id) ?? { test: id, outcome: 'not-run', stage: 'greeting' },
  );
  return { tests, controls: results.filter((result) => !planned.includes(result.test)) };
}
