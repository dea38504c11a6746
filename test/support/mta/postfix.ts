import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { untilGreets } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** A running Postfix with one configuration, listening on port 25 of one address. */
export type Postfix = {
  readonly address: string;
  /** Edits main.cf as an administrator would, and restarts. */
  edit(settings: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
};

const POSTFIX_ID = 990;
const POSTDROP_ID = 991;
const QUEUES = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved', 'trace'];
const SERVED_DOMAIN = 'served.example';

// Debian's own main.cf, as the package writes it for "Internet Site", at another address and with its log in a file.
function mainCf(name: string, address: string): Record<string, string> {
  return {
    compatibility_level: '3.6',
    smtpd_banner: '$myhostname ESMTP $mail_name (Debian/GNU)',
    myhostname: `mx.${SERVED_DOMAIN}`,
    mydestination: `$myhostname, ${SERVED_DOMAIN}, localhost`,
    smtpd_relay_restrictions: 'permit_mynetworks permit_sasl_authenticated defer_unauth_destination',
    mynetworks: '127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128',
    relayhost: '',
    inet_interfaces: address,
    inet_protocols: 'ipv4',
    alias_maps: '',
    local_recipient_maps: 'static:x',
    mailbox_size_limit: '0',
    recipient_delimiter: '+',
    queue_directory: `/var/spool/${name}`,
    data_directory: `/var/lib/${name}`,
    maillog_file: `/var/log/${name}.log`,
    default_transport: 'discard',
    relay_transport: 'discard',
    local_transport: 'discard',
  };
}

/** Starts Postfix with Debian's default configuration, changed by `settings`. Mail that it accepts is thrown away. */
export async function startPostfix(namespace: Namespace, n: number, settings: Readonly<Record<string, string>> = {}): Promise<Postfix> {
  const [root, address, name] = [rootOf('postfix'), namespace.address(n), `postfix-${n}`];
  const config = `${root}/etc/${name}`;
  for (const folder of [config, `${root}/var/spool/${name}`, `${root}/var/lib/${name}`]) rmSync(folder, { recursive: true, force: true });
  writeUsers(root);
  makeFolders(root, name);
  mkdirSync(config);
  writeFileSync(`${config}/master.cf`, masterCf(root, address));
  writeFileSync(`${config}/dynamicmaps.cf`, '');
  write(config, { ...mainCf(name, address), ...settings });
  const start = async () => {
    const child = namespace.spawn('postfix', ['/usr/lib/postfix/sbin/master', '-d', '-c', `/etc/${name}`], {
      stdio: 'inherit',
      detached: true,
    });
    const exit = once(child, 'exit');
    await untilGreets(address, `${root}/var/log/${name}.log`);
    return async () => {
      child.kill('SIGTERM');
      await exit;
    };
  };
  let stop = await start();
  return {
    address,
    async edit(changed) {
      write(config, { ...mainCf(name, address), ...settings, ...changed });
      await stop(); // a reload would let running smtpd processes answer a little longer as before
      stop = await start();
    },
    stop: () => stop(),
  };
}

function write(config: string, settings: Readonly<Record<string, string>>): void {
  writeFileSync(
    `${config}/main.cf`,
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
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
