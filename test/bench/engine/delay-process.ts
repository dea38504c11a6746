// The process behind delay.ts. The kernel answers a client's SYN at once, so the time of the handshake is spent before
// the server is dialled: a greeting comes two round trips after the connect, and an answer one after its command.
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { answerMessages } from './child.ts';

/** What clients did, as seen on the wire: `roundTrips` are the times a client waited for words of the server, greetings included. */
export type Counts = { readonly connections: number; readonly commands: number; readonly roundTrips: number; readonly refusals: number };

/** First where to listen, for which server and how far away; then, by null, what was counted since it was asked last. */
export type DelayMessage = { readonly address: string; readonly target: string; readonly rttMs: number } | null;

const SMTP_PORT = 25;
const HANDSHAKE_ROUND_TRIPS = 1.5; // until the server has the client's ACK, and greets
const TLS_HANDSHAKE = 0x16; // first byte of a TLS record that sets up a session (RFC 8446 §5.1)

type Tally = { -readonly [K in keyof Counts]: Counts[K] };
let tally = newTally();

answerMessages(async (message: DelayMessage) => {
  if (message === null) {
    const counted = tally;
    tally = newTally(); // a connection that is still ending goes on counting in the old one
    return counted;
  }
  const { address, target, rttMs } = message;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => join(client, target, rttMs));
  server.listen(SMTP_PORT, address);
  await once(server, 'listening');
});

function newTally(): Tally {
  return { connections: 0, commands: 0, roundTrips: 0, refusals: 0 };
}

function join(client: Socket, target: string, rttMs: number): void {
  const note = noteWords(client);
  client.on('error', () => {});
  setTimeout(() => {
    if (client.destroyed) return;
    const server = dial({ host: target, port: SMTP_PORT, allowHalfOpen: true, noDelay: true });
    carry(client, server, rttMs / 2, note.client);
    carry(server, client, rttMs / 2, note.server);
  }, rttMs * HANDSHAKE_ROUND_TRIPS);
}

function carry(from: Socket, to: Socket, delayMs: number, note: (bytes: Buffer) => void): void {
  const later = (act: () => void) => (delayMs === 0 ? act() : setTimeout(act, delayMs)); // timers of one duration keep their order
  from.on('data', (bytes: Buffer) => {
    note(bytes);
    later(() => to.write(bytes));
  });
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
  from.on('close', () => later(() => to.destroySoon()));
}

// Counts the words of one connection; what is said inside TLS cannot be read, and only its turns are counted.
function noteWords(client: Socket): { client(bytes: Buffer): void; server(bytes: Buffer): void } {
  const mine = tally;
  mine.connections++;
  let speaker: 'client' | 'server' = 'client';
  let sealed = false;
  let unfinished = '';
  return {
    client(bytes) {
      speaker = 'client';
      sealed ||= bytes[0] === TLS_HANDSHAKE;
      if (!sealed) mine.commands += bytes.toString('latin1').split('\n').length - 1;
    },
    server(bytes) {
      if (speaker === 'client' && !client.readableEnded) mine.roundTrips++; // a client that has left does not wait
      speaker = 'server';
      if (sealed) return;
      const lines = (unfinished + bytes.toString('latin1')).split('\n');
      unfinished = lines.pop() ?? '';
      mine.refusals += lines.filter((line) => /^[45]\d\d(?!-)/.test(line)).length;
    },
  };
}
