import type { Socket } from 'node:net';
import { writeCommand } from '../smtp/command.ts';
import type { Arrival, End, Step } from '../smtp/dialogue.ts';
import { type ReplyEvent, ReplyReader } from '../smtp/reply.ts';
import type { Transcript } from '../smtp/transcript.ts';

/**
 * The one loop that joins a dialogue and a socket: it sends what the dialogue says, hands back what comes, and notes
 * both in the transcript. It ends with the dialogue, or at the deadline (epoch milliseconds), which to the dialogue is
 * silence; the socket is always destroyed.
 */
export async function runSession<T>(
  socket: Socket,
  dialogue: Generator<Step, T, Arrival>,
  deadline: number,
  transcript: Transcript,
): Promise<T> {
  const arrivals = listen(socket, deadline);
  try {
    let next = dialogue.next();
    while (!next.done) {
      if (next.value.kind === 'say') {
        const line = writeCommand(next.value.command);
        transcript.add(`C: ${line.trimEnd()}`);
        socket.write(line, 'latin1');
      }
      const arrival = await arrivals.next();
      for (const line of heard(arrival, arrivals.unfinished())) transcript.add(line);
      next = dialogue.next(arrival);
    }
    return next.value;
  } finally {
    arrivals.stop();
    socket.destroy();
  }
}

function heard(arrival: Arrival, unfinished: readonly string[]): string[] {
  if (arrival.kind === 'reply') return arrival.reply.raw.map((line) => `S: ${line}`);
  return [...unfinished.map((line) => `S: ${line}`), `-- ${END_WORDS[arrival.end]}`];
}

const END_WORDS: Record<End, string> = {
  closed: 'the server closed the connection',
  silent: 'no answer before the time-out',
  'not-smtp': 'this is not SMTP',
  'too-much': 'the server sent more than we read',
};

type Arrivals = { next: () => Promise<Arrival>; unfinished: () => readonly string[]; stop: () => void };

// Replies wait in a queue that the reader's limits bound; the first end is the last thing ever told.
function listen(socket: Socket, deadline: number): Arrivals {
  const reader = new ReplyReader();
  const queue: Arrival[] = [];
  let waiting: ((arrival: Arrival) => void) | undefined;
  let ended: Arrival | undefined;
  const tell = (arrival: Arrival) => {
    if (ended !== undefined) return;
    if (arrival.kind === 'end') ended = arrival;
    if (waiting === undefined) queue.push(arrival);
    else waiting(arrival);
    waiting = undefined;
  };
  const timer = setTimeout(() => tell({ kind: 'end', end: 'silent' }), Math.max(0, deadline - Date.now()));
  socket.on('data', (bytes: Buffer) => {
    for (const event of reader.feed(bytes)) tell(arrivalOf(event));
  });
  socket.on('error', () => tell({ kind: 'end', end: 'closed' }));
  socket.on('close', () => tell({ kind: 'end', end: 'closed' }));
  return {
    next: () =>
      new Promise((resolve) => {
        const first = queue.shift() ?? ended;
        if (first === undefined) waiting = resolve;
        else resolve(first);
      }),
    unfinished: () => reader.unfinished(),
    stop: () => clearTimeout(timer),
  };
}

function arrivalOf(event: ReplyEvent): Arrival {
  if (event.kind === 'reply') return event;
  return { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' };
}
