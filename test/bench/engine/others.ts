import { judgementOf } from '../../../functions/probe/finding.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import { startPeer } from '../../support/peers/peer.ts';
import type { Product } from '../../support/peers/product.ts';
import { EXCHANGE, EXCHANGE_FILTERED, SLOW_GREETER } from '../../support/peers/products.ts';
import { openMailbox, type ScanOptions, scanWhole, type WholeScan } from '../../support/peers/whole-scan.ts';
import type { Figure } from '../figure.ts';

type Server = { readonly name: string; readonly product: Product; readonly sittings: number };

const SERVERS: readonly Server[] = [
  { name: 'Exchange-like, takes any local part', product: EXCHANGE, sittings: 2 },
  { name: 'Exchange-like, knows its recipients', product: EXCHANGE_FILTERED, sittings: 2 },
  { name: 'greets after 35 s', product: SLOW_GREETER, sittings: 4 },
  { name: 'greets after 35 s and offers STARTTLS', product: withStarttls(SLOW_GREETER), sittings: 4 },
];
const ROTATIONS = [0, 1, 2, 3];
const LATE_S = 1; // our time is over after 90 s, and timers come late on a machine that is busy

/** Servers that keep everybody waiting, with their real delays: how many sittings the full table takes, and what a scheduled core scan costs. */
export async function measureOthers(): Promise<Figure[]> {
  let last = 0;
  const scan = async (product: Product, options: Partial<ScanOptions> = {}): Promise<WholeScan> => {
    last++;
    const address = `127.11.0.${last}`;
    const mailbox = openMailbox();
    const peer = await startPeer(product, { address, onMessage: mailbox.take });
    try {
      return await scanWhole(address, peer.port, { mailbox, ...options });
    } finally {
      await peer.stop();
    }
  };
  // They mostly wait: all at once takes no longer than the slowest.
  const full = Promise.all(SERVERS.map(({ product }) => scan(product)));
  const core = Promise.all(ROTATIONS.map((rotation) => scan(EXCHANGE_FILTERED, { scope: { rotation } })));
  const known = Promise.all(ROTATIONS.map((rotation) => scan(EXCHANGE, { scope: { rotation }, round: 0 })));
  return [
    ...(await full).flatMap((each, index) => fullFigures(SERVERS[index], each)),
    ...coreFigures('Exchange-like, knows its recipients', await core),
    ...coreFigures('Exchange-like, known to take any local part', await known),
  ];
}

function withStarttls(product: Product): Product {
  return { ...product, ehlo: product.ehlo.replace('\n', '\n250-STARTTLS\n'), starttls: '220 2.0.0 Go ahead' };
}

function fullFigures(server: Server | undefined, { sittings, finding }: WholeScan): Figure[] {
  const judgement = judgementOf(finding, []);
  if (server === undefined || judgement.verdict !== 'closed')
    throw new Error(`${server?.name}, which refuses to relay, is ${judgement.verdict}: ${judgement.reason}`);
  const who = `${server.name}: full table of ${judgement.planned} tests`;
  const sum = (what: 'connections' | 'refusals') => sittings.reduce((total, each) => total + each[what], 0);
  return [
    { what: `${who}, sittings`, value: sittings.length, unit: '', limit: server.sittings },
    ...sittings.map(({ seconds }, index) => ({
      what: `${who}, sitting ${index + 1}`,
      value: seconds,
      unit: 's',
      limit: PROBE_LIMITS.sittingMs / 1000 + LATE_S,
    })),
    { what: `${who}, connections`, value: sum('connections'), unit: '' },
    { what: `${who}, refusals`, value: sum('refusals'), unit: '' },
  ];
}

function coreFigures(name: string, scans: readonly WholeScan[]): Figure[] {
  const most = (of: (scan: WholeScan) => number) => Math.max(...scans.map(of));
  const all = (what: 'seconds' | 'connections' | 'refusals' | 'commands') => (scan: WholeScan) =>
    scan.sittings.reduce((total, each) => total + each[what], 0);
  const who = `${name}: scheduled core scan, at most`;
  return [
    { what: `${who}, sittings`, value: most(({ sittings }) => sittings.length), unit: '', limit: 1 },
    { what: `${who}, time`, value: most(all('seconds')), unit: 's' },
    { what: `${who}, connections`, value: most(all('connections')), unit: '' },
    { what: `${who}, commands`, value: most(all('commands')), unit: '' },
    { what: `${who}, refusals`, value: most(all('refusals')), unit: '' },
  ];
}
