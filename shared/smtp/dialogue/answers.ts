import type { Outcome, Stage, TestResult } from '../../domain/scan.ts';
import type { Command } from '../command.ts';
import { isLimit, isSenderUnknown, meaningOf, saysOf } from '../meaning.ts';
import { type Reply, replyText } from '../reply.ts';
import type { Cut, End, Errand, Heard, Recipient, Step, Transaction } from '../session.ts';

/** An answer to the whole session rather than to one envelope; the envelopes that it stops get it as their own. */
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

/** The reply, unless the session is over: 421 means that the server closes it, whatever it was asked (RFC 5321 §3.8). */
export function answerIn(arrival: Heard): Reply | undefined {
  return arrival.kind !== 'reply' || arrival.reply.code === 421 ? undefined : arrival.reply;
}

export function endOf(arrival: Heard): End | undefined {
  return arrival.kind === 'end' ? arrival.end : undefined;
}

/** What an answer to the whole session means. */
export function stopOf(stage: Stage, arrival: Heard): Stop {
  if (arrival.kind !== 'reply') return { outcome: 'not-run', stage, cutShort: endOf(arrival) ?? 'closed' };
  if (arrival.reply.code === 421) return { outcome: 'not-run', stage, cutShort: '421', reply: shortText(arrival.reply) };
  if (isLimit(arrival.reply)) return { outcome: 'not-run', stage, cutShort: 'limit', reply: shortText(arrival.reply) };
  const meaning = meaningOf(arrival.reply);
  const outcome = stage === 'greeting' && meaning === 'refused' ? 'about-us' : meaning === 'accepted' ? 'not-run' : meaning;
  return { outcome, stage, reply: shortText(arrival.reply) };
}

const REPLY_CHARACTERS = 512; // of a reply kept with a result: what RFC 5321 allows a line; the transcript has the rest

export function shortText(reply: Reply): string {
  return replyText(reply).slice(0, REPLY_CHARACTERS);
}

/** Who we are in a session: what a server says against another is said against a claim. */
export type Us = Pick<Errand, 'ourName' | 'ourSender'>;

export function envelopeOf({ ehlo, from }: Transaction, { to }: Recipient, ourName: string): Pick<TestResult, 'from' | 'to' | 'ehlo'> {
  return ehlo === ourName ? { from, to } : { ehlo, from, to };
}

/** What a reply makes of one envelope. */
export function resultOf(recipient: Recipient, transaction: Transaction, stage: Stage, reply: Reply, us: Us): TestResult {
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

/** What envelopes get that the session did not come to: what stopped it, or nothing. */
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
