import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode, type RecordType } from 'dns-packet';

/** What a scripted DNS server says of a name, once `held` has settled: records, a code such as NXDOMAIN (3), SERVFAIL (2), REFUSED (5), or both. */
export type Saying =
  | {
      readonly answers?: readonly Answer[];
      readonly authorities?: readonly Answer[];
      readonly rcode?: number;
      /** It is too long for a packet, and has to be asked for by TCP. */
      readonly isCut?: boolean;
      readonly held?: Promise<unknown>;
    }
  | 'garbage'
  | 'silence';

export type ScriptedDns = {
  /** As a resolver's configuration names it. */
  readonly address: string;
  /** The names and types that were asked for, in order. */
  readonly asked: string[];
  readonly stop: () => Promise<void>;
};

/** Starts a DNS server on loopback that knows these names and says NXDOMAIN of others. */
export async function startScriptedDns(zone: Readonly<Record<string, Saying>>, at = '127.0.0.1'): Promise<ScriptedDns> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', async (message, client) => {
    const query = decode(message);
    const question = query.questions?.[0];
    if (question === undefined) return;
    asked.push(`${question.type} ${question.name}`);
    const saying = zone[question.name.toLowerCase()] ?? { rcode: 3 };
    if (saying === 'silence') return;
    if (saying !== 'garbage') await saying.held;
    socket.send(saying === 'garbage' ? message.subarray(0, 5) : reply(query.id ?? 0, question, saying), client.port, client.address);
  });
  socket.bind(0, at);
  await once(socket, 'listening');
  return { address: `${at}:${socket.address().port}`, asked, stop: () => new Promise((done) => socket.close(() => done())) };
}

function reply(
  id: number,
  question: { type: RecordType; name: string },
  { rcode = 0, answers = [], authorities = [], isCut = false }: Exclude<Saying, string>,
): Buffer {
  const flags = 0x0180 | (isCut ? 0x0200 : 0) | rcode; // recursion desired and available, cut or not, then the code
  return encode({ type: 'response', id, flags, questions: [question], answers: [...answers], authorities: [...authorities] });
}
