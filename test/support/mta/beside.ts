import { writeFileSync } from 'node:fs';
import type { MtaCase, RunningMta } from './case.ts';
import { startNameService } from './name-service.ts';
import { type Namespace, rootOf } from './namespace.ts';
import { startProgram } from './program.ts';

/** Two programs as one server: the second is started after the first, and stopped before it. */
export async function joined(first: { stop(): Promise<void> }, startSecond: () => Promise<RunningMta>): Promise<RunningMta> {
  try {
    const second = await startSecond();
    return {
      address: second.address,
      async stop() {
        await second.stop();
        await first.stop();
      },
    };
  } catch (error) {
    await first.stop();
    throw error;
  }
}

/** A server in this root asks our name service where mail goes. */
export function withNameService(root: string, start: MtaCase['start']): MtaCase['start'] {
  return (namespace, n) => {
    startNameService(namespace);
    writeFileSync(`${rootOf(root)}/etc/resolv.conf`, `nameserver ${namespace.ourAddress}\n`);
    return start(namespace, n);
  };
}

/** A server on 127.0.0.1 that strangers reach through rinetd, which makes all of them look like this machine. */
export function behindFront(start: MtaCase['start']): MtaCase['start'] {
  return async (namespace, n) => joined(await start(namespace, n), () => startFront(namespace, n));
}

async function startFront(namespace: Namespace, n: number): Promise<RunningMta> {
  return startProgram(namespace, n, {
    root: 'rinetd',
    command: ['/usr/sbin/rinetd', '-f', '-c', '$folder/rinetd.conf'],
    files: { 'rinetd.conf': '$address 25 127.0.0.1 25\n' },
  });
}
