import { AsyncLocalStorage } from 'node:async_hooks';
import crypto, { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const streams = new AsyncLocalStorage<{ readonly name: string; drawn: number }>();

/** Bytes of chance that are the same in every run, for whatever is done within `as`. */
export type KnownBytes = { as<T>(stream: { readonly name: string; drawn: number }, work: () => T): T; putBack(): void };

/** Takes over `randomBytes` of this process, until it is put back. Elsewhere it stays what it was. */
export function knowBytes(): KnownBytes {
  const real = crypto.randomBytes;
  crypto.randomBytes = ((size: number) => {
    const stream = streams.getStore();
    if (stream === undefined) return real(size);
    return createHash('shake256', { outputLength: size })
      .update(`${stream.name} ${stream.drawn++}`)
      .digest();
  }) as typeof real;
  syncBuiltinESMExports();
  return {
    as: (stream, work) => streams.run(stream, work),
    putBack() {
      crypto.randomBytes = real;
      syncBuiltinESMExports();
    },
  };
}
