import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RunningMta } from './case.ts';
import { untilGreets, untilListens } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** What is changed in Debian's smtpd.conf. */
export type OpenSmtpdSettings = {
  /** The listeners: `$ipv4` or `$ipv6`, and options. Without: `$ipv4`. */
  readonly listen?: readonly string[];
  /** Lines before the rules: filters and actions. */
  readonly declarations?: readonly string[];
  /** Rules before Debian's own; see `relayFrom` for those that relay. */
  readonly rules?: readonly string[];
  /** Programs of the administrator's that filter: name and shell script. A filter's line says `proc-exec "$bin/NAME"`. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Listens on this address of the namespace's loopback instead: a server behind the one that strangers reach. */
  readonly inside?: string;
  /** Whether callers wait long for its greeting. */
  readonly greetsLate?: boolean;
  /** Whether strangers come to it over IPv6. */
  readonly ipv6?: boolean;
};

const OPENSMTPD_ID = 990;
const QUEUE_ID = 991;
// What every instance reads.
const SHARED_FILES = {
  '/etc/passwd': `root:x:0:0::/root:/bin/sh
nobody:x:65534:65534::/:/bin/false
opensmtpd:x:${OPENSMTPD_ID}:${OPENSMTPD_ID}::/var/lib/opensmtpd/empty:/bin/false
opensmtpq:x:${QUEUE_ID}:${QUEUE_ID}::/var/lib/opensmtpd/empty:/bin/false
mail:x:8:8::/tmp:/bin/false
`,
  '/etc/group': `root:x:0:\nnogroup:x:65534:\nopensmtpd:x:${OPENSMTPD_ID}:\nopensmtpq:x:${QUEUE_ID}:\nmail:x:8:\n`,
  '/etc/aliases': 'postmaster: mail\n',
  '/etc/mailname': 'mx.served.example\n',
  '/etc/resolv.conf': 'lookup file\n',
};

/** The rules that relay what meets a condition: to the sink for the canary's domain; all else waits in the queue for a closed port. */
export function relayFrom(condition: string): string[] {
  return [
    `match ${condition} for domain { "canary.example", "*.canary.example" } action "relay"`,
    `match ${condition} for any action "hold"`,
  ];
}

/** Starts OpenSMTPD as Debian configures it, serving `served.example` to everyone, changed by `settings`. Its own mail is thrown away. */
export async function startOpenSmtpd(namespace: Namespace, n: number, settings: OpenSmtpdSettings = {}): Promise<RunningMta> {
  const [root, name] = [rootOf('opensmtpd'), `opensmtpd-${namespace.address(n)}`];
  const address = settings.ipv6 ? namespace.address6(n) : namespace.address(n);
  const [config, log] = [`/etc/${name}`, `/var/log/${name}.log`];
  for (const each of [config, log]) rmSync(root + each, { recursive: true, force: true });
  prepare(root);
  mkdirSync(root + config);
  makeCertificate(root + config);
  for (const [each, script] of Object.entries(settings.programs ?? {})) writeFileSync(`${root}${config}/${each}`, script, { mode: 0o755 });
  writeFileSync(`${root}${config}/smtpd.conf`, smtpdConf(namespace, n, config, settings));
  // The paths of queue and control socket are built in. `ip netns exec` gives each server mounts of its own, gone when it ends.
  const command = `mount -t tmpfs -o mode=711 none /var/spool/smtpd && mount -t tmpfs none /var/run && exec smtpd -dv -f ${config}/smtpd.conf >${log} 2>&1`;
  const child = namespace.spawn('opensmtpd', ['/bin/sh', '-c', command], {
    stdio: 'ignore',
    detached: true,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  const exit = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
  };
  const ready = settings.inside === undefined ? (settings.greetsLate ? untilListens : untilGreets)(address, root + log) : Promise.resolve();
  await ready.catch(async (error) => {
    await stop();
    throw error;
  });
  return { address, stop };
}

// Other instances may be reading these files: what is as it should be is left alone.
function prepare(root: string): void {
  for (const [path, text] of Object.entries(SHARED_FILES))
    if (!existsSync(root + path) || readFileSync(root + path, 'utf8') !== text) writeFileSync(root + path, text);
  for (const folder of ['/var/lib/opensmtpd/empty', '/var/spool/smtpd', '/var/run']) mkdirSync(root + folder, { recursive: true });
}

// Debian's smtpd.conf with its suggestion for external mail taken, where relayed mail goes, and `settings`.
function smtpdConf(namespace: Namespace, n: number, config: string, settings: OpenSmtpdSettings): string {
  const { listen = ['$ipv4'], declarations = [], rules = [] } = settings;
  return `ipv4 = "${settings.inside ?? namespace.address(n)}"
ipv6 = "${namespace.address6(n)}"
table aliases file:/etc/aliases
pki mx.served.example cert "${config}/tls.crt"
pki mx.served.example key "${config}/tls.key"
${declarations.join('\n').replaceAll('$bin', config)}
${listen.map((each) => `listen on ${each}`).join('\n')}
action "local" mda "cat >/dev/null" alias <aliases>
action "relay" relay host smtp://${namespace.ourAddress}:25
action "hold" relay host smtp://127.0.0.1:9
${rules.join('\n')}
match from any for domain "served.example" action "local"
match for local action "local"
match from local for any action "relay"
`;
}

function makeCertificate(folder: string): void {
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
      .concat('-subj', '/CN=mx.served.example')
      .concat('-keyout', `${folder}/tls.key`, '-out', `${folder}/tls.crt`),
    { stdio: 'ignore' },
  );
  chmodSync(`${folder}/tls.key`, 0o600);
}
