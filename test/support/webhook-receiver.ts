import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { vi } from 'vitest';

/** A TCP server on a port of loopback, a free one unless it is named, that does as it is told with each connection, and counts them. */
export type TcpServer = { readonly port: number; readonly connections: () => number; stop(): Promise<void> };

export async function startTcpServer(take: (socket: Socket) => void, address = '127.0.0.1', port = 0): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    take(socket);
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Writes to a connection, as fast as its other side reads, until that side has gone. Gives how many bytes went. */
export async function writeWithoutEnd(socket: Socket, piece: string): Promise<number> {
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}); // a reset is one way to go
  const before = socket.bytesWritten;
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
  await gone;
  return socket.bytesWritten - before;
}

const ORPHAN_MS = 60_000; // after which it goes, should nobody be left to stop it
const FULL_AFTER = 2; // connections that a backlog of 1 holds

/** Makes a port of a loopback address swallow every attempt to connect, as a host behind a dropping firewall does. */
export async function startBlackHole(address: string, port: number): Promise<{ stop(): Promise<void> }> {
  // A process that listens and then stands still: once its queue is full, the kernel drops what comes.
  const script = `require('node:net').createServer().listen({ host: '${address}', port: ${port}, backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'up');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ORPHAN_MS});
    process.exit();
  })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const fillers = await Promise.all(
    Array.from({ length: FULL_AFTER }, async () => {
      const filler = connect(port, address);
      filler.on('error', () => {});
      await once(filler, 'connect');
      return filler;
    }),
  );
  return {
    // The port is free for others only once the process is gone.
    async stop() {
      for (const filler of fillers) filler.destroy();
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const LOOP_TURNS = 50; // of the event loop for each step of the timers: in 4 s of them a connection of loopback comes to its end

/** What comes of something that waits for fake timers and for connections of this process: both go on until it is over. */
export async function elapse<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  done.catch(() => {});
  while (!isOver) {
    for (let turn = 0; turn < LOOP_TURNS && !isOver; turn++) await new Promise(setImmediate);
    if (!isOver) await vi.advanceTimersByTimeAsync(500);
  }
  return done;
}
