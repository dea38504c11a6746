import type { Contact, TestResult } from '../domain/scan.ts';
import { CLAIMED_CLIENTS, type Command } from './command.ts';
import { answerIn, endOf, LISTEN, type Stop, say, stopOf, unreachedIn } from './dialogue/answers.ts';
import { RSET, runEnvelopes } from './dialogue/envelopes.ts';
import { runMessage } from './dialogue/message.ts';
import { claim, introduce, open } from './dialogue/opening.ts';
import { closing, type Dialogue, newSession, type Session, shownBy, withoutReset } from './dialogue/state.ts';
import { fingerprint } from './fingerprint.ts';
import { isTemporary } from './meaning.ts';
import { type Reply, replyLines } from './reply.ts';
import type { Errand, Greeting, Heard, SessionEvidence, Transaction } from './session.ts';

/**
 * One session, drawn in docs/dialogue.md: greeting, EHLO, STARTTLS on that leg, the transactions, QUIT. DATA is sent only when there is a
 * canary to send. Commands go in groups where the server offers PIPELINING (RFC 2920), otherwise one by one. Pure: the caller moves the
 * bytes.
 */
export function* converse(errand: Errand): Dialogue<SessionEvidence> {
  const hello = yield LISTEN;
  if (hello.kind !== 'reply') return { contact: silenceAt(hello), results: [], cutShort: endOf(hello), greeting: {} };
  const isWelcome = hello.reply.code === 220;
  const greeting = isWelcome ? { ...readGreeting(hello.reply), afterMs: hello.waitedMs } : {};
  const session = newSession();
  const transactions = errand.choose(greeting);
  const opened = isWelcome ? yield* open(errand, firstName(transactions, errand.ourName), session) : stopOf('greeting', hello);
  if (opened?.cutShort === 'tls-failed')
    return { contact: 'tls-failed', results: [], cutShort: 'tls-failed', ...shownBy(session), greeting };
  const results: TestResult[] = [];
  const stop = opened ?? (yield* (errand.xclient ? runClaims : runAll)(transactions, errand, session, results));
  const { cutShort } = stop ?? {};
  if ((cutShort === undefined || cutShort === 'limit' || cutShort === 'spent') && !session.standing.quit) yield* takeLeave(errand.help);
  const done = new Set(results.map(({ test }) => test));
  const rest = unreachedIn(transactions, errand, stop).filter(({ test }) => !done.has(test));
  const atEnvelope = stop?.stage !== 'greeting' && stop?.stage !== 'ehlo';
  const limitedAt = cutShort === 'limit' && atEnvelope && results.length === 0 ? rest[0]?.test : undefined;
  // A temporary refusal at the greeting means that the server has too many sessions open.
  if (cutShort === 'limit' || (!isWelcome && isTemporary(hello.reply))) session.seen.limited = true;
  return { contact: 'answered', results: [...results, ...rest], cutShort, limitedAt, ...shownBy(session), greeting };
}

// Our own name, unless every transaction claims another.
function firstName(transactions: readonly Transaction[], ourName: string): string {
  return transactions.some(({ ehlo }) => ehlo === ourName) ? ourName : (transactions[0]?.ehlo ?? ourName);
}

// Claims one client address after another, until the server accepts from one what it refused the others.
function* runClaims(
  transactions: readonly Transaction[],
  errand: Errand,
  session: Session,
  results: TestResult[],
): Dialogue<Stop | undefined> {
  for (const [index, address] of CLAIMED_CLIENTS.entries()) {
    const refused = index === 0 ? undefined : ((yield* reset(session)) ?? (yield* claim(address, errand.ourName, session)));
    if (refused !== undefined) return refused.cutShort === undefined ? undefined : refused;
    const shown: TestResult[] = [];
    const stop = yield* runAll(transactions, { ...errand, help: true }, session, shown); // no QUIT goes out ahead
    results.splice(0, results.length, ...shown);
    if (stop !== undefined || shown.some(({ outcome }) => outcome === 'accepted')) return stop;
  }
  return undefined;
}

function* reset(session: Session): Dialogue<Stop | undefined> {
  const arrival = yield say(RSET);
  return answerIn(arrival)?.code === 250 ? undefined : withoutReset(arrival, session);
}

function* takeLeave(help: boolean): Dialogue<void> {
  const answer = help ? yield say({ verb: 'HELP' }) : undefined;
  if (answer === undefined || answerIn(answer) !== undefined) yield say({ verb: 'QUIT' });
}

function* runAll(
  transactions: readonly Transaction[],
  errand: Errand,
  session: Session,
  results: TestResult[],
): Dialogue<Stop | undefined> {
  const { ourName, cautious, enough } = errand;
  const groups = groupsOf(transactions);
  let ehlo = firstName(transactions, ourName) === ourName ? ourName : '';
  let fresh = true; // no transaction since the last EHLO
  session.standing.bold = !cautious;
  for (const [index, group] of groups.entries()) {
    if (group.ehlo !== ehlo) {
      const refused = yield* introduceAs(group, errand, session, results);
      if (refused?.cutShort !== undefined) return refused;
      fresh = true;
      ehlo = refused === undefined ? group.ehlo : '';
      if (refused !== undefined) continue;
    }
    const then = behind(groups[index + 1], ehlo, errand);
    const [first] = group.transactions;
    const stop = yield* first?.canary === undefined
      ? runEnvelopes({ transactions: group.transactions, fresh, then, us: errand }, session, results)
      : runMessage(first, fresh, errand, session, results);
    if (stop !== undefined) return stop;
    if (results.filter((result) => result.canary !== undefined && result.outcome === 'accepted').length >= enough) return undefined;
    fresh = false;
  }
  return undefined;
}

// Sends the EHLO of a group unless it was sent ahead. A refused name costs only the envelopes of its own group.
function* introduceAs(group: Group, errand: Errand, session: Session, results: TestResult[]): Dialogue<Stop | undefined> {
  const refused = yield* introduce(group.ehlo, session, session.standing.ahead);
  session.standing.ahead = undefined;
  if (refused?.cutShort !== undefined) {
    const ids = group.transactions.flatMap(({ recipients }) => recipients.map(({ id }) => id));
    return closing(refused, group.ehlo === errand.ourName ? [] : ids, session);
  }
  // Some servers take one EHLO per session. That says nothing about the name.
  if (refused?.reply?.startsWith('503')) session.seen.oneName = true;
  else if (refused !== undefined) results.push(...unreachedIn(group.transactions, errand, refused));
  return refused;
}

// What may be sent right behind a group: the EHLO of the next one, or QUIT.
function behind(next: Group | undefined, ehlo: string, { help }: Errand): Command | undefined {
  if (next === undefined) return help ? undefined : { verb: 'QUIT' };
  return next.ehlo === ehlo ? undefined : { verb: 'EHLO', name: next.ehlo };
}

type Group = { readonly ehlo: string; readonly transactions: readonly Transaction[] };

// Envelopes with the same EHLO form a group. A message is a group of its own.
function groupsOf(transactions: readonly Transaction[]): Group[] {
  const groups: { ehlo: string; transactions: Transaction[] }[] = [];
  for (const each of transactions) {
    const last = groups.at(-1);
    const isMessage = each.canary !== undefined || last?.transactions[0]?.canary !== undefined;
    if (last?.ehlo === each.ehlo && !isMessage) last.transactions.push(each);
    else groups.push({ ehlo: each.ehlo, transactions: [each] });
  }
  return groups;
}

function silenceAt(arrival: Heard): Contact {
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

// The first word of a greeting is the server's name (RFC 5321 §4.3.1). We put it into envelopes to that server, so it
// has to be a plain DNS name.
function readGreeting(reply: Reply): Greeting {
  const word = replyLines(reply)[0]?.split(' ')[0]?.toLowerCase() ?? '';
  const plain = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(word);
  return { name: plain ? word : undefined, software: fingerprint(reply.raw) };
}
