/** What befalls one call of a port. `before` and `after`: the caller is told of a failure though the call was not, or was, made. */
export type Fault = 'fail-before' | 'fail-after' | 'crash-before' | 'crash-after';

/** A port's call that waits for its turn. */
type Waiting = { readonly worker: Worker; readonly name: string; readonly go: (fault: Fault | undefined) => void };

/** A run of a handler; one that has crashed goes on no more. */
export type Worker = { readonly name: string; readonly index: number; dead: boolean; ended: boolean };

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An error that a port gives by the will of the scheduler. */
class PortFailure extends Error {}

/**
 * Runs workers step by step: every call of a port waits until it is chosen, so that `choose` decides in which order the steps of
 * workers that run side by side are made, and `faultAt` what goes wrong, by the number of the call.
 */
export function newScheduler(choose: (count: number) => number, faultAt: (call: number, name: string) => Fault | undefined) {
  const waiting: Waiting[] = [];
  const workers: Worker[] = [];
  let calls = 0;

  return {
    trace: [] as string[],
    calls: () => calls,
    waiting: () => waiting.length,

    /** Starts a handler; `onEnd` hears whether it came to its end. */
    start(name: string, run: (worker: Worker) => Promise<unknown>, onEnd: (done: boolean) => void): void {
      const worker: Worker = { name, index: workers.length, dead: false, ended: false };
      workers.push(worker);
      const end = (done: boolean) => {
        worker.ended = true;
        if (!worker.dead) onEnd(done);
      };
      run(worker).then(
        () => end(true),
        () => end(false),
      );
    },

    /** Makes one call of a port when its turn has come. */
    async call<T>(worker: Worker, name: string, effect: () => T | Promise<T>): Promise<T> {
      if (worker.dead) return new Promise<T>(() => {});
      const fault = await new Promise<Fault | undefined>((go) => waiting.push({ worker, name, go }));
      if (fault === 'fail-before') throw new PortFailure(`${name} failed before it was made`);
      const result = await effect();
      if (fault === 'fail-after') throw new PortFailure(`${name} failed after it was made`);
      return result;
    },

    /** Lets one of the waiting calls go on. Gives the worker that crashed at it, if one did. */
    async step(this: { trace: string[] }): Promise<Worker | undefined> {
      const [next] = waiting.splice(choose(waiting.length), 1);
      if (next === undefined) return undefined;
      const { worker, name, go } = next;
      const fault = faultAt(calls++, name);
      this.trace.push(`${calls - 1} ${worker.name}#${worker.index} ${name}${fault === undefined ? '' : ` ${fault}`}`);
      const crashes = fault === 'crash-before' || fault === 'crash-after';
      if (crashes) worker.dead = true;
      // Of a worker that dies after its call was made only the effect remains: what it would do next waits for ever.
      if (fault !== 'crash-before') go(crashes ? undefined : fault);
      await new Promise<void>((quiet) => setImmediate(quiet));
      if (crashes) for (let at = waiting.length - 1; at >= 0; at--) if (waiting[at]?.worker === worker) waiting.splice(at, 1);
      return crashes ? worker : undefined;
    },
  };
}

export type Scheduler = ReturnType<typeof newScheduler>;
