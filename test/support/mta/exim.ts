import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { untilGreets } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** A running Exim with one configuration, listening on port 25 of one address. */
export type Exim = { readonly address: string; stop(): Promise<void> };

/** What Debian's configuration asks its administrator, and what is changed in the file that it makes of the answers. */
export type EximSettings = {
  /** dc_relay_nets: "machines to relay mail for". */
  readonly relayNets?: string;
  readonly edit?: (configuration: string) => string;
};

const EXIM_ID = 990;
const PASSWD = `root:x:0:0::/root:/bin/sh
mail:x:8:8::/:/bin/false
uucp:x:10:10::/:/bin/false
Debian-exim:x:${EXIM_ID}:${EXIM_ID}::/:/bin/false
nobody:x:65534:65534::/:/bin/false
`;
const GROUP = `root:x:0:\nadm:x:4:\nmail:x:8:\nuucp:x:10:\nDebian-exim:x:${EXIM_ID}:\nnogroup:x:65534:\n`;

/** Starts Exim as Debian configures it for "internet site", changed by `settings`. Mail that it accepts stays in its queue. */
export async function startExim(namespace: Namespace, n: number, { relayNets = '', edit }: EximSettings = {}): Promise<Exim> {
  const [root, address, name] = [rootOf('exim'), namespace.address(n), `exim-${n}`];
  const [spool, log, answers, made] = [`/var/spool/${name}`, `/var/log/${name}`, `/etc/${name}`, `/etc/${name}.conf`];
  for (const folder of [spool, log, answers]) rmSync(root + folder, { recursive: true, force: true });
  writeFileSync(`${root}/etc/passwd`, PASSWD);
  writeFileSync(`${root}/etc/group`, GROUP);
  writeFileSync(`${root}/etc/mailname`, 'mx.served.example\n');
  cpSync(`${root}/etc/exim4`, root + answers, { recursive: true });
  writeFileSync(`${root}${answers}/update-exim4.conf.conf`, answersFile(address, relayNets));
  for (const folder of [spool, log]) {
    mkdirSync(root + folder);
    chownSync(root + folder, EXIM_ID, EXIM_ID);
  }
  execFileSync('chroot', [root, '/usr/sbin/update-exim4.conf', '-d', answers, '-o', made]);
  const configuration = readFileSync(root + made, 'utf8').replace(/^(spool_directory|log_file_path) = .*$/gm, '');
  const own = `spool_directory = ${spool}\nlog_file_path = ${log}/%slog\nqueue_only = true\nprimary_hostname = mx.served.example\n`;
  writeFileSync(root + made, own + (edit?.(configuration) ?? configuration));
  const child = namespace.spawn('exim', ['/usr/sbin/exim4', '-bdf', '-oX', `${address}.25`, '-C', made, '-oP', `${spool}/pid`], {
    stdio: 'ignore',
    detached: true,
  });
  const exit = once(child, 'exit');
  await untilGreets(address, `${root}${log}/mainlog`);
  return {
    address,
    async stop() {
      child.kill('SIGTERM');
      await exit;
    },
  };
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
