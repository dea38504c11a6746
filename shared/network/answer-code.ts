import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

const TYPES = { A: 1, AAAA: 28, PTR: 12, MX: 15, TXT: 16 } as const; // RFC 1035 §3.2.2, RFC 3596 §2.1
const CLASS_IN = 1;
const DNS_PORT = 53;
const HEADER = 12; // bytes; RFC 1035 §4.1.1
const RECURSION_DESIRED = 0x0100;
const IS_ANSWER = 0x8000;
const CODE = 0x000f;

export type RecordType = keyof typeof TYPES;

/**
 * The code (RFC 1035 RCODE) with which the first of the resolvers that answers tells of a name and a type; undefined when none
 * does. Node's client knows six codes apart and makes "there is no such record" of others. Nothing but the header of the answer is read.
 */
export async function answerCode(
  name: string,
  type: RecordType,
  servers: readonly string[],
  timeoutMs: number,
): Promise<number | undefined> {
  const question = questionOf(name, type);
  if (question === undefined) return undefined;
  // Each is asked twice, since a packet may get lost.
  for (const server of [...servers, ...servers]) {
    const code = await codeFrom(server, question, timeoutMs / 2);
    if (code !== undefined) return code;
  }
  return undefined;
}

function codeFrom(server: string, question: Buffer, timeoutMs: number): Promise<number | undefined> {
  const { address, port } = endpointOf(server);
  const id = randomInt(0x1_0000);
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4); // one question
  // Connected, so that the system drops what comes from anybody else.
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  return new Promise((done) => {
    const end = (code: number | undefined) => {
      clearTimeout(timer);
      socket.removeAllListeners('message').close();
      done(code);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.once('error', () => end(undefined));
    socket.on('message', (message) => {
      if (isAnswerTo(message, id, question)) end(message.readUInt16BE(2) & CODE);
    });
    socket.connect(port, address, () => socket.send(Buffer.concat([header, question])));
  });
}

function isAnswerTo(message: Buffer, id: number, question: Buffer): boolean {
  if (message.length < HEADER + question.length || message.readUInt16BE(0) !== id) return false;
  const asked = message.subarray(HEADER, HEADER + question.length).toString('latin1');
  return (message.readUInt16BE(2) & IS_ANSWER) !== 0 && asked.toLowerCase() === question.toString('latin1').toLowerCase();
}

const LABEL = /^[a-z0-9_-]{1,63}$/i; // what we ask for; Node's client writes any other byte as an escape

function questionOf(name: string, type: RecordType): Buffer | undefined {
  const labels = name.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  const end = Buffer.alloc(5); // the root's empty label, type, class
  end.writeUInt16BE(TYPES[type], 1);
  end.writeUInt16BE(CLASS_IN, 3);
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]), end]);
}

// As Node's client names its resolvers: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
function endpointOf(server: string): { address: string; port: number } {
  const [, six, four, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(server) ?? [];
  return { address: six ?? four ?? server, port: port === undefined ? DNS_PORT : Number(port) };
}
