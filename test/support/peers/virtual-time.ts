import { writeCommand } from '../../../shared/smtp/command.ts';
import { converse } from '../../../shared/smtp/dialogue.ts';
import { type Cast, ownSender } from '../../../shared/smtp/envelope-forms.ts';
import { advance, BEGIN, type NextSession, nextSessions, type Progress } from '../../../shared/smtp/plan.ts';
import type { Heard, SessionEvidence, Step } from '../../../shared/smtp/session.ts';
import { beginSession, type PeerSession, type Product, type Turn } from './product.ts';

/** What the tests of a leg take of a product that keeps us waiting, by a clock that only its waits move. */
export type Taken = { readonly sittings: number; readonly ms: number; readonly connections: number; readonly progress: Progress };

/** Asks the full table at RCPT, session by session as the plan has them, in sittings of this length. */
export function timeOfTable(product: Product, cast: Cast, sittingMs: number): Taken {
  let progress: Progress = BEGIN;
  let [sittings, now, ms, connections] = [1, 0, 0, 0];
  for (;;) {
    const round = nextSessions(cast, 'full', progress, 'none');
    if (round.length === 0) return { sittings, ms: ms + now, connections, progress };
    const held = round.map((next, others) => hold(next, beginSession(product, others), cast, { now, deadline: sittingMs }));
    connections += round.length;
    for (const { session } of held) progress = advance(progress, session);
    now = Math.max(...held.map(({ endedAt }) => endedAt));
    if (!held.some(({ session }) => session.cutShort === 'out-of-time')) continue;
    // The next sitting knows what the one before has shown.
    sittings++;
    ms += now;
    now = 0;
  }
}

type Clock = { readonly now: number; readonly deadline: number };

function hold(next: NextSession, peer: PeerSession, cast: Cast, { now, deadline }: Clock): { session: SessionEvidence; endedAt: number } {
  const dialogue = converse({
    ourName: cast.ourDomain,
    ourSender: ownSender(cast),
    transport: 'plain',
    xclient: next.xclient,
    cautious: next.kind === 'envelopes' && next.cautious,
    help: false,
    enough: 1,
    choose: next.kind === 'envelopes' ? next.choose : () => [],
  });
  const turns: Turn[] = [peer.greeting];
  let clock = now;
  const take = (): Heard => {
    const turn = turns.shift();
    if (turn === undefined) return { kind: 'end', end: 'closed' };
    if (clock + turn.afterMs > deadline) {
      clock = deadline;
      return { kind: 'end', end: 'out-of-time' };
    }
    clock += turn.afterMs;
    if (turn.next === 'close') turns.splice(0);
    const raw = turn.say.split('\n');
    return { kind: 'reply', reply: { code: Number(turn.say.slice(0, 3)), raw }, waitedMs: turn.afterMs };
  };
  const answer = (step: Step): Heard => {
    if (step.kind === 'say')
      for (const command of step.commands) turns.push(...[peer.command(writeCommand(command).trimEnd()) ?? []].flat());
    return take();
  };
  let state = dialogue.next();
  while (!state.done) state = dialogue.next(answer(state.value));
  return { session: state.value, endedAt: clock };
}
