import type { Mta } from '../domain/remedies.ts';
import type { LegEvidence, Stage, Stop, TestResult } from '../domain/scan.ts';
import { askedOfEveryone, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../domain/verdict.ts';
import { budgetFor, type SessionBudget } from './budget.ts';
import { CORE_REFUSALS } from './core.ts';
import { type Greeting, offers, type SessionEvidence, type Transaction } from './dialogue.ts';
import { type Cast, type Envelope, postmasterEnvelope } from './envelope-forms.ts';
import { type RelayTest, relayTests, shortest, XCLIENT_TEST } from './relay-tests.ts';

const NEGATIVE_DOMAIN_CHARACTERS = 120; // a longer domain at a long host name would not fit into a command
const NEGATIVE_CONTROLS = 3; // accepted tests, different in kind, whose form is tried with an invented local user
const MESSAGES = 3; // canaries of a leg that went past the final dot, different in kind: more would prove no more ...
const MESSAGES_OF_ANY = 10; // ... but where anything is accepted only a canary tells which form is let through
const SESSIONS_LIMIT = 100; // connections to one port in a sitting; the table of a host with ten served domains needs 45
const IDLE_SESSIONS_LIMIT = 2; // sessions in a row that completed nothing

/** What is to be tested at a leg: every test of the table, or the ones named. */
export type Scope = 'full' | readonly string[];

/** What has come of a leg so far. `idle` counts the sessions in a row that completed no trial. */
export type Progress = {
  readonly results: readonly TestResult[];
  readonly sessions: number;
  readonly idle: number;
  readonly greeting: Greeting;
  /** How many envelopes the next session may hold, after one that was cut short. */
  readonly cap: number;
  /** The server takes one EHLO a session. */
  readonly oneName: boolean;
  /** One of several sessions side by side was shaken off. */
  readonly serial: boolean;
};

/** Nothing done yet. */
export const BEGIN: Progress = {
  results: [],
  sessions: 0,
  idle: 0,
  greeting: {},
  cap: Number.POSITIVE_INFINITY,
  oneName: false,
  serial: false,
};

/**
 * Where an earlier sitting of the same scan left off: what has an answer keeps it, what was put off is tried again, and
 * so is what would be asked differently by now, since the owner has changed the served domains.
 */
export function resume(leg: LegEvidence, cast: Cast, scope: Scope): Progress {
  const greeting = { name: leg.greetingName, software: leg.software };
  const tests = new Map(plannedTests(cast, scope, greeting).map((test) => [test.id, test.envelope]));
  const same = ({ test, from, to }: TestResult) => {
    const envelope = tests.get(test);
    return envelope !== undefined && (to === undefined ? test === XCLIENT_TEST : from === envelope.from && to === envelope.to);
  };
  const control = postmasterEnvelope(cast, cast.servedDomains[0] ?? '').to;
  const kept = [...leg.tests.filter(same), ...leg.controls.filter(({ test, to }) => test !== POSITIVE_CONTROL || to === control)];
  return { ...BEGIN, greeting, results: kept.filter(({ outcome }) => SETTLED.includes(outcome)) };
}

const SETTLED: readonly TestResult['outcome'][] = ['accepted', 'refused', 'authentication-required', 'about-us'];

/** What one session is for: envelopes up to RCPT, the same under a claim by XCLIENT, or tests to be carried through with a canary each. */
export type NextSession =
  | {
      readonly kind: 'envelopes';
      readonly xclient: boolean;
      /** No sender was accepted yet: what follows a refused one in a group would count as errors of ours. */
      readonly cautious: boolean;
      readonly choose: (greeting: Greeting) => Transaction[];
    }
  | {
      readonly kind: 'messages';
      readonly xclient: boolean;
      readonly tests: readonly RelayTest[];
      /** How many of them need to go through. */
      readonly enough: number;
    };

/** The progress with one more session that the server greeted. What such a session left undone stays to be done. */
export function advance(progress: Progress, session: SessionEvidence): Progress {
  const spoiled = session.results.some((result) => isAboutTheSession(result, progress));
  const turned = hasTurnedOnUs(session, progress);
  const counts = ({ test, outcome, stage }: TestResult) =>
    outcome !== 'not-run' &&
    test !== CONTROL_AGAIN &&
    !(turned && outcome !== 'accepted') &&
    !(spoiled && outcome === 'refused' && (stage === 'ehlo' || stage === 'mail'));
  const news = session.results.filter(counts);
  const asked = session.keywords === undefined || progress.results.some(({ test }) => test === XCLIENT_TEST);
  const xclient: TestResult[] =
    asked || offers(session.keywords, 'XCLIENT')
      ? []
      : [{ test: XCLIENT_TEST, outcome: 'refused', stage: 'ehlo', reply: 'EHLO offers strangers no XCLIENT' }];
  const latest = new Map(
    [...progress.results, ...news.filter((result) => !unsays(result, progress)), ...xclient].map((result) => [result.test, result]),
  );
  const cut = session.cutShort !== undefined && session.cutShort !== 'out-of-time';
  return {
    results: [...latest.values()],
    sessions: progress.sessions + 1,
    idle: news.some((result) => !unsays(result, progress)) ? 0 : progress.idle + 1,
    greeting: { name: progress.greeting.name ?? session.greeting.name, software: progress.greeting.software ?? session.greeting.software },
    cap: cut && news.length > 0 ? Math.max(1, news.length - 1) : progress.cap,
    oneName: progress.oneName || session.oneName === true,
    serial: progress.serial,
  };
}

/** Whether a session that ended this way says that the leg is to be left alone, and why. */
export function stopAfter(progress: Progress, session: SessionEvidence): Stop | undefined {
  if (session.cutShort === 'out-of-time') return 'out-of-time';
  const refused = [...progress.results, ...session.results].some(({ outcome, stage }) => outcome === 'refused' && stage !== 'ehlo');
  return refused && (session.contact !== 'answered' || session.cutShort === 'silent') ? 'silent-after-refusals' : undefined;
}

/** Id of the postmaster asked for once more behind the envelopes of a session. */
const CONTROL_AGAIN = `${POSITIVE_CONTROL}:again`;

// The postmaster, accepted before, is refused at the end of this session: somewhere in it the server began to refuse us
// and not what we asked.
function hasTurnedOnUs({ results }: SessionEvidence, progress: Progress): boolean {
  const before = [...progress.results, ...results].some(({ test, outcome }) => test === POSITIVE_CONTROL && outcome === 'accepted');
  const again = results.find(({ test }) => test === CONTROL_AGAIN);
  return before && again !== undefined && (again.outcome === 'refused' || again.outcome === 'about-us' || again.outcome === 'deferred');
}

// A recipient that was accepted once is not unsaid by a refusal of it later, which may be a limit or a ban: only what
// becomes of the message is.
function unsays({ test, stage }: TestResult, { results }: Progress): boolean {
  const accepted = results.some((before) => before.test === test && before.outcome === 'accepted');
  return accepted && stage !== 'data' && stage !== 'message';
}

// EHLO refused that was taken before, or a sender refused that was taken before, says "no more of you", not "no relaying",
// and then no such refusal of that session says more.
function isAboutTheSession({ outcome, stage, from, ehlo }: TestResult, { results, sessions }: Progress): boolean {
  if (outcome !== 'refused') return false;
  const reached = results.filter((before) => before.ehlo === ehlo && before.stage !== 'ehlo' && before.stage !== 'greeting');
  if (stage === 'ehlo') return sessions > 0 && reached.length > 0;
  return stage === 'mail' && reached.some((before) => before.stage !== 'mail' && before.from === from);
}

function reachedRecipient(stage: Stage): boolean {
  return stage === 'rcpt' || stage === 'data' || stage === 'message';
}

/**
 * The next sessions, to be held side by side; none when the leg is done or further sessions are of no use. More than one
 * only once the server has said that it is one which takes them, and has answered in every session so far.
 */
export function nextSessions(cast: Cast, scope: Scope, progress: Progress): NextSession[] {
  const atOnce =
    progress.serial || progress.idle > 0 || progress.cap < Number.POSITIVE_INFINITY
      ? 1
      : budgetFor(progress.greeting.software?.mta).sessions;
  const sessions: NextSession[] = [];
  let ahead = progress;
  while (sessions.length < atOnce) {
    const next = nextSession(cast, scope, ahead);
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
function withControlAgain(transactions: readonly Transaction[], cast: Cast): Transaction[] {
  const [domain] = cast.servedDomains;
  const ours = transactions.filter(({ ehlo }) => ehlo === cast.ourDomain);
  if (domain === undefined || ours.length === 0) return [...transactions];
  const { ehlo, from, to } = postmasterEnvelope(cast, domain);
  return [...ours, { ehlo, from, recipients: [{ id: CONTROL_AGAIN, to }] }, ...transactions.filter((each) => !ours.includes(each))];
}

// What another session of the same round is to answer.
function planned({ from, recipients }: Transaction): TestResult[] {
  return recipients.map(({ id }) => ({ test: id, outcome: 'not-run', stage: 'rcpt', from }));
}

/** The next session, or undefined when the leg is done or further sessions are of no use. */
export function nextSession(cast: Cast, scope: Scope, progress: Progress): NextSession | undefined {
  if (progress.sessions >= SESSIONS_LIMIT || progress.idle >= IDLE_SESSIONS_LIMIT) return undefined;
  // Authentication or STARTTLS asked of every sender is the answer to all that is left.
  if (askedOfEveryone(progress.results) !== undefined) return undefined;
  const open = openTrials(cast, scope, progress);
  const xclient = open.length > 0 && open.every(({ id }) => id === XCLIENT_TEST);
  if (open.length > 0) {
    const choose = (greeting: Greeting) => {
      const trials = greeting.name === progress.greeting.name ? open : openTrials(cast, scope, { ...progress, greeting });
      const own = trials.filter(({ id }) => (id === XCLIENT_TEST) === xclient);
      const transactions = withinBudget(own, budgetOf(greeting.software?.mta, progress), cast.ourDomain);
      return xclient ? transactions : withControlAgain(transactions, cast);
    };
    const cautious = !progress.results.some(({ stage }) => reachedRecipient(stage));
    return { kind: 'envelopes', xclient, cautious, choose };
  }
  const { tests, enough } = untriedMessages(cast, scope, progress);
  return tests.length === 0 ? undefined : { kind: 'messages', xclient: tests.some(({ id }) => id === XCLIENT_TEST), tests, enough };
}

/** The tests of a leg that are planned, in the order of the table. */
export function plannedTests(cast: Cast, scope: Scope, greeting: Greeting): readonly RelayTest[] {
  const tests = relayTests(cast, greeting.name);
  return scope === 'full' ? tests : tests.filter(({ id }) => scope.includes(id));
}

// One envelope to try.
type Trial = { readonly id: string; readonly odd: boolean; readonly envelope: Envelope };

// What has no answer yet: controls and tests, then the negative controls of what was accepted.
function openTrials(cast: Cast, scope: Scope, progress: Progress): Trial[] {
  const done = new Set(progress.results.map(({ test }) => test));
  const isOpen = ({ id }: Trial) => !done.has(id);
  const tests = plannedTests(cast, scope, progress.greeting);
  const open: Trial[] = [...positiveControls(cast).filter(isOpen), ...tests.filter(isOpen)];
  // A core provokes no refusal that it can do without.
  return open.length > 0 || scope !== 'full' ? open : negativeControls(cast, tests, progress.results).filter(isOpen);
}

function positiveControls(cast: Cast): Trial[] {
  const [domain] = cast.servedDomains;
  return domain === undefined ? [] : [{ id: POSITIVE_CONTROL, odd: false, envelope: postmasterEnvelope(cast, domain) }];
}

// Only what was accepted needs unmasking, and each refused control would count against us with ban tools.
function negativeControls(cast: Cast, tests: readonly RelayTest[], results: readonly TestResult[]): Trial[] {
  if (cast.servedDomains.length === 0 || shortest(cast.servedDomains).length > NEGATIVE_DOMAIN_CHARACTERS) return [];
  const accepted = new Set(results.filter(tookRecipient).map(({ test }) => test));
  const forms = new Map<string, RelayTest>();
  for (const test of tests) if (accepted.has(test.id) && !forms.has(test.negative.id)) forms.set(test.negative.id, test);
  return [...forms.values()]
    .slice(0, NEGATIVE_CONTROLS)
    .map(({ odd, negative }) => ({ id: negative.id, odd, envelope: negative.envelope() }));
}

// Whether the recipient was accepted, whatever became of the message.
function tookRecipient({ outcome, stage }: TestResult): boolean {
  return outcome === 'accepted' || stage === 'data' || stage === 'message';
}

// What was accepted at RCPT and is still to be carried through, those different in kind first. A refusal at DATA or after
// the dot settles only its own test, so the next one is tried until enough went through.
function untriedMessages(cast: Cast, scope: Scope, progress: Progress): { tests: RelayTest[]; enough: number } {
  const { results, greeting } = progress;
  const tried = results.filter(({ canary, stage }) => canary !== undefined || stage === 'data' || stage === 'message');
  const through = tried.filter(({ canary, outcome }) => canary !== undefined && outcome === 'accepted').length;
  const accepted = new Set(results.filter((each) => each.outcome === 'accepted' && !tried.includes(each)).map(({ test }) => test));
  const tests = plannedTests(cast, scope, greeting);
  const done = tests.filter(({ id }) => tried.some(({ test }) => test === id));
  const candidates = tests.filter(({ id }) => accepted.has(id));
  const unclaimed = candidates.filter(({ id }) => id !== XCLIENT_TEST);
  const pool = unclaimed.length > 0 ? unclaimed : candidates;
  const kinds = new Set(done.map(({ kind }) => kind));
  const rows = new Set(done.map(({ row }) => row));
  const newKinds = pool.filter(({ kind }) => !kinds.has(kind) && kinds.add(kind));
  const newRows = pool.filter((test) => !newKinds.includes(test) && !rows.has(test.row) && rows.add(test.row));
  const chosen = new Set([...newKinds, ...newRows, ...pool]);
  const anything = results.some(({ test, outcome }) => test.startsWith(NEGATIVE_CONTROL) && outcome === 'accepted');
  const refused = results.filter(({ outcome }) => outcome === 'refused').length;
  const most = scope === 'full' ? (anything ? MESSAGES_OF_ANY : MESSAGES) : Math.min(1, CORE_REFUSALS - refused);
  const enough = Math.max(0, most - through);
  // A server that refused the first ones will most likely refuse the others: then as many in a session as it stands.
  const { refusals, names } = budgetOf(greeting.software?.mta, progress);
  const size = enough === 0 || scope !== 'full' ? enough : tried.length > through ? Math.max(enough, refusals) : enough;
  const allowed = [...new Set([...chosen].map(({ envelope }) => envelope.ehlo))].slice(0, names);
  const session = [...chosen].filter(({ envelope }) => allowed.includes(envelope.ehlo)).slice(0, size);
  // Each name is said once.
  return { tests: session.toSorted((a, b) => allowed.indexOf(a.envelope.ehlo) - allowed.indexOf(b.envelope.ehlo)), enough };
}

function budgetOf(mta: Mta | undefined, { cap, oneName }: Progress): SessionBudget {
  const budget = budgetFor(mta);
  return { ...budget, refusals: Math.min(budget.refusals, cap), names: oneName ? 1 : budget.names };
}

// Fills one session: envelopes with the same EHLO and sender share a transaction. Bounces have one recipient each, and so
// have their tests: servers refuse a null sender with several.
function withinBudget(trials: readonly Trial[], budget: SessionBudget, ourName: string): Transaction[] {
  const chosen = new Map<string, Transaction & { recipients: { id: string; to: string }[] }>();
  const names = new Set([trials.some(({ envelope }) => envelope.ehlo === ourName) ? ourName : (trials[0]?.envelope.ehlo ?? ourName)]);
  let [count, odd, resets] = [0, 0, -1];
  for (const { id, odd: isOdd, envelope } of trials) {
    if (count >= budget.refusals) break;
    if (isOdd && odd >= budget.odd) continue;
    const { ehlo, from, to } = envelope;
    if (!names.has(ehlo) && names.size >= budget.names) continue;
    const alone = from === '<>' || id === POSITIVE_CONTROL;
    const base = `${ehlo} ${from} ${alone ? id : ''}`;
    const key = (chosen.get(base)?.recipients.length ?? 0) < budget.recipients ? base : `${base} ${Math.floor(count / budget.recipients)}`;
    const there = chosen.get(key);
    const cost = there !== undefined ? 0 : names.has(ehlo) ? 1 : 2;
    if (resets + cost > budget.resets) continue;
    resets += cost;
    names.add(ehlo);
    count++;
    if (isOdd) odd++;
    if (there === undefined) chosen.set(key, { ehlo, from, recipients: [{ id, to }] });
    else there.recipients.push({ id, to });
  }
  const order = [...names];
  return [...chosen.values()].toSorted((a, b) => order.indexOf(a.ehlo) - order.indexOf(b.ehlo));
}
