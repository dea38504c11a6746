import { createServer, request as forward } from 'node:http';

/** One request to the DynamoDB engine as the gate sees it: its operation and its body. */
export type Seen = { readonly operation: string; readonly body: string };

export type Gate = {
  readonly endpoint: string;
  /** Asked before each request is passed on, and after its answer has come and before that is passed back; true kills. */
  killWhen: ((moment: 'before' | 'after', seen: Seen) => boolean) | undefined;
  onKill: (() => void) | undefined;
  stop(): Promise<void>;
};

/** Stands between a service and its DynamoDB engine, so that the service can be killed at an exact request. */
export async function startGate(engine: string): Promise<Gate> {
  const target = new URL(engine);
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const seen = { operation: String(incoming.headers['x-amz-target'] ?? '').replace(/^.*\./, ''), body: body.toString() };
      if (gate.killWhen?.('before', seen)) return gate.onKill?.();
      const { method, url, headers } = incoming;
      const onward = forward({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => parts.push(chunk));
        answer.on('end', () => {
          if (gate.killWhen?.('after', seen)) return gate.onKill?.();
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(parts));
        });
      });
      onward.on('error', () => outgoing.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const gate: Gate = {
    endpoint: `http://127.0.0.1:${port}`,
    killWhen: undefined,
    onKill: undefined,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
  return gate;
}
