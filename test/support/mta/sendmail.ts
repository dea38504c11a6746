import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunningMta } from './case.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** What is changed in Debian's default sendmail.mc and its access file. */
export type SendmailSettings = {
  /** Lines of m4, after Debian's own features. */
  readonly features?: readonly string[];
  /** Rulesets, at the end of sendmail.mc. */
  readonly rulesets?: readonly string[];
  /** Lines for the access file, before Debian's own. */
  readonly access?: readonly string[];
  /** Domains that it takes mail for on behalf of another server, and not as its own. */
  readonly relayedDomains?: readonly string[];
  /** Where mail for some domains goes, as lines for the mailertable. */
  readonly routes?: readonly string[];
  /** Whether its aliases know a postmaster. Without: yes. */
  readonly postmaster?: boolean;
  /** Listens on this address of the namespace's loopback instead: a server behind the one that strangers reach. */
  readonly inside?: string;
  /** Listens on the namespace's IPv6 address too, and is known by that one. */
  readonly ipv6?: boolean;
  /** What becomes of mail for `canary.example` that it accepts; all other foreign mail is thrown away. */
  readonly canaryMail?: 'delivered' | 'discarded';
};

const START_MS = 20_000;
const NAME = 'mx.served.example';
const PASSWD = `root:x:0:0::/root:/bin/sh
mail:x:8:8::/:/bin/false
smmta:x:993:993::/:/bin/false
smmsp:x:992:992::/:/bin/false
nobody:x:65534:65534::/:/bin/false
`;
const GROUP = 'root:x:0:\nadm:x:4:\nmail:x:8:\nsmmta:x:993:\nsmmsp:x:992:\nnogroup:x:65534:\n';
const ALIASES = ['postmaster', 'root', 'mail', 'smmta', 'smmsp', 'nobody', 'mailer-daemon', 'discarded']
  .map((name) => `${name}: /dev/null\n`)
  .join('');

/** Starts Sendmail with Debian's default configuration, changed by `settings`, listening on port 25 of one address. */
export async function startSendmail(namespace: Namespace, n: number, settings: SendmailSettings = {}): Promise<RunningMta> {
  const [root, name, address] = [rootOf('sendmail'), namespace.address(n), settings.inside ?? namespace.address(n)];
  const [etc, state] = [`/etc/mail-${name}`, `/var/spool/sendmail-${name}`];
  for (const folder of [etc, state]) rmSync(root + folder, { recursive: true, force: true });
  writeSystemFiles(root, namespace);
  for (const folder of [etc, state, `${state}/queue`]) mkdirSync(root + folder);
  chmodSync(`${root}${state}/queue`, 0o700);
  writeTables(root, etc, settings, namespace.ourAddress);
  const listens = settings.ipv6 ? [`Family=inet6, Name=MTA-v6, Port=smtp, Addr=${namespace.address6(n)}`] : [];
  listens.push(`Family=inet, Name=MTA-v4, Port=smtp, Addr=${address}`);
  writeFileSync(`${root}${etc}/sendmail.mc`, masterConfiguration(root, etc, state, listens, settings));
  compile(root, etc);
  const sendmail = ['/usr/libexec/sendmail/sendmail', '-C', `${etc}/sendmail.cf`];
  const child = namespace.spawn('sendmail', [...sendmail, '-bD', '-X', `${state}/log`], { stdio: 'ignore', detached: true });
  const exit = once(child, 'exit');
  await untilListens(child.pid ?? 0, address, `${root}${state}/log`);
  return {
    address: settings.ipv6 ? namespace.address6(n) : address,
    async stop() {
      process.kill(-(child.pid ?? 0), 'SIGTERM'); // with those of its processes that still serve a connection
      await exit;
    },
  };
}

// It counts connections against its limits, so that one that only tries whether it runs would be one less for the test: the
// kernel's table tells of its socket without one. IPv4 is opened last.
async function untilListens(pid: number, address: string, log: string): Promise<void> {
  const hex = address.split('.').map((each) => Number(each).toString(16).padStart(2, '0').toUpperCase());
  const listening = `${hex.reverse().join('')}:0019 00000000:0000 0A`;
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(50)) {
    const table = `/proc/${pid}/net/tcp`;
    if (existsSync(table) && readFileSync(table, 'utf8').includes(listening)) return;
  }
  throw new Error(`Sendmail does not start; its log:\n${existsSync(log) ? readFileSync(log, 'utf8') : 'none'}`);
}

function writeSystemFiles(root: string, namespace: Namespace): void {
  const files = { passwd: PASSWD, group: GROUP, 'mail/m4/dialup.m4': '', 'mail/m4/provider.m4': '' };
  for (const [name, text] of Object.entries(files)) {
    const path = `${root}/etc/${name}`; // others that run beside it read them: what is as it should be is left alone
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
  const known = readFileSync(`${root}/etc/hosts`, 'utf8').split('\n');
  const client = `${namespace.ourAddress.replaceAll('.', '-')}.stranger.example`; // the address of whom it cannot name is called forged
  const names = [`127.0.1.1 ${NAME} ${hostname()}`, `${namespace.ourAddress} ${client}`, `${namespace.address6(1)} ${client}`];
  for (const line of names) if (!known.includes(line)) appendFileSync(`${root}/etc/hosts`, `${line}\n`);
}

function writeTables(root: string, etc: string, settings: SendmailSettings, sink: string): void {
  const { access = [], relayedDomains = [], routes = [], canaryMail = 'delivered', postmaster = true } = settings;
  const folder = root + etc;
  const own = ['localhost', NAME, 'served.example'].filter((domain) => !relayedDomains.includes(domain));
  cpSync(`${root}/usr/share/sendmail/examples/db/access`, `${folder}/access`);
  writeFileSync(`${folder}/access`, `${access.join('\n')}\n${readFileSync(`${folder}/access`, 'utf8')}`);
  const toSink = canaryMail === 'delivered' ? [`canary.example esmtp:[${sink}]`, `.canary.example esmtp:[${sink}]`] : [];
  writeFileSync(`${folder}/mailertable`, [...toSink, ...routes, ''].join('\n'));
  writeFileSync(`${folder}/aliases`, postmaster ? ALIASES : ALIASES.replace(/^postmaster: .*\n/, ''));
  writeFileSync(`${folder}/local-host-names`, own.map((domain) => `${domain}\n`).join(''));
  writeFileSync(`${folder}/relay-domains`, relayedDomains.map((domain) => `${domain}\n`).join(''));
  writeFileSync(`${folder}/trusted-users`, '');
  cpSync(`${root}/etc/mail/helpfile`, `${folder}/helpfile`);
}

function compile(root: string, etc: string): void {
  const run = (command: readonly string[], input?: Buffer) =>
    execFileSync('chroot', [root, ...command], { input: input ?? '', stdio: ['pipe', 'pipe', 'ignore'] });
  const cf = `${etc}/sendmail.cf`;
  writeFileSync(root + cf, run(['m4', `${etc}/sendmail.mc`]));
  for (const table of ['access', 'mailertable'])
    run(['/usr/sbin/makemap', '-C', cf, 'hash', `${etc}/${table}`], readFileSync(`${root}${etc}/${table}`));
  run(['/usr/libexec/sendmail/sendmail', '-C', cf, '-bi']);
}

// Debian's sendmail.mc at another address, in folders of its own, without the submission port and without DNS, which is not to be
// had here: senders' domains count as existing.
function masterConfiguration(
  root: string,
  etc: string,
  state: string,
  listens: readonly string[],
  { features = [], rulesets = [] }: SendmailSettings,
): string {
  const own = [
    `define(\`confDOMAIN_NAME', \`${NAME}')dnl`,
    `define(\`QUEUE_DIR', \`${state}/queue')dnl`,
    `define(\`confPID_FILE', \`${state}/pid')dnl`,
    `define(\`confCONTROL_SOCKET_NAME', \`')dnl`,
    `define(\`STATUS_FILE', \`${state}/statistics')dnl`,
    `undefine(\`confHOST_STATUS_DIRECTORY')dnl`,
    `define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/service.switch-nodns')dnl`,
    `define(\`SMART_HOST', \`local:discarded')dnl`,
    `define(\`confREFUSE_LA', \`1000')dnl`, // however busy this machine is
    `define(\`confQUEUE_LA', \`1000')dnl`,
    `FEATURE(\`nocanonify')dnl`,
    `FEATURE(\`accept_unresolvable_domains')dnl`,
    `FEATURE(\`mailertable')dnl`,
  ];
  const daemons = listens.map((options) => `DAEMON_OPTIONS(\`${options}')dnl`);
  const text = readFileSync(`${root}/usr/share/sendmail/cf/debian/sendmail.mc`, 'utf8')
    .replace(/^DAEMON_OPTIONS.*\n/gm, '')
    .replace(/^OSTYPE.*\n/m, (line) => `define(\`MAIL_SETTINGS_DIR', \`${etc}/')dnl\n${line}`)
    .replace(/^MAILER_DEFINITIONS\n/m, (line) => `${[...own, ...daemons, ...features].join('\n')}\n${line}`);
  return rulesets.length === 0 ? text : `${text}LOCAL_RULESETS\n${rulesets.join('\n')}\n`;
}
