import { buffer } from 'node:stream/consumers';
import { createTransport } from 'nodemailer';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { isAtOrBelow } from '../../../shared/domain/host-name.ts';
import { UsageError } from '../commands/options.ts';

/** Two mail servers on loopback for a newcomer to watch. One relays, but for the canary domain only: it passes nothing on to anybody else. */
export type DemoServers = { readonly addresses: DemoAddresses; stop(): Promise<void> };

export type DemoAddresses = { readonly open: string; readonly closed: string };

export const DEMO_PORT = 2525; // any user may listen there
/** The domains that the two servers serve. */
export const DEMO_DOMAINS: DemoAddresses = { open: 'open.demo.example', closed: 'closed.demo.example' };

/** Where the open server passes on what it relays: mail for this domain and the names below it, to this SMTP server. */
export type Smarthost = {
  readonly domain: string;
  readonly address: string;
  readonly port: number;
  /** Whether the server was closed by its owner in the meantime, and passes on nothing. */
  readonly isClosed: () => boolean;
};

const ADDRESS_TRIES = 20;
const RELAY_TRIES = 5;
const RELAY_WAIT_MS = 1_000; // doubled with each try
const MESSAGE_BYTES = 64 * 1024;

/**
 * Starts the open and the closed server at the addresses they had before, or at the first free pair of loopback
 * addresses: registered hosts keep the address they were registered with.
 */
export async function startDemoServers(before: DemoAddresses | undefined, smarthost: Smarthost): Promise<DemoServers> {
  if (before !== undefined) return startPair(before, smarthost);
  for (let pair = 0; pair < ADDRESS_TRIES; pair++) {
    const addresses = { open: `127.0.0.${2 + 2 * pair}`, closed: `127.0.0.${3 + 2 * pair}` };
    const servers = await startPair(addresses, smarthost).catch(() => undefined);
    if (servers !== undefined) return servers;
  }
  throw new UsageError(
    `Port ${DEMO_PORT} is taken on every loopback address that the demo servers tried. Leave them out: npm start -- --no-demo`,
  );
}

async function startPair(addresses: DemoAddresses, smarthost: Smarthost): Promise<DemoServers> {
  const open = await listen(addresses.open, demoServer(DEMO_DOMAINS.open, smarthost));
  try {
    const closed = await listen(addresses.closed, demoServer(DEMO_DOMAINS.closed, undefined));
    return { addresses, stop: async () => void (await Promise.all([close(open), close(closed)])) };
  } catch (error) {
    await close(open);
    throw error;
  }
}

function demoServer(domain: string, smarthost: Smarthost | undefined): SMTPServer {
  const name = `mx.${domain}`;
  return new SMTPServer({
    name,
    banner: 'Relay Audit demo',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MESSAGE_BYTES,
    onRcptTo(address, _session, callback) {
      const [user, at = ''] = address.address.toLowerCase().split(/@(?=[^@]*$)/);
      if (at === domain) return callback(user === 'postmaster' ? undefined : refusal(550, '5.1.1 No such user here'));
      const relays = smarthost !== undefined && isAtOrBelow(at, smarthost.domain) && !smarthost.isClosed();
      callback(relays ? undefined : refusal(554, '5.7.1 Relay access denied'));
    },
    onData(stream, session, callback) {
      void buffer(stream).then((message) => {
        if (stream.sizeExceeded) return callback(refusal(552, '5.3.4 Too big'));
        // Read before the answer, because the session starts again after it.
        if (smarthost !== undefined) void relay(message, session, name, smarthost);
        callback();
      }, callback);
    },
  });
}

// As a mail server does: with a Received header of its own in front, the envelope as it was, and again when it was not taken.
async function relay(message: Buffer, session: SMTPServerSession, name: string, smarthost: Smarthost): Promise<void> {
  const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
  const to = session.envelope.rcptTo
    .map(({ address }) => address)
    .filter((each) => isAtOrBelow(each.slice(each.lastIndexOf('@') + 1), smarthost.domain));
  if (to.length === 0) return;
  const received = `Received: from ${session.hostNameAppearsAs} ([${session.remoteAddress}])\r\n by ${name} with ${session.transmissionType}; ${new Date().toUTCString()}\r\n`;
  const raw = Buffer.concat([Buffer.from(received), message]);
  const transport = createTransport({ host: smarthost.address, port: smarthost.port, name, ignoreTLS: true });
  for (let tries = 0; tries < RELAY_TRIES; tries++) {
    const sent = await transport.sendMail({ envelope: { from, to }, raw }).catch(() => undefined);
    if (sent !== undefined) return;
    await new Promise((done) => setTimeout(done, RELAY_WAIT_MS * 2 ** tries).unref());
  }
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function listen(address: string, server: SMTPServer): Promise<SMTPServer> {
  return new Promise((done, fail) => {
    const refuse = (error: Error & { code?: string }) =>
      fail(
        new UsageError(
          `The demo server cannot listen on ${address} port ${DEMO_PORT} (${error.code ?? error.message}). Leave the demo out: npm start -- --no-demo`,
        ),
      );
    server.once('error', refuse);
    server.listen(DEMO_PORT, address, () => {
      server.off('error', refuse);
      server.on('error', () => {}); // a client that goes away is not our error
      done(server);
    });
  });
}

function close(server: SMTPServer): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}
