import type { RequestListener, Server } from 'node:http';
import { contains, type Network, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';

const LOOPBACK: readonly Network[] = ['127.0.0.0/8', '::1/128'].flatMap((text) => parseNetwork(text) ?? []);

/**
 * Whether a Host header names this machine, by an address of loopback or as localhost, or the host of one of `urls`. A web page elsewhere
 * may have its own name lead here (DNS rebinding): its browser then takes our answers for the page's own, but still sends that name.
 */
export function isKnownHost(header: string | undefined, urls: readonly string[]): boolean {
  const [, v6, name = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  const address = parseAddress(v6 ?? name);
  if (address !== undefined) return LOOPBACK.some((network) => contains(network, address));
  return name !== '' && ['localhost', ...urls.map((url) => new URL(url).hostname)].includes(name.toLowerCase());
}

const MISDIRECTED =
  'This service answers to 127.0.0.1, [::1] and localhost, so that no web page elsewhere can read it. To have it answer to another name, start it with PUBLIC_URL=https://that-name.\n';

/** Has a server answer nothing to requests that name another host; to be called once it has its own listeners. */
export function answerKnownHosts(server: Server, urls: readonly string[] = []): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (isKnownHost(request.headers.host, urls)) for (const listen of listeners) listen.call(server, request, response);
    else response.writeHead(421, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(MISDIRECTED);
  });
}
