import type { OddZone } from './odd-servers.ts';
import type { ZoneRecords } from './server.ts';

/** The token of the account that looks. */
export const TOKEN = `ra1-${'a'.repeat(24)}`;

/** Where the root is served, and the zones that a real name server has; all addresses are public ones of nobody's mail server. */
export const ROOT = '192.88.98.53';
export const ZONES = '192.88.98.54';

const NO_ROUTE = '203.1.113.1'; // nothing leads there from a network that has a loopback alone
const NEGATIVE_SECONDS = 86_400; // a day, which is common
const LINKS = 14; // from zone to zone: BIND gives up after 11

/** A host whose side of the name is proven, at the address whose side is. */
export const PROVEN = ['mx A 192.88.98.1', `_relay-audit.mx TXT ${TOKEN}`];

/** A zone file whose absences are remembered for a day. */
export function zone(name: string, records: readonly string[], servers: readonly string[] = ['ns.host.example.']) {
  return (serial: number) =>
    [
      `$ORIGIN ${name}.`,
      '$TTL 300',
      `@ ${NEGATIVE_SECONDS} SOA ns.host.example. hostmaster.host.example. ${serial} 3600 600 86400 ${NEGATIVE_SECONDS}`,
      ...servers.map((server) => `@ NS ${server}`),
      ...records,
      '',
    ].join('\n');
}

/** Zones whose servers do not answer as they should. Each has one of its own, since resolvers remember how a server behaves. */
export function oddZones(): OddZone[] {
  const hosts = (name: string, address: string, odd: OddZone['odd'], place = '_relay-audit.mx', host = 'mx'): OddZone => ({
    name,
    address,
    odd,
    records: [
      { type: 'A', name: `${host}.${name}`, ttl: 300, data: '192.88.98.1' },
      { type: 'TXT', name: `${place}.${name}`, ttl: 300, data: TOKEN },
    ],
  });
  return [
    hosts('refused.example', '192.88.98.71', () => 'REFUSED'),
    hosts('20.98.88.192.in-addr.arpa', '192.88.98.72', () => 'REFUSED'),
    hosts('21.98.88.192.in-addr.arpa', '192.88.98.73', () => 'silence'),
    hosts('notimp.example', '192.88.98.74', ({ type }) => (type === 'TXT' ? 'NOTIMP' : undefined)),
    hosts('six-servfail.example', '192.88.98.75', ({ type }) => (type === 'AAAA' ? 'SERVFAIL' : undefined)),
    hosts('six-notimp.example', '192.88.98.76', ({ type }) => (type === 'AAAA' ? 'NOTIMP' : undefined)),
    hosts('six-silent.example', '192.88.98.77', ({ type }) => (type === 'AAAA' ? 'silence' : undefined)),
    hosts('garbled.example', '192.88.98.78', ({ type }) => (type === 'TXT' ? 'string too long' : undefined)),
    hosts('empty.example', '192.88.98.79', ({ type }) => (type === 'TXT' ? 'no string' : undefined)),
    hosts('cut.example', '192.88.98.80', ({ type }) => (type === 'TXT' ? 'cut' : undefined)),
    hosts(
      'between.example',
      '192.88.98.81',
      ({ name }) => (name.toLowerCase() === 'deep.between.example' ? 'NXDOMAIN' : undefined),
      '_relay-audit.mx.deep',
      'mx.deep',
    ),
  ];
}

/** The zones of the real name server, but for signed ones. */
export function unsignedZones(): Record<string, ZoneRecords> {
  const links = (of: number) =>
    Array.from({ length: LINKS }, (_, n) => n)
      .filter((n) => n % 2 === of)
      .map((n) => (n === LINKS - 1 ? `l${n} TXT ${TOKEN}` : `l${n} CNAME l${n + 1}.${of === 0 ? 'ends' : 'links'}.example.`));
  const lame = ['refused A 192.88.98.20', 'silent A 192.88.98.21', 'unrouted A 192.88.98.22', 'upward A 192.88.98.23'];
  const alone = ['refused', 'silent', 'unrouted', 'upward'].map((host) => `_relay-audit.${host} TXT ${TOKEN}`);
  const aliases = ['mx A 192.88.98.1', 'long A 192.88.98.1', 'loop A 192.88.98.1', '_relay-audit.mx CNAME l11.ends.example.'];
  return {
    'host.example': zone('host.example', [`ns A ${ZONES}`, 'refusing A 192.88.98.72', 'silent A 192.88.98.73', `unrouted A ${NO_ROUTE}`]),
    'plain.example': zone('plain.example', PROVEN),
    'added.example': zone('added.example', ['mx A 192.88.98.1']),
    'bare.example': zone('bare.example', ['mx A 192.88.98.140', `_relay-audit.mx TXT ${TOKEN}`]),
    'delegated.example': zone('delegated.example', ['mx A 192.88.98.1']),
    'vetoed.example': zone('vetoed.example', PROVEN),
    'half.example': zone('half.example', ['mx A 192.88.98.1'], ['ns.host.example.', 'refusing.host.example.']),
    'lame.example': zone('lame.example', [...lame, ...alone]),
    'chain.example': zone('chain.example', [
      ...aliases,
      '_relay-audit.long CNAME l0.links.example.',
      '_relay-audit.loop CNAME x.links.example.',
    ]),
    'links.example': zone('links.example', [...links(0), 'x CNAME y.ends.example.']),
    'ends.example': zone('ends.example', [...links(1), 'y CNAME x.links.example.']),
    'long.example': zone('long.example', [
      ...PROVEN,
      ...Array.from({ length: 20 }, (_, n) => `_relay-audit.mx TXT "${n}${'x'.repeat(200)}"`),
    ]),
    'classless.example': zone('classless.example', ['mx A 192.88.98.130', `_relay-audit.mx TXT ${TOKEN}`]),
    '98.88.192.in-addr.arpa': zone('98.88.192.in-addr.arpa', [
      `_relay-audit.1 TXT ${TOKEN}`,
      '20 NS refusing.host.example.',
      '21 NS silent.host.example.',
      '22 NS unrouted.host.example.',
      '23 NS a.root.example.',
      '128/25 NS ns.host.example.',
      '130 CNAME 130.128/25',
    ]),
    '128/25.98.88.192.in-addr.arpa': zone('128/25.98.88.192.in-addr.arpa', ['130 PTR gate.host.example.', `_relay-audit.130 TXT ${TOKEN}`]),
  };
}

/** The root, which delegates these zones to the real name server, and the odd ones to theirs. */
export function rootZone(names: readonly string[]) {
  const glue = oddZones().flatMap(({ name, address }) =>
    name.endsWith('.example') ? [`${name}. NS ns.${name}.`, `ns.${name}. A ${address}`] : [],
  );
  const delegated = names.filter((name) => !name.startsWith('128/25')).map((name) => `${name}. NS ns.host.example.`);
  return zone('', [...glue, ...delegated, `ns.host.example. A ${ZONES}`, `a.root.example. A ${ROOT}`], ['a.root.example.']);
}
