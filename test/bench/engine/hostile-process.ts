// The process behind hostile.ts: each peer on port 25 of an address of its own.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { answerMessages } from './child.ts';
import { type Peer, serve } from './hostile-peers.ts';

answerMessages(async (peers: readonly (readonly [address: string, peer: Peer])[]) => {
  const listening = peers.map(([address, peer]) => {
    const server = createServer({ allowHalfOpen: peer === 'ends its half and stays', noDelay: true }, (socket) => serve(peer, socket));
    return once(server.listen(25, address), 'listening');
  });
  await Promise.all(listening);
});
