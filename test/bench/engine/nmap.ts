import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** One run of nmap: wall and CPU time of the whole command, and how many hosts it called closed and open. */
export type NmapRun = { readonly seconds: number; readonly cpuSeconds: number; readonly closed: number; readonly open: number };

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux (proc(5))
const SCRIPT_TIMEOUT = '180s'; // sixteen tests at a server that answers each after five seconds, twice over
const BASE = ['-Pn', '-n', '-p', '25'];

/** Whether nmap with its relay script is installed. */
export function hasNmap(): boolean {
  return spawnSync('nmap', ['--script-help', 'smtp-open-relay'], { stdio: 'ignore' }).status === 0;
}

/** Runs nmap's relay script on port 25 of some addresses; `options` are nmap's own. */
export function scanForRelays(addresses: readonly string[], options: readonly string[] = []): Promise<NmapRun> {
  return run([...BASE, '--script', 'smtp-open-relay', ...options, '-iL', '-'], addresses);
}

/**
 * What nmap's relay script says of one server, asked at these ports with the script's own settings: `open` if it says so of one of
 * them, `closed` if of at least one and never open.
 */
export async function askNmap(address: string, ports: readonly number[] = [25, 465, 587]): Promise<'open' | 'closed' | 'unknown'> {
  const family = address.includes(':') ? ['-6'] : [];
  const args = ['-Pn', '-n', ...family, '-p', ports.join(','), '--script', '+smtp-open-relay', '--script-timeout', SCRIPT_TIMEOUT, address];
  const { closed, open } = await run(args, []);
  return open > 0 ? 'open' : closed > 0 ? 'closed' : 'unknown';
}

/** Runs nmap on port 25 of an address without any script: what it takes to start, and to find the port open. */
export function scanPort(address: string): Promise<NmapRun> {
  return run([...BASE, '-iL', '-'], [address]);
}

async function run(args: readonly string[], addresses: readonly string[]): Promise<NmapRun> {
  const [began, cpuBefore] = [performance.now(), cpuOfEndedChildren()];
  const child = spawn('nmap', args, { stdio: 'pipe' });
  child.stdin.end(addresses.join('\n'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString('latin1');
    });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`nmap ended with code ${code}:\n${output}`);
  return {
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: cpuOfEndedChildren() - cpuBefore,
    closed: output.split("Server doesn't seem to be an open relay, all tests failed").length - 1,
    open: output.split('Server is an open relay').length - 1,
  };
}

// Fields 16 and 17 of proc(5): user and system time of children that have ended and were waited for.
function cpuOfEndedChildren(): number {
  const [, fields = ''] = readFileSync('/proc/self/stat', 'latin1').split(') ');
  const [user, system] = fields.split(' ').slice(13, 15).map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) / TICKS_PER_SECOND;
}
