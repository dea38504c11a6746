import { CLAIMED_CLIENTS } from '../command.ts';
import { isLimit, meaningOf } from '../meaning.ts';
import { replyLines } from '../reply.ts';
import type { Errand, Heard } from '../session.ts';
import { answerIn, endOf, type Stop, say, shortText, stopOf } from './answers.ts';
import type { Dialogue, Session } from './state.ts';

/**
 * Opens a session: EHLO under our own name, with STARTTLS or XCLIENT where the errand wants it. When `first` is a claimed name, its EHLO is
 * left to the transactions that use it, because the server may refuse it.
 */
export function* open({ ourName, transport, xclient }: Errand, first: string, session: Session): Dialogue<Stop | undefined> {
  if (transport === 'starttls') {
    const refused = (yield* introduce(ourName, session)) ?? (yield* startTls(session));
    if (refused !== undefined) return refused;
  }
  if (first !== ourName) return undefined;
  const refused = yield* introduce(ourName, session);
  return refused === undefined && xclient ? yield* claim(CLAIMED_CLIENTS[0], ourName, session) : refused;
}

/** Uses XCLIENT to claim another client's address. */
export function* claim(address: (typeof CLAIMED_CLIENTS)[number], ourName: string, session: Session): Dialogue<Stop | undefined> {
  const answer = yield say({ verb: 'XCLIENT', address });
  const reply = answerIn(answer);
  if (reply === undefined || meaningOf(reply) !== 'accepted') return stopOf('ehlo', answer);
  return yield* introduce(ourName, session);
}

/** Introduces us by EHLO, or by HELO where the server does not know EHLO. `sent` is the answer to an EHLO that was already sent. */
export function* introduce(name: string, session: Session, sent?: Heard): Dialogue<Stop | undefined> {
  const ehlo = sent ?? (yield say({ verb: 'EHLO', name }));
  const answer = answerIn(ehlo);
  if (answer?.code === 250) {
    const [hello, ...keywords] = replyLines(answer);
    session.seen.hello = hello;
    session.seen.keywords = keywords.map((line) => line.toUpperCase());
    return undefined;
  }
  // Servers older than RFC 1869 answer EHLO with 500 or 502 and expect HELO.
  if (answer === undefined || ![500, 502, 503, 504].includes(answer.code)) return stopOf('ehlo', ehlo);
  const helo = yield say({ verb: 'HELO', name });
  if (answerIn(helo)?.code !== 250) return stopOf('ehlo', helo);
  session.seen.keywords = [];
  return undefined;
}

function* startTls(session: Session): Dialogue<Stop | undefined> {
  const answer = yield say({ verb: 'STARTTLS' });
  if (answerIn(answer)?.code !== 220) {
    if (answer.kind === 'reply' && isLimit(answer.reply)) return stopOf('ehlo', answer);
    if (answer.kind === 'reply') session.seen.tlsError = shortText(answer.reply);
    return { outcome: 'not-run', stage: 'ehlo', cutShort: endOf(answer) ?? 'tls-failed' };
  }
  const secured = yield { kind: 'secure' };
  if (secured.kind === 'end') session.seen.tlsError = secured.why;
  if (secured.kind !== 'secured')
    return { outcome: 'not-run', stage: 'ehlo', cutShort: endOf(secured) === 'out-of-time' ? 'out-of-time' : 'tls-failed' };
  session.seen.tls = secured.tls;
  session.seen.injected = secured.injected;
  return undefined;
}
