import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../infra/local/commands/main.ts', import.meta.url));
const READY_MS = 30_000;

/** A mail as the SES viewer shows it. */
export type StoredMail = {
  readonly subject: string;
  readonly destination: { readonly to: string[] };
  readonly body: { readonly text: string; readonly html: string };
  /** The notice that its tag names. */
  readonly noticeId?: string;
};

/** The local service in a process of its own, started as `npm start` starts it. */
export type RunningService = {
  readonly baseUrl: string;
  readonly mailUrl: string;
  readonly apiKey: string;
  readonly data: string;
  readonly process: ChildProcess;
  output(): string;
  /** A request with the key; gives status, headers and the parsed body. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  mails(): Promise<StoredMail[]>;
  /** Ctrl-C; gives the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: any };

/** A folder that is removed when the test process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the program and gives what it printed and its exit code, for starts that are meant to fail. */
export async function runToEnd(args: readonly string[], script = MAIN): Promise<{ code: number | null; output: string }> {
  const { child, output } = start(args, {}, script);
  const code = await exitOf(child);
  return { code, output: output() };
}

/** Starts the service and waits until it is ready. */
export async function startLocalService(args: readonly string[], env: Record<string, string> = {}): Promise<RunningService> {
  const { child, output } = start(args, env);
  const exit = exitOf(child);
  const ready = await Promise.race([untilReady(output), exit.then((code) => `ended with ${code}`)]);
  if (ready !== 'ready') throw new Error(`the service is not ready (${ready}):\n${output()}`);
  const find = (label: string) => new RegExp(`^ *${label} +(\\S+)$`, 'm').exec(output())?.[1] ?? '';
  const [baseUrl, mailUrl, apiKey] = [find('API'), find('mails'), find('API key')];
  return {
    baseUrl,
    mailUrl,
    apiKey,
    data: find('data'),
    process: child,
    output,
    call: (method, path, body) => call(baseUrl + path, method, apiKey, body),
    async mails() {
      const { emails } = (await (await fetch(`${mailUrl}store`)).json()) as { emails: StoredMail[] };
      return emails;
    },
    stop() {
      child.kill('SIGINT');
      return exit;
    },
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

const SES = fileURLToPath(new URL('./ses-process.ts', import.meta.url));

/** Starts the SES endpoint in a process of its own, which outlives services that are killed. */
export async function startSesProcess(): Promise<{ readonly endpoint: string; stop(): Promise<unknown> }> {
  const { child, output } = start([temporaryFolder()], {}, SES);
  const exit = exitOf(child);
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline && child.exitCode === null; ) {
    const [, endpoint] = /^SES answers at (\S+)$/m.exec(output()) ?? [];
    if (endpoint !== undefined)
      return {
        endpoint,
        stop: () => {
          child.kill('SIGTERM');
          return exit;
        },
      };
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`the SES endpoint did not start:\n${output()}`);
}

/** One HTTP request with an API key. */
export async function call(url: string, method: string, apiKey: string, body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** Asks again until the answer is there, for things that another process does in its own time. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, withinMs = 30_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`did not come to pass: ${what}`);
}

/** The processes that were started, directly or not, by the given one. */
export function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const pids = children === '' ? [] : children.split(' ').map(Number);
  return pids.flatMap((child) => [child, ...descendants(child)]);
}

function start(args: readonly string[], env: Record<string, string>, script = MAIN) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return { child, output: () => text };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => child.once('exit', (code) => done(code)));
}

async function untilReady(output: () => string): Promise<string> {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline; ) {
    if (output().includes('Ctrl-C stops it')) return 'ready';
    await new Promise((done) => setTimeout(done, 20));
  }
  return 'took too long';
}
