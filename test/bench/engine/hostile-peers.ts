import type { Socket } from 'node:net';

/** An honest server that refuses to relay, and one that takes recipients at any domain. */
export const CLOSED = 'closed';
export const RELAYING = 'relaying';

const DRIP_MS = 200;
const FLOOD = Buffer.alloc(65_536, 'x');
const NULS = Buffer.alloc(65_536);
const ENDLESS = Buffer.from('250-more to come\r\n'.repeat(1_000));

type Act = (socket: Socket) => void;

// What each does once it has a connection.
const ACTS = {
  'drips its greeting': (socket) => drip(socket, '220-'),
  'drips its answers': (socket) => converse(socket, () => drip(socket, '250-')),
  'greets without end': (socket) => flood(socket, Buffer.from('220-welcome\r\n'.repeat(1_000))),
  'answers without end': (socket) => converse(socket, () => flood(socket, ENDLESS)),
  'floods without a line end': (socket) => flood(socket, FLOOD),
  'floods after its greeting': (socket) => converse(socket, () => flood(socket, FLOOD)),
  'greets with NULs': (socket) => flood(socket, NULS),
  'answers with NULs': (socket) => converse(socket, () => socket.write('250 \0\0\0\r\n\0\0\0\0\r\n')),
  silent: () => {},
  'falls silent after its greeting': (socket) => converse(socket, () => {}),
  'resets at once': (socket) => socket.resetAndDestroy(),
  'resets after its greeting': (socket) => socket.write('220 mx ESMTP\r\n', () => socket.resetAndDestroy()),
  'resets in the dialogue': (socket) => converse(socket, (verb) => (verb === 'RCPT' ? socket.resetAndDestroy() : obey(socket, verb))),
  'answers STARTTLS with rubbish': (socket) => converse(socket, (verb) => starttls(socket, verb, () => socket.write(FLOOD))),
  'falls silent in STARTTLS': (socket) => converse(socket, (verb) => starttls(socket, verb, () => {})),
  'mixes its codes': (socket) => converse(socket, () => socket.write('250-one\r\n550-two\r\n354 three\r\n')),
  'answers twice': (socket) => converse(socket, () => socket.write('421 4.3.2 no\r\n250 2.0.0 yes\r\n'.repeat(500))),
  'closes with 421 at once': (socket) => socket.end('421 4.3.2 too busy\r\n'),
  'closes with 421 after EHLO': (socket) => converse(socket, () => socket.end('421 4.3.2 too busy\r\n')),
  'ends its half and stays': (socket) => socket.end('220 mx ESMTP\r\n'),
} satisfies Record<string, Act>;

/** Ways of being hostile, in words. */
export const HOSTILITIES = Object.keys(ACTS) as (keyof typeof ACTS)[];

/** What a peer is. */
export type Peer = keyof typeof ACTS | typeof CLOSED | typeof RELAYING;

/** Serves one connection as that peer would. */
export function serve(peer: Peer, socket: Socket): void {
  socket.on('error', () => {});
  const act: Act =
    peer === CLOSED || peer === RELAYING ? () => converse(socket, (verb, line) => obey(socket, verb, recipient(peer, line))) : ACTS[peer];
  act(socket);
}

function recipient(peer: Peer, line: string): string {
  if (line.includes('<postmaster@served.example>')) return '250 2.1.5 Ok';
  return peer === RELAYING && line.includes('@canary.example>') ? '250 2.1.5 Ok' : '554 5.7.1 Relay access denied';
}

// Greets, then hands over each command by its verb.
function converse(socket: Socket, answer: (verb: string, line: string) => void): void {
  let unfinished = '';
  socket.write('220 mx.served.example ESMTP\r\n');
  socket.on('data', (bytes: Buffer) => {
    const lines = (unfinished + bytes.toString('latin1')).split('\r\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) answer(line.slice(0, 4).toUpperCase(), line);
  });
}

function obey(socket: Socket, verb: string, toRcpt = '554 5.7.1 Relay access denied'): void {
  if (verb === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
  else if (verb === 'EHLO') socket.write('250-mx.served.example\r\n250 PIPELINING\r\n');
  else socket.write(`${verb === 'RCPT' ? toRcpt : '250 2.0.0 Ok'}\r\n`);
}

function starttls(socket: Socket, verb: string, inside: () => void): void {
  if (verb === 'EHLO') socket.write('250-mx.served.example\r\n250 STARTTLS\r\n');
  else if (verb === 'STAR') socket.write('220 2.0.0 Ready to start TLS\r\n', inside);
  else if (verb === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
  else socket.write('530 5.7.0 Must issue a STARTTLS command first\r\n');
}

function drip(socket: Socket, text: string): void {
  if (!socket.writable) return;
  socket.write(text.slice(0, 1) || 'x');
  setTimeout(() => drip(socket, text.slice(1)), DRIP_MS);
}

function flood(socket: Socket, bytes: Buffer): void {
  if (socket.writable) socket.write(bytes, () => setImmediate(flood, socket, bytes));
}
