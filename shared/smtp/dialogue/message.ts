import type { Stage, TestResult } from '../../domain/scan.ts';
import type { Command } from '../command.ts';
import { isLimit, meaningOf } from '../meaning.ts';
import type { Transaction } from '../session.ts';
import { answerIn, envelopeOf, resultOf, type Stop, say, shortText, stopOf, type Us } from './answers.ts';
import { RSET, recipientsOf } from './envelopes.ts';
import { closing, type Dialogue, endingSender, noteSender, noteWait, type Session, withoutReset } from './state.ts';

type MessageLine = readonly [stage: Stage, command: Command, beside?: boolean];

/** One transaction through to the final dot: MAIL, RCPT, DATA and the canary. Each waits for the answer to the one before. */
export function* runMessage(
  transaction: Transaction,
  fresh: boolean,
  us: Us,
  session: Session,
  results: TestResult[],
): Dialogue<Stop | undefined> {
  const { canary, recipients } = transaction;
  const [recipient] = recipients;
  if (recipient === undefined || canary === undefined) return undefined;
  const stages: readonly MessageLine[] = [
    ...(fresh ? [] : [['mail', RSET] as const]),
    ['mail', { verb: 'MAIL', path: transaction.from }],
    ...recipientsOf(transaction).map((each): MessageLine => ['rcpt', { verb: 'RCPT', path: each.to }, each.recipient === undefined]),
    ['data', { verb: 'DATA' }],
  ];
  for (const [stage, command, beside] of stages) {
    const arrival = yield say(command);
    const reply = answerIn(arrival);
    noteWait(arrival, session);
    if (command.verb === 'RSET' && reply?.code !== 250) return withoutReset(arrival, session);
    if (reply === undefined) return closing(stopOf(stage, arrival), [recipient.id], session);
    if (isLimit(reply) && !(beside && transaction.beside?.first === false))
      return { outcome: 'not-run', stage, cutShort: 'limit', reply: shortText(reply) };
    if (command.verb === 'MAIL') {
      const ended = meaningOf(reply) === 'accepted' ? undefined : endingSender(reply, transaction, 0, session);
      if (ended !== undefined) return ended;
      noteSender(transaction, session);
    }
    if (beside || (command.verb === 'DATA' ? reply.code === 354 : meaningOf(reply) === 'accepted')) continue;
    results.push(resultOf(recipient, transaction, stage, reply, us));
    return undefined;
  }
  const arrival = yield { kind: 'send', message: canary.message };
  const reply = answerIn(arrival);
  noteWait(arrival, session);
  if (reply !== undefined) {
    const result = resultOf(recipient, transaction, 'message', reply, us);
    results.push({ ...result, canary: canary.id });
    return undefined;
  }
  // The server has the message but did not answer the final dot. The canary may still come back.
  const stop = stopOf('message', arrival);
  const envelope = envelopeOf(transaction, recipient, us.ourName);
  results.push({ test: recipient.id, outcome: 'accepted', stage: 'data', ...envelope, reply: stop.reply, canary: canary.id });
  return closing(stop, [recipient.id], session);
}
