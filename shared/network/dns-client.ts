import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIP, connect as openTcp } from 'node:net';
import { type DnsMessage, decodeAnswer, encodeQuestion, type Question } from './dns-message.ts';

/** What a server answered, or, where it gave no answer that tells anything, what it said instead. */
export type DnsReply =
  | { readonly message: DnsMessage; readonly said?: undefined }
  | { readonly said: string; readonly details?: string | undefined; readonly message?: undefined };

const LIMIT_MS = 6_000; // for one question, however many servers and tries: a cold resolver needs a second or two
const RETRY_MS = 2_000; // then the next server is asked, or the same again; an answer to an earlier try still counts
const TRIES = 2; // of each server, since a packet may get lost
const DNS_PORT = 53;

const SILENCE: DnsReply = { said: 'no answer' };
const UNREADABLE: DnsReply = { said: 'unreadable answer' };

// RFC 1035 §4.1.1. Other codes are told by number.
const [NOERROR, FORMERR, NXDOMAIN] = [0, 1, 3] as const;
const CODES: Readonly<Record<number, string>> = { 1: 'FORMERR', 2: 'SERVFAIL', 4: 'NOTIMP', 5: 'REFUSED' };

// RFC 8914 §4: those that tell an owner where to look.
const EXPLANATIONS: Readonly<Record<number, string>> = {
  6: 'DNSSEC: its signatures are wrong',
  7: 'DNSSEC: its signatures have expired',
  8: 'DNSSEC: its signatures are not valid yet',
  9: 'DNSSEC: its key is missing',
  10: 'DNSSEC: its signatures are missing',
  22: 'no name server of the zone can be reached',
  23: 'a name server of the zone cannot be reached',
};

/**
 * Asks the resolvers in their order, each as soon as the one before has failed or been silent for two seconds, and the first answer counts: NOERROR or
 * NXDOMAIN. What the first said that failed is told when none gives one in six seconds.
 */
export async function askDns(question: Question, servers: readonly string[]): Promise<DnsReply> {
  const over = new AbortController();
  const limit = setTimeout(() => over.abort(), LIMIT_MS);
  const failed = new Map<string, DnsReply>();
  let begun = 0;
  let patience: NodeJS.Timeout | undefined;
  try {
    return await new Promise<DnsReply>((done, fail) => {
      const begin = () => {
        clearTimeout(patience);
        const server = servers[begun % servers.length];
        if (server === undefined || begun >= servers.length * TRIES || over.signal.aborted) return;
        begun++;
        if (failed.has(server)) return begin();
        patience = setTimeout(begin, RETRY_MS);
        void askServer(question, server, over.signal).then((reply) => {
          if (reply.message !== undefined) return done(reply);
          failed.set(server, reply);
          if (failed.size === new Set(servers).size) return done([...failed.values()][0] ?? SILENCE);
          begin();
        }, fail);
      };
      over.signal.addEventListener('abort', () => done([...failed.values()].find(({ said }) => said !== SILENCE.said) ?? SILENCE));
      begin();
    });
  } finally {
    clearTimeout(limit);
    clearTimeout(patience);
    over.abort();
  }
}

/** Asks one server, by UDP, and by TCP when the answer is too long for that. Without `recurse` it answers from its own zones alone. */
export async function askServer(question: Question, server: string, signal: AbortSignal, recurse = true): Promise<DnsReply> {
  const plain = await askBy(datagram, question, server, signal, recurse, true);
  // Some old servers refuse what is new since 1999 (RFC 6891 §7).
  const reply = plain.message?.code === FORMERR ? await askBy(datagram, question, server, signal, recurse, false) : plain;
  const whole = reply.message?.isTruncated ? await askBy(stream, question, server, signal, recurse, true) : reply;
  if (whole.message === undefined) return reply === whole ? whole : { said: `${whole.said} over TCP, which its long answer needs` };
  const { code, explanation } = whole.message;
  if (code === NOERROR || code === NXDOMAIN) return whole;
  return { said: CODES[code] ?? `code ${code}`, details: explanation && (EXPLANATIONS[explanation.code] ?? explanation.words) };
}

/** Brings a message to a server and gives the first answer that `isFor` it; undefined when there is none. */
type Carry = (bytes: Buffer, server: Endpoint, isFor: (answer: Buffer) => boolean, signal: AbortSignal) => Promise<Buffer | undefined>;

async function askBy(
  carry: Carry,
  question: Question,
  server: string,
  signal: AbortSignal,
  recurse: boolean,
  extended: boolean,
): Promise<DnsReply> {
  const id = randomInt(0x1_0000);
  const bytes = encodeQuestion(id, question, recurse, extended);
  const endpoint = endpointOf(server);
  if (bytes === undefined || endpoint === undefined || signal.aborted) return SILENCE;
  const answer = await carry(bytes, endpoint, (each) => each.length >= 2 && each.readUInt16BE(0) === id, signal);
  if (answer === undefined) return SILENCE;
  const message = decodeAnswer(answer, id, question);
  return message === undefined ? UNREADABLE : { message };
}

const datagram: Carry = (bytes, { address, port }, isFor, signal) => {
  // Connected, so that the system drops what comes from anybody else.
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  return new Promise((done) => {
    const end = (answer?: Buffer) => {
      signal.removeEventListener('abort', stop);
      socket.removeAllListeners().on('error', () => {});
      socket.close();
      done(answer);
    };
    const stop = () => end();
    signal.addEventListener('abort', stop);
    socket.once('error', stop);
    socket.on('message', (message) => {
      if (isFor(message)) end(message);
    });
    // By the event: a callback would be told of a missing route too, where nothing can be sent.
    socket.once('connect', () => socket.send(bytes)).connect(port, address);
  });
};

// Each message behind its length; RFC 1035 §4.2.2.
const stream: Carry = (bytes, { address, port }, isFor, signal) => {
  const socket = openTcp({ host: address, port });
  return new Promise((done) => {
    let got = Buffer.alloc(0);
    const end = (answer?: Buffer) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      done(answer);
    };
    const stop = () => end();
    signal.addEventListener('abort', stop);
    socket.on('error', stop).on('close', stop);
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes])));
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const answer = got.subarray(2, 2 + got.readUInt16BE(0));
      end(isFor(answer) ? answer : undefined);
    });
  });
};

type Endpoint = { readonly address: string; readonly port: number };

// As Node names resolvers: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
function endpointOf(server: string): Endpoint | undefined {
  const [, six, four, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(server) ?? [];
  const endpoint = { address: six ?? four ?? server, port: port === undefined ? DNS_PORT : Number(port) };
  return isIP(endpoint.address) !== 0 && endpoint.port > 0 && endpoint.port < 0x1_0000 ? endpoint : undefined;
}
