import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { RunningMta } from './case.ts';
import { untilGreets, untilListens } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** What is added to a Haraka that serves `served.example`. */
export type HarakaSettings = {
  /** Its plugins in order, without those that take mail away; own ones by the names in `own`. Without: `rcpt_to.in_host_list`. */
  readonly plugins?: readonly string[];
  /** Plugins of the administrator's: name and code. */
  readonly own?: Readonly<Record<string, string>>;
  /** Files of its folder `config`; `$sink` is the sink's address. */
  readonly config?: Readonly<Record<string, string>>;
  /** Ports to listen on. Without: 25. */
  readonly ports?: readonly number[];
  /** Whether it listens on its IPv6 address too, where strangers come to it. */
  readonly ipv6?: boolean;
  /** Whether bounces to the canary domain and the names below it are sent there, and not thrown away. */
  readonly bounces?: boolean;
  /** Those whom it takes for proxies that tell it of the client. */
  readonly proxies?: string;
  /** Listens on this address of the namespace's loopback instead: a server behind the one that strangers reach. */
  readonly inside?: string;
  /** Whether callers wait long for its greeting. */
  readonly greetsLate?: boolean;
  /** The environment of its process. */
  readonly env?: Readonly<Record<string, string>>;
};

const MACHINE = relative(rootOf(''), '/'); // it runs on this machine's Node.js: its root is the machine's

/** Starts Haraka, changed by `settings`. What it relays to the canary's domain goes to the sink; all else that it takes is thrown away. */
export async function startHaraka(namespace: Namespace, n: number, settings: HarakaSettings = {}): Promise<RunningMta> {
  const { plugins = ['rcpt_to.in_host_list'], own = {}, ports = [25], ipv6 = false, env = {} } = settings;
  const folder = `${rootOf('haraka')}/haraka-${namespace.address(n)}`;
  const address = ipv6 ? namespace.address6(n) : namespace.address(n);
  const hosts = [settings.inside ?? namespace.address(n), ...(ipv6 ? [`[${namespace.address6(n)}]`] : [])];
  rmSync(folder, { recursive: true, force: true });
  for (const each of ['config', 'plugins', 'queue']) mkdirSync(`${folder}/${each}`, { recursive: true });
  const installed = `${rootOf('haraka')}/node_modules/Haraka`;
  copyFileSync(`${installed}/config/log.ini`, `${folder}/config/log.ini`);
  const connection = readFileSync(`${installed}/config/connection.ini`, 'utf8');
  writeFileSync(`${folder}/config/connection.ini`, connection.replace(/^hosts\[\] =$/m, `hosts[] = ${settings.proxies ?? ''}`));
  const files = {
    plugins: [...plugins, 'to_sink', ...(settings.bounces ? [] : ['no_bounces']), 'throw_away'].join('\n'),
    me: 'mx.served.example\n',
    host_list: 'served.example\n',
    'smtp.ini': `listen=${hosts.flatMap((host) => ports.map((port) => `${host}:${port}`)).join(',')}\nnodes=0\n`,
    ...settings.config,
  };
  for (const [name, text] of Object.entries(files))
    writeFileSync(`${folder}/config/${name}`, text.replaceAll('$sink', namespace.ourAddress));
  const code = { to_sink: TO_SINK, no_bounces: NO_BOUNCES, throw_away: THROW_AWAY, ...own };
  for (const [name, text] of Object.entries(code))
    writeFileSync(`${folder}/plugins/${name}.js`, text.replaceAll('$sink', namespace.ourAddress));
  makeTlsFiles(`${folder}/config`);
  const log = openSync(`${folder}/log`, 'w');
  const child = namespace.spawn(MACHINE, [process.execPath, `${installed}/haraka.js`], {
    stdio: ['ignore', log, log],
    detached: true,
    env: { PATH: process.env.PATH, HARAKA: folder, ...env },
  });
  closeSync(log);
  const exit = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
  };
  const ready =
    settings.inside === undefined ? (settings.greetsLate ? untilListens : untilGreets)(address, `${folder}/log`) : Promise.resolve();
  await ready.catch(async (error) => {
    await stop();
    throw error;
  });
  return { address, stop };
}

const TO_SINK = `
exports.hook_get_mx = (next, item, domain) => {
  if (/(^|\\.)canary\\.example$/.test(domain)) return next(OK, { priority: 0, exchange: '$sink', port: 25 });
  next(DENY, 'not for the sink');
};
`;

const NO_BOUNCES = `
exports.hook_bounce = (next) => next(OK);
`;

const THROW_AWAY = `
exports.hook_queue = (next) => next(OK);
`;

// Without parameters of its own Haraka makes some, for a minute of a processor's time; these are RFC 7919's.
function makeTlsFiles(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${folder}/tls_key.pem`];
  openssl('req', '-x509', '-days', '30', '-subj', '/CN=mx.served.example', ...key, '-out', `${folder}/tls_cert.pem`);
  openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', `${folder}/dhparams.pem`);
}
