import { holdsToken } from '../domain/consent.ts';
import type { Software } from '../domain/remedies.ts';
import type { Contact, Outcome, Stage, TestResult, TlsFacts, Transport } from '../domain/scan.ts';
import type { Command } from './command.ts';
import { fingerprint } from './fingerprint.ts';
import { isLimit, isSenderUnknown, meaningOf } from './meaning.ts';
import { type Reply, replyLines, replyText } from './reply.ts';

/** What the dialogue wants next: a reply without saying anything, commands or a message to be sent, or the connection put inside TLS. */
export type Step =
  | { readonly kind: 'listen' }
  | { readonly kind: 'say'; readonly commands: readonly Command[] }
  | { readonly kind: 'send'; readonly message: string }
  | { readonly kind: 'secure' };

/** How a connection ended under a dialogue. `silent`: no reply came in the time that one may take. `out-of-time`: our own time was over. */
export type End = 'closed' | 'silent' | 'out-of-time' | 'not-smtp' | 'too-much' | 'tls-failed';

/** What came back: a reply, TLS with what was dropped in front of it, or the end of the connection. */
export type Arrival =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'secured'; readonly tls: TlsFacts; readonly injected?: string | undefined }
  | { readonly kind: 'end'; readonly end: End };

/** One envelope of a session: its name in the results, and its recipient as it goes over the wire. */
export type Recipient = { readonly id: string; readonly to: string };

/** MAIL and its RCPTs, and with one recipient a canary to go through to the final dot. */
export type Transaction = {
  readonly ehlo: string;
  readonly from: string;
  readonly recipients: readonly Recipient[];
  readonly canary?: { readonly id: string; readonly message: string } | undefined;
};

/** What a server says of itself first. */
export type Greeting = { readonly name?: string | undefined; readonly software?: Software | undefined };

/** What one session is to do. */
export type Errand = {
  readonly ourName: string;
  readonly transport: Transport;
  /** The word that the server must show in its greeting or EHLO answer before anything else is said to it. */
  readonly token?: string | undefined;
  /** Claim to be 127.0.0.1 by XCLIENT first. */
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
  readonly cutShort?: End | '421' | undefined;
  readonly greeting: Greeting;
  /** What EHLO offered; undefined when neither EHLO nor HELO was accepted. */
  readonly keywords?: readonly string[] | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly injected?: string | undefined;
  /** The first line of the answer to EHLO, where servers say whom they take us for. */
  readonly hello?: string | undefined;
  /** The server takes one EHLO a session. */
  readonly oneName?: boolean | undefined;
};

type Dialogue<T> = Generator<Step, T, Arrival>;

// An answer to the whole session rather than to one envelope; the envelopes that it stops get it as their own.
type Stop = {
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly reply?: string | undefined;
  readonly cutShort?: End | '421' | undefined;
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
  if (errand.token !== undefined && !(yield* showsToken(hello.reply, errand.token, errand.ourName)))
    return { contact: 'unproven', results: [], greeting: {} };
  const greeting = hello.reply.code === 220 ? readGreeting(hello.reply) : {};
  const state: State = { bold: false, quit: false, oneName: false };
  const transactions = errand.choose(greeting);
  const name = firstName(transactions, errand.ourName);
  const opened = hello.reply.code === 220 ? yield* open(errand, name, state) : stopOf('greeting', hello);
  const seen = { greeting, keywords: state.keywords, tls: state.tls, injected: state.injected, hello: state.hello, oneName: state.oneName };
  if (opened?.cutShort === 'tls-failed') return { contact: 'tls-failed', results: [], cutShort: 'tls-failed', ...seen };
  const results: TestResult[] = [];
  const stop = opened ?? (yield* runAll(transactions, errand, state, results));
  if (stop?.cutShort === undefined && !state.quit) yield* takeLeave(errand.help);
  const done = new Set(results.map(({ test }) => test));
  const rest = unreachedIn({ transactions }, errand.ourName, stop).filter(({ test }) => !done.has(test));
  return { contact: 'answered', results: [...results, ...rest], cutShort: stop?.cutShort, ...seen };
}

// Our side never says the token: servers echo. What does not show it hears EHLO and QUIT, and no more.
function* showsToken(hello: Reply, token: string, ourName: string): Dialogue<boolean> {
  if (hello.code === 220 && holdsToken(replyLines(hello), token)) return true;
  const ehlo = hello.code === 220 ? yield say({ verb: 'EHLO', name: ourName }) : undefined;
  const answer = ehlo === undefined ? undefined : answerIn(ehlo);
  if (answer?.code === 250 && holdsToken(replyLines(answer).slice(1), token)) return true;
  if (ehlo?.kind !== 'end') yield say({ verb: 'QUIT' });
  return false;
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
  if (refused !== undefined || !xclient) return refused;
  const claim = yield say({ verb: 'XCLIENT' });
  const answer = answerIn(claim);
  if (answer === undefined || meaningOf(answer) !== 'accepted') return stopOf('ehlo', claim);
  return yield* introduce(ourName, state);
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
  if (answerIn(answer)?.code !== 220) return { outcome: 'not-run', stage: 'ehlo', cutShort: endOf(answer) ?? 'tls-failed' };
  const secured = yield { kind: 'secure' };
  if (secured.kind !== 'secured') return { outcome: 'not-run', stage: 'ehlo', cutShort: 'tls-failed' };
  state.tls = secured.tls;
  state.injected = secured.injected;
  return undefined;
}

function* runAll(transactions: readonly Transaction[], errand: Errand, state: State, results: TestResult[]): Dialogue<Stop | undefined> {
  const { ourName, help, cautious, enough } = errand;
  const groups = groupsOf(transactions);
  let ehlo = firstName(transactions, ourName) === ourName ? ourName : '';
  let fresh = true; // no transaction since the last EHLO
  state.bold = !cautious;
  for (const [index, group] of groups.entries()) {
    if (group.ehlo !== ehlo) {
      const refused = yield* introduce(group.ehlo, state, state.ahead);
      state.ahead = undefined;
      if (refused?.cutShort !== undefined) return refused;
      ehlo = refused === undefined ? group.ehlo : '';
      fresh = true;
      // Some servers take one EHLO a session: that says nothing of the name.
      if (refused?.reply?.startsWith('503')) {
        state.oneName = true;
        continue;
      }
      if (refused !== undefined) {
        results.push(...unreachedIn(group, ourName, refused));
        continue;
      }
    }
    const next = groups[index + 1];
    const then = next === undefined ? (help ? undefined : QUIT) : next.ehlo === ehlo ? undefined : ehloAs(next.ehlo);
    const stop = yield* group.canary === undefined
      ? runEnvelopes({ group, fresh, then, ourName }, state, results)
      : runMessage(group, fresh, ourName, results);
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
    for (const [position, recipient] of transaction.recipients.entries())
      lines.push({ command: { verb: 'RCPT', path: recipient.to }, transaction, recipient, position });
  }
  return lines;
}

// `then` is what may go out behind the last envelope: QUIT, or the EHLO of the next group.
type Run = { readonly group: Group; readonly fresh: boolean; readonly then: Command | undefined; readonly ourName: string };

function* runEnvelopes({ group, fresh, then, ourName }: Run, state: State, results: TestResult[]): Dialogue<Stop | undefined> {
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
    }
    const reply = answerIn(arrival);
    if (reply === undefined) return stopOf(recipient === undefined ? 'mail' : 'rcpt', arrival);
    if (command.verb === 'RSET' && reply.code !== 250) return { outcome: 'not-run', stage: 'mail', cutShort: '421' };
    if (command.verb === 'MAIL') {
      taken = meaningOf(reply) === 'accepted';
      clean = !taken;
      state.bold ||= taken;
      if (!taken) for (const each of transaction.recipients) results.push(resultOf(each, transaction, 'mail', reply, ourName));
    }
    if (recipient === undefined || !taken) continue;
    // A limit on recipients says nothing of the one that it hit: that one is tried again in a transaction of its own.
    if (position > 0 && isLimit(reply)) continue;
    results.push(resultOf(recipient, transaction, 'rcpt', reply, ourName));
  }
  if (due > 0) yield* hearThen(then, state);
  return undefined;
}

function* hearThen(then: Command | undefined, state: State): Dialogue<void> {
  const arrival = yield LISTEN;
  if (then?.verb === 'QUIT') state.quit = true;
  else state.ahead = arrival;
}

function* runMessage({ transactions, canary }: Group, fresh: boolean, ourName: string, results: TestResult[]): Dialogue<Stop | undefined> {
  const [transaction] = transactions;
  const [recipient] = transaction?.recipients ?? [];
  if (transaction === undefined || recipient === undefined || canary === undefined) return undefined;
  const stages: readonly (readonly [Stage, Command])[] = [
    ...(fresh ? [] : [['mail', { verb: 'RSET' }] as const]),
    ['mail', { verb: 'MAIL', path: transaction.from }],
    ['rcpt', { verb: 'RCPT', path: recipient.to }],
    ['data', { verb: 'DATA' }],
  ];
  for (const [stage, command] of stages) {
    const arrival = yield say(command);
    const reply = answerIn(arrival);
    if (reply === undefined) return stopOf(stage, arrival);
    if (command.verb === 'DATA' ? reply.code === 354 : meaningOf(reply) === 'accepted') continue;
    results.push(resultOf(recipient, transaction, stage, reply, ourName));
    return undefined;
  }
  const arrival = yield { kind: 'send', message: canary.message };
  const reply = answerIn(arrival);
  if (reply !== undefined) {
    const result = resultOf(recipient, transaction, 'message', reply, ourName);
    results.push({ ...result, canary: canary.id });
    return undefined;
  }
  // It has the message and has not said what it makes of it: the canary may still come back.
  const stop = stopOf('message', arrival);
  const envelope = envelopeOf(transaction, recipient, ourName);
  results.push({ test: recipient.id, outcome: 'accepted', stage: 'data', ...envelope, reply: stop.reply, canary: canary.id });
  return stop;
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

function resultOf(recipient: Recipient, transaction: Transaction, stage: Stage, reply: Reply, ourName: string): TestResult {
  const text = replyText(reply);
  const outcome = claimed(meaningOf(reply), transaction, ourName, text);
  return { test: recipient.id, outcome, stage, ...envelopeOf(transaction, recipient, ourName), reply: text.slice(0, REPLY_CHARACTERS) };
}

// What a server says against a name that we only claimed, such as its own, is a refusal of the claim and not of us; so
// is a sender's domain that it cannot find (4.1.8), which is put off only because DNS might be down.
function claimed(outcome: Outcome, { ehlo, from }: Pick<Transaction, 'ehlo' | 'from'>, ourName: string, reply: string): Outcome {
  const ours = ehlo === ourName && (from === '<>' || from.endsWith(`@${ourName}>`));
  if (ours) return outcome;
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
  const meaning = meaningOf(arrival.reply);
  const outcome = stage === 'greeting' && meaning === 'refused' ? 'about-us' : meaning === 'accepted' ? 'not-run' : meaning;
  return { outcome, stage, reply: shortText(arrival.reply) };
}

const REPLY_CHARACTERS = 512; // of a reply kept with a result: what RFC 5321 allows a line; the transcript has the rest

function shortText(reply: Reply): string {
  return replyText(reply).slice(0, REPLY_CHARACTERS);
}

function unreachedIn({ transactions }: Pick<Group, 'transactions'>, ourName: string, stop: Stop | undefined): TestResult[] {
  return transactions.flatMap((transaction) =>
    transaction.recipients.map(({ id }): TestResult => {
      const { outcome, stage, reply } = stop ?? { outcome: 'not-run', stage: 'greeting' };
      const envelope = transaction.ehlo === ourName ? {} : { ehlo: transaction.ehlo };
      return {
        test: id,
        outcome: stage === 'greeting' ? outcome : claimed(outcome, transaction, ourName, reply ?? ''),
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
