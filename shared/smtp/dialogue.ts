import type { Contact, Outcome, Stage, TestResult } from '../domain/scan.ts';
import type { Command } from './command.ts';
import { meaningOf } from './meaning.ts';
import type { Trial } from './relay-tests.ts';
import { type Reply, replyText } from './reply.ts';

/** What the dialogue wants next: a reply without having said anything (the greeting), or a command to be sent. */
export type Step = { readonly kind: 'listen' } | { readonly kind: 'say'; readonly command: Command };

/** How a connection ended under a dialogue. `silent`: no reply came in the time that one may take. `out-of-time`: our own time was over. */
export type End = 'closed' | 'silent' | 'out-of-time' | 'not-smtp' | 'too-much';

/** What came back: a reply, or the end of the connection. */
export type Arrival = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'end'; readonly end: End };

/** What one session showed. `cutShort` says how it ended when it did not end by our QUIT. */
export type SessionEvidence = {
  readonly contact: Contact;
  readonly results: readonly TestResult[];
  readonly cutShort?: End | '421' | undefined;
};

type Dialogue<T> = Generator<Step, T, Arrival>;

// An answer to the whole session rather than to one envelope; the trials that it stops get it as their own.
type Stop = {
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly reply?: string | undefined;
  readonly cutShort?: End | '421' | undefined;
};

/**
 * One session: greeting, EHLO, then MAIL and RCPT for each trial with RSET in between, QUIT. It never says DATA, so
 * nothing is ever sent through the server. Pure: whoever runs it moves the bytes.
 */
export function* converse(ourName: string, trials: readonly Trial[]): Dialogue<SessionEvidence> {
  const greeting = yield { kind: 'listen' };
  if (greeting.kind === 'end') return { contact: silenceAt(greeting.end), results: [], cutShort: greeting.end };
  const results: TestResult[] = [];
  const refusal = greeting.reply.code === 220 ? yield* introduce(ourName) : stopOf('greeting', greeting);
  const stop = refusal ?? (yield* runTrials(trials, greetingName(greeting.reply), results));
  if (stop?.cutShort === undefined) yield { kind: 'say', command: { verb: 'QUIT' } };
  const rest = trials.slice(results.length).map((trial) => unreached(trial, stop));
  return { contact: 'answered', results: [...results, ...rest], cutShort: stop?.cutShort };
}

function* introduce(ourName: string): Dialogue<Stop | undefined> {
  const ehlo = yield { kind: 'say', command: { verb: 'EHLO', name: ourName } };
  const answer = answerIn(ehlo);
  if (answer?.code === 250) return undefined;
  // Servers older than RFC 1869 answer 500 or 502, and know HELO.
  if (answer === undefined || ![500, 502, 503, 504].includes(answer.code)) return stopOf('ehlo', ehlo);
  const helo = yield { kind: 'say', command: { verb: 'HELO', name: ourName } };
  return answerIn(helo)?.code === 250 ? undefined : stopOf('ehlo', helo);
}

function* runTrials(trials: readonly Trial[], server: string | undefined, results: TestResult[]): Dialogue<Stop | undefined> {
  for (const [index, trial] of trials.entries()) {
    const { from, to } = trial.envelope(server);
    const mail = yield { kind: 'say', command: { verb: 'MAIL', path: from } };
    const sender = answerIn(mail);
    if (sender === undefined) return stopOf('mail', mail);
    if (meaningOf(sender) !== 'accepted') {
      results.push(resultOf(trial.id, 'mail', sender, from, to));
      continue;
    }
    const rcpt = yield { kind: 'say', command: { verb: 'RCPT', path: to } };
    const recipient = answerIn(rcpt);
    if (recipient === undefined) return stopOf('rcpt', rcpt);
    results.push(resultOf(trial.id, 'rcpt', recipient, from, to));
    if (index === trials.length - 1) break;
    const rset = yield { kind: 'say', command: { verb: 'RSET' } };
    if (answerIn(rset)?.code !== 250) return { outcome: 'not-run', stage: 'mail', cutShort: rset.kind === 'end' ? rset.end : '421' };
  }
  return undefined;
}

function resultOf(test: string, stage: Stage, reply: Reply, from: string, to: string): TestResult {
  return { test, outcome: meaningOf(reply), stage, from, to, reply: shortText(reply) };
}

// The reply, unless the session is over: 421 means that the server closes it, whatever it was asked (RFC 5321 §3.8).
function answerIn(arrival: Arrival): Reply | undefined {
  return arrival.kind === 'end' || arrival.reply.code === 421 ? undefined : arrival.reply;
}

function stopOf(stage: Stage, arrival: Arrival): Stop {
  if (arrival.kind === 'end') return { outcome: 'not-run', stage, cutShort: arrival.end };
  if (arrival.reply.code === 421) return { outcome: 'not-run', stage, cutShort: '421', reply: shortText(arrival.reply) };
  const meaning = meaningOf(arrival.reply);
  const outcome = stage === 'greeting' && meaning === 'refused' ? 'about-us' : meaning === 'accepted' ? 'not-run' : meaning;
  return { outcome, stage, reply: shortText(arrival.reply) };
}

const REPLY_CHARACTERS = 512; // of a reply kept with a result: what RFC 5321 allows a line; the transcript has the rest

function shortText(reply: Reply): string {
  return replyText(reply).slice(0, REPLY_CHARACTERS);
}

function unreached(trial: Trial, stop: Stop | undefined): TestResult {
  return { test: trial.id, outcome: stop?.outcome ?? 'not-run', stage: stop?.stage ?? 'greeting', reply: stop?.reply };
}

function silenceAt(end: End): Contact {
  switch (end) {
    case 'closed':
      return 'closed-early';
    case 'silent':
      return 'no-greeting';
    case 'out-of-time':
      return 'out-of-time';
    case 'not-smtp':
    case 'too-much':
      return 'not-smtp';
  }
}

// The first word of a greeting is the server's name (RFC 5321 §4.3.1). It goes into envelopes sent back to that same
// server, so only a plain DNS name is taken.
function greetingName(reply: Reply): string | undefined {
  const word = reply.lines[0]?.split(' ')[0]?.toLowerCase() ?? '';
  return /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(word) ? word : undefined;
}
