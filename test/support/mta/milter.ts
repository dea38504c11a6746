import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A mail filter of ours that a server asks by the milter protocol, version 6. */
export type Milter = { readonly port: number; stop(): Promise<void> };

/** What a milter is told of: each sender, recipient, the beginning of a message, and its end. */
export type MilterEvent = 'mail' | 'rcpt' | 'data' | 'message';

const EVENTS: Readonly<Record<string, MilterEvent>> = { M: 'mail', R: 'rcpt', T: 'data', E: 'message' };
const SILENT = ['D', 'A', 'Q', 'K']; // macros and ends, which have no answer
const NEGOTIATE = Buffer.from([0, 0, 0, 13, 'O'.charCodeAt(0), 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]); // it changes nothing, and wants to see all

/** Starts a milter that answers what `refuses` names with this reply, and lets everything else pass. */
export async function startMilter(address: string, refuses: readonly MilterEvent[], reply = '550 5.7.1 Blocked'): Promise<Milter> {
  const sockets = new Set<Socket>();
  const answer = (command: string): Buffer | undefined => {
    if (command === 'O') return NEGOTIATE;
    if (SILENT.includes(command)) return undefined;
    const event = EVENTS[command];
    return event !== undefined && refuses.includes(event) ? packet(`y${reply}\0`) : packet('c');
  };
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      while (bytes.length >= 5 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const said = answer(String.fromCharCode(bytes.readUInt8(4)));
        if (said !== undefined) socket.write(said);
        bytes = bytes.subarray(4 + bytes.readUInt32BE(0));
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
