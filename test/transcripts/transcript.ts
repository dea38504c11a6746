import type { TlsFacts, Transport } from '../../shared/domain/scan.ts';
import { writeCommand } from '../../shared/smtp/command.ts';
import { converse } from '../../shared/smtp/dialogue.ts';
import { ReplyReader } from '../../shared/smtp/reply.ts';
import type { End, Heard, SessionEvidence, Transaction } from '../../shared/smtp/session.ts';

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
  readonly transactions?: readonly Transaction[];
  readonly transport?: Transport;
  readonly xclient?: boolean;
  readonly cautious?: boolean;
  readonly help?: boolean;
  readonly enough?: number;
};

export const OUR_NAME = 'probe.example';

/** A transaction with one recipient, from a sender of ours unless said otherwise. */
export function transaction(id: string, to: string, more: Partial<Transaction> = {}): Transaction {
  return { ehlo: OUR_NAME, from: '<a@probe.example>', recipients: [{ id, to }], ...more };
}

/** The transactions of a session that names none. */
export const TWO: readonly Transaction[] = [
  transaction('first', '<x@canary.example>'),
  transaction('second', '<y@canary.example>', { from: '<>' }),
];

const SECURED = /^ *-- TLS(?: behind (.*))?$/;

/** Runs a dialogue against a server's words, without a socket. A line `-- TLS` is the handshake. */
export function play(session: Session): { client: string; evidence: SessionEvidence } {
  const {
    server,
    end = 'closed',
    transactions = TWO,
    transport = 'plain',
    xclient = false,
    cautious = false,
    help = false,
    enough = Number.POSITIVE_INFINITY,
  } = session;
  const arrivals = arrivalsIn(server);
  const dialogue = converse({
    ourName: OUR_NAME,
    ourSender: `<a@${OUR_NAME}>`,
    transport,
    xclient,
    cautious,
    help,
    enough,
    choose: () => transactions,
  });
  let client = '';
  let next = dialogue.next();
  while (!next.done) {
    const step = next.value;
    if (step.kind === 'say') client += step.commands.map(writeCommand).join('');
    if (step.kind === 'send') client += step.message;
    if (step.kind === 'secure') client += '-- TLS\r\n';
    next = dialogue.next(arrivals.shift() ?? { kind: 'end', end });
  }
  return { client, evidence: next.value };
}

function arrivalsIn(server: string): Heard[] {
  const parts = server.split(/\n(?= *-- TLS)/);
  return parts.flatMap((part): Heard[] => {
    const [line = '', ...rest] = part.split('\n');
    const secured = SECURED.exec(line);
    const arrival: Heard[] = secured === null ? [] : [{ kind: 'secured', tls: TLS, injected: secured[1] }];
    return [...arrival, ...repliesIn(secured === null ? part : rest.join('\n'))];
  });
}

const TLS: TlsFacts = { version: 'TLSv1', cipher: 'AES128-SHA' };

function repliesIn(text: string): Heard[] {
  return new ReplyReader()
    .feed(wire(text))
    .map(
      (event): Heard => (event.kind === 'reply' ? event : { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' }),
    );
}

/** The evidence in the words of a session's `shows`. */
export function shown({ results }: SessionEvidence): string[] {
  return results.map(({ test, outcome, stage }) => `${test}: ${outcome} at ${stage}`);
}

/** The bytes of a literal: its lines without indentation, each ended by CRLF; `~` is an empty one. */
export function wire(literal: string): string {
  const lines = literal.split('\n').map((line) => line.trimStart());
  return lines
    .filter((line) => line !== '')
    .map((line) => (line === '~' ? '\r\n' : `${line}\r\n`))
    .join('');
}
