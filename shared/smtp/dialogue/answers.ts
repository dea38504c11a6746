import type { Outcome, Stage, TestResult } from '../../domain/scan.ts';
import type { Command } from '../command.ts';
import { isLimit, isSenderUnknown, meaningOf, saysOf } from '../meaning.ts';
import { type Reply, replyText } from '../reply.ts';
import type { Cut, End, Errand, Heard, Recipient, Step, Transaction } from '../session.ts';

/** An answer that stops the whole session. Every envelope that was not asked yet gets it as its result. */
export type Stop = {
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly reply?: string | undefined;
  readonly cutShort?: Cut | undefined;
};

export const LISTEN: Step = { kind: 'listen' };

export function say(command: Command): Step {
  return { kind: 'say', commands: [command] };
}

/** The reply, or undefined when the session is over. A 421 ends it too, whatever was asked (RFC 5321 §3.8). */
export function answerIn(arrival: Heard): Reply | undefined {
  return arrival.kind !== 'reply' || arrival.reply.code === 421 ? undefined : arrival.reply;
}

export function endOf(arrival: Heard): End | undefined {
  return arrival.kind === 'end' ? arrival.end : undefined;
}

/** What it means when this answer, given at `stage`, stops the session. */
export function stopOf(stage: Stage, arrival: Heard): Stop {
  if (arrival.kind !== 'reply') return { outcome: 'not-run', stage, cutShort: endOf(arrival) ?? 'closed' };
  if (arrival.reply.code === 421) return { outcome: 'not-run', stage, cutShort: '421', reply: shortText(arrival.reply) };
  if (isLimit(arrival.reply)) return { outcome: 'not-run', stage, cutShort: 'limit', reply: shortText(arrival.reply) };
  const meaning = meaningOf(arrival.reply);
  const outcome = stage === 'greeting' && meaning === 'refused' ? 'about-us' : meaning === 'accepted' ? 'not-run' : meaning;
  return { outcome, stage, reply: shortText(arrival.reply) };
}

const REPLY_CHARACTERS = 512; // what RFC 5321 allows one line of a reply; the transcript has the rest

export function shortText(reply: Reply): string {
  return replyText(reply).slice(0, REPLY_CHARACTERS);
}

/** Our own name and sender. An envelope that uses another one only claims it. */
export type Us = Pick<Errand, 'ourName' | 'ourSender'>;

export function envelopeOf({ ehlo, from }: Transaction, { to }: Recipient, ourName: string): Pick<TestResult, 'from' | 'to' | 'ehlo'> {
  return ehlo === ourName ? { from, to } : { ehlo, from, to };
}

/** The result of one envelope, by the reply that decided it. */
export function resultOf(recipient: Recipient, transaction: Transaction, stage: Stage, reply: Reply, us: Us): TestResult {
  const text = replyText(reply);
  const outcome = claimed(meaningOf(reply), transaction, us, text);
  const envelope = envelopeOf(transaction, recipient, us.ourName);
  return { test: recipient.id, outcome, stage, ...envelope, reply: text.slice(0, REPLY_CHARACTERS), says: saysOf(reply) };
}

// Under a claimed name or sender, a reply that would otherwise be about us refuses the claim:
//   C: EHLO served.example             S: 550 5.7.1 <served.example>: Helo command rejected: You are not me
//   C: MAIL FROM:<user@nowhere.example>  S: 450 4.1.8 Domain not found (temporary only because DNS might be down)
function claimed(outcome: Outcome, { ehlo, from }: Pick<Transaction, 'ehlo' | 'from'>, { ourName, ourSender }: Us, reply: string): Outcome {
  if (ehlo === ourName && (from === '<>' || from === ourSender)) return outcome;
  if (outcome === 'about-us' && /\b(?:helo|ehlo|sender|spoof|impersonat|forged|from address)/i.test(reply)) return 'refused';
  return outcome === 'deferred' && isSenderUnknown(reply) ? 'refused' : outcome;
}

/** Results for the envelopes that the session never asked: what stopped it, or `not-run`. */
export function unreachedIn(transactions: readonly Transaction[], us: Us, stop: Stop | undefined): TestResult[] {
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
