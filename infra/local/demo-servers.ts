import { SMTPServer } from 'smtp-server';
import { UsageError } from './options.ts';

/** A mail server on loopback for a newcomer to watch: it takes mail, delivers none, and relays in name only. */
export type DemoServers = { readonly addresses: DemoAddresses; stop(): Promise<void> };

export type DemoAddresses = { readonly open: string; readonly closed: string };

export const DEMO_PORT = 2525; // any user may listen there
/** The domains that the two servers serve. */
export const DEMO_DOMAINS: DemoAddresses = { open: 'open.demo.example', closed: 'closed.demo.example' };

const ADDRESS_TRIES = 20;

/**
 * Starts the open and the closed server at the addresses they had before, or at the first free pair of loopback
 * addresses: registered hosts keep the address they were registered with.
 */
export async function startDemoServers(before: DemoAddresses | undefined): Promise<DemoServers> {
  if (before !== undefined) return startPair(before);
  for (let pair = 0; pair < ADDRESS_TRIES; pair++) {
    const addresses = { open: `127.0.0.${2 + 2 * pair}`, closed: `127.0.0.${3 + 2 * pair}` };
    const servers = await startPair(addresses).catch(() => undefined);
    if (servers !== undefined) return servers;
  }
  throw new UsageError(
    `Port ${DEMO_PORT} is taken on every loopback address that the demo servers tried. Leave them out: npm start -- --no-demo`,
  );
}

async function startPair(addresses: DemoAddresses): Promise<DemoServers> {
  const open = await listen(addresses.open, demoServer(DEMO_DOMAINS.open, true));
  try {
    const closed = await listen(addresses.closed, demoServer(DEMO_DOMAINS.closed, false));
    return { addresses, stop: async () => void (await Promise.all([close(open), close(closed)])) };
  } catch (error) {
    await close(open);
    throw error;
  }
}

function demoServer(domain: string, relays: boolean): SMTPServer {
  return new SMTPServer({
    name: `mx.${domain}`,
    banner: 'Relay Audit demo',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo(address, _session, callback) {
      const [user, at] = address.address.toLowerCase().split(/@(?=[^@]*$)/);
      if (at === domain) return callback(user === 'postmaster' ? undefined : refusal(550, '5.1.1 No such user here'));
      callback(relays ? undefined : refusal(554, '5.7.1 Relay access denied'));
    },
    onData(stream, _session, callback) {
      stream.on('end', callback).resume();
    },
  });
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
      server.on('error', () => {}); // a client that goes away is no trouble of ours
      done(server);
    });
  });
}

function close(server: SMTPServer): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}
