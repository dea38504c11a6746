import { once } from 'node:events';
import { cpSync, existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type Namespace, rootOf } from './namespace.ts';

const START_MS = 20_000;

/**
 * Starts Debian's fail2ban with its stock Postfix jail on a server's log: five refusals in ten minutes ban the address for ten.
 * The ban holds for the n-th address of the namespace only, so that servers beside it stay within reach.
 */
export async function startFail2ban(namespace: Namespace, n: number, log: string): Promise<{ stop(): Promise<void> }> {
  const [root, name] = [rootOf('fail2ban'), `fail2ban-${namespace.address(n)}`];
  const [config, watched, own] = [`/etc/${name}`, `/var/log/${name}-watched.log`, `/var/log/${name}.log`];
  for (const path of [config, watched, own]) rmSync(root + path, { recursive: true, force: true });
  cpSync(`${root}/etc/fail2ban`, root + config, { recursive: true });
  linkSync(log, root + watched);
  writeFileSync(`${root}${config}/fail2ban.local`, `[DEFAULT]\nlogtarget = ${own}\ndbfile = None\n`);
  writeFileSync(`${root}${config}/jail.local`, jails(watched, chainOf(n)));
  linkIptables(root);

  await iptables(namespace, '-N', chainOf(n));
  await iptables(namespace, '-I', 'INPUT', '-d', namespace.address(n), '-j', chainOf(n));
  const run = ['-c', config, '-s', `/tmp/${name}.sock`, '-p', `/tmp/${name}.pid`];
  const child = namespace.spawn('fail2ban', ['/usr/bin/fail2ban-server', ...run, '-f', 'start'], { stdio: 'ignore', detached: true });
  const exit = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
    await iptables(namespace, '-D', 'INPUT', '-d', namespace.address(n), '-j', chainOf(n));
    await iptables(namespace, '-X', chainOf(n));
  };
  try {
    await untilWatches(root + own);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

const chainOf = (n: number) => `server-${n}`;

// Debian's sshd jail, the only one on by default, would find no log here.
function jails(log: string, chain: string): string {
  return `[sshd]\nenabled = false\n\n[postfix]\nenabled = true\nlogpath = ${log}\nchain = ${chain}\n`;
}

// Debian's packages leave these names to update-alternatives.
function linkIptables(root: string): void {
  for (const tool of ['iptables', 'ip6tables']) {
    if (!existsSync(`${root}/usr/sbin/${tool}-nft`)) throw new Error(`${root} has no ${tool}: run .ci/install-mtas.sh`);
    rmSync(`${root}/usr/sbin/${tool}`, { force: true });
    symlinkSync(`${tool}-nft`, `${root}/usr/sbin/${tool}`);
  }
}

async function iptables(namespace: Namespace, ...args: string[]): Promise<void> {
  const [code] = await once(namespace.spawn('fail2ban', ['/usr/sbin/iptables-nft', '-w', ...args], { stdio: 'inherit' }), 'exit');
  if (code !== 0) throw new Error(`iptables ${args.join(' ')} ended with ${code}`);
}

async function untilWatches(log: string): Promise<void> {
  const written = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(50)) {
    if (written().includes("Jail 'postfix' started")) return;
  }
  throw new Error(`fail2ban does not watch; its log:\n${written()}`);
}
