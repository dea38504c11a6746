import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail server that speaks TLS, on a free port of 127.0.0.1; its certificate is the library's self-signed one. */
export type TlsMailServer = { readonly port: number; stop(): Promise<void> };

/** Starts one that relays inside TLS only, by STARTTLS or, with `secure`, from the first byte. */
export async function startTlsMailServer(options: SMTPServerOptions = {}): Promise<TlsMailServer> {
  const server = new SMTPServer({
    name: 'mx.served.example',
    authOptional: true,
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo({ address }, session, callback) {
      const taken = session.secure === true || address.startsWith('postmaster@');
      callback(taken ? undefined : Object.assign(new Error('5.7.1 Relay access denied'), { responseCode: 554 }));
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return { port, stop: () => new Promise((done) => server.close(() => done())) };
}

/** What a server does once it has answered 220 to STARTTLS. */
export type AfterStarttls = (socket: Socket) => void;

/** Starts a server that offers STARTTLS, answers it with `answer`, and then does as it is told. */
export async function startStarttlsServer(answer: string, after: AfterStarttls): Promise<TlsMailServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('220 mx.served.example ESMTP\r\n');
    socket.on('data', function listen(bytes) {
      if (!bytes.toString('latin1').startsWith('STARTTLS')) {
        socket.write('250-mx.served.example\r\n250 STARTTLS\r\n');
        return;
      }
      socket.off('data', listen);
      socket.write(answer);
      after(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The server's side of a handshake, then one answer to every line, told each time. */
export function answerInside(options: { key: string; cert: string }, answer: string, onAnswer = () => {}): AfterStarttls {
  return (socket) => {
    const inside = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(options) });
    inside.on('error', () => {});
    inside.on('data', () => {
      inside.write(answer);
      onAnswer();
    });
  };
}
