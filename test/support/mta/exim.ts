import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { untilGreets, untilListens } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** A running Exim with one configuration, listening on port 25 of one address. */
export type Exim = { readonly address: string; stop(): Promise<void> };

/** What Debian's configuration asks its administrator, and what is changed in the file that it makes of the answers. */
export type EximSettings = {
  /** dc_relay_nets: "machines to relay mail for". */
  readonly relayNets?: string;
  /** Main options and macros, put before all of Debian's. */
  readonly main?: string;
  readonly edit?: (configuration: string) => string;
  /** What becomes of mail that it accepts: by default it stays in the queue. */
  readonly foreignMail?: 'queued' | 'canary-delivered' | 'discarded';
  /** Offers STARTTLS, with a certificate of its own making. */
  readonly tls?: boolean;
  /** Whether bounces to the canary domain and the names below it are sent there, and not thrown away. */
  readonly bounces?: boolean;
  /** Whether callers wait long for its greeting. */
  readonly greetsLate?: boolean;
  /** Listens on this address of the namespace's loopback instead: a server behind the one that strangers reach. */
  readonly inside?: string;
};

const EXIM_ID = 990;
const PASSWD = `root:x:0:0::/root:/bin/sh
mail:x:8:8::/:/bin/false
uucp:x:10:10::/:/bin/false
Debian-exim:x:${EXIM_ID}:${EXIM_ID}::/:/bin/false
nobody:x:65534:65534::/:/bin/false
`;
const GROUP = `root:x:0:\nadm:x:4:\nmail:x:8:\nuucp:x:10:\nDebian-exim:x:${EXIM_ID}:\nnogroup:x:65534:\n`;
const ALIASES = ['postmaster', 'root', 'mail', 'uucp', 'nobody', 'debian-exim'].map((name) => `${name}: :blackhole:\n`).join('');

/** An expansion in Exim's configuration language: its braces around `item`. */
export function expansion(item: string): string {
  return `$\{${item}}`;
}

/** Starts Exim as Debian configures it for "internet site", changed by `settings`. */
export async function startExim(namespace: Namespace, n: number, settings: EximSettings = {}): Promise<Exim> {
  const [root, address] = [rootOf('exim'), settings.inside ?? namespace.address(n)];
  const name = `exim-${namespace.address(n)}`;
  const [spool, log, answers, made] = [`/var/spool/${name}`, `/var/log/${name}`, `/etc/${name}`, `/etc/${name}.conf`];
  for (const folder of [spool, log, answers]) rmSync(root + folder, { recursive: true, force: true });
  writeSystemFiles(root);
  cpSync(`${root}/etc/exim4`, root + answers, { recursive: true });
  writeFileSync(`${root}${answers}/update-exim4.conf.conf`, answersFile(address, settings.relayNets ?? ''));
  for (const folder of [spool, log]) {
    mkdirSync(root + folder);
    chownSync(root + folder, EXIM_ID, EXIM_ID);
  }
  execFileSync('chroot', [root, '/usr/sbin/update-exim4.conf', '-d', answers, '-o', made]);
  const debian = readFileSync(root + made, 'utf8').replace(/^(spool_directory|log_file_path) = .*$/gm, '');
  const own = `spool_directory = ${spool}\nlog_file_path = ${log}/%slog\nprimary_hostname = mx.served.example\n`;
  const tls = settings.tls ? makeCertificate(root, answers) : '';
  writeFileSync(root + made, own + tls + configurationFor(settings, debian, namespace.ourAddress));
  const child = namespace.spawn('exim', ['/usr/sbin/exim4', '-bdf', '-oX', `${address}.25`, '-C', made, '-oP', `${spool}/pid`], {
    stdio: 'ignore',
    detached: true,
  });
  const exit = once(child, 'exit');
  if (settings.inside === undefined) await (settings.greetsLate ? untilListens : untilGreets)(address, `${root}${log}/mainlog`);
  return {
    address,
    async stop() {
      process.kill(-(child.pid ?? 0), 'SIGTERM'); // with those of its processes that still serve a connection
      await exit;
    },
  };
}

// Others that run beside it read these files: what is as it should be is left alone.
function writeSystemFiles(root: string): void {
  const files = { passwd: PASSWD, group: GROUP, mailname: 'mx.served.example\n', aliases: ALIASES };
  for (const [name, text] of Object.entries(files)) {
    const path = `${root}/etc/${name}`;
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
}

function configurationFor(
  { main = '', edit, foreignMail = 'queued', bounces = false }: EximSettings,
  debian: string,
  sink: string,
): string {
  const queue = `queue_only = ${foreignMail === 'queued'}\n`;
  const routed = debian.replace(
    /^begin routers\n/m,
    `begin routers\n${foreignMail === 'queued' ? '' : routers(foreignMail, bounces, sink)}`,
  );
  return `${queue}${main}\n${edit?.(routed) ?? routed}`;
}

// In front of all of Debian's: a bounce has no host that it came from.
function routers(foreignMail: 'canary-delivered' | 'discarded', bounces: boolean, sink: string): string {
  const discard = (name: string, which: string) => `${name}:\n  driver = redirect\n  ${which}\n  data = :blackhole:\n\n`;
  const canary = `canary:
  driver = manualroute
  domains = canary.example : *.canary.example
  route_list = * ${sink} byname
  transport = remote_smtp
  no_more

`;
  return [
    bounces ? '' : discard('bounces', `condition = ${expansion('if def:sender_host_address{no}{yes}')}`),
    foreignMail === 'canary-delivered' ? canary : '',
    discard('foreign', 'domains = ! +local_domains'),
  ].join('');
}

function makeCertificate(root: string, folder: string): string {
  const [key, certificate] = [`${folder}/exim.key`, `${folder}/exim.crt`];
  const subject = ['-subj', '/CN=mx.served.example', '-days', '30'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', root + key, '-out', root + certificate, ...subject],
    {
      stdio: 'ignore',
    },
  );
  for (const file of [key, certificate]) chownSync(root + file, EXIM_ID, EXIM_ID);
  return `MAIN_TLS_ENABLE = yes\nMAIN_TLS_CERTIFICATE = ${certificate}\nMAIN_TLS_PRIVATEKEY = ${key}\n`;
}

function answersFile(address: string, relayNets: string): string {
  return `dc_eximconfig_configtype='internet'
dc_other_hostnames='served.example'
dc_local_interfaces='${address}'
dc_relay_nets='${relayNets}'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
`;
}
