import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasMta, rootOf } from '../mta/namespace.ts';

/**
 * What a zone holds: lines of a zone file (RFC 1035 §5.1), their names relative to the zone, without SOA and NS. `unloadable`:
 * the server is configured for the zone and cannot load it, so it says SERVFAIL.
 */
export type ZoneRecords = readonly string[] | 'unloadable';

export type DnsServer = {
  /** As a resolver's configuration names it. */
  readonly address: string;
  /** Gives a zone other records, and waits until they are served. */
  readonly change: (zone: string, records: ZoneRecords) => Promise<void>;
  readonly stop: () => Promise<void>;
};

type Zone = { readonly name: string; readonly file: string; serial: number; records: ZoneRecords };

// Nothing else on this machine is likely to take ports of this address. Only loopback is listened on.
const ADDRESS = '127.0.0.53';
const SERVED_MS = 10_000; // what the server needs at most to start or to read its zones again; it takes a tenth of a second
const AGAIN_MS = 1_000; // a signal that arrives while the server is reading is not always acted on
const SETTLED_MS = 2_000;
const STOP_MS = 5_000;

/** Whether this machine can run the name server. Asked to have it, a test fails without. */
export function hasDns(): boolean {
  return hasMta('nsd');
}

/**
 * Starts NSD, authoritative for these zones, the root's included, so that a name in none of them does not exist. An alias is
 * followed from one of its zones into another, as a resolver follows it.
 */
export async function startDns(zones: Readonly<Record<string, ZoneRecords>>): Promise<DnsServer> {
  const folder = mkdtempSync(`${rootOf('nsd')}/tmp/zones-`);
  const known = Object.entries({ '.': [], ...zones }).map(([name, records], n): Zone => ({ name, file: `${n}.zone`, serial: 1, records }));
  const port = await freePort();
  for (const zone of known) writeZone(folder, zone);
  writeFileSync(`${folder}/nsd.conf`, configuration(`/tmp/${basename(folder)}`, port, known));
  const child = spawn('chroot', [rootOf('nsd'), '/usr/sbin/nsd', '-d', '-c', `/tmp/${basename(folder)}/nsd.conf`], {
    stdio: 'ignore',
    detached: true,
  });
  const exit = once(child, 'exit');
  const forget = () => rmSync(folder, { recursive: true, force: true });
  const abandon = () => {
    signal(child, 'SIGKILL');
    forget();
  };
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    signal(child, 'SIGTERM');
    if ((await Promise.race([exit, wait(STOP_MS, undefined, { ref: false })])) === undefined) signal(child, 'SIGKILL');
    await exit;
    forget();
  };
  const address = `${ADDRESS}:${port}`;
  const change = async (name: string, records: ZoneRecords) => {
    const zone = known.find((each) => each.name === name);
    if (zone === undefined) throw new Error(`not a zone of this server: ${name}`);
    Object.assign(zone, { records, serial: zone.serial + 1 });
    writeZone(folder, zone);
    await untilServed(address, [zone], folder, () => child.kill('SIGHUP'));
  };
  try {
    await untilServed(address, known, folder, () => {});
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, change, stop };
}

// Time to live 0: nobody on the way remembers what a test is about to change.
function writeZone(folder: string, { name, file, serial, records }: Zone): void {
  const origin = name.endsWith('.') ? name : `${name}.`;
  const top = `$ORIGIN ${origin}\n$TTL 0\n@ SOA ns.invalid. hostmaster.invalid. ${serial} 3600 600 86400 0\n@ NS ns.invalid.\n`;
  writeFileSync(`${folder}/${file}`, records === 'unloadable' ? '; a zone without its SOA record\n' : `${top}${records.join('\n')}\n`);
}

// Without a user to become and files to keep between runs; and without a limit to answers, which tests would meet.
function configuration(folder: string, port: number, zones: readonly Zone[]): string {
  return `server:
  ip-address: ${ADDRESS}@${port}
  server-count: 1
  username: ""
  zonesdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  xfrdfile: ""
  database: ""
  pidfile: ""
  logfile: "${folder}/log"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
${zones.map(({ name, file }) => `zone:\n  name: "${name}"\n  zonefile: "${file}"\n`).join('')}`;
}

async function untilServed(address: string, zones: readonly Zone[], folder: string, poke: () => void): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([address]);
  const log = () => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8') : '');
  const known = log().length;
  const said = () => log().slice(known);
  let poked = Number.NEGATIVE_INFINITY;
  let seen = 0; // looks in a row that found all as it should be: while it changes over, the old may answer once more
  for (const deadline = performance.now() + SERVED_MS; performance.now() < deadline; await wait(20)) {
    if (performance.now() - poked > AGAIN_MS) {
      poke();
      poked = performance.now();
    }
    const served = await Promise.all(zones.map((zone) => isServed(resolver, zone)));
    seen = served.every(Boolean) ? seen + 1 : 0;
    if (seen > 5) return;
    // What it says soon may still be about the zone as it was before.
    const soon = performance.now() < deadline - SERVED_MS + SETTLED_MS;
    if (!soon && zones.some(({ file, records }) => records !== 'unloadable' && said().includes(`error: ${file}:`))) break;
  }
  throw new Error(`the name server does not serve what it was given; its log:\n${said()}`);
}

async function isServed(resolver: Resolver, { name, serial, records }: Zone): Promise<boolean> {
  try {
    return (await resolver.resolveSoa(name)).serial === serial && records !== 'unloadable';
  } catch (error) {
    return records === 'unloadable' && error instanceof Error && 'code' in error && error.code === 'ESERVFAIL';
  }
}

// The server and the processes it works in are a group of their own.
function signal(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, ADDRESS);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}
