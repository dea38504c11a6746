import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Question, TRUNCATED_RESPONSE } from 'dns-packet';

/** What an odd server does with a question that it does not answer as others would. */
export type Oddity = 'SERVFAIL' | 'NOTIMP' | 'REFUSED' | 'NXDOMAIN' | 'silence' | 'cut' | 'string too long' | 'no string';

/** A zone as its one server, at an address of its own, has it: its records, and what is odd. */
export type OddZone = {
  readonly name: string;
  readonly address: string;
  readonly records: readonly Answer[];
  readonly odd: (question: Question) => Oddity | undefined;
};

const [NOERROR, NXDOMAIN] = [0, 3] as const;
const FAILURES = { SERVFAIL: 2, NOTIMP: 4, REFUSED: 5 } as const;

/** Starts a server for each zone, on port 53 of its address, by UDP alone. */
export async function startOddServers(zones: readonly OddZone[]): Promise<{ readonly stop: () => void }> {
  const sockets = await Promise.all(
    zones.map(async (zone) => {
      const socket = createSocket('udp4');
      socket.on('message', (message, client) => {
        const { id = 0, questions: [question] = [] } = decode(message);
        const answer = question && answerTo(zone, id, question);
        if (answer !== undefined) socket.send(answer, client.port, client.address);
      });
      socket.bind(53, zone.address);
      await once(socket, 'listening');
      return socket;
    }),
  );
  return { stop: () => sockets.forEach((socket) => void socket.close()) };
}

function answerTo(zone: OddZone, id: number, question: Question): Buffer | undefined {
  const oddity = zone.odd(question);
  if (oddity === 'silence') return undefined;
  const reply = (code: number, answers: readonly Answer[], authorities: readonly Answer[], flags = 0) =>
    encode({
      type: 'response',
      id,
      flags: AUTHORITATIVE_ANSWER | flags | code,
      questions: [question],
      answers: [...answers],
      authorities: [...authorities],
    });
  if (oddity === 'cut') return reply(NOERROR, [], [], TRUNCATED_RESPONSE);
  if (oddity !== undefined && oddity in FAILURES) return reply(FAILURES[oddity as keyof typeof FAILURES], [], []);
  const [soa, ...own] = ownRecords(zone);
  const all = [soa, ...own, ...zone.records];
  const name = question.name.toLowerCase();
  const answers = all.filter((record) => record.name === name && record.type === question.type);
  const exists = oddity !== 'NXDOMAIN' && all.some((record) => record.name === name || record.name.endsWith(`.${name}`));
  if (answers.length === 0 || !exists) return reply(exists ? NOERROR : NXDOMAIN, [], [soa]);
  const bytes = reply(NOERROR, answers, []);
  const [text] = answers.flatMap((record) => (record.type === 'TXT' ? String(record.data) : []));
  return text === undefined ? bytes : spoilt(bytes, bytes.length - text.length - 1, oddity);
}

function ownRecords({ name, address }: OddZone): [Answer, ...Answer[]] {
  const server = `ns.${name}`;
  const data = { mname: server, rname: `hostmaster.${name}`, serial: 1, refresh: 3600, retry: 600, expire: 86_400, minimum: 300 };
  return [
    { type: 'SOA', name, ttl: 300, data },
    { type: 'NS', name, ttl: 300, data: server },
    { type: 'A', name: server, ttl: 300, data: address },
  ];
}

// The one TXT record stands last in the message: its length in two bytes, then that of its string in one, `at` which its data begins.
function spoilt(bytes: Buffer, at: number, oddity: Oddity | undefined): Buffer {
  if (oddity === 'string too long') bytes.writeUInt8(bytes.readUInt8(at) + 1, at);
  if (oddity !== 'no string') return bytes;
  bytes.writeUInt16BE(0, at - 2);
  return bytes.subarray(0, at);
}
