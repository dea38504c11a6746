import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** A message as it reached the sink: where a relay under test hands over what it relays. */
export type Delivered = { readonly from: string; readonly to: readonly string[]; readonly raw: string };

export type Sink = { readonly address: string; readonly port: number; readonly delivered: Delivered[]; stop(): Promise<void> };

/** Starts a mail server that takes every message, and tells `onMessage` of each. */
export async function startSink(address: string, port = 25, onMessage: (message: Delivered) => void = () => {}): Promise<Sink> {
  const delivered: Delivered[] = [];
  const server = new SMTPServer({
    name: 'sink.canary.example',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, { envelope }, callback) {
      void text(stream).then((raw) => {
        const message = {
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map((each) => each.address),
          raw,
        };
        delivered.push(message);
        onMessage(message);
        callback();
      }, callback);
    },
  });
  server.on('error', () => {});
  server.listen(port, address);
  await once(server.server, 'listening');
  return { address, port, delivered, stop: () => new Promise((done) => server.close(() => done())) };
}
