import { fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';

type Question = object | null;

/** A process of its own, so that what it costs is counted apart. It answers each message with one message. */
export type Child = { ask<T>(message: Question): Promise<T>; stop(): Promise<void> };

/** Starts a file as such a process, with these options of Node. */
export function startChild(file: URL, execArgv: readonly string[] = []): Child {
  const child = fork(file, { execArgv: [...execArgv] });
  const exit = once(child, 'exit');
  return {
    async ask<T>(message: Question): Promise<T> {
      const answer = once(child, 'message');
      child.send(message as Serializable); // null goes over the channel as well as any object
      const ended = exit.then(() => {
        throw new Error(`${file.pathname} ended without an answer`);
      });
      const [first] = await Promise.race([answer, ended]);
      return first as T;
    },
    async stop() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** The other side of it: answers each message with what `handle` gives. */
export function answerMessages<T>(handle: (message: T) => unknown): void {
  process.on('message', (message: T) => {
    Promise.resolve(handle(message)).then(
      (answer) => process.send?.(answer ?? null),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit()); // whoever started us is gone
}

/** The most memory this process has ever had resident, in bytes (proc(5), VmHWM). */
export function peakRssBytes(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
