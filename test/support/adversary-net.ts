import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** The server's part of a connection that has no wire: what it says first, and what it says to each line. */
export type Wire = { readonly greeting: string; readonly answer: (line: string) => string };

const REAL = net.connect; // of this process, however often it is taken over

/** Stands in for every TCP connection of this process. Undefined refuses it. Gives what puts things back. */
export function takeOverDials(dialled: (address: string, port: number) => Wire | undefined): () => void {
  net.connect = (({ host, port }: { host: string; port: number }) => new WireSocket(dialled(host, port))) as unknown as typeof net.connect;
  syncBuiltinESMExports();
  return () => {
    net.connect = REAL;
    syncBuiltinESMExports();
  };
}

class WireSocket extends EventEmitter {
  readonly #wire: Wire | undefined;
  #waiting: string[] = [];
  #text = '';
  #gone = false;

  constructor(wire: Wire | undefined) {
    super();
    this.#wire = wire;
    if (wire !== undefined) this.#waiting.push(wire.greeting);
    queueMicrotask(() => {
      if (wire === undefined) this.emit('error', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      else this.emit('connect');
    });
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void);
    if (event === 'data') this.#flush();
    return this;
  }

  write(text: string): boolean {
    this.#text += text;
    for (let end = this.#text.indexOf('\r\n'); end >= 0; end = this.#text.indexOf('\r\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      this.#waiting.push(this.#wire?.answer(line) ?? '');
    }
    this.#flush();
    return true;
  }

  destroy(): void {
    this.#gone = true;
  }

  #flush(): void {
    queueMicrotask(() => {
      if (this.#gone || this.listenerCount('data') === 0) return;
      for (const each of this.#waiting.splice(0)) this.emit('data', Buffer.from(each, 'latin1'));
    });
  }
}
