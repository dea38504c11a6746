import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import type { FunctionName } from '../../../shared/runtime/config.ts';
import type { Completion, Invocation } from './lambda-worker.ts';

/** Calls a Lambda function with an event, as AWS would, and gives what it returned. */
export type Invoke = (name: FunctionName, event: unknown) => Promise<unknown>;

export type LambdaHost = { readonly invoke: Invoke; stop(): Promise<void> };

/**
 * Starts the thread that runs the handlers. `environment` is all they see of the machine's; `onLog` gets each line they
 * log, `onExit` is told when the thread ends unasked.
 */
export function startLambdaHost(
  environment: Record<string, string>,
  onLog: (line: string) => void,
  onExit: (why: string) => void,
): LambdaHost {
  const worker = new Worker(new URL('./lambda-worker.ts', import.meta.url), { env: environment, stdout: true, stderr: true });
  const calls = new Map<number, { done: (value: unknown) => void; fail: (error: Error) => void }>();
  let nextId = 1;
  let stopping = false;
  for (const stream of [worker.stdout, worker.stderr]) createInterface({ input: stream }).on('line', onLog);
  worker.on('message', ({ id, result, error }: Completion) => {
    const call = calls.get(id);
    calls.delete(id);
    if (error === undefined) call?.done(result);
    else call?.fail(new Error(error));
  });
  worker.on('error', (error) => onExit(`The handlers ended: ${error.stack ?? error.message}`));
  worker.on('exit', () => {
    for (const { fail } of calls.values()) fail(new Error('the handlers ended'));
    if (!stopping) onExit('The handlers ended.');
  });
  return {
    invoke(name, event) {
      const id = nextId++;
      return new Promise((done, fail) => {
        calls.set(id, { done, fail });
        worker.postMessage({ id, name, event } satisfies Invocation);
      });
    },
    async stop() {
      stopping = true;
      await worker.terminate();
    },
  };
}
