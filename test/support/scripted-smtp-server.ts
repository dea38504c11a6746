import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a scripted server does at one point of a session. Texts are one character per byte; LF stands for CRLF. */
export type Act =
  | { readonly kind: 'say'; readonly text: string }
  /** A server that keeps us waiting. */
  | { readonly kind: 'say-late'; readonly text: string; readonly afterMs: number }
  /** One byte at a time, each in a packet of its own. */
  | { readonly kind: 'drip'; readonly text: string }
  /** The text again and again, as fast as it is read. */
  | { readonly kind: 'flood'; readonly text: string }
  | { readonly kind: 'say-and-close'; readonly text: string }
  | { readonly kind: 'close' | 'reset' }
  | { readonly kind: 'silence' };

/** A server's part of one session: what it does on connection, and then on each command line. */
export type Script = {
  readonly greeting: Act;
  readonly answer: (line: string, commandsBefore: number) => Act;
  /** From this command on the server's port takes no more connections. */
  readonly stopsListeningAt?: number;
};

export type ScriptedServer = {
  readonly port: number;
  /** The commands that came, session by session; of a message its final dot alone. */
  readonly heard: string[][];
  /** Settles when every session so far has ended. */
  readonly idle: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts a server on 127.0.0.1 at a free port, unless it is told where. Session n follows script n; the last one serves all that come later.
 * `onSilence` hears of each session in which the server says nothing more.
 */
export async function startScriptedServer(
  scripts: readonly Script[],
  at: { readonly address: string; readonly port: number } = { address: '127.0.0.1', port: 0 },
  onSilence: (socket: Socket) => void = () => {},
): Promise<ScriptedServer> {
  const heard: string[][] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const script = scripts[Math.min(heard.length, scripts.length - 1)];
    const lines: string[] = [];
    heard.push(lines);
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    if (script !== undefined) serve(socket, script, lines, { stopListening: () => server.close(), onSilence });
  });
  server.listen(at.port, at.address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    idle: async () => {
      // A reset is an end like any other; `once` of node:events would reject on it.
      await Promise.all([...open].map((socket) => new Promise((done) => socket.once('close', done))));
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

type Hooks = { readonly stopListening: () => void; readonly onSilence: (socket: Socket) => void };

function serve(socket: Socket, script: Script, lines: string[], { stopListening, onSilence }: Hooks): void {
  let text = '';
  let inMessage = false;
  const perform = (act: Act) => (act.kind === 'silence' ? onSilence(socket) : performOn(socket, act));
  perform(script.greeting);
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end).replace(/\r$/, '');
      text = text.slice(end + 1);
      if (inMessage && line !== '.') continue;
      lines.push(line);
      if (lines.length === script.stopsListeningAt) stopListening();
      const act = script.answer(line, lines.length - 1);
      inMessage = line === 'DATA' && act.kind === 'say' && act.text.startsWith('354');
      perform(act);
    }
  });
}

function performOn(socket: Socket, act: Exclude<Act, { kind: 'silence' }>): void {
  switch (act.kind) {
    case 'say':
      socket.write(wire(act.text), 'latin1');
      return;
    case 'say-late':
      setTimeout(() => socket.destroyed || socket.write(wire(act.text), 'latin1'), act.afterMs);
      return;
    case 'say-and-close':
      socket.end(wire(act.text), 'latin1');
      return;
    case 'drip':
      drip(socket, wire(act.text));
      return;
    case 'flood':
      flood(socket, wire(act.text).repeat(FLOOD_BYTES / act.text.length));
      return;
    case 'close':
      socket.end();
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
  }
}

function drip(socket: Socket, text: string): void {
  if (text === '' || socket.destroyed) return;
  socket.write(text.slice(0, 1), 'latin1', () => setImmediate(drip, socket, text.slice(1)));
}

const FLOOD_BYTES = 16_384; // at a time

function flood(socket: Socket, text: string): void {
  if (!socket.destroyed) socket.write(text, 'latin1', () => flood(socket, text));
}

function wire(text: string): string {
  return text.replaceAll('\n', '\r\n');
}

/** Says one reply, its lines parted by LF. */
export function say(reply: string): Act {
  return { kind: 'say', text: `${reply}\n` };
}

/** A server's answers by verb; a verb that is not named is answered as an obliging server would. */
export type Answers = Partial<Record<'EHLO' | 'HELO' | 'MAIL' | 'RCPT' | 'DATA' | '.' | 'RSET' | 'QUIT', Act | ((line: string) => Act)>>;

const OBLIGING: Required<Answers> = {
  EHLO: say('250-mx.served.example\n250 8BITMIME'),
  HELO: say('250 mx.served.example'),
  MAIL: say('250 2.1.0 Ok'),
  RCPT: (line) => say(line.includes('<postmaster@') ? '250 2.1.5 Ok' : '554 5.7.1 Relay access denied'),
  DATA: say('354 End data with <CR><LF>.<CR><LF>'),
  '.': say('250 2.0.0 Ok: queued'),
  RSET: say('250 2.0.0 Ok'),
  QUIT: { kind: 'say-and-close', text: '221 2.0.0 Bye\n' },
};

/** A mail server that takes mail for its postmaster only, apart from what is said here. */
export function mailServer(answers: Answers = {}, more: Partial<Omit<Script, 'answer'>> = {}): Script {
  return {
    greeting: say('220 mx.served.example ESMTP'),
    answer: (line) => {
      const verb = Object.keys(OBLIGING).find((each) => line.startsWith(each)) as keyof Answers | undefined;
      const act = verb === undefined ? say('500 what?') : (answers[verb] ?? OBLIGING[verb]);
      return typeof act === 'function' ? act(line) : act;
    },
    ...more,
  };
}
