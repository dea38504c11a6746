import { SMTPServer } from 'smtp-server';

/** A mail server of the tests on port 2525 of a loopback address; it serves `served.example`, and relays or not. */
export type MailServer = { readonly address: string; relays: boolean; sessions: number; stop(): Promise<void> };

export const MAIL_PORT = 2525;
export const SERVED_DOMAIN = 'served.example';

/** Starts it on an address that the caller chooses, in 127.0.0.0/8. */
export async function startMailServer(address: string, relays: boolean): Promise<MailServer> {
  const state: MailServer = { address, relays, sessions: 0, stop: () => new Promise((done) => server.close(() => done())) };
  const server = new SMTPServer({
    name: `mx.${SERVED_DOMAIN}`,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onConnect(_session, callback) {
      state.sessions++;
      callback();
    },
    onRcptTo({ address: recipient }, _session, callback) {
      const served = recipient.toLowerCase().endsWith(`@${SERVED_DOMAIN}`);
      const accepted = served ? recipient.startsWith('postmaster@') : state.relays;
      callback(
        accepted ? undefined : Object.assign(new Error(served ? '5.1.1 No such user' : '5.7.1 Relay access denied'), { responseCode: 550 }),
      );
    },
  });
  server.on('error', () => {});
  await new Promise<void>((done, fail) => {
    server.server.once('error', fail);
    server.listen(MAIL_PORT, address, () => done());
  });
  return state;
}
