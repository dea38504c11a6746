import { privateAddressIn } from '../domain/address.ts';
import type { Software } from '../domain/remedies.ts';
import type { Contact, LegCosts, LegEvidence, Stop, TestResult, TlsFacts } from '../domain/scan.ts';
import { legName, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import { offers } from '../smtp/dialogue.ts';
import { fingerprint } from '../smtp/fingerprint.ts';
import { advance, BEGIN, nextSessions, type Progress, plannedTests, resume, stopAfter } from '../smtp/plan.ts';
import { newTranscript, type Transcript } from '../smtp/transcript.ts';
import { type Held, holdSession, type LegOrder } from './leg-session.ts';

// What the sessions of a leg have shown beside their results.
type Seen = {
  contact: Contact;
  offersStarttls: boolean;
  tls: TlsFacts | undefined;
  injected: string | undefined;
  seesUsAs: string | undefined;
  costs: LegCosts;
};

/**
 * Audits one leg: sessions one after the other, or side by side with servers that take that, until every planned test has
 * an answer and what was accepted has been carried through, the plan sees no use in another, or the deadline is reached.
 * What was not done is in the evidence as `not-run`.
 */
export async function probeLeg(order: LegOrder): Promise<LegEvidence> {
  const { cast, scope, before, port, transport } = order;
  const transcript = newTranscript();
  for (const line of before?.transcript ?? []) transcript.add(line);
  const seen = newSeen(before);
  let progress = before === undefined ? BEGIN : resume(before, cast, scope);
  let stopped: Stop | undefined;
  for (let round = roundOf(order, progress); round.length > 0 && stopped === undefined; round = roundOf(order, progress)) {
    if (progress.idle > 0) await pause(order.limits.pauseMs * progress.idle, order.deadline);
    if (Date.now() >= order.deadline) {
      stopped = 'out-of-time';
      break;
    }
    const help = progress.sessions === 1 && softwareOf(progress, transcript) === undefined;
    const first = progress.sessions === 0;
    const held = await Promise.all(round.map((next) => holdSession(order, next, help)));
    // One of several that was shaken off may be one too many; all of them are not.
    const some = held.some(({ session }) => session.contact === 'answered' && session.cutShort === undefined);
    for (const each of held) {
      if (first && before?.contact !== 'answered') seen.contact = each.session.contact;
      note(each, order, seen, transcript);
      const shaken = stopAfter(progress, each.session);
      if (shaken !== undefined && some) progress = { ...progress, serial: true };
      else stopped ??= shaken;
      if (each.session.contact === 'answered') progress = advance(progress, each.session);
      else progress = { ...progress, serial: true };
    }
    if (held.every(({ session }) => session.contact !== 'answered')) break;
    if (some && held.some(({ session }) => session.cutShort !== undefined)) progress = { ...progress, serial: true, idle: 0 };
    report(order, progress);
  }
  // Nothing is said of a server that has not shown that it is the account's, not even whether it is there.
  if (order.target.token !== undefined && seen.contact !== 'answered') return untouchedLeg(order, 'unproven');
  const software = seen.contact === 'answered' ? softwareOf(progress, transcript) : undefined;
  const results = sortResults(plannedTests(cast, scope, progress.greeting), progress.results);
  return {
    address: order.target.text,
    port,
    transport,
    ...seen,
    software,
    ...results,
    stopped,
    greetingName: progress.greeting.name,
    canaries: sentIn(progress.results, before),
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

function roundOf({ cast, scope, expectCanary }: LegOrder, progress: Progress) {
  return nextSessions(cast, scope, progress).filter(({ kind }) => kind === 'envelopes' || expectCanary !== undefined);
}

function newSeen(before: LegEvidence | undefined): Seen {
  return {
    contact: before?.contact ?? 'out-of-time',
    offersStarttls: before?.offersStarttls ?? false,
    tls: before?.tls,
    injected: before?.injected,
    seesUsAs: before?.seesUsAs,
    costs: before?.costs ?? { connections: 0, commands: 0, roundTrips: 0, refusals: 0 },
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

async function pause(ms: number, deadline: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.min(ms, Math.max(0, deadline - Date.now()))));
}

function report({ target, port, transport, cast, scope, onProgress }: LegOrder, { results, greeting }: Progress): void {
  if (onProgress === undefined) return;
  const planned = plannedTests(cast, scope, greeting).map(({ id }) => id);
  const answered = results.filter(({ test }) => planned.includes(test)).length;
  onProgress({ leg: legName({ address: target.text, port, transport }), answered, planned: planned.length });
}

function sortResults(planned: readonly { readonly id: string }[], results: readonly TestResult[]): Pick<LegEvidence, 'tests' | 'controls'> {
  const byTest = new Map(results.map((result) => [result.test, result]));
  return {
    tests: planned.map(({ id }): TestResult => byTest.get(id) ?? { test: id, outcome: 'not-run', stage: 'greeting' }),
    controls: results.filter(({ test }) => test === POSITIVE_CONTROL || test.startsWith(NEGATIVE_CONTROL)),
  };
}
