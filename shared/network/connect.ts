import { connect as dial, type Socket } from 'node:net';
import type { Contact } from '../domain/scan.ts';
import type { PermittedAddress } from './target-policy.ts';

export type Connection = { readonly kind: 'connected'; readonly socket: Socket } | { readonly kind: 'failed'; readonly contact: Contact };

/** Opens a TCP connection. It takes nothing but a permitted address, and dials exactly that. Rejects on trouble of this machine, such as no free descriptors. */
export function connect(address: PermittedAddress, port: number, timeoutMs: number): Promise<Connection> {
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
