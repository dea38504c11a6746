import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { hasMta } from '../mta/namespace.ts';
import { openDaemon } from './daemon.ts';

/**
 * What a zone holds: lines of a zone file (RFC 1035 §5.1), their names relative to the zone, without SOA and NS; or the whole file of a
 * serial number. `unloadable`: the server is configured for the zone and cannot load it, so it says SERVFAIL.
 */
export type ZoneRecords = readonly string[] | ((serial: number) => string) | 'unloadable';

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

/** Whether this machine can run the name server. Asked to have it, a test fails without. */
export function hasDns(): boolean {
  return hasMta('nsd');
}

/**
 * Starts NSD, authoritative for these zones, the root's included, so that a name in none of them does not exist. An alias is
 * followed from one of its zones into another, as a resolver follows it.
 */
export async function startDns(zones: Readonly<Record<string, ZoneRecords>>): Promise<DnsServer> {
  return startDnsAt(ADDRESS, await freePort(), { '.': [], ...zones });
}

/** Starts NSD at this address and port, authoritative for these zones alone. */
export async function startDnsAt(host: string, port: number, zones: Readonly<Record<string, ZoneRecords>>): Promise<DnsServer> {
  const daemon = openDaemon('nsd');
  const { folder } = daemon;
  const known = Object.entries(zones).map(([name, records], n): Zone => ({ name, file: `${n}.zone`, serial: 1, records }));
  for (const zone of known) writeZone(folder, zone);
  writeFileSync(`${folder}/nsd.conf`, configuration(daemon.inside, `${host}@${port}`, known));
  const { signal, stop } = daemon.start(['/usr/sbin/nsd', '-d', '-c', `${daemon.inside}/nsd.conf`]);
  const address = `${host}:${port}`;
  const change = async (name: string, records: ZoneRecords) => {
    const zone = known.find((each) => each.name === name);
    if (zone === undefined) throw new Error(`not a zone of this server: ${name}`);
    Object.assign(zone, { records, serial: zone.serial + 1 });
    writeZone(folder, zone);
    await untilServed(address, [zone], folder, () => signal('SIGHUP'));
  };
  try {
    await untilServed(address, known, folder, () => {});
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, change, stop };
}

function writeZone(folder: string, { name, file, serial, records }: Zone): void {
  writeFileSync(`${folder}/${file}`, typeof records === 'function' ? records(serial) : zoneFile(name, serial, records));
}

// Time to live 0: nobody on the way remembers what a test is about to change.
function zoneFile(name: string, serial: number, records: readonly string[] | 'unloadable'): string {
  if (records === 'unloadable') return '; a zone without its SOA record\n';
  const origin = name.endsWith('.') ? name : `${name}.`;
  const top = `$ORIGIN ${origin}\n$TTL 0\n@ SOA ns.invalid. hostmaster.invalid. ${serial} 3600 600 86400 0\n@ NS ns.invalid.\n`;
  return `${top}${records.join('\n')}\n`;
}

// Without a user to become and files to keep between runs; and without a limit to answers, which tests would meet.
function configuration(folder: string, address: string, zones: readonly Zone[]): string {
  return `server:
  ip-address: ${address}
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

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, ADDRESS);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}
