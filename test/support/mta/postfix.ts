import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { untilGreets } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** A running Postfix with one configuration, listening on port 25 of one address. */
export type Postfix = {
  readonly address: string;
  /** Path of its log, as seen from outside its root. */
  readonly log: string;
  /** Edits main.cf as an administrator would, and restarts. */
  edit(settings: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
};

export type PostfixSetup = {
  /** Edits master.cf, in which our address stands for "every interface". */
  readonly services?: (stock: string, address: string) => string;
  /** Listens on this address of the namespace's loopback instead: a server behind the one that strangers reach. */
  readonly inside?: string;
  /** What it logs when it is ready, for one that keeps a caller waiting; without, it is ready when it greets. */
  readonly ready?: string;
};

const START_MS = 20_000;
/** What Postfix logs when it is about to listen. */
export const STARTED = 'daemon started';
const POSTFIX_ID = 990;
const POSTDROP_ID = 991;
const QUEUES = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved', 'trace'];
const SERVED_DOMAIN = 'served.example';
const CANARY_DOMAIN = 'canary.example';

/**
 * Debian's own main.cf, as the package writes it for "Internet Site", at another address and with its log in a file. Its only user is
 * the postmaster, whose mail is thrown away; mail that it relays to the canary domain goes to the sink, and other mail and bounces nowhere.
 */
function mainCf(name: string, interfaces: string, sink: string): Record<string, string> {
  return {
    compatibility_level: '3.6',
    smtpd_banner: '$myhostname ESMTP $mail_name (Debian/GNU)',
    myhostname: `mx.${SERVED_DOMAIN}`,
    mydestination: `$myhostname, ${SERVED_DOMAIN}, localhost`,
    smtpd_relay_restrictions: 'permit_mynetworks permit_sasl_authenticated defer_unauth_destination',
    mynetworks: '127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128',
    relayhost: '',
    inet_interfaces: interfaces,
    inet_protocols: 'ipv4',
    alias_maps: '',
    local_recipient_maps: 'inline:{ postmaster=x }',
    mailbox_size_limit: '0',
    recipient_delimiter: '+',
    queue_directory: `/var/spool/${name}`,
    data_directory: `/var/lib/${name}`,
    maillog_file: `/var/log/${name}.log`,
    default_transport: 'discard',
    relay_transport: 'discard',
    local_transport: 'discard',
    transport_maps: `inline:{ ${CANARY_DOMAIN}=smtp:[${sink}]:25, .${CANARY_DOMAIN}=smtp:[${sink}]:25 }`,
    internal_mail_filter_classes: 'bounce',
    header_checks: 'regexp:{{/^From: MAILER-DAEMON/ DISCARD}}',
  };
}

/** Starts Postfix with Debian's default configuration, changed by `settings`. `$config_directory/tls.pem` is a certificate with its key. */
export async function startPostfix(
  namespace: Namespace,
  n: number,
  settings: Readonly<Record<string, string>> = {},
  { services = (stock) => stock, inside, ready = inside === undefined ? undefined : STARTED }: PostfixSetup = {},
): Promise<Postfix> {
  const root = rootOf('postfix');
  const address = inside ?? namespace.address(n);
  const name = `postfix-${namespace.address(n)}${inside === undefined ? '' : '-inside'}`;
  const [config, log] = [`${root}/etc/${name}`, `${root}/var/log/${name}.log`];
  for (const path of [config, log, `${root}/var/spool/${name}`, `${root}/var/lib/${name}`]) rmSync(path, { recursive: true, force: true });
  writeUsers(root);
  makeFolders(root, name);
  mkdirSync(config);
  makeCertificate(root, `/etc/${name}/tls.pem`);
  writeFileSync(`${config}/master.cf`, services(masterCf(root, address), address));
  writeFileSync(`${config}/dynamicmaps.cf`, '');
  const main = { ...mainCf(name, inside === undefined ? address : 'loopback-only', namespace.ourAddress), ...settings };
  write(config, main);
  const start = async () => {
    const child = namespace.spawn('postfix', ['/usr/lib/postfix/sbin/master', '-d', '-c', `/etc/${name}`], {
      stdio: 'inherit',
      detached: true,
    });
    const exit = once(child, 'exit');
    const end = async () => {
      child.kill('SIGTERM');
      await exit;
    };
    try {
      await (ready === undefined ? untilGreets(address, log) : untilLogs(log, ready));
    } catch (error) {
      await end();
      throw error;
    }
    return end;
  };
  let stop = await start();
  return {
    address,
    log,
    async edit(changed) {
      write(config, { ...main, ...changed });
      await stop(); // a reload would let running smtpd processes answer a little longer as before
      stop = await start();
    },
    stop: () => stop(),
  };
}

function write(config: string, settings: Readonly<Record<string, string>>): void {
  const path = `${config}/main.cf`;
  writeFileSync(
    path,
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  utimesSync(path, 0, 0); // Postfix waits two seconds before it trusts a file that was written just now
}

// Debian's master.cf without chroots, which would need files of their own, with our address for "every interface".
function masterCf(root: string, address: string): string {
  const lines = readFileSync(`${root}/usr/share/postfix/master.cf.dist`, 'utf8').split('\n');
  return lines
    .filter((line) => !/^(#|\s|$)/.test(line))
    .map((line) => {
      const [service = '', type = '', priv, unpriv, , ...rest] = line.split(/\s+/);
      return [type === 'inet' ? `${address}:${service}` : service, type, priv, unpriv, 'n', ...rest].join(' ');
    })
    .concat('')
    .join('\n');
}

function makeCertificate(root: string, path: string): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const request = ['req', '-x509', ...curve, '-nodes', '-subj', `/CN=mx.${SERVED_DOMAIN}`, '-keyout', path, '-out', path];
  execFileSync('chroot', [root, '/usr/bin/openssl', ...request], { stdio: 'ignore' });
}

async function untilLogs(log: string, words: string): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(50)) {
    if (existsSync(log) && readFileSync(log, 'utf8').includes(words)) return;
  }
  throw new Error(`${log} does not say "${words}"`);
}

function writeUsers(root: string): void {
  const passwd = `${root}/etc/passwd`;
  if (existsSync(passwd) && readFileSync(passwd, 'utf8').includes('postfix:')) return;
  appendFileSync(
    passwd,
    `root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\npostfix:x:${POSTFIX_ID}:${POSTFIX_ID}::/:/bin/false\n`,
  );
  appendFileSync(`${root}/etc/group`, `root:x:0:\nnogroup:x:65534:\npostfix:x:${POSTFIX_ID}:\npostdrop:x:${POSTDROP_ID}:\n`);
}

function makeFolders(root: string, name: string): void {
  const spool = `${root}/var/spool/${name}`;
  mkdirSync(spool, { recursive: true });
  for (const queue of QUEUES) {
    mkdirSync(`${spool}/${queue}`, { mode: 0o700 });
    chownSync(`${spool}/${queue}`, POSTFIX_ID, 0);
  }
  mkdirSync(`${spool}/pid`);
  for (const [folder, mode] of [
    ['maildrop', 0o730],
    ['public', 0o710],
  ] as const) {
    mkdirSync(`${spool}/${folder}`);
    chownSync(`${spool}/${folder}`, POSTFIX_ID, POSTDROP_ID);
    chmodSync(`${spool}/${folder}`, mode);
  }
  mkdirSync(`${root}/var/lib/${name}`, { recursive: true });
  chownSync(`${root}/var/lib/${name}`, POSTFIX_ID, POSTFIX_ID);
}
