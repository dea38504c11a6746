import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { beginSession, type PeerSession, type Product, type Taken, type Turn } from './product.ts';

/** A server of some make on loopback. */
export type Peer = {
  readonly port: number;
  /** The commands that came, session by session. */
  readonly heard: string[][];
  stop(): Promise<void>;
};

// The library's own certificate: self-signed, for localhost.
const CERTIFICATE = createRequire(import.meta.url)('smtp-server/lib/tls-options.js') as () => { key: string; cert: string };

/** Starts one, with the product's times unless `pace` is 0; `onMessage` hears of every message that it takes. */
export async function startPeer(
  product: Product,
  {
    address = '127.0.0.1',
    port = 0,
    pace = 1,
    onMessage,
  }: { address?: string; port?: number; pace?: 0 | 1; onMessage?: (taken: Taken) => void } = {},
): Promise<Peer> {
  const sockets = new Set<Socket>();
  const heard: string[][] = [];
  const secureContext = createSecureContext(CERTIFICATE());
  const server = createServer({ noDelay: true }, (socket) => {
    const session = beginSession(product, sockets.size, onMessage);
    const lines: string[] = [];
    heard.push(lines);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    void serve(socket, session, { pace, lines, secureContext });
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

type Way = { readonly pace: 0 | 1; readonly lines: string[]; readonly secureContext: ReturnType<typeof createSecureContext> };

async function serve(socket: Socket, session: PeerSession, way: Way): Promise<void> {
  await act(socket, session.greeting, way.pace);
  if (session.greeting.next === 'close') return;
  listen(socket, session, way);
}

// One command after the other: what is sent ahead waits for the answers before it.
function listen(socket: Socket, session: PeerSession, way: Way): void {
  let text = '';
  let before = Promise.resolve();
  const take = async (line: string) => {
    if (!socket.writable) return;
    const turn = session.command(line);
    if (turn === undefined) return;
    way.lines.push(line);
    await act(socket, turn, way.pace);
    if (turn.next !== 'secure') return;
    socket.off('data', onData);
    const inside = new TLSSocket(socket, { isServer: true, secureContext: way.secureContext });
    inside.on('error', () => {});
    listen(inside, session, way);
  };
  const onData = (bytes: Buffer) => {
    const lines = (text + bytes.toString('latin1')).split('\r\n');
    text = lines.pop() ?? '';
    for (const line of lines) before = before.then(() => take(line));
  };
  socket.on('data', onData);
}

async function act(socket: Socket, { say, afterMs, next }: Turn, pace: 0 | 1): Promise<void> {
  if (afterMs > 0 && pace > 0) await new Promise((done) => setTimeout(done, afterMs));
  if (!socket.writable) return;
  const wire = `${say.replaceAll('\n', '\r\n')}\r\n`;
  if (next === 'close') socket.end(wire, 'latin1');
  else socket.write(wire, 'latin1');
}
