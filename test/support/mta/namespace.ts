import { execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A network of its own with one veth to this machine: servers in it see us as a stranger from outside, as the Internet's would. */
export type Namespace = {
  /** The blocks that its servers and our end of the veth are in. */
  readonly networks: readonly string[];
  /** Our end: where servers in it can reach us. */
  readonly ourAddress: string;
  /** Further addresses of our end, from which nobody has called yet. */
  readonly strangers: readonly string[];
  /** An address for a server; `n` from 2 to 254. */
  address(n: number): string;
  /** The same server's IPv6 address. */
  address6(n: number): string;
  /** Starts a program in it, its root the unpacked folder of a mail server. */
  spawn(mta: string, command: readonly string[], options?: SpawnOptions): ReturnType<typeof spawn>;
  close(): void;
};

const STRANGERS = 254; // as many as a /24 has
const UNPACKED = fileURLToPath(new URL('../../../.mtas/', import.meta.url));

/** The folder that `.ci/install-mtas.sh` unpacked a mail server into. */
export function rootOf(mta: string): string {
  return `${UNPACKED}${mta}`;
}

/** Whether this machine can run the mail server: it was unpacked, and we may make namespaces. Asked to have it, a test fails without. */
export function hasMta(mta: string): boolean {
  return process.env.RELAY_AUDIT_MTAS_REQUIRED === '1' || (process.getuid?.() === 0 && existsSync(`${rootOf(mta)}/.unpacked`));
}

/** What the names of tests with these servers say that they need. */
export function needsMta(...mtas: readonly string[]): string {
  return `needs root and ${mtas.join(' and ')}: bash .ci/install-mtas.sh`;
}

/**
 * Opens a namespace on 198.18.`third`.0/24, with strangers at 198.19.`third`.0/24 (RFC 2544: benchmarks, never on the Internet), and on
 * fd98:18:`third`::/64 (RFC 4193: private).
 */
export function openNamespace(third: number): Namespace {
  const [name, ours, theirs] = [`relay-audit-${third}`, `ra${third}o`, `ra${third}t`];
  const prefix = `198.18.${third}`;
  const prefix6 = `fd98:18:${third}:`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // A daemon that outlives its server would keep the namespace and its end of the veth, and the next run could not make them.
  const close = () => {
    for (const pid of ip('netns', 'pids', name).toString().split('\n').filter(Boolean)) end(Number(pid));
    ip('netns', 'del', name);
  };
  if (existsSync(`/run/netns/${name}`)) close(); // left behind by a run that was killed
  // Asked of the kernel: /sys shows the links of the network that it was mounted in, which may be another.
  if (spawnSync('ip', ['link', 'show', ours]).status === 0) ip('link', 'del', ours);
  ip('netns', 'add', name);
  ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name);
  ip('addr', 'add', `${prefix}.1/24`, 'dev', ours);
  ip('addr', 'add', `${prefix6}:1/64`, 'dev', ours, 'nodad');
  const strangers = Array.from({ length: STRANGERS }, (_, i) => `198.19.${third}.${i + 1}`);
  execFileSync('ip', ['-batch', '-'], { input: strangers.map((each) => `addr add ${each}/32 dev ${ours}\n`).join('') });
  ip('link', 'set', ours, 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const batch = Array.from(
    { length: 253 },
    (_, i) => `addr add ${prefix}.${i + 2}/24 dev ${theirs}\naddr add ${prefix6}:${(i + 2).toString(16)}/64 dev ${theirs} nodad\n`,
  ).join('');
  execFileSync('ip', ['-n', name, '-batch', '-'], { input: batch });
  ip('-n', name, 'link', 'set', theirs, 'up');
  ip('-n', name, 'route', 'add', `198.19.${third}.0/24`, 'dev', theirs);
  return {
    networks: [`${prefix}.0/24`, `${prefix6}:/64`],
    ourAddress: `${prefix}.1`,
    strangers,
    address: (n) => `${prefix}.${n}`,
    address6: (n) => `${prefix6}:${n.toString(16)}`,
    spawn: (mta, command, options = {}) => spawn('ip', ['netns', 'exec', name, 'chroot', rootOf(mta), ...command], options),
    close,
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself since it was listed.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
