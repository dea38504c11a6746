import type { TestResult } from '../../domain/scan.ts';
import type { Command } from '../command.ts';
import { isLimit, meaningOf } from '../meaning.ts';
import type { Reply } from '../reply.ts';
import { type Heard, offers, type Recipient, type Transaction } from '../session.ts';
import { answerIn, LISTEN, resultOf, type Stop, shortText, stopOf, type Us } from './answers.ts';
import { closing, type Dialogue, endingSender, noteSender, noteWait, type Session, withoutReset } from './state.ts';

export const RSET: Command = { verb: 'RSET' };

/** Transactions without a message. `then` may be sent right behind the last one: QUIT, or the EHLO of the next group. */
export type Envelopes = {
  readonly transactions: readonly Transaction[];
  /** No transaction since the last EHLO. */
  readonly fresh: boolean;
  readonly then: Command | undefined;
  readonly us: Us;
};

type Line = { readonly command: Command; readonly transaction: Transaction; readonly recipient?: Recipient; readonly position: number };

// `taken`: the server accepted the sender. `clean`: nothing to reset. `due`: commands sent that are still unanswered.
type Place = { taken: boolean; clean: boolean; due: number };

/** Sends envelopes, one command at a time or in groups, and collects the result of each. */
export function* runEnvelopes(run: Envelopes, session: Session, results: TestResult[]): Dialogue<Stop | undefined> {
  const lines = linesOf(run);
  const place: Place = { taken: true, clean: true, due: 0 };
  for (const [index, line] of lines.entries()) {
    const { command, transaction, recipient } = line;
    if (place.due === 0 && isIdle(command, place)) continue;
    const arrival = yield* answerTo(lines.slice(index), run, place, session);
    noteWait(arrival, session);
    const reply = answerIn(arrival);
    if (command.verb === 'RSET') {
      if (reply?.code !== 250) return withoutReset(arrival, session);
      continue;
    }
    const stage = command.verb === 'MAIL' ? 'mail' : 'rcpt';
    if (reply === undefined)
      return closing(
        stopOf(stage, arrival),
        (recipient ? [recipient] : transaction.recipients).map(({ id }) => id),
        session,
      );
    const stop =
      stage === 'mail'
        ? afterSender(reply, line, run.us, place, session, results)
        : afterRecipient(reply, line, run.us, place, session, results);
    if (stop !== undefined) return stop;
  }
  if (place.due > 0) yield* hearThen(run.then, session);
  return undefined;
}

// After a refused sender, RCPT and RSET are skipped: there is no transaction.
function isIdle({ verb }: Command, { taken, clean }: Place): boolean {
  return (verb === 'RCPT' && !taken) || (verb === 'RSET' && clean);
}

// A command that was already sent in a group only needs its answer. Otherwise send it: together with all the rest where we may pipeline.
function* answerTo(lines: readonly Line[], { then }: Envelopes, place: Place, { seen, standing }: Session): Dialogue<Heard> {
  if (place.due > 0) {
    place.due--;
    return yield LISTEN;
  }
  const grouped = offers(seen.keywords, 'PIPELINING') && standing.bold;
  const commands = (grouped ? lines : lines.slice(0, 1)).map(({ command }) => command);
  if (grouped && then !== undefined) commands.push(then);
  place.due = commands.length - 1;
  standing.quit ||= grouped && then?.verb === 'QUIT';
  return yield { kind: 'say', commands };
}

function afterSender(reply: Reply, { transaction }: Line, us: Us, place: Place, session: Session, results: TestResult[]): Stop | undefined {
  const taken = meaningOf(reply) === 'accepted';
  place.taken = taken;
  place.clean = !taken;
  session.standing.bold ||= taken;
  const ended = taken ? undefined : endingSender(reply, transaction, place.due, session);
  if (ended !== undefined) return ended;
  if (!taken && !isLimit(reply)) results.push(...transaction.recipients.map((each) => resultOf(each, transaction, 'mail', reply, us)));
  noteSender(transaction, session);
  return undefined;
}

// "452 Too many recipients" says nothing about the recipient that it answers. That one is asked again in a transaction of its own; one
// that has to come second in its transaction cannot be, and counts as put off.
function afterRecipient(reply: Reply, line: Line, us: Us, place: Place, { seen }: Session, results: TestResult[]): Stop | undefined {
  const { transaction, recipient, position } = line;
  if (!place.taken) return undefined;
  if (!isLimit(reply) || (transaction.beside?.first === true && position > 0)) {
    if (recipient !== undefined) results.push(resultOf(recipient, transaction, 'rcpt', reply, us));
    return undefined;
  }
  seen.limited ||= position === 0;
  return position === 0 && place.due === 0 ? { outcome: 'not-run', stage: 'rcpt', cutShort: 'limit', reply: shortText(reply) } : undefined;
}

function* hearThen(then: Command | undefined, { standing }: Session): Dialogue<void> {
  const arrival = yield LISTEN;
  if (then?.verb !== 'QUIT') standing.ahead = arrival;
}

function linesOf({ transactions, fresh }: Envelopes): Line[] {
  const lines: Line[] = [];
  for (const [index, transaction] of transactions.entries()) {
    if (!fresh || index > 0) lines.push({ command: RSET, transaction, position: 0 });
    lines.push({ command: { verb: 'MAIL', path: transaction.from }, transaction, position: 0 });
    for (const [position, { to, recipient }] of recipientsOf(transaction).entries())
      lines.push({ command: { verb: 'RCPT', path: to }, transaction, ...(recipient === undefined ? {} : { recipient }), position });
  }
  return lines;
}

/** Our recipients, with the extra one before or behind them as the test wants it. */
export function recipientsOf({ recipients, beside }: Transaction): { readonly to: string; readonly recipient?: Recipient }[] {
  const ours = recipients.map((recipient) => ({ to: recipient.to, recipient }));
  if (beside === undefined) return ours;
  return beside.first ? [{ to: beside.to }, ...ours] : [...ours, { to: beside.to }];
}
