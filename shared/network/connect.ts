import { constants } from 'node:crypto';
import { connect as dial, isIP, type Socket } from 'node:net';
import { type PeerCertificate, connect as secureConnect, type TLSSocket } from 'node:tls';
import type { Contact, TlsFacts } from '../domain/scan.ts';
import type { PermittedAddress } from './target-policy.ts';

export type Connection = { readonly kind: 'connected'; readonly socket: Socket } | { readonly kind: 'failed'; readonly contact: Contact };

/** Why nothing may be sent to an address any more. `out-of-time`: it cannot be told before this sitting is over. */
export type Refusal = Extract<Contact, 'vetoed' | 'unproven' | 'too-many-lookups' | 'out-of-time'>;

/** Asked right before every connection: why nothing may be sent to this address now, or undefined. */
export type AskAtDial = (address: string) => Promise<Refusal | undefined>;

/**
 * Opens a TCP connection. It takes nothing but a permitted address, and dials exactly that, unless that is refused by now.
 * Rejects on trouble of this machine, such as no free descriptors.
 */
export async function connect(address: PermittedAddress, port: number, timeoutMs: number, askAtDial: AskAtDial): Promise<Connection> {
  const refusal = await askAtDial(address.text);
  if (refusal !== undefined) return { kind: 'failed', contact: refusal };
  return new Promise((resolve, reject) => {
    const socket = dial({ host: address.text, port, family: address.family, noDelay: true });
    const timer = setTimeout(() => fail('connection-timed-out'), timeoutMs);
    const fail = (contact: Contact) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kind: 'failed', contact });
    };
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const contact = contactOf(error.code);
      if (contact !== undefined) return fail(contact);
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve({ kind: 'connected', socket });
    });
  });
}

/** How much of old TLS is taken: what servers of these days and the last twenty years set up, or all that OpenSSL has. */
export type TlsLevel = 'usual' | 'permissive';

// Very old servers relay most: TLS 1.0, weak ciphers and legacy renegotiation are taken on audit connections.
const TLS_OPTIONS = {
  usual: { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0', secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT },
  // No server name, no TLS 1.3, ciphers without encryption or authentication too: some servers fail at what they do not know.
  permissive: {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.2',
    ciphers: 'ALL:COMPLEMENTOFALL:@SECLEVEL=0',
    secureOptions: constants.SSL_OP_ALL | constants.SSL_OP_LEGACY_SERVER_CONNECT,
  },
} as const;

export type Secured = { readonly socket: TLSSocket; readonly tls: TlsFacts };

const WHY_CHARACTERS = 200; // of what went wrong with a handshake

/** Puts a connection inside TLS, whatever version and certificate the server has. `failed`: why that went wrong. */
export function secure(
  socket: Socket,
  serverName: string | undefined,
  timeoutMs: number,
  level: TlsLevel = 'usual',
): Promise<Secured | { readonly failed: string }> {
  return new Promise((resolve) => {
    const named = level === 'usual' && serverName !== undefined && isIP(serverName) === 0;
    const options = { ...TLS_OPTIONS[level], rejectUnauthorized: false, socket, ...(named ? { servername: serverName } : {}) };
    const tlsSocket = secureConnect(options);
    const timer = setTimeout(() => fail('no answer before the time-out'), timeoutMs);
    // What fails later than that ends as a close.
    for (const each of [socket, tlsSocket]) each.on('error', () => {});
    const fail = (why: string) => {
      clearTimeout(timer);
      tlsSocket.destroy();
      resolve({ failed: why.slice(0, WHY_CHARACTERS) });
    };
    const onError = (error: NodeJS.ErrnoException & { reason?: string }) => fail(error.reason ?? error.code ?? error.message);
    const onClose = () => fail('the server closed the connection');
    tlsSocket.once('error', onError);
    tlsSocket.once('close', onClose);
    tlsSocket.once('secureConnect', () => {
      clearTimeout(timer);
      tlsSocket.off('error', onError);
      tlsSocket.off('close', onClose);
      resolve({ socket: tlsSocket, tls: factsOf(tlsSocket) });
    });
  });
}

const FACT_CHARACTERS = 200; // of a certificate's names

function factsOf(socket: TLSSocket): TlsFacts {
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  const short = (text: unknown) => (text === undefined ? undefined : String(text).slice(0, FACT_CHARACTERS));
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    subject: short(certificate.subject?.CN),
    issuer: short(certificate.issuer?.CN ?? certificate.issuer?.O),
    validTo: short(certificate.valid_to),
    distrust: short(socket.authorizationError ?? undefined),
  };
}

function contactOf(code: string | undefined): Contact | undefined {
  switch (code) {
    case 'ETIMEDOUT':
      return 'connection-timed-out';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'network-unreachable';
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'connection-refused';
    default:
      return undefined;
  }
}
