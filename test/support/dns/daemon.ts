import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { rootOf } from '../mta/namespace.ts';

const STOP_MS = 5_000;

/** A server of a Debian package that is about to run, and the folder for its files, as we see it and as it does. */
export type Daemon = {
  readonly folder: string;
  readonly inside: string;
  readonly start: (command: readonly string[]) => RunningDaemon;
};

export type RunningDaemon = {
  readonly signal: (name: 'SIGHUP') => void;
  /** Ends it and all its processes, and forgets its folder. */
  readonly stop: () => Promise<void>;
};

/** Makes a folder for a server in the root that its package was unpacked into. */
export function openDaemon(root: string): Daemon {
  const folder = mkdtempSync(`${rootOf(root)}/tmp/run-`);
  return { folder, inside: `/tmp/${basename(folder)}`, start: (command) => start(root, command, folder) };
}

function start(root: string, command: readonly string[], folder: string): RunningDaemon {
  const child = spawn('chroot', [rootOf(root), ...command], { stdio: 'ignore', detached: true });
  const exit = once(child, 'exit');
  const forget = () => rmSync(folder, { recursive: true, force: true });
  // The server and the processes it works in are a group of their own.
  const end = (name: 'SIGTERM' | 'SIGKILL') => {
    try {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  const abandon = () => {
    end('SIGKILL');
    forget();
  };
  process.once('exit', abandon);
  return {
    signal: (name) => child.kill(name),
    async stop() {
      process.off('exit', abandon);
      end('SIGTERM');
      if ((await Promise.race([exit, wait(STOP_MS, undefined, { ref: false })])) === undefined) end('SIGKILL');
      await exit;
      forget();
    },
  };
}
