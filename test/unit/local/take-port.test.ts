import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { HOST, takePort } from '../../../infra/local/engines/engine.ts';

const FIRST_OF_CONNECTIONS = 32_768; // net.ipv4.ip_local_port_range as Linux has it

test('any free port is none that the system gives to connections, so that it is still free when it is listened at', async () => {
  for (let count = 0; count < 50; count++) {
    const port = await takePort(0);
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(FIRST_OF_CONNECTIONS);
  }
});

test('a port that is taken is refused with what to do', async () => {
  const server = createServer();
  const port = await takePort(0);
  await new Promise<void>((done) => server.listen(port, HOST, done));
  await expect(takePort(port)).rejects.toThrow(
    `Port ${port} is taken. Stop what uses it, or choose another: npm start -- --port ${port + 10}`,
  );
  await expect(takePort(port, 'mails')).rejects.toThrow('where mails would be shown, is taken');
  await new Promise((done) => server.close(done));
});
