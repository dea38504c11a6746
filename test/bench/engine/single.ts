import { setTimeout as wait } from 'node:timers/promises';
import type { RunningMta } from '../../support/mta/case.ts';
import { type Namespace, openNamespace } from '../../support/mta/namespace.ts';
import { startPostfix } from '../../support/mta/postfix.ts';
import { startSendmail } from '../../support/mta/sendmail.ts';
import type { Figure } from '../figure.ts';
import type { Table } from './audits.ts';
import { type Delay, openDelay } from './delay.ts';
import type { Counts } from './delay-process.ts';
import { scanForRelays, scanPort } from './nmap.ts';
import { auditOnce } from './ours.ts';
import { share } from './share.ts';

/** A real mail server that refuses to relay, as its package sets it up; `mta` is its folder in `.mtas`. */
export type RealServer = {
  readonly name: string;
  readonly mta: string;
  /** What the full table may take of nmap's time, in %. */
  readonly limit?: number;
  readonly start: (namespace: Namespace, n: number) => Promise<RunningMta>;
};

/** The servers that both are pointed at. */
export const REAL_SERVERS: readonly RealServer[] = [
  { name: 'Postfix', mta: 'postfix', limit: 12.5, start: startPostfix },
  // Debian's has everybody wait a second for its greeting, in each session: nmap holds one, and the full table needs two after another.
  { name: 'Sendmail', mta: 'sendmail', start: startSendmail },
  {
    name: 'Sendmail that greets at once',
    mta: 'sendmail',
    limit: 50,
    start: (namespace, n) => startSendmail(namespace, n, { access: ['GreetPause:198.18\t0'] }),
  },
];

const NAMESPACE = 81;
const FIRST_SERVER = 181; // servers of one number share files, and tests count from 2
const ROUND_TRIPS_MS = [0, 50, 100, 200];
const TABLES: readonly Table[] = ['full', 'core'];
const APART_MS = 2_000; // both sides mostly wait; this keeps one from starting while another does

type Place = { readonly server: RealServer; readonly rttMs: number; readonly delay: Delay; stop(): Promise<void> };
type Audit = { readonly seconds: number; readonly counts: Counts };
type Comparison = { readonly place: Place; readonly nmap: Audit; readonly ours: Readonly<Record<Table, Audit>> };

/** One audit of each server by nmap and by us: the time at several distances, then what it costs the server. */
export async function measureSingle(servers: readonly RealServer[]): Promise<Figure[]> {
  const namespace = openNamespace(NAMESPACE);
  const places: Place[] = [];
  try {
    // Each distance has a server of its own: Sendmail lets a stranger connect ten times in ten minutes.
    for (const server of servers) for (const rttMs of ROUND_TRIPS_MS) places.push(await openPlace(namespace, server, rttMs, places.length));
    const bare = await scanPort(places[0]?.delay.address ?? '');
    const comparisons = await Promise.all(places.map((place, index) => wait(index * APART_MS).then(() => compare(place))));
    return [
      { what: 'nmap without the script', value: bare.seconds, unit: 's' },
      ...servers.flatMap((server) =>
        figuresOf(
          server,
          comparisons.filter(({ place }) => place.server === server),
        ),
      ),
    ];
  } finally {
    await Promise.all(places.map((place) => place.stop()));
    namespace.close();
  }
}

async function openPlace(namespace: Namespace, server: RealServer, rttMs: number, index: number): Promise<Place> {
  const running = await server.start(namespace, FIRST_SERVER + index);
  const delay = await openDelay(`127.81.0.${index + 1}`, running.address, rttMs);
  return { server, rttMs, delay, stop: () => Promise.all([delay.stop(), running.stop()]).then(() => {}) };
}

async function compare(place: Place): Promise<Comparison> {
  const { seconds, closed } = await scanForRelays([place.delay.address]);
  if (closed !== 1) console.error(`nmap does not call ${place.server.name} ${place.rttMs} ms away closed`);
  const nmap = { seconds, counts: await place.delay.takeCounts() };
  const full = await auditOurs(place, 'full');
  return { place, nmap, ours: { full, core: await auditOurs(place, 'core') } };
}

async function auditOurs({ server, delay }: Place, table: Table): Promise<Audit> {
  const began = performance.now();
  const { verdict, ...own } = await auditOnce(delay.address, 25, table);
  const seconds = (performance.now() - began) / 1000;
  const counts = await delay.takeCounts();
  if (verdict !== 'closed') throw new Error(`${server.name}, which refuses to relay, is ${verdict}`);
  for (const what of ['connections', 'commands', 'refusals'] as const)
    if (own[what] !== counts[what]) throw new Error(`an audit counts ${own[what]} ${what}, and ${counts[what]} went over the wire`);
  return { seconds, counts };
}

function figuresOf({ name, limit }: RealServer, comparisons: readonly Comparison[]): Figure[] {
  const times = comparisons.flatMap(({ place: { rttMs }, nmap, ours }) => [
    { what: `${name}, ${rttMs} ms away: nmap`, value: nmap.seconds, unit: 's' },
    ...TABLES.map((table) =>
      share(`${name}, ${rttMs} ms away: ${table} table`, ours[table].seconds, nmap.seconds, 's', table === 'full' ? limit : undefined),
    ),
  ]);
  const farthest = comparisons.at(-1);
  if (farthest === undefined) return times;
  const { nmap, ours } = farthest;
  return [
    ...times,
    ...COSTS.flatMap(([key, what]) => [
      { what: `${name}, ${what}: nmap`, value: nmap.counts[key], unit: '' },
      ...TABLES.map((table) => share(`${name}, ${what}: ${table} table`, ours[table].counts[key], nmap.counts[key], '')),
    ]),
  ];
}

const COSTS = [
  ['roundTrips', 'round trips'],
  ['connections', 'connections'],
  ['commands', 'commands'],
  ['refusals', 'refusals'],
] as const;
