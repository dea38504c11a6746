import { isLimit, meaningOf } from '../meaning.ts';
import type { Reply } from '../reply.ts';
import type { Cut, Heard, SessionEvidence, Step, Transaction } from '../session.ts';
import { endOf, type Stop, shortText } from './answers.ts';

/** A part of the session's dialogue: what it wants next, until it has its result. */
export type Dialogue<T> = Generator<Step, T, Heard>;

/** What the session has shown so far, as it stands in its evidence. */
type Seen = {
  -readonly [Fact in 'keywords' | 'tls' | 'injected' | 'hello' | 'tlsError']?: SessionEvidence[Fact];
} & { oneName: boolean; noReset: boolean; limited: boolean; spentByNull: boolean; closedAt: readonly string[] };

/** Where the session stands: what may go out next hangs on it. */
type Standing = {
  /** A sender was accepted, so that commands may go out in groups. */
  bold: boolean;
  /** The answer to an EHLO that went out with the group before. */
  ahead: Heard | undefined;
  /** QUIT went out with a group. */
  quit: boolean;
  /** A sender was answered. */
  anySender: boolean;
  /** The last one was the null sender. */
  nullSender: boolean;
};

/** How long refusals were waited for. */
type Pace = {
  refusals: number;
  refusalsMs: number;
  /** Waited for since the last refusal. */
  heldMs: number;
};

/** What is known of a session while it goes on. */
export type Session = { readonly seen: Seen; readonly standing: Standing; readonly pace: Pace };

export function newSession(): Session {
  return {
    seen: { oneName: false, noReset: false, limited: false, spentByNull: false, closedAt: [] },
    standing: { bold: false, ahead: undefined, quit: false, anySender: false, nullSender: false },
    pace: { refusals: 0, refusalsMs: 0, heldMs: 0 },
  };
}

/** What the session showed beside the results of its envelopes. */
export function shownBy({ seen, pace }: Session): Partial<SessionEvidence> {
  return { ...seen, refusalMs: pace.refusals === 0 ? undefined : pace.refusalsMs / pace.refusals };
}

/** Of a group whose answers a server holds back until it is through, the first one has all the wait, be it a refusal or not. */
export function noteWait(arrival: Heard, { pace }: Session): void {
  if (arrival.kind !== 'reply') return;
  pace.heldMs += arrival.waitedMs ?? 0; // what lay there already was not waited for
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

/** A session that ends instead of an answer ends at an envelope, which may be why. */
export function closing(stop: Stop, ids: readonly string[], { seen }: Session): Stop {
  if (stop.cutShort !== undefined && ENDED_BY_SERVER.includes(stop.cutShort)) seen.closedAt = ids;
  return stop;
}

/**
 * A sender refused in a way that says nothing of it: by a limit, or since this session takes no more of them (RFC 5321 §4.2.4, 503). `due`
 * are the answers still to come.
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

/** Some servers do not know RSET, and some close at it: then every transaction has a session of its own. */
export function withoutReset(arrival: Heard, { seen }: Session): Stop {
  seen.noReset = arrival.kind === 'reply' ? arrival.reply.code !== 421 : endOf(arrival) === 'closed';
  return { outcome: 'not-run', stage: 'mail', cutShort: endOf(arrival) ?? (seen.noReset ? 'spent' : '421') };
}
