// Runs in a network of its own, whose loopback has public addresses: a small Internet with a root, zones on a real name server and on odd
// ones, and two real resolvers in it. Prints what looks at the consent of each host see through each of them, as one object of JSON.
import { standingOf } from '../../shared/domain/consent.ts';
import { findingsOf } from '../../shared/domain/consent-findings.ts';
import { REQUEST_LOOK_MS } from '../../shared/domain/look-bounds.ts';
import { seeConsent } from '../../shared/network/consent-look.ts';
import { startLook } from '../../shared/network/look.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { startOddServers } from './dns/odd-servers.ts';
import { startResolver } from './dns/resolvers.ts';
import { type DnsServer, startDnsAt, type ZoneRecords } from './dns/server.ts';
import { openSigner } from './dns/signed-zone.ts';
import { oddZones, PROVEN, ROOT, rootZone, TOKEN, unsignedZones, ZONES, zone } from './dns/small-internet.ts';

const RESOLVERS = { unbound: '192.88.98.61', named: '192.88.98.62' } as const;
const PORT = 53;
const LONG_AGO = ['-s', '20200101000000', '-e', '20200201000000'];

const signers = Object.fromEntries(['signed', 'bogus', 'expired', 'stripped'].map((name) => [name, openSigner(`${name}.example`)]));

function signed(name: string, records: readonly string[], times?: readonly string[]) {
  const plain = zone(`${name}.example`, records);
  return (serial: number) => signers[name]?.sign(plain(serial), times) ?? '';
}

function allZones(): Record<string, ZoneRecords> {
  const forged = signed('bogus', PROVEN);
  return {
    ...unsignedZones(),
    'signed.example': signed('signed', ['mx A 192.88.98.1']),
    'bogus.example': (serial) => forged(serial).replaceAll(TOKEN, TOKEN.replace('a', 'b')),
    'expired.example': signed('expired', PROVEN, LONG_AGO),
    'stripped.example': zone('stripped.example', PROVEN),
  };
}

// What is added after the first look.
async function change(dns: DnsServer): Promise<void> {
  await dns.change('added.example', zone('added.example', PROVEN));
  await dns.change('half.example', zone('half.example', PROVEN, ['ns.host.example.', 'refusing.host.example.']));
  await dns.change(
    'delegated.example',
    zone('delegated.example', ['mx A 192.88.98.1', '_relay-audit.mx CNAME _relay-audit.mx.plain.example.']),
  );
  await dns.change('signed.example', signed('signed', [...PROVEN, 'a A 192.88.98.1', `_relay-audit.a TXT ${TOKEN}`]));
  await dns.change('vetoed.example', zone('vetoed.example', [...PROVEN, '_relay-audit TXT deny']));
}

async function see(host: string, address: string) {
  const look = startLook(dnsLookups([address]), REQUEST_LOOK_MS);
  const { facts, domains, addressesFound } = await seeConsent(host, [], { token: TOKEN, operatorNetworks: [], ...look });
  look.end();
  const [side] = facts.addresses;
  const standing = side && standingOf(facts, side, TOKEN);
  return {
    standing: standing === undefined ? 'no address' : standing.kind === 'none' ? standing.reason : 'consent',
    findings: findingsOf({ host, token: TOKEN, facts, domains, addressesFound }),
    place: facts.namePlaces?.[0],
  };
}

async function flow(hosts: readonly string[], again: readonly string[]) {
  const seen: Record<string, Record<string, unknown>> = { unbound: {}, named: {} };
  // One host after the other, so that a machine with much else to do is not too slow for the bounds of a look.
  const lookAt = (which: readonly string[], when: string) =>
    Promise.all(
      Object.entries(RESOLVERS).map(async ([kind, address]) => {
        for (const host of which) Object.assign(seen[kind] ?? {}, { [`${host}${when}`]: await see(host, address) });
      }),
    );
  const stops: (() => unknown)[] = Object.values(signers).map(({ close }) => close);
  const running = <T extends { readonly stop: () => unknown }>(server: T): T => {
    stops.push(server.stop);
    return server;
  };
  try {
    const zones = allZones();
    running(await startOddServers(oddZones()));
    running(await startDnsAt(ROOT, PORT, { '.': rootZone(Object.keys(zones)) }));
    const dns = running(await startDnsAt(ZONES, PORT, zones));
    const anchors = Object.values(signers).map(({ anchor }) => anchor);
    for (const kind of ['unbound', 'named'] as const) running(await startResolver(kind, RESOLVERS[kind], { root: ROOT, anchors }));
    await lookAt(hosts, '');
    await change(dns);
    await lookAt(again, ' again');
    return seen;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

const [hosts = '', again = ''] = process.argv.slice(2);
console.log(JSON.stringify(await flow(hosts.split(','), again.split(','))));
process.exit(0);
