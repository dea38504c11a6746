import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunningMta } from './case.ts';
import { untilGreets } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** The root of programs that run on this machine's own system, Node.js among them. */
export const MACHINE = relative(rootOf(''), '/');

/**
 * A mail server that is one program and its files. In the command, the environment and the files, `$address` stands for its address,
 * `$sink` for the sink's and `$folder` for the folder of its own that the files are in.
 */
export type Program = {
  /** The folder under .mtas that is its root. `MACHINE`: its files are under the folder that `home` names. */
  readonly root: string;
  readonly home?: string;
  readonly command: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Commands that are run before it, each to its end. */
  readonly before?: readonly (readonly string[])[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether another program is in front of it, and greets strangers. */
  readonly inside?: boolean;
};

const END_MS = 3_000; // what a server needs at most to end when it is asked to
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts such a server on the n-th address, and waits for its greeting, unless it is inside. */
export async function startProgram(namespace: Namespace, n: number, program: Program): Promise<RunningMta> {
  const { root, home = root, inside = false } = program;
  const address = namespace.address(n);
  const outside = `${rootOf(home)}/srv/${address}`;
  const filled = (text: string) =>
    text
      .replaceAll('$address', address)
      .replaceAll('$sink', namespace.ourAddress)
      .replaceAll('$folder', root === MACHINE ? outside : `/srv/${address}`);
  rmSync(outside, { recursive: true, force: true });
  mkdirSync(outside, { recursive: true });
  for (const [name, text] of Object.entries(program.files ?? {})) {
    mkdirSync(dirname(`${outside}/${name}`), { recursive: true });
    writeFileSync(`${outside}/${name}`, filled(text), { mode: 0o755 });
  }
  const env = Object.fromEntries(Object.entries({ PATH, HOME: '$folder', ...program.env }).map(([name, value]) => [name, filled(value)]));
  const log = `${outside}/log`;
  const run = (command: readonly string[]) => {
    const file = openSync(log, 'a');
    const child = namespace.spawn(root, command.map(filled), { stdio: ['ignore', file, file], detached: true, env });
    closeSync(file);
    return { child, exit: once(child, 'exit') };
  };
  for (const command of program.before ?? []) {
    const [code] = await run(command).exit;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with code ${code}:\n${readFileSync(log, 'utf8')}`);
  }
  const { child, exit } = run(program.command);
  const stop = () => end(child.pid, exit);
  if (!inside)
    await untilGreets(address, log).catch(async (error) => {
      await stop();
      throw error;
    });
  return { address, stop };
}

// Its whole process group: some start others.
async function end(group: number | undefined, exit: Promise<unknown>): Promise<void> {
  if (group === undefined) return;
  const signal = (name: 'SIGTERM' | 'SIGKILL') => {
    if (existsSync(`/proc/${group}`) || name === 'SIGKILL') tryKill(-group, name);
  };
  signal('SIGTERM');
  await Promise.race([exit, wait(END_MS)]);
  signal('SIGKILL');
  await exit;
}

function tryKill(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended already
  }
}
