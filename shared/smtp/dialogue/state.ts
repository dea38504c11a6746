import { isLimit, meaningOf } from '../meaning.ts';
import type { Reply } from '../reply.ts';
import type { Cut, Heard, SessionEvidence, Step, Transaction } from '../session.ts';
import { endOf, type Stop, shortText } from './answers.ts';

/** A part of the dialogue: yields what to do next, and returns its result. */
export type Dialogue<T> = Generator<Step, T, Heard>;

/** What the session has shown so far, in the shape of its evidence. */
type Seen = {
  -readonly [Fact in 'keywords' | 'tls' | 'injected' | 'hello' | 'tlsError']?: SessionEvidence[Fact];
} & { oneName: boolean; noReset: boolean; limited: boolean; spentByNull: boolean; closedAt: readonly string[] };

/** Where the session stands, which decides what may be sent next. */
type Standing = {
  /** Commands may be sent in groups: a sender was accepted, or the session was not told to be cautious. */
  bold: boolean;
  /** The answer to an EHLO that was sent with the previous group. */
  ahead: Heard | undefined;
  /** QUIT was already sent with a group. */
  quit: boolean;
  /** The server has answered a MAIL. */
  anySender: boolean;
  /** The last MAIL had the null sender. */
  nullSender: boolean;
};

/** How long we waited for refusals. */
type Pace = {
  refusals: number;
  refusalsMs: number;
  /** Time waited since the last refusal. */
  heldMs: number;
};

/** Everything known about a running session. */
export type Session = { readonly seen: Seen; readonly standing: Standing; readonly pace: Pace };

export function newSession(): Session {
  return {
    seen: { oneName: false, noReset: false, limited: false, spentByNull: false, closedAt: [] },
    standing: { bold: false, ahead: undefined, quit: false, anySender: false, nullSender: false },
    pace: { refusals: 0, refusalsMs: 0, heldMs: 0 },
  };
}

/** What the session showed besides the results of its envelopes. */
export function shownBy({ seen, pace }: Session): Partial<SessionEvidence> {
  return { ...seen, refusalMs: pace.refusals === 0 ? undefined : pace.refusalsMs / pace.refusals };
}

/**
 * Adds up how long we waited. A server that answers a whole group at once makes us wait only for the first answer, whatever it is, so the
 * wait counts towards the next refusal.
 */
export function noteWait(arrival: Heard, { pace }: Session): void {
  if (arrival.kind !== 'reply') return;
  pace.heldMs += arrival.waitedMs ?? 0; // undefined: the answer was already there
  if (arrival.reply.code < 400) return;
  pace.refusals++;
  pace.refusalsMs += pace.heldMs;
  pace.heldMs = 0;
}

export function noteSender({ from }: Transaction, { standing }: Session): void {
  standing.anySender = true;
  standing.nullSender = from === '<>';
}

const ENDED_BY_SERVER: readonly Cut[] = ['closed', '421', 'not-smtp', 'too-much'];

/** Notes the envelopes at which the server ended the session: they may be the reason. */
export function closing(stop: Stop, ids: readonly string[], { seen }: Session): Stop {
  if (stop.cutShort !== undefined && ENDED_BY_SERVER.includes(stop.cutShort)) seen.closedAt = ids;
  return stop;
}

/**
 * What stops the session when a refused MAIL says nothing about its sender: a limit, or a 503 because this session takes no further sender
 * (RFC 5321 §4.2.4). `due` counts the answers still to come.
 */
export function endingSender(reply: Reply, { from }: Transaction, due: number, { seen, standing }: Session): Stop | undefined {
  if (isLimit(reply)) {
    seen.limited = true;
    return due === 0 ? { outcome: 'not-run', stage: 'mail', cutShort: 'limit', reply: shortText(reply) } : undefined;
  }
  if (reply.code !== 503 || !standing.anySender || meaningOf(reply) === 'authentication-required') return undefined;
  seen.spentByNull = standing.nullSender && from !== '<>';
  return { outcome: 'not-run', stage: 'mail', cutShort: 'spent', reply: shortText(reply) };
}

/** The stop after a refused RSET. Some servers do not know it, some close the session: each transaction then needs its own session. */
export function withoutReset(arrival: Heard, { seen }: Session): Stop {
  seen.noReset = arrival.kind === 'reply' ? arrival.reply.code !== 421 : endOf(arrival) === 'closed';
  return { outcome: 'not-run', stage: 'mail', cutShort: endOf(arrival) ?? (seen.noReset ? 'spent' : '421') };
}
