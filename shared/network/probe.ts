import { setTimeout as wait } from 'node:timers/promises';
import { privateAddressIn } from '../domain/address.ts';
import type { Software } from '../domain/remedies.ts';
import type { Contact, LegCosts, LegEvidence, Stop, TestResult, TlsFacts } from '../domain/scan.ts';
import { legName, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import type { Cast } from '../smtp/envelope-forms.ts';
import { fingerprint } from '../smtp/fingerprint.ts';
import {
  advance,
  BEGIN,
  beginBeside,
  isSilent,
  leftToCarry,
  nextSessions,
  type Progress,
  plannedTests,
  resume,
  stillLeft,
  toldAtMail,
  waitBefore,
} from '../smtp/plan.ts';
import type { RelayTest } from '../smtp/relay-tests.ts';
import { offers, type SessionEvidence } from '../smtp/session.ts';
import { newTranscript, type Transcript } from '../smtp/transcript.ts';
import type { TlsLevel } from './connect.ts';
import { type Held, holdSession, type LegOrder, type SessionManner } from './leg-session.ts';

// What the sessions of a leg have shown beside their results.
type Seen = {
  contact: Contact;
  offersStarttls: boolean;
  tls: TlsFacts | undefined;
  injected: string | undefined;
  seesUsAs: string | undefined;
  costs: LegCosts;
  brokenTls: LegEvidence['brokenTls'];
};

// Where the sitting at a leg stands.
type Sitting = {
  progress: Progress;
  stopped: Stop | undefined;
  /** Rounds in a row in which every connection was silent. */
  silences: number;
  /** Some session of this sitting was greeted. */
  greeted: boolean;
  tlsLevel: TlsLevel;
  over: boolean;
};

/**
 * Audits one leg: sessions one after the other, or side by side with servers that take that, until every planned test has
 * an answer and what was accepted has been carried through, the plan sees no use in another, or the deadline is reached.
 * What was not done is in the evidence as `not-run`.
 */
export async function probeLeg(order: LegOrder): Promise<LegEvidence> {
  const { cast, scope, before, beside } = order;
  const transcript = newTranscript();
  for (const line of before?.transcript ?? []) transcript.add(line);
  const seen = newSeen(before);
  const progress = before !== undefined ? resume(before, cast, scope) : beside !== undefined ? beginBeside(beside) : BEGIN;
  const sitting: Sitting = { progress, stopped: undefined, silences: 0, greeted: false, tlsLevel: 'usual', over: false };
  while (!sitting.over && sitting.stopped === undefined) {
    const round = roundOf(order, sitting.progress);
    const steps = waitBefore(sitting.progress);
    if (round.length === 0 || steps === undefined) break;
    // A wait that leaves no time for a session is left to the next sitting.
    if (order.signal?.aborted || order.clock() + order.limits.pauseMs * steps >= order.deadline) {
      sitting.stopped = 'out-of-time';
      break;
    }
    await wait(order.limits.pauseMs * (steps + sitting.silences));
    const help = sitting.progress.sessions === 1 && softwareOf(sitting.progress, transcript) === undefined;
    const held = await Promise.all(round.map((next) => holdSession(order, next, help, mannerOf(sitting))));
    for (const each of held) note(each, order, seen, transcript);
    takeIn(held, sitting, seen, order);
    if (held.some(({ session }) => session.contact === 'answered')) report(order, sitting.progress);
    const { greeting } = sitting.progress;
    if (greeting.software === undefined)
      sitting.progress = { ...sitting.progress, greeting: { ...greeting, software: softwareOf(sitting.progress, transcript) } };
  }
  return evidenceOf(order, sitting, seen, transcript);
}

// What a round of sessions makes of a sitting.
function takeIn(held: readonly Held[], sitting: Sitting, seen: Seen, { before }: LegOrder): void {
  const sessions = held.map(({ session }) => session);
  const first = sitting.progress.sessions === 0 && !sitting.greeted;
  // One of several that was shaken off may be one too many; all of them are not.
  const some = sessions.some(({ contact, cutShort }) => contact === 'answered' && cutShort === undefined);
  const welcome = sessions.some(({ keywords }) => keywords !== undefined);
  const silent = sessions.every((session) => isSilent(sitting.progress, session));
  const refused = sessions.find(({ contact }) => contact === 'vetoed' || contact === 'unproven' || contact === 'too-many-lookups')?.contact;
  if (first && before?.contact !== 'answered') seen.contact = (sessions.find(isGreeted) ?? sessions[0])?.contact ?? seen.contact;
  // Whatever it has answered so far: nothing more may be asked.
  if (refused !== undefined) {
    seen.contact = refused;
    sitting.over = true;
  }
  const { limits } = sitting.progress;
  let shaken = false;
  for (const session of sessions) {
    if (session.cutShort === 'out-of-time' && !some) sitting.stopped = 'out-of-time';
    // A greeting that refuses one of several, beside others that are taken, says that they are too many.
    const crowded = welcome && session.keywords === undefined && session.results.length > 0;
    if (crowded) shaken = true;
    else if (session.contact === 'answered') sitting.progress = advance(sitting.progress, session);
    sitting.greeted ||= session.contact === 'answered';
  }
  shaken ||= sessions.some(({ contact, cutShort, limited }) => contact !== 'answered' || cutShort !== undefined || limited === true);
  if (sessions.length > 1 && shaken)
    sitting.progress = {
      ...sitting.progress,
      atOnce: Math.max(1, Math.floor(sessions.length / 2)),
      idle: some ? 0 : sitting.progress.idle,
      limits: Math.min(limits + 1, sitting.progress.limits), // met side by side, they are one
    };
  sitting.silences = silent ? sitting.silences + 1 : 0;
  if (sitting.silences >= SILENT_CONNECTIONS) sitting.stopped ??= 'silent-after-refusals';
  const mute = sessions.every(({ contact }) => contact !== 'answered');
  const failed = sessions.find(({ contact }) => contact === 'tls-failed');
  if (failed !== undefined && mute) takeInBroken(failed.tlsError, sitting, seen, before);
  else sitting.over ||= mute && !silent;
}

function isGreeted({ contact }: SessionEvidence): boolean {
  return contact === 'answered';
}

const SILENCE_MS = 20_000; // of a server that has answered faster than that so far

// A server that takes its time for every answer is not silent before it has had twice as much; and some hold all answers to a group of
// commands back until it is through, as Sendmail does.
function mannerOf({ tlsLevel, progress }: Sitting): SessionManner {
  const { refusalMs, greeting } = progress;
  return { tlsLevel, silenceMs: Math.max(SILENCE_MS, HELD_BACK * refusalMs, 2 * (greeting.afterMs ?? 0)) };
}

const HELD_BACK = 8; // refusals: of a slow server a session holds five and the control

const SILENT_CONNECTIONS = 2; // a ban lasts into another connection

// TLS that fails with today's settings is tried with the most permissive ones before it is called broken.
function takeInBroken(why: string | undefined, sitting: Sitting, seen: Seen, before: LegEvidence | undefined): void {
  const wasUsual = sitting.tlsLevel === 'usual';
  sitting.tlsLevel = 'permissive';
  if (wasUsual && sitting.progress.sessions === 0) return;
  sitting.over = true;
  seen.brokenTls = { sittings: (before?.brokenTls?.sittings ?? 0) + 1, why: why ?? 'TLS could not be set up' };
}

function evidenceOf(order: LegOrder, sitting: Sitting, seen: Seen, transcript: Transcript): LegEvidence {
  const { cast, scope, before, target, port, transport, expectCanary, round } = order;
  const { progress, stopped } = sitting;
  const tests = plannedTests(cast, scope, progress.greeting);
  return {
    address: target.text,
    port,
    transport,
    ...seen,
    software: seen.contact === 'answered' ? softwareOf(progress, transcript) : undefined,
    ...sortResults(tests, progress, cast),
    stopped,
    greetingName: progress.greeting.name,
    canaries: sentIn(progress.results, before),
    toCarry: expectCanary === undefined ? undefined : leftToCarry(cast, scope, progress, round),
    noMailbox: expectCanary === undefined ? true : undefined,
    limited: progress.limited ? true : undefined,
    pace: { greetMs: Math.round(progress.greeting.afterMs ?? 0), refusalMs: Math.round(progress.refusalMs) },
    silentSittings: stopped === 'silent-after-refusals' ? (sitting.greeted ? 0 : (before?.silentSittings ?? 0)) + 1 : undefined,
    transcript: transcript.lines,
  };
}

/** The evidence of a leg that nothing may be told of, or that nothing was sent to. */
export function untouchedLeg(
  { target, port, transport }: Pick<LegOrder, 'port' | 'transport'> & { target: { text: string } },
  contact: Contact,
): LegEvidence {
  const costs = { connections: 0, commands: 0, roundTrips: 0, refusals: 0 };
  return { address: target.text, port, transport, contact, costs, tests: [], controls: [], transcript: [] };
}

// Whatever the server said of a message, it has it: refused ones last, for few of them come back.
function sentIn(results: readonly TestResult[], before: LegEvidence | undefined): string[] {
  const sent = results
    .toSorted((a, b) => Number(a.outcome === 'refused') - Number(b.outcome === 'refused'))
    .flatMap(({ canary }) => canary ?? []);
  return [...new Set([...(before?.canaries ?? []), ...sent])].slice(0, CANARIES_KEPT);
}

const CANARIES_KEPT = 12; // of a leg, in its scan

function roundOf({ cast, scope, expectCanary, round }: LegOrder, progress: Progress) {
  return nextSessions(cast, scope, progress, expectCanary === undefined ? 'none' : { round });
}

function newSeen(before: LegEvidence | undefined): Seen {
  return {
    contact: before?.contact ?? 'out-of-time',
    offersStarttls: before?.offersStarttls ?? false,
    tls: before?.tls,
    injected: before?.injected,
    seesUsAs: before?.seesUsAs,
    costs: before?.costs ?? { connections: 0, commands: 0, roundTrips: 0, refusals: 0 },
    brokenTls: before?.brokenTls,
  };
}

function note({ session, tls, costs, lines }: Held, { target, transport }: LegOrder, seen: Seen, transcript: Transcript): void {
  if (transcript.lines.length > 0) transcript.add('');
  for (const line of lines) transcript.add(line);
  seen.costs = {
    connections: seen.costs.connections + costs.connections,
    commands: seen.costs.commands + costs.commands,
    roundTrips: seen.costs.roundTrips + costs.roundTrips,
    refusals: seen.costs.refusals + costs.refusals,
  };
  seen.offersStarttls ||= transport === 'plain' && offers(session.keywords, 'STARTTLS');
  seen.tls = tls ?? seen.tls;
  seen.injected = session.injected ?? seen.injected;
  // A server on a private address of its own may well see us under another.
  if (privateAddressIn(`[${target.text}]`) === undefined) seen.seesUsAs = privateAddressIn(session.hello ?? '') ?? seen.seesUsAs;
}

// What its greeting says, or else the wording of its answers.
function softwareOf({ greeting }: Progress, { lines }: Transcript): Software | undefined {
  return greeting.software ?? fingerprint(lines.filter((line) => line.startsWith('S: ')).map((line) => line.slice('S: '.length)));
}

function report({ target, port, transport, cast, scope, onProgress }: LegOrder, { results, greeting }: Progress): void {
  if (onProgress === undefined) return;
  const planned = plannedTests(cast, scope, greeting).map(({ id }) => id);
  const answered = results.filter(({ test }) => planned.includes(test)).length;
  onProgress({ leg: legName({ address: target.text, port, transport }), answered, planned: planned.length });
}

function sortResults(planned: readonly RelayTest[], progress: Progress, cast: Cast): Pick<LegEvidence, 'tests' | 'controls'> {
  const { results, closings } = progress;
  const byTest = new Map([...stillLeft(progress), ...results].map((result) => [result.test, result]));
  const told = toldAtMail(cast, results);
  const controls = results.filter(({ test }) => test === POSITIVE_CONTROL || test.startsWith(NEGATIVE_CONTROL));
  const unasked = cast.servedDomains.length > 0 && !byTest.has(POSITIVE_CONTROL);
  return {
    tests: planned.map((test) =>
      withFacts(test, byTest.get(test.id) ?? toldOf(test, told(test.envelope)) ?? { test: test.id, ...NOT_RUN }, closings[test.id]),
    ),
    controls: unasked ? [{ test: POSITIVE_CONTROL, ...NOT_RUN }, ...controls] : controls,
  };
}

// A test whose sender was told under the same name what it must do first, by another test, has that answer too.
function toldOf({ id, kind, envelope: { to } }: RelayTest, told: TestResult | undefined): TestResult | undefined {
  return told === undefined || kind === 'xclient' ? undefined : { ...told, test: id, to };
}

const NOT_RUN = { outcome: 'not-run', stage: 'greeting' } as const;

// What the table knows of a test, where a reader of its result needs it.
function withFacts({ local, negative, cause, name }: RelayTest, result: TestResult, closings: number | undefined): TestResult {
  // A message that was refused after the dot may come back all the same.
  const shows = result.outcome === 'accepted' || result.canary !== undefined ? { cause, name } : undefined;
  return { ...result, negative: local ? negative.id : undefined, shows, closings };
}
