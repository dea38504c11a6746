import { startChild } from './child.ts';
import type { Counts, DelayMessage } from './delay-process.ts';

/** A TCP relay in a process of its own that puts a distance between its clients and one server, the same for whoever comes. */
export type Delay = {
  readonly address: string;
  /** What went through since this was asked last. */
  takeCounts(): Promise<Counts>;
  stop(): Promise<void>;
};

/** Listens on port 25 of a loopback address for clients of the server at port 25 of `target`, a round-trip time away from them. */
export async function openDelay(address: string, target: string, rttMs: number): Promise<Delay> {
  const child = startChild(new URL('./delay-process.ts', import.meta.url));
  const ask = <T>(message: DelayMessage) => child.ask<T>(message);
  await ask({ address, target, rttMs });
  return { address, takeCounts: () => ask(null), stop: () => child.stop() };
}
