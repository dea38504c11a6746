import type { Socket } from 'node:net';
import { writeCommand } from '../smtp/command.ts';
import type { Arrival, End, Step } from '../smtp/dialogue.ts';
import { type ReplyEvent, ReplyReader } from '../smtp/reply.ts';
import type { Transcript } from '../smtp/transcript.ts';

/**
 * The one loop that joins a dialogue and a socket: it sends what the dialogue says, hands back what comes, and notes
 * both in the transcript. A reply that does not come in time is silence to the dialogue, and so is the deadline (epoch
 * milliseconds), but told apart; the socket is always destroyed.
 */
export async function runSession<T>(
  socket: Socket,
  dialogue: Generator<Step, T, Arrival>,
  replyMs: number,
  deadline: number,
  transcript: Transcript,
): Promise<T> {
  const arrivals = listen(socket);
  try {
    let next = dialogue.next();
    while (!next.done) {
      if (next.value.kind === 'say') {
        const line = writeCommand(next.value.command);
        transcript.add(`C: ${line.trimEnd()}`);
        socket.write(line, 'latin1');
      }
      const within = isQuit(next.value) ? Math.min(replyMs, QUIT_MS) : replyMs;
      const arrival = await arrivals.next(within, deadline);
      for (const line of heard(arrival, arrivals.unfinished())) transcript.add(line);
      next = dialogue.next(arrival);
    }
    return next.value;
  } finally {
    arrivals.stop();
    socket.destroy();
  }
}

const QUIT_MS = 3_000; // a server need not answer it; one that counts connections must have seen ours end before the next

function isQuit(step: Step): boolean {
  return step.kind === 'say' && step.command.verb === 'QUIT';
}

function heard(arrival: Arrival, unfinished: readonly string[]): string[] {
  if (arrival.kind === 'reply') return arrival.reply.raw.map((line) => `S: ${line}`);
  return [...unfinished.map((line) => `S: ${line}`), `-- ${END_WORDS[arrival.end]}`];
}

const END_WORDS: Record<End, string> = {
  closed: 'the server closed the connection',
  silent: 'no answer before the time-out',
  'out-of-time': 'our time for this server was over',
  'not-smtp': 'this is not SMTP',
  'too-much': 'the server sent more than we read',
};

type Arrivals = { next: (withinMs: number, deadline: number) => Promise<Arrival>; unfinished: () => readonly string[]; stop: () => void };

// Replies wait in a queue that the reader's limits bound; the first end is the last thing ever told.
function listen(socket: Socket): Arrivals {
  const reader = new ReplyReader();
  const queue: Arrival[] = [];
  let waiting: ((arrival: Arrival) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended: Arrival | undefined;
  const tell = (arrival: Arrival) => {
    if (ended !== undefined) return;
    clearTimeout(timer);
    if (arrival.kind === 'end') ended = arrival;
    if (waiting === undefined) queue.push(arrival);
    else waiting(arrival);
    waiting = undefined;
  };
  socket.on('data', (bytes: Buffer) => {
    for (const event of reader.feed(bytes)) tell(arrivalOf(event));
  });
  socket.on('error', () => tell({ kind: 'end', end: 'closed' }));
  socket.on('close', () => tell({ kind: 'end', end: 'closed' }));
  return {
    next: (withinMs, deadline) =>
      new Promise((resolve) => {
        const first = queue.shift() ?? ended;
        if (first !== undefined) return resolve(first);
        waiting = resolve;
        const left = Math.max(0, deadline - Date.now());
        timer = setTimeout(() => tell({ kind: 'end', end: left < withinMs ? 'out-of-time' : 'silent' }), Math.min(left, withinMs));
      }),
    unfinished: () => reader.unfinished(),
    stop: () => clearTimeout(timer),
  };
}

function arrivalOf(event: ReplyEvent): Arrival {
  if (event.kind === 'reply') return event;
  return { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' };
}
