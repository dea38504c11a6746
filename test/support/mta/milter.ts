import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A mail filter of ours that a server asks by the milter protocol, version 6. */
export type Milter = { readonly port: number; stop(): Promise<void> };

/** What a milter is told of: each sender, recipient, the beginning of a message, and its end. */
export type MilterEvent = 'mail' | 'rcpt' | 'data' | 'message';

const EVENTS: Readonly<Record<string, MilterEvent>> = { M: 'mail', R: 'rcpt', T: 'data', E: 'message' };
const SILENT = ['D', 'A', 'Q', 'K']; // macros and ends, which have no answer
const NEGOTIATE = Buffer.from([0, 0, 0, 13, 'O'.charCodeAt(0), 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]); // it changes nothing, and wants to see all

/** How a milter refuses. */
export type Refusals = {
  /** What it refuses: without it, nothing. */
  readonly at?: readonly MilterEvent[];
  /** Recipients with this in them are let pass. */
  readonly butFor?: string;
  /** How long it takes to say so. */
  readonly afterMs?: number;
};

const BLOCKED = packet('y550 5.7.1 Blocked\0');

/** Starts a milter that refuses what it is told to, and lets everything else pass. */
export async function startMilter(address: string, { at = [], butFor, afterMs = 0 }: Refusals): Promise<Milter> {
  const sockets = new Set<Socket>();
  const answer = (command: string, body: string): Buffer | undefined => {
    if (command === 'O') return NEGOTIATE;
    if (SILENT.includes(command)) return undefined;
    const event = EVENTS[command];
    const passes = event === undefined || !at.includes(event) || (event === 'rcpt' && butFor !== undefined && body.includes(butFor));
    return passes ? packet('c') : BLOCKED;
  };
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      while (bytes.length >= 5 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const end = 4 + bytes.readUInt32BE(0);
        const said = answer(String.fromCharCode(bytes.readUInt8(4)), bytes.toString('latin1', 5, end));
        if (said === BLOCKED) void wait(afterMs).then(() => socket.write(said));
        else if (said !== undefined) socket.write(said);
        bytes = bytes.subarray(end);
      }
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function packet(text: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}
