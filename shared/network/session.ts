import type { Socket } from 'node:net';
import type { LegCosts } from '../domain/scan.ts';
import { writeCommand } from '../smtp/command.ts';
import { type ReplyEvent, ReplyReader } from '../smtp/reply.ts';
import type { End, Heard, Step } from '../smtp/session.ts';
import type { Transcript } from '../smtp/transcript.ts';
import { secure, type TlsLevel } from './connect.ts';

/** How a session is run: what one reply may take, when all must be over (epoch milliseconds), and the name to ask a certificate for. */
export type SessionRules = {
  readonly replyMs: number;
  readonly deadline: number;
  readonly clock: () => number;
  readonly serverName: string | undefined;
  readonly tlsLevel: TlsLevel;
  /** Who says nothing for so long is silent, even where our own time is over by then. */
  readonly silenceMs: number;
  /** Ends it as the deadline does. */
  readonly signal?: AbortSignal | undefined;
};

/** What a dialogue made of a session, and what the session cost the server. */
export type Ran<T> = { readonly result: T; readonly costs: Omit<LegCosts, 'connections'> };

/**
 * The one loop that joins a dialogue and a socket: it sends what the dialogue says, hands back what comes, and notes
 * both in the transcript. A reply that does not come in time is silence to the dialogue, and so is the deadline, but
 * told apart; the socket is always destroyed.
 */
export async function runSession<T>(
  socket: Socket,
  dialogue: Generator<Step, T, Heard>,
  rules: SessionRules,
  transcript: Transcript,
): Promise<Ran<T>> {
  let line = openLine(socket);
  const costs = { commands: 0, roundTrips: 0, refusals: 0 };
  try {
    let next = dialogue.next();
    while (!next.done) {
      const step = next.value;
      if (step.kind === 'secure') {
        const secured = await secureLine(line, rules, transcript);
        if (secured.line !== undefined) line = secured.line;
        next = dialogue.next(secured.arrival);
        continue;
      }
      if (step.kind !== 'listen') costs.roundTrips++;
      costs.commands += speak(step, line.socket, transcript);
      const within = isQuit(step) ? Math.min(rules.replyMs, QUIT_MS) : rules.replyMs;
      const arrival = line.take() ?? (await waited(line.next(within, rules)));
      writeDown(arrival, line, transcript);
      if (arrival.kind === 'reply' && arrival.reply.code >= 400) costs.refusals++;
      next = dialogue.next(arrival);
    }
    return { result: next.value, costs };
  } finally {
    line.release();
    line.socket.destroy();
  }
}

// With how long that took, which shows servers that delay what they say.
async function waited(next: Promise<Heard>): Promise<Heard> {
  const since = performance.now();
  const arrival = await next;
  return arrival.kind === 'reply' ? { ...arrival, waitedMs: performance.now() - since } : arrival;
}

const QUIT_MS = 3_000; // a server need not answer it; one that counts connections must have seen ours end before the next

function isQuit(step: Step): boolean {
  return step.kind === 'say' && step.commands.length === 1 && step.commands[0]?.verb === 'QUIT';
}

// Gives how many commands went out.
function speak(step: Step, socket: Socket, transcript: Transcript): number {
  if (step.kind === 'say') {
    const lines = step.commands.map(writeCommand);
    for (const each of lines) transcript.add(`C: ${each.slice(0, -'\r\n'.length)}`);
    socket.write(lines.join(''), 'latin1');
    return lines.length;
  }
  if (step.kind !== 'send') return 0;
  for (const each of step.message.trimEnd().split('\r\n')) transcript.add(`C: ${each}`);
  socket.write(step.message, 'latin1');
  return 1;
}

function writeDown(arrival: Heard, line: Line, transcript: Transcript): void {
  if (arrival.kind === 'secured') return;
  const said = arrival.kind === 'reply' ? arrival.reply.raw : line.unfinished();
  for (const each of said) transcript.add(`S: ${each}`);
  if (arrival.kind === 'end') transcript.add(`-- ${END_WORDS[arrival.end]}`);
}

const END_WORDS: Record<End, string> = {
  closed: 'the server closed the connection',
  silent: 'no answer before the time-out',
  'out-of-time': 'our time for this server was over',
  'not-smtp': 'this is not SMTP',
  'too-much': 'the server sent more than we read',
  'tls-failed': 'TLS could not be set up',
};

const INJECTED_CHARACTERS = 200;

// What came behind the answer to STARTTLS came in the clear, and is no answer to anything that is said inside (RFC 3207 §6).
async function secureLine(line: Line, rules: SessionRules, transcript: Transcript): Promise<{ arrival: Heard; line?: Line }> {
  const left = line.release();
  const injected = left === '' ? undefined : left.slice(0, INJECTED_CHARACTERS);
  if (injected !== undefined) transcript.add(`-- dropped, since it came in the clear behind the answer to STARTTLS: ${injected}`);
  const within = Math.max(1, Math.min(rules.replyMs, rules.deadline - rules.clock()));
  const secured = await secure(line.socket, rules.serverName, within, rules.tlsLevel);
  if ('failed' in secured) {
    const end = rules.clock() >= rules.deadline ? 'out-of-time' : 'tls-failed';
    transcript.add(`-- ${END_WORDS[end]}: ${secured.failed}`);
    return { arrival: { kind: 'end', end, why: secured.failed } };
  }
  const { version, cipher, subject } = secured.tls;
  transcript.add(`-- inside ${version}, ${cipher}, certificate of ${subject ?? 'nobody'}`);
  return { arrival: { kind: 'secured', tls: secured.tls, injected }, line: openLine(secured.socket, line.bytes()) };
}

type Line = {
  readonly socket: Socket;
  /** What has come already. */
  take(): Heard | undefined;
  next(withinMs: number, rules: Pick<SessionRules, 'deadline' | 'clock' | 'signal' | 'silenceMs'>): Promise<Heard>;
  unfinished(): readonly string[];
  /** Bytes read so far. */
  bytes(): number;
  /** Stops listening, and gives what had come and was not asked for. */
  release(): string;
};

// Replies wait in a queue that the reader's limits bound; the first end is the last thing ever told.
function openLine(socket: Socket, readBefore = 0): Line {
  const reader = new ReplyReader(readBefore);
  const queue: Heard[] = [];
  let waiting: ((arrival: Heard) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended: Heard | undefined;
  const tell = (arrival: Heard) => {
    if (ended !== undefined) return;
    clearTimeout(timer);
    if (arrival.kind === 'end') ended = arrival;
    if (waiting === undefined) queue.push(arrival);
    else waiting(arrival);
    waiting = undefined;
  };
  const onData = (bytes: Buffer) => {
    for (const event of reader.feed(bytes.toString('latin1'))) tell(arrivalOf(event));
  };
  const onEnd = () => tell({ kind: 'end', end: 'closed' });
  socket.on('data', onData);
  socket.on('error', onEnd);
  socket.on('close', onEnd);
  return {
    socket,
    take: () => queue.shift() ?? ended,
    next: (withinMs, { deadline, clock, signal, silenceMs }) =>
      new Promise((resolve) => {
        const over = () => tell({ kind: 'end', end: 'out-of-time' });
        waiting = (arrival) => {
          signal?.removeEventListener('abort', over);
          resolve(arrival);
        };
        const left = signal?.aborted ? 0 : Math.max(0, deadline - clock());
        const end = left < Math.min(withinMs, silenceMs) ? 'out-of-time' : 'silent';
        timer = setTimeout(() => tell({ kind: 'end', end }), Math.min(left, withinMs));
        signal?.addEventListener('abort', over, { once: true });
      }),
    unfinished: () => reader.unfinished(),
    bytes: () => reader.sessionBytes,
    release() {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onEnd);
      const replies = queue.flatMap((arrival) => (arrival.kind === 'reply' ? arrival.reply.raw : []));
      return [...replies, ...reader.unfinished()].join('\n');
    },
  };
}

function arrivalOf(event: ReplyEvent): Heard {
  if (event.kind === 'reply') return event;
  return { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' };
}
