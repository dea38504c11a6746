import type { Contact, LegEvidence, Stop, TestResult } from '../domain/scan.ts';
import { legName } from '../domain/verdict.ts';
import { converse, type SessionEvidence } from '../smtp/dialogue.ts';
import { fingerprint } from '../smtp/fingerprint.ts';
import { advance, BEGIN, nextSession, plannedTests, stopAfter } from '../smtp/plan.ts';
import type { Cast, Trial } from '../smtp/relay-tests.ts';
import { newTranscript, type Transcript } from '../smtp/transcript.ts';
import { connect } from './connect.ts';
import { runSession } from './session.ts';
import type { PermittedAddress } from './target-policy.ts';

/** Time limits of a probe, in milliseconds. `replyMs` is what one reply may take. */
export type ProbeLimits = {
  readonly connectMs: number;
  readonly replyMs: number;
  readonly sessionMs: number;
  readonly sittingMs: number;
};

/** P7: at most 90 s a session and a sitting. Courier takes 27 s for a refusal, and servers that shake off spammers greet after 15 s and more. */
export const PROBE_LIMITS: ProbeLimits = { connectMs: 15_000, replyMs: 45_000, sessionMs: 90_000, sittingMs: 90_000 };

/** Hears how far a leg has come: tests answered, whatever the answer, of those planned. */
export type OnProgress = (progress: { readonly leg: string; readonly answered: number; readonly planned: number }) => void;

/**
 * Audits one address and port: sessions one after the other until every planned test has an answer, the plan sees no
 * use in another, or the deadline (epoch milliseconds) is reached. What was not done is in the evidence as `not-run`.
 */
export async function probeLeg(
  target: PermittedAddress,
  port: number,
  cast: Cast,
  limits: ProbeLimits,
  deadline: number,
  onProgress?: OnProgress,
): Promise<LegEvidence> {
  const planned = plannedTests(cast).map((trial) => trial.id);
  const transcript = newTranscript();
  let progress = BEGIN;
  let contact: Contact = 'out-of-time';
  let stopped: Stop | undefined;
  for (let trials = nextSession(cast, progress); trials.length > 0 && stopped === undefined; trials = nextSession(cast, progress)) {
    if (Date.now() >= deadline) {
      stopped = 'out-of-time';
      break;
    }
    if (progress.sessions > 0) transcript.add('');
    const session = await runOne(target, port, cast, trials, limits, deadline, transcript);
    if (progress.sessions === 0) contact = session.contact;
    stopped = stopAfter(progress, session);
    if (session.contact !== 'answered') break;
    progress = advance(progress, session);
    onProgress?.({
      leg: legName({ address: target.text, port }),
      answered: progress.results.filter(({ test }) => planned.includes(test)).length,
      planned: planned.length,
    });
  }
  const said = transcript.lines.filter((line) => line.startsWith('S: ')).map((line) => line.slice('S: '.length));
  const software = contact === 'answered' ? fingerprint(said) : undefined;
  return {
    address: target.text,
    port,
    contact,
    software,
    ...sortResults(planned, progress.results),
    stopped,
    transcript: transcript.lines,
  };
}

async function runOne(
  target: PermittedAddress,
  port: number,
  cast: Cast,
  trials: readonly Trial[],
  limits: ProbeLimits,
  deadline: number,
  transcript: Transcript,
): Promise<SessionEvidence> {
  const left = Math.max(1, deadline - Date.now());
  const connection = await connect(target, port, Math.min(limits.connectMs, left));
  if (connection.kind === 'failed') {
    const outOfTime = connection.contact === 'connection-timed-out' && left < limits.connectMs;
    const contact = outOfTime ? 'out-of-time' : connection.contact;
    transcript.add(`-- ${contact}`);
    return { contact, results: [], cutShort: outOfTime ? 'out-of-time' : undefined };
  }
  const sessionDeadline = Math.min(deadline, Date.now() + limits.sessionMs);
  return runSession(connection.socket, converse(cast.ourDomain, trials), limits.replyMs, sessionDeadline, transcript);
}

function sortResults(planned: readonly string[], results: readonly TestResult[]): Pick<LegEvidence, 'tests' | 'controls'> {
  const tests = planned.map(
    (id): TestResult => results.find((result) => result.test === id) ?? { test: id, outcome: 'not-run', stage: 'greeting' },
  );
  return { tests, controls: results.filter((result) => !planned.includes(result.test)) };
}
