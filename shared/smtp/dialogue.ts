import type { Software } from '../domain/remedies.ts';
import type { Contact, Outcome, Stage, TestResult, TlsFacts, Transport } from '../domain/scan.ts';
import { CLAIMED_CLIENTS, type Command } from './command.ts';
import { fingerprint } from './fingerprint.ts';
import { isLimit, isSenderUnknown, isTemporary, meaningOf, saysOf } from './meaning.ts';
import { type Reply, replyLines, replyText } from './reply.ts';

/** What the dialogue wants next: a reply without saying anything, commands or a message to be sent, or the connection put inside TLS. */
export type Step =
  | { readonly kind: 'listen' }
  | { readonly kind: 'say'; readonly commands: readonly Command[] }
  | { readonly kind: 'send'; readonly message: string }
  | { readonly kind: 'secure' };

/** How a connection ended under a dialogue. `silent`: no reply came in the time that one may take. `out-of-time`: our own time was over. */
export type End = 'closed' | 'silent' | 'out-of-time' | 'not-smtp' | 'too-much' | 'tls-failed';

/**
 * How a session was cut short: by the end of the connection; by a 421 (RFC 5321 §3.8); by a limit of the server's; `spent`: it takes
 * nothing more in this session, and may in another.
 */
export type Cut = End | '421' | 'limit' | 'spent';

/** What came back: a reply and how long it was waited for (milliseconds), TLS with what was dropped in front of it, or the end of the connection. */
export type Arrival =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly waitedMs?: number | undefined }
  | { readonly kind: 'secured'; readonly tls: TlsFacts; readonly injected?: string | undefined }
  | { readonly kind: 'end'; readonly end: End; readonly why?: string | undefined };

/** One envelope of a session: its name in the results, and its recipient as it goes over the wire. */
export type Recipient = { readonly id: string; readonly to: string };

/** MAIL and its RCPTs, and with one recipient a canary to go through to the final dot. */
export type Transaction = {
  readonly ehlo: string;
  readonly from: string;
  readonly recipients: readonly Recipient[];
  /** A recipient of the server's own in the same transaction, before ours or behind; its answer is nobody's result. */
  readonly beside?: { readonly to: string; readonly first: boolean } | undefined;
  readonly canary?: { readonly id: string; readonly message: string } | undefined;
};

/** What a server says of itself first. */
export type Greeting = {
  readonly name?: string | undefined;
  readonly software?: Software | undefined;
  /** How long it kept us waiting for it; milliseconds. */
  readonly afterMs?: number | undefined;
};

/** What one session is to do. */
export type Errand = {
  readonly ourName: string;
  /** Our own sender, as it goes over the wire. */
  readonly ourSender: string;
  readonly transport: Transport;
  /** Claim to be another client by XCLIENT first. */
  readonly xclient: boolean;
  /** Group no commands before a sender was accepted. */
  readonly cautious: boolean;
  /** Ask for HELP before we go, since nothing else told what the server is. */
  readonly help: boolean;
  /** With how many messages taken the session is done. */
  readonly enough: number;
  /** The transactions, once the server has greeted: which limits it has depends on what it is. */
  readonly choose: (greeting: Greeting) => readonly Transaction[];
};

/** What one session showed. `cutShort` says how it ended when it did not end by our QUIT. */
export type SessionEvidence = {
  readonly contact: Contact;
  readonly results: readonly TestResult[];
  readonly cutShort?: Cut | undefined;
  readonly greeting: Greeting;
  /** What EHLO offered; undefined when neither EHLO nor HELO was accepted. */
  readonly keywords?: readonly string[] | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly injected?: string | undefined;
  /** The first line of the answer to EHLO, where servers say whom they take us for. */
  readonly hello?: string | undefined;
  /** The server takes one EHLO a session. */
  readonly oneName?: boolean | undefined;
  /** It does not take RSET. */
  readonly noReset?: boolean | undefined;
  /** A limit of its own kept it from answering some of what it was asked. */
  readonly limited?: boolean | undefined;
  /** The first envelope, where its limit came before any answer. */
  readonly limitedAt?: string | undefined;
  /** It took no further sender after a null one. */
  readonly spentByNull?: boolean | undefined;
  /** Ids of the envelopes at which it closed the connection or ended the session, where it did. */
  readonly closedAt?: readonly string[] | undefined;
  /** What went wrong with TLS, where it could not be set up. */
  readonly tlsError?: string | undefined;
  /** How long its refusals kept us waiting on average; milliseconds. */
  readonly refusalMs?: number | undefined;
};

type Dialogue<T> = Generator<Step, T, Arrival>;

// An answer to the whole session rather than to one envelope; the envelopes that it stops get it as their own.
type Stop = {
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly reply?: string | undefined;
  readonly cutShort?: Cut | undefined;
};

// What is known of the session so far.
type State = {
  keywords?: readonly string[];
  tls?: TlsFacts;
  injected?: string | undefined;
  hello?: string | undefined;
  /** A sender was accepted, so that commands may go out in groups. */
  bold: boolean;
  /** The answer to an EHLO that went out with the group before. */
  ahead?: Arrival | undefined;
  quit: boolean;
  /** EHLO was refused a second time in a session, whatever the name. */
  oneName: boolean;
  noReset: boolean;
  limited: boolean;
  /** A sender was answered, and the last one was the null sender. */
  senders: number;
  nullSender: boolean;
  spentByNull: boolean;
  closedAt: readonly string[];
  tlsError?: string | undefined;
  refusals: number;
  refusalsMs: number;
  /** Waited for since the last refusal. */
  heldMs: number;
};

const LISTEN: Step = { kind: 'listen' };

/**
 * One session: greeting, EHLO, STARTTLS if it is that leg, then the transactions, QUIT. DATA is said only with a canary
 * to send. Commands go out in groups where the server offers PIPELINING (RFC 2920), else one by one. Pure: whoever runs
 * it moves the bytes.
 */
export function* converse(errand: Errand): Dialogue<SessionEvidence> {
  const hello = yield LISTEN;
  if (hello.kind !== 'reply') return { contact: silenceAt(hello), results: [], cutShort: endOf(hello), greeting: {} };
  const greeting = hello.reply.code === 220 ? { ...readGreeting(hello.reply), afterMs: hello.waitedMs } : {};
  const state = newState();
  const transactions = errand.choose(greeting);
  const name = firstName(transactions, errand.ourName);
  const opened = hello.reply.code === 220 ? yield* open(errand, name, state) : stopOf('greeting', hello);
  if (opened?.cutShort === 'tls-failed') return { contact: 'tls-failed', results: [], cutShort: 'tls-failed', ...seenIn(state, greeting) };
  const results: TestResult[] = [];
  const stop = opened ?? (yield* (errand.xclient ? runClaims : runAll)(transactions, errand, state, results));
  if ((stop?.cutShort === undefined || stop.cutShort === 'limit' || stop.cutShort === 'spent') && !state.quit)
    yield* takeLeave(errand.help);
  const done = new Set(results.map(({ test }) => test));
  const rest = unreachedIn({ transactions }, errand, stop).filter(({ test }) => !done.has(test));
  const limitedAt =
    stop?.cutShort === 'limit' && stop.stage !== 'greeting' && stop.stage !== 'ehlo' && results.length === 0 ? rest[0]?.test : undefined;
  // Whoever is put off at the greeting is one too many for now.
  if (stop?.cutShort === 'limit' || (hello.reply.code !== 220 && isTemporary(hello.reply))) state.limited = true;
  return { contact: 'answered', results: [...results, ...rest], cutShort: stop?.cutShort, limitedAt, ...seenIn(state, greeting) };
}

function newState(): State {
  const none = { oneName: false, noReset: false, limited: false, nullSender: false, spentByNull: false };
  return { bold: false, quit: false, ...none, senders: 0, closedAt: [], refusals: 0, refusalsMs: 0, heldMs: 0 };
}

function seenIn(state: State, greeting: Greeting) {
  const { keywords, tls, injected, hello, oneName, noReset, limited, spentByNull, closedAt, tlsError, refusals, refusalsMs } = state;
  const refusalMs = refusals === 0 ? undefined : refusalsMs / refusals;
  return { greeting, keywords, tls, injected, hello, oneName, noReset, limited, spentByNull, closedAt, tlsError, refusalMs };
}

// Our own name, unless the session is about others alone.
function firstName(transactions: readonly Transaction[], ourName: string): string {
  return transactions.some(({ ehlo }) => ehlo === ourName) ? ourName : (transactions[0]?.ehlo ?? ourName);
}

// A name that is only claimed is said by whoever runs its transactions, where it may be refused.
function* open({ ourName, transport, xclient }: Errand, first: string, state: State): Dialogue<Stop | undefined> {
  if (transport === 'starttls') {
    const refused = (yield* introduce(ourName, state)) ?? (yield* startTls(state));
    if (refused !== undefined) return refused;
  }
  if (first !== ourName) return undefined;
  const refused = yield* introduce(ourName, state);
  return refused === undefined && xclient ? yield* claim(CLAIMED_CLIENTS[0], ourName, state) : refused;
}

function* claim(address: (typeof CLAIMED_CLIENTS)[number], ourName: string, state: State): Dialogue<Stop | undefined> {
  const answer = yield say({ verb: 'XCLIENT', address });
  const reply = answerIn(answer);
  if (reply === undefined || meaningOf(reply) !== 'accepted') return stopOf('ehlo', answer);
  return yield* introduce(ourName, state);
}

function* reset(state: State): Dialogue<Stop | undefined> {
  const arrival = yield say(RSET);
  return answerIn(arrival)?.code === 250 ? undefined : withoutReset(arrival, state);
}

// One client after the other is claimed, until one is trusted with what the others were refused.
function* runClaims(transactions: readonly Transaction[], errand: Errand, state: State, results: TestResult[]): Dialogue<Stop | undefined> {
  for (const [index, address] of CLAIMED_CLIENTS.entries()) {
    const refused = index === 0 ? undefined : ((yield* reset(state)) ?? (yield* claim(address, errand.ourName, state)));
    if (refused !== undefined) return refused.cutShort === undefined ? undefined : refused;
    const shown: TestResult[] = [];
    const stop = yield* runAll(transactions, { ...errand, help: true }, state, shown); // no QUIT goes out ahead
    results.splice(0, results.length, ...shown);
    if (stop !== undefined || shown.some(({ outcome }) => outcome === 'accepted')) return stop;
  }
  return undefined;
}

function* takeLeave(help: boolean): Dialogue<void> {
  const answer = help ? yield say({ verb: 'HELP' }) : undefined;
  if (answer === undefined || answerIn(answer) !== undefined) yield say({ verb: 'QUIT' });
}

function* introduce(name: string, state: State, sent?: Arrival): Dialogue<Stop | undefined> {
  const ehlo = sent ?? (yield say({ verb: 'EHLO', name }));
  const answer = answerIn(ehlo);
  if (answer?.code === 250) {
    const [hello, ...keywords] = replyLines(answer);
    state.hello = hello;
    state.keywords = keywords.map((line) => line.toUpperCase());
    return undefined;
  }
  // Servers older than RFC 1869 answer 500 or 502, and know HELO.
  if (answer === undefined || ![500, 502, 503, 504].includes(answer.code)) return stopOf('ehlo', ehlo);
  const helo = yield say({ verb: 'HELO', name });
  if (answerIn(helo)?.code !== 250) return stopOf('ehlo', helo);
  state.keywords = [];
  return undefined;
}

function* startTls(state: State): Dialogue<Stop | undefined> {
  const answer = yield say({ verb: 'STARTTLS' });
  if (answerIn(answer)?.code !== 220) {
    if (answer.kind === 'reply' && isLimit(answer.reply)) return stopOf('ehlo', answer);
    if (answer.kind === 'reply') state.tlsError = shortText(answer.reply);
    return { outcome: 'not-run', stage: 'ehlo', cutShort: endOf(answer) ?? 'tls-failed' };
  }
  const secured = yield { kind: 'secure' };
  if (secured.kind === 'end') state.tlsError = secured.why;
  if (secured.kind !== 'secured')
    return { outcome: 'not-run', stage: 'ehlo', cutShort: endOf(secured) === 'out-of-time' ? 'out-of-time' : 'tls-failed' };
  state.tls = secured.tls;
  state.injected = secured.injected;
  return undefined;
}

function* runAll(transactions: readonly Transaction[], errand: Errand, state: State, results: TestResult[]): Dialogue<Stop | undefined> {
  const { ourName, ourSender, help, cautious, enough } = errand;
  const us = { ourName, ourSender };
  const groups = groupsOf(transactions);
  let ehlo = firstName(transactions, ourName) === ourName ? ourName : '';
  let fresh = true; // no transaction since the last EHLO
  state.bold = !cautious;
  for (const [index, group] of groups.entries()) {
    if (group.ehlo !== ehlo) {
      const refused = yield* introduce(group.ehlo, state, state.ahead);
      state.ahead = undefined;
      if (refused?.cutShort !== undefined) return closing(refused, group.ehlo === ourName ? [] : idsIn(group), state);
      ehlo = refused === undefined ? group.ehlo : '';
      fresh = true;
      // Some servers take one EHLO a session: that says nothing of the name.
      if (refused?.reply?.startsWith('503')) {
        state.oneName = true;
        continue;
      }
      if (refused !== undefined) {
        results.push(...unreachedIn(group, us, refused));
        continue;
      }
    }
    const next = groups[index + 1];
    const then = next === undefined ? (help ? undefined : QUIT) : next.ehlo === ehlo ? undefined : ehloAs(next.ehlo);
    const stop = yield* group.canary === undefined
      ? runEnvelopes({ group, fresh, then, us }, state, results)
      : runMessage(group, fresh, us, state, results);
    if (stop !== undefined) return stop;
    if (results.filter((result) => result.canary !== undefined && result.outcome === 'accepted').length >= enough) return undefined;
    fresh = false;
  }
  return undefined;
}

const RSET: Command = { verb: 'RSET' };
const QUIT: Command = { verb: 'QUIT' };

function ehloAs(name: string): Command {
  return { verb: 'EHLO', name };
}

type Group = Pick<Transaction, 'ehlo' | 'canary'> & { readonly transactions: readonly Transaction[] };

// What goes out together: envelopes after one EHLO. A message is on its own.
function groupsOf(transactions: readonly Transaction[]): Group[] {
  const groups: (Group & { transactions: Transaction[] })[] = [];
  for (const each of transactions) {
    const last = groups.at(-1);
    if (last !== undefined && last.ehlo === each.ehlo && last.canary === undefined && each.canary === undefined)
      last.transactions.push(each);
    else groups.push({ ehlo: each.ehlo, canary: each.canary, transactions: [each] });
  }
  return groups;
}

type Line = { readonly command: Command; readonly transaction: Transaction; readonly recipient?: Recipient; readonly position: number };

function linesOf(group: Group, fresh: boolean): Line[] {
  const lines: Line[] = [];
  for (const [index, transaction] of group.transactions.entries()) {
    if (!fresh || index > 0) lines.push({ command: RSET, transaction, position: 0 });
    lines.push({ command: { verb: 'MAIL', path: transaction.from }, transaction, position: 0 });
    for (const [position, { to, recipient }] of recipientsOf(transaction).entries())
      lines.push({ command: { verb: 'RCPT', path: to }, transaction, ...(recipient === undefined ? {} : { recipient }), position });
  }
  return lines;
}

// Ours, with the one beside it in its place.
function recipientsOf({ recipients, beside }: Transaction): { readonly to: string; readonly recipient?: Recipient }[] {
  const ours = recipients.map((recipient) => ({ to: recipient.to, recipient }));
  if (beside === undefined) return ours;
  return beside.first ? [{ to: beside.to }, ...ours] : [...ours, { to: beside.to }];
}

function idsIn({ transactions }: Pick<Group, 'transactions'>): string[] {
  return transactions.flatMap(({ recipients }) => recipients.map(({ id }) => id));
}

type Us = Pick<Errand, 'ourName' | 'ourSender'>;

// `then` is what may go out behind the last envelope: QUIT, or the EHLO of the next group.
type Run = { readonly group: Group; readonly fresh: boolean; readonly then: Command | undefined; readonly us: Us };

function* runEnvelopes({ group, fresh, then, us }: Run, state: State, results: TestResult[]): Dialogue<Stop | undefined> {
  const pipelining = offers(state.keywords, 'PIPELINING');
  const lines = linesOf(group, fresh);
  let taken = true; // the sender of the transaction that we are in
  let clean = true; // nothing to reset
  let due = 0; // answers to what went out already
  for (const [index, { command, transaction, recipient, position }] of lines.entries()) {
    if (due === 0 && ((command.verb === 'RCPT' && !taken) || (command.verb === 'RSET' && clean))) continue;
    let arrival: Arrival;
    if (due > 0) {
      arrival = yield LISTEN;
      due--;
    } else {
      const grouped = pipelining && state.bold;
      const rest = grouped ? [...lines.slice(index).map((line) => line.command), ...(then === undefined ? [] : [then])] : [command];
      arrival = yield { kind: 'say', commands: rest };
      due = rest.length - 1;
      state.quit ||= grouped && then?.verb === 'QUIT';
    }
    const reply = answerIn(arrival);
    noteWait(arrival, state);
    if (command.verb === 'RSET' && reply?.code !== 250) return withoutReset(arrival, state);
    const stage = command.verb === 'MAIL' ? 'mail' : 'rcpt';
    if (reply === undefined)
      return closing(stopOf(stage, arrival), recipient === undefined ? idsIn({ transactions: [transaction] }) : [recipient.id], state);
    if (command.verb === 'MAIL') {
      taken = meaningOf(reply) === 'accepted';
      clean = !taken;
      state.bold ||= taken;
      const ended = taken ? undefined : endingSender(reply, transaction, due, state);
      if (ended !== undefined) return ended;
      if (!taken && !isLimit(reply))
        for (const each of transaction.recipients) results.push(resultOf(each, transaction, 'mail', reply, us));
      state.senders++;
      state.nullSender = transaction.from === '<>';
    }
    if (command.verb !== 'RCPT' || !taken) continue;
    // A limit on recipients says nothing of the one that it hit: that one is tried again in a transaction of its own, unless it had to
    // come behind another. Then it is put off.
    if (isLimit(reply) && !(transaction.beside?.first === true && position > 0)) {
      state.limited ||= position === 0;
      if (position === 0 && due === 0) return { outcome: 'not-run', stage: 'rcpt', cutShort: 'limit', reply: shortText(reply) };
    } else if (recipient !== undefined) results.push(resultOf(recipient, transaction, 'rcpt', reply, us));
  }
  if (due > 0) yield* hearThen(then, state);
  return undefined;
}

// A sender refused in a way that says nothing of it: by a limit, or since this session takes no more of them (RFC 5321 §4.2.4, 503).
function endingSender(reply: Reply, { from }: Transaction, due: number, state: State): Stop | undefined {
  if (isLimit(reply)) {
    state.limited = true;
    return due === 0 ? { outcome: 'not-run', stage: 'mail', cutShort: 'limit', reply: shortText(reply) } : undefined;
  }
  if (reply.code !== 503 || state.senders === 0 || meaningOf(reply) === 'authentication-required') return undefined;
  state.spentByNull = state.nullSender && from !== '<>';
  return { outcome: 'not-run', stage: 'mail', cutShort: 'spent', reply: shortText(reply) };
}

// Some servers do not know RSET, and some close at it: then every transaction has a session of its own.
function withoutReset(arrival: Arrival, state: State): Stop {
  state.noReset = arrival.kind === 'reply' ? arrival.reply.code !== 421 : endOf(arrival) === 'closed';
  return { outcome: 'not-run', stage: 'mail', cutShort: endOf(arrival) ?? (state.noReset ? 'spent' : '421') };
}

const ENDED_BY_SERVER: readonly Cut[] = ['closed', '421', 'not-smtp', 'too-much'];

// A session that ends instead of an answer ends at an envelope, which may be why.
function closing(stop: Stop, ids: readonly string[], state: State): Stop {
  if (stop.cutShort !== undefined && ENDED_BY_SERVER.includes(stop.cutShort)) state.closedAt = ids;
  return stop;
}

// Of a group whose answers a server holds back until it is through, the first one has all the wait, be it a refusal or not.
function noteWait(arrival: Arrival, state: State): void {
  if (arrival.kind !== 'reply') return;
  state.heldMs += arrival.waitedMs ?? 0; // what lay there already was not waited for
  if (arrival.reply.code < 400) return;
  state.refusals++;
  state.refusalsMs += state.heldMs;
  state.heldMs = 0;
}

function* hearThen(then: Command | undefined, state: State): Dialogue<void> {
  const arrival = yield LISTEN;
  if (then?.verb !== 'QUIT') state.ahead = arrival;
}

type MessageLine = readonly [stage: Stage, command: Command, beside?: boolean];

function* runMessage(
  { transactions, canary }: Group,
  fresh: boolean,
  us: Us,
  state: State,
  results: TestResult[],
): Dialogue<Stop | undefined> {
  const [transaction] = transactions;
  const [recipient] = transaction?.recipients ?? [];
  if (transaction === undefined || recipient === undefined || canary === undefined) return undefined;
  const stages: readonly MessageLine[] = [
    ...(fresh ? [] : [['mail', RSET] as const]),
    ['mail', { verb: 'MAIL', path: transaction.from }],
    ...recipientsOf(transaction).map((each): MessageLine => ['rcpt', { verb: 'RCPT', path: each.to }, each.recipient === undefined]),
    ['data', { verb: 'DATA' }],
  ];
  for (const [stage, command, beside] of stages) {
    const arrival = yield say(command);
    const reply = answerIn(arrival);
    noteWait(arrival, state);
    if (command.verb === 'RSET' && reply?.code !== 250) return withoutReset(arrival, state);
    if (reply === undefined) return closing(stopOf(stage, arrival), [recipient.id], state);
    if (isLimit(reply) && !(beside && transaction.beside?.first === false))
      return { outcome: 'not-run', stage, cutShort: 'limit', reply: shortText(reply) };
    if (command.verb === 'MAIL') {
      const ended = meaningOf(reply) === 'accepted' ? undefined : endingSender(reply, transaction, 0, state);
      if (ended !== undefined) return ended;
      state.senders++;
      state.nullSender = transaction.from === '<>';
    }
    if (beside || (command.verb === 'DATA' ? reply.code === 354 : meaningOf(reply) === 'accepted')) continue;
    results.push(resultOf(recipient, transaction, stage, reply, us));
    return undefined;
  }
  const arrival = yield { kind: 'send', message: canary.message };
  const reply = answerIn(arrival);
  noteWait(arrival, state);
  if (reply !== undefined) {
    const result = resultOf(recipient, transaction, 'message', reply, us);
    results.push({ ...result, canary: canary.id });
    return undefined;
  }
  // It has the message and has not said what it makes of it: the canary may still come back.
  const stop = stopOf('message', arrival);
  const envelope = envelopeOf(transaction, recipient, us.ourName);
  results.push({ test: recipient.id, outcome: 'accepted', stage: 'data', ...envelope, reply: stop.reply, canary: canary.id });
  return closing(stop, [recipient.id], state);
}

/** Whether EHLO offered an extension. */
export function offers(keywords: readonly string[] | undefined, extension: string): boolean {
  return keywords?.some((line) => line.split(' ')[0] === extension) ?? false;
}

function say(command: Command): Step {
  return { kind: 'say', commands: [command] };
}

function envelopeOf({ ehlo, from }: Transaction, { to }: Recipient, ourName: string): Pick<TestResult, 'from' | 'to' | 'ehlo'> {
  return ehlo === ourName ? { from, to } : { ehlo, from, to };
}

function resultOf(recipient: Recipient, transaction: Transaction, stage: Stage, reply: Reply, us: Us): TestResult {
  const text = replyText(reply);
  const outcome = claimed(meaningOf(reply), transaction, us, text);
  const envelope = envelopeOf(transaction, recipient, us.ourName);
  return { test: recipient.id, outcome, stage, ...envelope, reply: text.slice(0, REPLY_CHARACTERS), says: saysOf(reply) };
}

// What a server says against a name that we only claimed, such as its own, is a refusal of the claim and not of us; so
// is a sender's domain that it cannot find (4.1.8), which is put off only because DNS might be down.
function claimed(outcome: Outcome, { ehlo, from }: Pick<Transaction, 'ehlo' | 'from'>, { ourName, ourSender }: Us, reply: string): Outcome {
  if (ehlo === ourName && (from === '<>' || from === ourSender)) return outcome;
  if (outcome === 'about-us' && /\b(?:helo|ehlo|sender|spoof|impersonat|forged|from address)/i.test(reply)) return 'refused';
  return outcome === 'deferred' && isSenderUnknown(reply) ? 'refused' : outcome;
}

// The reply, unless the session is over: 421 means that the server closes it, whatever it was asked (RFC 5321 §3.8).
function answerIn(arrival: Arrival): Reply | undefined {
  return arrival.kind !== 'reply' || arrival.reply.code === 421 ? undefined : arrival.reply;
}

function endOf(arrival: Arrival): End | undefined {
  return arrival.kind === 'end' ? arrival.end : undefined;
}

function stopOf(stage: Stage, arrival: Arrival): Stop {
  if (arrival.kind !== 'reply') return { outcome: 'not-run', stage, cutShort: endOf(arrival) ?? 'closed' };
  if (arrival.reply.code === 421) return { outcome: 'not-run', stage, cutShort: '421', reply: shortText(arrival.reply) };
  if (isLimit(arrival.reply)) return { outcome: 'not-run', stage, cutShort: 'limit', reply: shortText(arrival.reply) };
  const meaning = meaningOf(arrival.reply);
  const outcome = stage === 'greeting' && meaning === 'refused' ? 'about-us' : meaning === 'accepted' ? 'not-run' : meaning;
  return { outcome, stage, reply: shortText(arrival.reply) };
}

const REPLY_CHARACTERS = 512; // of a reply kept with a result: what RFC 5321 allows a line; the transcript has the rest

function shortText(reply: Reply): string {
  return replyText(reply).slice(0, REPLY_CHARACTERS);
}

function unreachedIn({ transactions }: Pick<Group, 'transactions'>, us: Us, stop: Stop | undefined): TestResult[] {
  return transactions.flatMap((transaction) =>
    transaction.recipients.map(({ id }): TestResult => {
      const { outcome, stage, reply } = stop ?? { outcome: 'not-run', stage: 'greeting' };
      const envelope = transaction.ehlo === us.ourName ? {} : { ehlo: transaction.ehlo };
      return {
        test: id,
        outcome: stage === 'greeting' ? outcome : claimed(outcome, transaction, us, reply ?? ''),
        stage,
        ...envelope,
        reply,
      };
    }),
  );
}

function silenceAt(arrival: Arrival): Contact {
  switch (endOf(arrival)) {
    case 'silent':
      return 'no-greeting';
    case 'out-of-time':
      return 'out-of-time';
    case 'not-smtp':
    case 'too-much':
      return 'not-smtp';
    case 'tls-failed':
      return 'tls-failed';
    case 'closed':
    case undefined:
      return 'closed-early';
  }
}

// The first word of a greeting is the server's name (RFC 5321 §4.3.1). It goes into envelopes sent back to that same
// server, so only a plain DNS name is taken.
function readGreeting(reply: Reply): Greeting {
  const word = replyLines(reply)[0]?.split(' ')[0]?.toLowerCase() ?? '';
  const plain = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(word);
  return { name: plain ? word : undefined, software: fingerprint(reply.raw) };
}
