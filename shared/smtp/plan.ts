import type { LegEvidence, Stage, TestResult } from '../domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import { budgetFor, type SessionBudget } from './budget.ts';
import { CORE_REFUSALS } from './core.ts';
import { type Cast, type Envelope, postmasterEnvelope } from './envelope-forms.ts';
import { type MessagesToCarry, messagesLeft } from './messages.ts';
import { type RelayTest, relayTests, shortest, XCLIENT_TEST } from './relay-tests.ts';
import { type Greeting, offers, type SessionEvidence, type Transaction } from './session.ts';

const NEGATIVE_DOMAIN_CHARACTERS = 120; // a longer domain at a long host name would not fit into a command
const NEGATIVES_BESIDE_FOREIGN = 3; // accepted tests, different in form, that are tried with an invented local user where a foreign one is accepted
const SESSIONS_LIMIT = 100; // connections to one port in a sitting; the table with ten served domains, as many as a scan uses, needs 45
const IDLE_SESSIONS_LIMIT = 2; // sessions in a row that completed nothing
const CLOSINGS_LIMIT = 2; // connections that were closed at an envelope before that counts as its refusal
const GREETINGS_LIMIT = 2; // sessions in a row in which the server said that it wants none of us, in the place of a greeting
const MUTE_CAP = 2; // envelopes of a session, after one that had no answer at all: some servers say nothing before a whole group is through
const UNSAID_LIMIT = 2; // refusals of a recipient that was accepted before, each beside an accepted control
const LIMITS_AT_ONE = 2; // sessions that met a limit at the same envelope first, before that counts as being about it
const LIMITS_LIMIT = 4; // sessions in a row that met a limit and got nothing done, each after a longer wait, ...
const LIMITS_UNGREETED = 2; // ... and of a server that has not greeted us once

/** What is to be tested at a leg: every test of the table, or the ones named. */
export type Scope = 'full' | readonly string[];

/** What has come of a leg so far. `idle` counts the sessions in a row that completed no trial. */
export type Progress = {
  readonly results: readonly TestResult[];
  readonly sessions: number;
  readonly idle: number;
  readonly greeting: Greeting;
  /** How long its refusals kept us waiting, on average of the session that waited longest; milliseconds. */
  readonly refusalMs: number;
  /** How many envelopes the next session may hold, after one that was cut short. */
  readonly cap: number;
  /** How many sessions may be held side by side, after one of several was shaken off or met a limit. */
  readonly atOnce: number;
  /** Another leg of the same server has shown what it is and how long it keeps us waiting. */
  readonly known: boolean;
  /** The server takes one EHLO a session. */
  readonly oneName: boolean;
  /** It does not take RSET: a session has one transaction. */
  readonly noReset: boolean;
  /** After a null sender it takes no other in that session. */
  readonly nullAlone: boolean;
  /** How many sessions in a row met a limit of the server's, since one of them had an answer. */
  readonly limits: number;
  /** Whether any did. */
  readonly limited: boolean;
  /** How often a session met a limit at an envelope before anything was answered, by test. */
  readonly limitedAt: Readonly<Record<string, number>>;
  /** How often it refused a recipient that it had accepted before, beside an accepted control, by test. */
  readonly unsaid: Readonly<Record<string, number>>;
  /** How often it closed the connection at an envelope, by test. */
  readonly closings: Readonly<Record<string, number>>;
  /** How many refusals earlier sittings provoked: those are past. */
  readonly refusedBefore: number;
  /** What earlier sittings got as far as a recipient with, and is asked again: how far that was. */
  readonly left: readonly TestResult[];
};

/** Nothing done yet. */
export const BEGIN: Progress = {
  results: [],
  sessions: 0,
  idle: 0,
  greeting: {},
  refusalMs: 0,
  cap: Number.POSITIVE_INFINITY,
  atOnce: Number.POSITIVE_INFINITY,
  known: false,
  oneName: false,
  noReset: false,
  nullAlone: false,
  limits: 0,
  limited: false,
  limitedAt: {},
  unsaid: {},
  closings: {},
  refusedBefore: 0,
  left: [],
};

/** Nothing done yet, at a server that another leg of this scan has shown something of. */
export function beginBeside({ greetingName, software, pace }: LegEvidence): Progress {
  const greeting = { name: greetingName, software, afterMs: pace?.greetMs };
  return { ...BEGIN, greeting, refusalMs: pace?.refusalMs ?? 0, known: pace !== undefined };
}

/**
 * Where an earlier sitting of the same scan left off: what has an answer keeps it, what was put off is tried again, and
 * so is what would be asked differently by now, since the owner has changed the served domains. A message that was sent and got no
 * answer is sent again.
 */
export function resume(leg: LegEvidence, cast: Cast, scope: Scope): Progress {
  const greeting = { name: leg.greetingName, software: leg.software, afterMs: leg.pace?.greetMs };
  const tests = new Map(plannedTests(cast, scope, greeting).map((test) => [test.id, test.envelope]));
  const same = ({ test, from, to }: TestResult) => {
    const envelope = tests.get(test);
    return (
      envelope !== undefined &&
      (to === undefined ? test === XCLIENT_TEST || from === undefined : from === envelope.from && to === envelope.to)
    );
  };
  const control = postmasterEnvelope(cast, cast.servedDomains[0] ?? '').to;
  const kept = [...leg.tests.filter(same), ...leg.controls.filter(({ test, to }) => test !== POSITIVE_CONTROL || to === control)];
  const results = kept.filter(({ outcome }) => SETTLED.includes(outcome)).map(uncarried);
  const closings = Object.fromEntries(
    leg.tests.flatMap(({ test, closings: count = 0 }) => (count === 0 || count >= CLOSINGS_LIMIT ? [] : [[test, count]])),
  );
  return {
    ...BEGIN,
    greeting,
    refusalMs: leg.pace?.refusalMs ?? 0,
    results,
    closings,
    limited: leg.limited === true,
    refusedBefore: results.filter(isRefused).length,
    left: kept
      .filter(({ outcome, stage }) => !SETTLED.includes(outcome) && reachedRecipient(stage))
      .map(({ test, stage }) => ({ test, outcome: 'not-run', stage })),
  };
}

const SETTLED: readonly TestResult['outcome'][] = ['accepted', 'refused', 'authentication-required', 'about-us'];

// Nobody knows what became of a message whose final dot got no answer.
function uncarried(result: TestResult): TestResult {
  return result.outcome === 'accepted' && result.stage === 'data' ? { ...result, stage: 'rcpt', canary: undefined } : result;
}

function isRefused({ outcome }: TestResult): boolean {
  return outcome === 'refused';
}

/** What is still to be asked of that which earlier sittings got as far as a recipient with. */
export function stillLeft({ left, results }: Progress): TestResult[] {
  const answered = new Set(results.map(({ test }) => test));
  return left.filter(({ test }) => !answered.has(test));
}

/** How many messages are still to be carried through before what was accepted can be judged. */
export function leftToCarry(cast: Cast, scope: Scope, progress: Progress, round: number | undefined): number {
  const results = progress.results.map(uncarried);
  const { tests, enough } = messagesLeft(plannedTests(cast, scope, progress.greeting), results, mostOf(scope, 0), round, 'all');
  return Math.min(tests.length, enough);
}

/** What one session is for: envelopes up to RCPT, the same under a claim by XCLIENT, or tests to be carried through with a canary each. */
export type NextSession =
  | {
      readonly kind: 'envelopes';
      readonly xclient: boolean;
      /** No sender was accepted yet. After a refused one, the rest of a group would count as our errors. */
      readonly cautious: boolean;
      readonly choose: (greeting: Greeting) => Transaction[];
    }
  | {
      readonly kind: 'messages';
      readonly xclient: boolean;
      readonly tests: readonly RelayTest[];
      /** How many of them need to go through. */
      readonly enough: number;
      /** What is asked before them and, where not enough of them went through, behind: the control once more. */
      readonly around: readonly Transaction[];
    };

/** The progress with one more session that the server greeted. What such a session left undone stays to be done. */
export function advance(progress: Progress, session: SessionEvidence): Progress {
  const spoiled = session.results.some((result) => isAboutTheSession(result, progress));
  const turned = hasTurnedOnUs(session, progress);
  const counts = ({ test, outcome, stage }: TestResult) =>
    outcome !== 'not-run' &&
    test !== CONTROL_AGAIN &&
    !(session.limited === true && stage === 'greeting' && wasGreeted(progress)) &&
    !(turned && outcome !== 'accepted') &&
    !(spoiled && outcome === 'refused' && (stage === 'ehlo' || stage === 'mail'));
  const unsaid = unsaidIn(session, progress);
  const unsays = (result: TestResult) => isUnsaid(result, progress) && (unsaid[result.test] ?? 0) < UNSAID_LIMIT;
  const news = session.results.filter((result) => counts(result) && !unsays(result));
  const closed = closedAt(progress, session);
  const { cutShort = 'out-of-time', limited = false, limitedAt: at } = session;
  const limitedAt = at === undefined ? progress.limitedAt : { ...progress.limitedAt, [at]: (progress.limitedAt[at] ?? 0) + 1 };
  // What looks like a limit twice at the same envelope, the second time while others have answers, is about that one: a full mailbox, for
  // example.
  const stuck = at !== undefined && (limitedAt[at] ?? 0) >= LIMITS_AT_ONE && progress.limits <= 1;
  const putOff = [{ test: at ?? '', outcome: 'deferred', stage: 'rcpt' } as const].filter((each) => stuck && !unsays(each));
  const latest = new Map(
    [...progress.results, ...news, ...closed.results, ...putOff, ...xclientIn(session, progress)].map((result) => [result.test, result]),
  );
  const less = cutShort === 'closed' || cutShort === '421' || cutShort === 'silent' ? 1 : 0;
  const capped = cutShort !== 'out-of-time' && session.spentByNull !== true && session.noReset !== true && closed.news === 0;
  const mute = cutShort === 'silent' && session.results.length > 0 && news.length === 0;
  const answers = news.length > 0 || closed.news > 0;
  return {
    results: [...latest.values()],
    sessions: progress.sessions + 1,
    idle: answers || putOff.length > 0 ? 0 : progress.idle + 1,
    greeting: {
      name: progress.greeting.name ?? session.greeting.name,
      software: progress.greeting.software ?? session.greeting.software,
      afterMs: session.greeting.afterMs ?? progress.greeting.afterMs,
    },
    refusalMs: Math.max(session.refusalMs ?? 0, progress.refusalMs),
    cap: mute ? Math.min(progress.cap, MUTE_CAP) : capped && news.length > 0 ? Math.max(1, news.length - less) : progress.cap,
    atOnce: progress.atOnce,
    known: progress.known,
    oneName: progress.oneName || session.oneName === true,
    noReset: progress.noReset || session.noReset === true,
    nullAlone: progress.nullAlone || session.spentByNull === true,
    limits: limited ? (answers ? 1 : progress.limits + 1) : 0,
    limited: progress.limited || limited,
    limitedAt,
    unsaid,
    closings: closed.closings,
    refusedBefore: progress.refusedBefore,
    left: progress.left,
  };
}

function xclientIn({ keywords }: SessionEvidence, { results }: Progress): TestResult[] {
  if (keywords === undefined || results.some(({ test }) => test === XCLIENT_TEST) || offers(keywords, 'XCLIENT')) return [];
  return [{ test: XCLIENT_TEST, outcome: 'refused', stage: 'ehlo', reply: 'EHLO offers strangers no XCLIENT' }];
}

// A server that closes the connection at an envelope, and again where that one was asked alone, has refused it, if it is one that answers
// recipients at all. One that ends the session in words may do so for what it was asked before: that envelope is only left for last.
function closedAt({ closings, results }: Progress, { cutShort, closedAt: ids = [], results: now }: SessionEvidence) {
  const answered = new Set([...results, ...now].filter(({ outcome }) => outcome !== 'not-run').map(({ test }) => test));
  const fresh = ids.filter((id) => !answered.has(id) && !id.startsWith(POSITIVE_CONTROL));
  const counted = { ...closings, ...Object.fromEntries(fresh.map((id) => [id, (closings[id] ?? 0) + 1])) };
  const talks = cutShort === 'closed' && [...results, ...now].some(({ stage, reply }) => reachedRecipient(stage) && reply !== undefined);
  const refused = fresh
    .filter((id) => talks && (counted[id] ?? 0) >= CLOSINGS_LIMIT)
    .map(
      (test): TestResult => ({
        ...now.find((each) => each.test === test),
        test,
        outcome: 'refused',
        stage: 'rcpt',
        closings: counted[test],
      }),
    );
  return { closings: counted, results: refused, news: talks ? fresh.length : 0 };
}

/** Whether a session fell silent after the server refused something: perhaps a ban, perhaps slowness. */
export function isSilent({ results }: Progress, session: SessionEvidence): boolean {
  const refused = [...results, ...session.results].some(({ outcome, stage }) => outcome === 'refused' && stage !== 'ehlo');
  const silent = session.cutShort === 'silent' || (session.contact !== 'answered' && session.contact !== 'out-of-time');
  return refused && silent;
}

/** How long to wait before the next session, in steps; undefined when further ones are of no use in this sitting. */
export function waitBefore(progress: Progress): number | undefined {
  const { idle, limits } = progress;
  if (limits >= (wasGreeted(progress) ? LIMITS_LIMIT : LIMITS_UNGREETED)) return undefined;
  return limits > 0 ? (LIMIT_STEPS[limits - 1] ?? 0) : idle;
}

const LIMIT_STEPS = [1, 5, 60]; // most limits are by the second or by the minute

/** Id of the postmaster asked for once more behind the envelopes of a session. */
const CONTROL_AGAIN = `${POSITIVE_CONTROL}:again`;

// The postmaster, accepted before, is refused at the end of this session: somewhere in it the server began to refuse us
// and not what we asked.
function hasTurnedOnUs({ results }: SessionEvidence, progress: Progress): boolean {
  const before = [...progress.results, ...results].some(({ test, outcome }) => test === POSITIVE_CONTROL && outcome === 'accepted');
  const again = results.findLast(({ test }) => test === CONTROL_AGAIN);
  return before && again !== undefined && (again.outcome === 'refused' || again.outcome === 'about-us' || again.outcome === 'deferred');
}

// A recipient that was accepted once is not unsaid by a refusal of it later, which may be a limit or a ban: only what
// becomes of the message is.
function isUnsaid({ test, stage }: TestResult, { results }: Progress): boolean {
  const accepted = results.some((before) => before.test === test && before.outcome === 'accepted');
  return accepted && stage !== 'data' && stage !== 'message';
}

// But where it is refused by itself, once and again, and the control is accepted behind it, it was only ever taken in the company of
// another.
function unsaidIn({ results }: SessionEvidence, progress: Progress): Readonly<Record<string, number>> {
  if (results.findLast(({ test }) => test === CONTROL_AGAIN)?.outcome !== 'accepted') return progress.unsaid;
  const refused = results.filter((result) => result.outcome === 'refused' && result.stage === 'rcpt' && isUnsaid(result, progress));
  return { ...progress.unsaid, ...Object.fromEntries(refused.map(({ test }) => [test, (progress.unsaid[test] ?? 0) + 1])) };
}

// EHLO refused that was taken before, or a sender refused that was taken before, says "no more of you", not "no relaying",
// and then no such refusal of that session says more.
function isAboutTheSession({ outcome, stage, from, ehlo }: TestResult, { results, sessions }: Progress): boolean {
  if (outcome !== 'refused') return false;
  const reached = results.filter((before) => before.ehlo === ehlo && before.stage !== 'ehlo' && before.stage !== 'greeting');
  if (stage === 'ehlo') return sessions > 0 && reached.length > 0;
  return stage === 'mail' && reached.some((before) => before.stage !== 'mail' && before.from === from);
}

function wasGreeted({ greeting, results }: Progress): boolean {
  return greeting.name !== undefined || results.some((result) => !isAtGreeting(result));
}

function isAtGreeting({ stage }: TestResult): boolean {
  return stage === 'greeting';
}

function reachedRecipient(stage: Stage): boolean {
  return stage === 'rcpt' || stage === 'data' || stage === 'message';
}

/**
 * Which messages are sent: none where there is no mailbox that they could come back to; `round`: see `messagesLeft`.
 */
export type Messages = 'none' | { readonly round?: number | undefined };

/**
 * The next sessions, to be held side by side; none when the leg is done or further sessions are of no use. More than one
 * only once the server has said that it is one which takes them, or delays its refusals, and has answered in every session so far.
 */
export function nextSessions(cast: Cast, scope: Scope, progress: Progress, messages: Messages = {}): NextSession[] {
  const slow = budgetOf(progress.greeting, progress).sessions;
  const cut = progress.cap < Number.POSITIVE_INFINITY && slow <= budgetFor(progress.greeting.software?.mta).sessions;
  const atOnce = progress.idle > 0 || progress.limits > 0 || cut ? 1 : Math.min(slow, progress.atOnce);
  const sessions: NextSession[] = [];
  let ahead = progress;
  while (sessions.length < atOnce) {
    const next = nextSession(cast, scope, ahead, messages);
    if (next === undefined || (sessions.length > 0 && (next.kind !== 'envelopes' || next.xclient || next.cautious))) break;
    if (next.kind === 'messages' || next.xclient || next.cautious || atOnce === 1) return [next];
    const transactions = next.choose(progress.greeting);
    // Which negative controls are needed is known once the others have their answers.
    if (sessions.length > 0 && transactions.some(({ recipients }) => recipients.some(({ id }) => id.startsWith(NEGATIVE_CONTROL)))) break;
    sessions.push({ ...next, choose: () => transactions });
    ahead = { ...ahead, results: [...ahead.results, ...transactions.flatMap(planned)] };
  }
  return sessions;
}

// Behind the envelopes under our own name, those under others follow in their own EHLO.
function withControlAgain(transactions: readonly Transaction[], cast: Cast, progress: Progress): Transaction[] {
  const ours = transactions.filter(({ ehlo }) => ehlo === cast.ourDomain);
  if (ours.length === 0) return [...transactions];
  return [...ours, ...controlAgain(cast, progress), ...transactions.filter((each) => !ours.includes(each))];
}

function controlAgain(cast: Cast, { results, noReset, limited }: Progress): Transaction[] {
  const [domain] = cast.servedDomains;
  const known = results.find(({ test }) => test === POSITIVE_CONTROL);
  // Where recipients are counted, each is needed for a test.
  if (domain === undefined || noReset || limited || (known !== undefined && known.outcome !== 'accepted')) return [];
  const control = postmasterEnvelope(cast, domain);
  if (toldAtMail(cast, results)(control) !== undefined) return [];
  const { ehlo, from, to } = control;
  return [{ ehlo, from, recipients: [{ id: CONTROL_AGAIN, to }] }];
}

// What another session of the same round is to answer.
function planned({ from, recipients }: Transaction): TestResult[] {
  return recipients.map(({ id }) => ({ test: id, outcome: 'not-run', stage: 'rcpt', from }));
}

/** The next session, or undefined when the leg is done or further sessions are of no use. */
export function nextSession(cast: Cast, scope: Scope, progress: Progress, sending: Messages = {}): NextSession | undefined {
  if (progress.sessions >= SESSIONS_LIMIT || progress.idle >= IDLE_SESSIONS_LIMIT + progress.limits) return undefined;
  if (progress.sessions >= GREETINGS_LIMIT && progress.results.length > 0 && progress.results.every(isAtGreeting)) return undefined;
  const open = openTrials(cast, scope, progress);
  // What a foreign recipient's acceptance began is ended before anything odd is tried.
  // A message that cannot go holds up nothing else; where a limit keeps it, it has every other turn.
  const stuck = open.length > 0 && (progress.limits > 0 ? progress.limits % 2 === 0 : progress.idle > 0);
  const messages =
    sending === 'none' || stuck ? undefined : messagesOf(cast, scope, progress, sending.round, open.length > 0 ? 'suspicious' : 'all');
  if (messages !== undefined || open.length === 0) return messages;
  const xclient = open.every(({ id }) => id === XCLIENT_TEST);
  const choose = (greeting: Greeting) => {
    const trials = greeting.name === progress.greeting.name ? open : openTrials(cast, scope, { ...progress, greeting });
    const own = trials.filter(({ id }) => (id === XCLIENT_TEST) === xclient);
    const transactions = withinBudget(fitting(own, greeting, progress), budgetOf(greeting, progress), cast.ourDomain);
    return xclient ? transactions : withControlAgain(transactions, cast, progress);
  };
  const cautious = !progress.known && !progress.results.some(({ stage }) => reachedRecipient(stage));
  return { kind: 'envelopes', xclient, cautious, choose };
}

// What a session may hold together: those that met a limit go last, envelopes that ended a connection go alone, and null senders too where
// they end a session. Of a server that has not said what it is, nothing odd is asked before anything plain has an answer.
function fitting(all: readonly Trial[], greeting: Greeting, { closings, nullAlone, sessions, limitedAt }: Progress): readonly Trial[] {
  const trials = all.toSorted((a, b) => (limitedAt[a.id] ?? 0) - (limitedAt[b.id] ?? 0));
  const quiet = trials.filter(({ id }) => (closings[id] ?? 0) === 0);
  if (quiet.length === 0) return trials.toSorted((a, b) => (closings[a.id] ?? 0) - (closings[b.id] ?? 0)).slice(0, 1);
  const plain = sessions === 0 && greeting.software === undefined ? quiet.filter(({ odd }) => !odd) : quiet;
  const chosen = plain.length === 0 ? quiet : plain;
  if (!nullAlone) return chosen;
  const others = chosen.filter(({ envelope }) => envelope.from !== NULL_SENDER);
  return others.length > 0 ? others : chosen.slice(0, 1);
}

const NULL_SENDER = '<>';

/** The tests of a leg that are planned, in the order of the table. */
export function plannedTests(cast: Cast, scope: Scope, greeting: Greeting): readonly RelayTest[] {
  const tests = relayTests(cast, greeting.name);
  return scope === 'full' ? tests : tests.filter(({ id }) => scope.includes(id));
}

// One envelope to try.
type Trial = { readonly id: string; readonly odd: boolean; readonly local?: boolean; readonly envelope: Envelope };

// What has no answer yet: controls and tests, then the negative controls of what was accepted.
function openTrials(cast: Cast, scope: Scope, progress: Progress): Trial[] {
  const done = new Set(progress.results.map(({ test }) => test));
  const told = toldAtMail(cast, progress.results);
  const isOpen = ({ id, envelope }: Trial) => !done.has(id) && told(envelope) === undefined;
  const tests = plannedTests(cast, scope, progress.greeting);
  const open: Trial[] = [...positiveControls(cast).filter(isOpen), ...tests.filter(isOpen)];
  return open.length > 0 ? open : negativeControls(cast, scope, tests, progress.results).filter(isOpen);
}

/**
 * What a sender was told under a name, where that is the answer to every recipient behind it: that it must authenticate, or ask for
 * STARTTLS, first. Other senders, and other names, may be told something else.
 */
export function toldAtMail(cast: Cast, results: readonly TestResult[]): (envelope: Envelope) => TestResult | undefined {
  const told = results.filter(
    ({ outcome, stage }) => stage === 'mail' && (outcome === 'authentication-required' || outcome === 'starttls-first'),
  );
  const pairs = new Map(told.map((result) => [`${result.ehlo ?? cast.ourDomain} ${result.from}`, result]));
  return ({ ehlo, from }) => pairs.get(`${ehlo} ${from}`);
}

function positiveControls(cast: Cast): Trial[] {
  const [domain] = cast.servedDomains;
  return domain === undefined ? [] : [{ id: POSITIVE_CONTROL, odd: false, envelope: postmasterEnvelope(cast, domain) }];
}

// Only what was accepted needs unmasking, and each refused control would count against us with ban tools. Beside a foreign recipient
// that was accepted a few tell what is accepted at all; where there is none, each form that reads as a local part needs its own, in a
// core scan too.
function negativeControls(cast: Cast, scope: Scope, tests: readonly RelayTest[], results: readonly TestResult[]): Trial[] {
  if (shortest(cast.servedDomains).length > NEGATIVE_DOMAIN_CHARACTERS) return [];
  const accepted = new Set(results.filter(tookRecipient).map(({ test }) => test));
  const standing = new Set(results.filter(({ outcome }) => outcome === 'accepted').map(({ test }) => test));
  const taken = tests.filter(({ id }) => accepted.has(id));
  const foreign = taken.some(({ id, local }) => !local && standing.has(id));
  const asked = !foreign ? taken.filter(({ local }) => local) : scope === 'full' && cast.servedDomains.length > 0 ? taken : [];
  const forms = [...new Map(asked.toReversed().map((test) => [test.negative.id, test])).values()].toReversed();
  return forms
    .slice(0, foreign ? NEGATIVES_BESIDE_FOREIGN : forms.length)
    .map(({ negative, odd }) => ({ id: negative.id, odd, envelope: negative.envelope() }));
}

// Whether the recipient was accepted, whatever became of the message.
function tookRecipient({ outcome, stage }: TestResult): boolean {
  return outcome === 'accepted' || stage === 'data' || stage === 'message';
}

// How many messages may go through: of a core scan one, within what it may provoke.
function mostOf(scope: Scope, refused: number): number | undefined {
  return scope === 'full' ? undefined : Math.max(0, Math.min(1, CORE_REFUSALS - refused));
}

// The session that carries messages through, if any is left to be. A refusal at DATA or after the dot settles only its own test, so
// the next one is tried until enough went through.
function messagesOf(
  cast: Cast,
  scope: Scope,
  progress: Progress,
  round: number | undefined,
  which: 'all' | 'suspicious',
): NextSession | undefined {
  const { results, greeting } = progress;
  const refused = results.filter(isRefused).length - progress.refusedBefore;
  const { tests, enough, someRefused } = messagesLeft(plannedTests(cast, scope, greeting), results, mostOf(scope, refused), round, which);
  if (tests.length === 0 || enough === 0) return undefined;
  const chosen = forOneSession({ tests, enough, someRefused }, budgetOf(greeting, progress), scope, progress);
  const xclient = chosen.some(({ id }) => id === XCLIENT_TEST);
  // The control is under our own name, and some servers take one name a session.
  const other = xclient || chosen.some(({ envelope }) => envelope.ehlo !== cast.ourDomain);
  return { kind: 'messages', xclient, tests: chosen, enough, around: other ? [] : controlAgain(cast, progress) };
}

// A server that refused the first ones will most likely refuse the others: then as many in a session as it stands.
function forOneSession(
  { tests, enough, someRefused }: MessagesToCarry,
  budget: SessionBudget,
  scope: Scope,
  progress: Progress,
): RelayTest[] {
  const size = progress.noReset ? 1 : scope === 'full' && someRefused ? Math.max(enough, budget.refusals) : enough;
  const plain = progress.nullAlone ? tests.filter(({ envelope }) => envelope.from !== NULL_SENDER) : tests;
  const fit = plain.length > 0 ? plain : tests.slice(0, 1);
  const allowed = [...new Set(fit.map(({ envelope }) => envelope.ehlo))].slice(0, budget.names);
  const session = fit.filter(({ envelope }) => allowed.includes(envelope.ehlo)).slice(0, size);
  // Each name is said once.
  return session.toSorted((a, b) => allowed.indexOf(a.envelope.ehlo) - allowed.indexOf(b.envelope.ehlo));
}

function budgetOf({ software, afterMs }: Greeting, { cap, oneName, noReset, refusalMs, greeting }: Progress): SessionBudget {
  const budget = budgetFor(software?.mta, { greetMs: afterMs ?? greeting.afterMs, refusalMs });
  const { refusals, names, resets } = budget;
  return { ...budget, refusals: Math.min(refusals, cap), names: oneName || noReset ? 1 : names, resets: noReset ? 0 : resets };
}

// Fills one session: envelopes with the same EHLO and sender share a transaction. Bounces have one recipient each, and so
// have their tests: servers refuse a null sender with several, and some take no sender after it, so that it comes last.
function withinBudget(trials: readonly Trial[], budget: SessionBudget, ourName: string): Transaction[] {
  const chosen = new Map<string, Transaction & { recipients: { id: string; to: string }[] }>();
  const names = new Set([trials.some(({ envelope }) => envelope.ehlo === ourName) ? ourName : (trials[0]?.envelope.ehlo ?? ourName)]);
  let [count, odd, resets] = [0, 0, -1];
  for (const { id, odd: isOdd, local, envelope } of trials) {
    if (count >= budget.refusals) break;
    if (isOdd && odd >= budget.odd) continue;
    const { ehlo, from, to, beside } = envelope;
    if (!names.has(ehlo) && names.size >= budget.names) continue;
    const alone = from === NULL_SENDER || id === POSITIVE_CONTROL || beside !== undefined;
    // Some servers check the first recipient only: a foreign one behind a local one would be taken for nothing of its own.
    const base = `${ehlo} ${from} ${alone ? id : local}`;
    const key = (chosen.get(base)?.recipients.length ?? 0) < budget.recipients ? base : `${base} ${Math.floor(count / budget.recipients)}`;
    const there = chosen.get(key);
    const cost = there !== undefined ? 0 : names.has(ehlo) ? 1 : 2;
    if (resets + cost > budget.resets) continue;
    resets += cost;
    names.add(ehlo);
    count++;
    if (isOdd) odd++;
    if (there === undefined) chosen.set(key, { ehlo, from, recipients: [{ id, to }], beside });
    else there.recipients.push({ id, to });
  }
  const order = [...names];
  const place = ({ ehlo, from }: Transaction) => 2 * order.indexOf(ehlo) + Number(from === NULL_SENDER);
  return [...chosen.values()].toSorted((a, b) => place(a) - place(b));
}
