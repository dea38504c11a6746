import { buffer } from 'node:stream/consumers';
import type { SESMailHeader } from 'aws-lambda';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import type { ReceivedMail } from '../../../functions/canary/received-mail.ts';
import { parseAddress } from '../../../shared/domain/address.ts';
import { isAtOrBelow } from '../../../shared/domain/host-name.ts';
import { UsageError } from '../commands/options.ts';

/** The canary mailbox on one machine: an SMTP server that stands in for SES inbound. */
export type CanarySink = { readonly address: string; readonly port: number; stop(): Promise<void> };

export type CanarySinkOptions = {
  /** `address:port`; port 0 is any free one. */
  readonly listen: string;
  readonly canaryDomain: string;
  /** The setting that `listen` comes from, named in errors; CANARY_LISTEN when left out. */
  readonly setting?: string;
  /** Gets what SES would publish of the mail, and the mail itself. When it fails the mail is put off, and its sender tries again. */
  readonly onMail: (received: ReceivedMail, raw: Buffer) => Promise<unknown>;
};

/** Where it listens when CANARY_LISTEN says nothing. */
export const DEFAULT_LISTEN = '127.0.0.1:0';

const MESSAGE_BYTES = 64 * 1024; // a canary has about 2 KiB, and each server on its way adds some lines
const CONNECTIONS_LIMIT = 50;
const IDLE_MS = 60_000;
const HEADERS_BYTES = 10 * 1024; // SES hands over no more of a mail's headers

/** Starts it. It takes mail for the canary domain and every name below it, and for no other. */
export function startCanarySink(options: CanarySinkOptions): Promise<CanarySink> {
  const { listen, setting = 'CANARY_LISTEN' } = options;
  const { address, port } = readListen(listen, setting);
  const server = sinkServer(options);
  const stop = () => new Promise<void>((done) => server.close(() => done()));
  return new Promise((done, fail) => {
    const refuse = (error: Error & { code?: string }) =>
      fail(new UsageError(`The canary mailbox cannot listen on ${listen} (${error.code ?? error.message}). Set ${setting} to another.`));
    server.once('error', refuse);
    server.listen(port, address, () => {
      server.off('error', refuse);
      server.on('error', () => {}); // a client that goes away is not our error
      const bound = server.server.address();
      done({ address, port: typeof bound === 'object' && bound !== null ? bound.port : port, stop });
    });
  });
}

function readListen(text: string, setting: string): { readonly address: string; readonly port: number } {
  const [, v4, v6, port] = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\]):(\d{1,5})$/i.exec(text) ?? [];
  const address = parseAddress(v4 ?? v6 ?? '');
  if (address === undefined || Number(port) > 65_535)
    throw new UsageError(`${setting} must be an address and a port such as ${DEFAULT_LISTEN}, not ${text}.`);
  return { address: address.text, port: Number(port) };
}

function sinkServer({ canaryDomain, onMail }: CanarySinkOptions): SMTPServer {
  const name = `mx.${canaryDomain}`;
  return new SMTPServer({
    name,
    banner: 'Relay Audit canary mailbox',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MESSAGE_BYTES,
    maxClients: CONNECTIONS_LIMIT,
    socketTimeout: IDLE_MS,
    onRcptTo({ address }, _session, callback) {
      const ours = isAtOrBelow(address.slice(address.lastIndexOf('@') + 1), canaryDomain);
      callback(ours ? undefined : answer(550, '5.7.1 Not a domain of ours'));
    },
    onData(stream, session, callback) {
      const taking = buffer(stream).then(async (raw) => {
        if (stream.sizeExceeded) return answer(552, '5.3.4 Too big');
        await onMail(await receivedOf(raw, session, name), raw);
        return undefined;
      });
      taking.then(callback, () => callback(answer(451, '4.3.0 Try again')));
    },
  });
}

function answer(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

async function receivedOf(raw: Buffer, session: SMTPServerSession, name: string): Promise<ReceivedMail> {
  const { mailFrom, rcptTo } = session.envelope;
  const parsed = await PostalMime.parse(raw);
  const all: SESMailHeader[] = [
    {
      name: 'Received',
      value: `from ${session.hostNameAppearsAs} ([${session.remoteAddress}]) by ${name} with ${session.transmissionType}`,
    },
    ...parsed.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
  ];
  let left = HEADERS_BYTES;
  const headers = all.filter((header) => {
    left -= JSON.stringify(header).length + 1;
    return left >= 0;
  });
  const source = mailFrom === false ? '' : mailFrom.address;
  const recipients = rcptTo.map(({ address }) => address);
  return { mail: { source, messageId: session.id, headers }, receipt: { recipients } };
}
