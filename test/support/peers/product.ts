/**
 * What a product answers to some paths: the first that matches decides. `{path}` in the reply is the path as it came, `{mailbox}` without
 * its brackets.
 */
export type Answer = readonly [path: RegExp, reply: string];

/**
 * How a mail server of some make treats a stranger, in the words that it sends. Lines are parted by LF. `{client}` is the name that the
 * client gave; times are in milliseconds, as they are by default.
 */
export type Product = {
  readonly greeting: string;
  readonly greetMs?: number;
  readonly ehlo: string;
  readonly helo: string;
  readonly senders: readonly Answer[];
  readonly recipients: readonly Answer[];
  /** To DATA with a recipient that was taken, and to DATA without one. */
  readonly data: string;
  readonly noRecipient: string;
  /** After the final dot. */
  readonly message: string;
  readonly reset: string;
  readonly bye: string;
  readonly help: string;
  /** To what it does not know. */
  readonly unknown: string;
  /** How long each refused recipient waits for its answer. */
  readonly refusalMs?: number;
  /** With which protocol error (50x) it hangs up, and in which words. */
  readonly errors?: { readonly limit: number; readonly reply: string };
  /** How many connections it takes at once, and how it greets one more. */
  readonly connections?: { readonly limit: number; readonly reply: string };
  /** Answers to STARTTLS; left out where there is none. */
  readonly starttls?: string;
  /** The recipients whose messages it hands on to whoever their path names. */
  readonly relays?: readonly RegExp[];
};

/** What a server does at one command: say something, after a while, and perhaps close or begin TLS. */
export type Turn = { readonly say: string; readonly afterMs: number; readonly next?: 'close' | 'secure' | undefined };

/** One session with a product: `command` takes a line and gives the answer, none for the lines of a message. */
export type PeerSession = { readonly greeting: Turn; command(line: string): Turn | undefined };

/** A message that a product took: its envelope as it came, and whether it hands it on. */
export type Taken = { readonly from: string; readonly to: readonly string[]; readonly text: string; readonly handsOn: boolean };

/** Begins a session; `others` is how many are open already. Pure but for its own state: whoever runs it moves bytes and time. */
export function beginSession(product: Product, others: number, onMessage: (taken: Taken) => void = () => {}): PeerSession {
  const { greeting, greetMs = 0, connections, errors } = product;
  const state: State = { client: '', from: '', to: [], text: undefined, secure: false };
  let wrong = 0;
  if (connections !== undefined && others >= connections.limit)
    return { greeting: { say: connections.reply, afterMs: 0, next: 'close' }, command: () => undefined };
  const refuses = !greeting.startsWith('220');
  return {
    greeting: { say: greeting, afterMs: greetMs, next: refuses ? 'close' : undefined },
    command(line) {
      const turn = answer(product, line, state, onMessage);
      if (turn === undefined || errors === undefined || !/^50\d/.test(turn.say)) return turn;
      wrong++;
      return wrong >= errors.limit ? { ...turn, say: errors.reply, next: 'close' } : turn;
    },
  };
}

type State = { client: string; from: string; to: string[]; text: string[] | undefined; secure: boolean };

function answer(product: Product, line: string, state: State, onMessage: (taken: Taken) => void): Turn | undefined {
  if (state.text !== undefined) return body(product, line, state, onMessage);
  const [verb = '', rest = ''] = [line.slice(0, 4).toUpperCase(), line.slice(5)];
  switch (verb) {
    case 'EHLO':
    case 'HELO':
      state.client = rest;
      forget(state);
      return say(fill(verb === 'EHLO' ? withoutTls(product.ehlo, state.secure) : product.helo, { client: rest }));
    case 'MAIL':
      return sender(product, pathIn(line), state);
    case 'RCPT':
      return recipient(product, pathIn(line), state);
    case 'DATA':
      if (state.to.length === 0) return say(product.noRecipient);
      state.text = [];
      return say(product.data);
    case 'RSET':
      forget(state);
      return say(product.reset);
    case 'QUIT':
      return { ...say(product.bye), next: 'close' };
    case 'HELP':
      return say(product.help);
    case 'STAR':
      if (product.starttls === undefined || state.secure) return say(fill(product.unknown, { line }));
      state.secure = true;
      forget(state);
      return { ...say(product.starttls), next: 'secure' };
    default:
      return say(fill(product.unknown, { line }));
  }
}

function sender(product: Product, path: string, state: State): Turn {
  forget(state);
  const reply = among(product.senders, path);
  if (reply.startsWith('250')) state.from = path;
  return say(reply);
}

function recipient(product: Product, path: string, state: State): Turn {
  const reply = state.from === '' ? product.noRecipient : among(product.recipients, path);
  const taken = reply.startsWith('250');
  if (taken) state.to.push(path);
  return { say: reply, afterMs: taken ? 0 : (product.refusalMs ?? 0) };
}

function body(product: Product, line: string, state: State, onMessage: (taken: Taken) => void): Turn | undefined {
  if (line !== '.') {
    state.text?.push(line);
    return undefined;
  }
  const { from, to, text = [] } = state;
  const handsOn = to.some((path) => product.relays?.some((each) => each.test(path)) === true);
  forget(state);
  if (product.message.startsWith('250')) onMessage({ from, to, text: text.join('\n'), handsOn });
  return say(product.message);
}

function forget(state: State): void {
  state.from = '';
  state.to = [];
  state.text = undefined;
}

function say(text: string): Turn {
  return { say: text, afterMs: 0 };
}

function pathIn(line: string): string {
  return line.slice(line.indexOf(':') + 1).replace(/ (?:SIZE|BODY|RET)=.*$/, '');
}

function among(answers: readonly Answer[], path: string): string {
  const found = answers.find(([pattern]) => pattern.test(path));
  if (found === undefined) throw new Error(`the product has no answer to ${path}`);
  return fill(found[1], { path, mailbox: path.replace(/^<|>$/g, '') });
}

function fill(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);
}

// Inside TLS it is not offered again (RFC 3207 §4.2).
function withoutTls(ehlo: string, secure: boolean): string {
  if (!secure) return ehlo;
  return ehlo.replace(/^250-STARTTLS\n/m, '').replace(/\n250-(.*)\n250 STARTTLS$/, '\n250 $1');
}
