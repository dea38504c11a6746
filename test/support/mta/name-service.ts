import { createSocket } from 'node:dgram';
import { type Answer, decode, encode, type Question } from 'dns-packet';
import type { Namespace } from './namespace.ts';

const CANARY = /(?:^|\.)canary\.example$/i;
const NOWHERE = '192.0.2.1'; // RFC 5737: documentation. No namespace has a way there
const TTL = 60;

const started = new Set<string>();

/**
 * A name server at our end of a namespace, for servers that cannot be told where mail for a domain goes. Mail for the canary's
 * domain and all names below it goes to the sink; every other name exists, and leads nowhere. It lasts as long as this process.
 */
export function startNameService({ ourAddress }: Namespace): void {
  if (started.has(ourAddress)) return;
  started.add(ourAddress);
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.on('message', (message, client) => {
    const { id = 0, questions = [] } = decode(message);
    const [question] = questions;
    if (question === undefined) return;
    const answers = answersTo(question, ourAddress);
    const flags = 0x0580; // authoritative, recursion desired and available
    socket.send(encode({ type: 'response', id, flags, questions: [question], answers }), client.port, client.address);
  });
  socket.bind(53, ourAddress);
  socket.unref();
}

function answersTo({ type, name }: Question, sink: string): Answer[] {
  if (type === 'A') return [{ type, name, ttl: TTL, data: CANARY.test(name) ? sink : NOWHERE }];
  if (type === 'MX' && CANARY.test(name)) return [{ type, name, ttl: TTL, data: { preference: 10, exchange: 'sink.canary.example' } }];
  return [];
}
