import { writeCommand } from '../../shared/smtp/command.ts';
import { type Arrival, converse, type End, type SessionEvidence } from '../../shared/smtp/dialogue.ts';
import type { Trial } from '../../shared/smtp/relay-tests.ts';
import { ReplyReader } from '../../shared/smtp/reply.ts';

/** A session as two literals: what the server says, and what the client must say. */
export type Session = {
  /** The rule that it protects, as a sentence. */
  readonly rule: string;
  readonly server: string;
  readonly client: string;
  /** How the connection ends when the server has said all; it closes it if nothing is said here. */
  readonly end?: End;
  /** What the session must show: contact, then `outcome at stage` of each trial, then how it was cut short. */
  readonly contact?: SessionEvidence['contact'];
  readonly shows: readonly string[];
  readonly cutShort?: SessionEvidence['cutShort'];
  readonly trials?: readonly Trial[];
};

const OUR_NAME = 'probe.example';

function trial(id: string, from: string, to: string): Trial {
  return { id, odd: false, envelope: () => ({ from, to }) };
}

/** The trials of a session that names none. */
export const TWO_TRIALS: readonly Trial[] = [
  trial('first', '<a@probe.example>', '<x@canary.example>'),
  trial('second', '<>', '<y@canary.example>'),
];

/** Runs a dialogue against a server's words, without a socket. */
export function play({ server, end = 'closed', trials = TWO_TRIALS }: Session): { client: string; evidence: SessionEvidence } {
  const arrivals = new ReplyReader()
    .feed(Buffer.from(wire(server), 'latin1'))
    .map(
      (event): Arrival => (event.kind === 'reply' ? event : { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' }),
    );
  const dialogue = converse(OUR_NAME, trials);
  let client = '';
  let next = dialogue.next();
  while (!next.done) {
    if (next.value.kind === 'say') client += writeCommand(next.value.command);
    next = dialogue.next(arrivals.shift() ?? { kind: 'end', end });
  }
  return { client, evidence: next.value };
}

/** The evidence in the words of a session's `shows`. */
export function shown({ results }: SessionEvidence): string[] {
  return results.map(({ test, outcome, stage }) => `${test}: ${outcome} at ${stage}`);
}

/** The bytes of a literal: its lines without indentation, each ended by CRLF. */
export function wire(literal: string): string {
  const lines = literal.split('\n').map((line) => line.trimStart());
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\r\n`)
    .join('');
}
