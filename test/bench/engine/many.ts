import type { Figure } from '../figure.ts';
import type { ManyAudits, Table } from './audits.ts';
import { startChild } from './child.ts';
import { type NmapRun, scanForRelays } from './nmap.ts';
import { auditMany } from './ours.ts';
import { share } from './share.ts';

// The crowd greets as Postfix does: the full table takes one session, then six side by side; the core takes one.
const SOCKETS_OF_AN_AUDIT = { full: 6, core: 1 } as const;
const TARGETS = 1_000;
const DEFAULT_TARGETS = 200; // nmap talks to 20 servers at a time unless told otherwise: more would only take longer
const SOCKETS = 800;
const FASTEST = ['-T5', '--min-hostgroup', '1024', '--min-parallelism', '1000', '--max-parallelism', '1200'];
const TABLES: readonly Table[] = ['full', 'core'];
// Of nmap's at its fastest, in %.
const TIME_LIMITS = { full: 100, core: 50 } as const;
const CPU_LIMITS = { full: 34, core: undefined } as const;
const NMAP_TESTS = 16;
const RUNS = 3;

/**
 * A thousand closed servers 50 ms away: hosts per second, CPU, and memory, by nmap's defaults, by nmap at its fastest, and by us; of the
 * last two the middle of three runs.
 */
export async function measureMany(): Promise<Figure[]> {
  const targets = Array.from({ length: TARGETS }, (_, i) => `127.9.${Math.floor(i / 250)}.${(i % 250) + 1}`);
  const servers = startChild(new URL('./crowd-process.ts', import.meta.url));
  try {
    await servers.ask(targets);
    const usual = await scanForRelays(targets.slice(0, DEFAULT_TARGETS));
    const fastest = await middleRun(
      () => scanForRelays(targets, FASTEST),
      ({ seconds }) => seconds,
    );
    const figures = [...nmapFigures('nmap by default', DEFAULT_TARGETS, usual), ...nmapFigures('nmap at its fastest', TARGETS, fastest)];
    for (const table of TABLES) figures.push(...(await oursBeside(table, targets, fastest)));
    return figures;
  } finally {
    await servers.stop();
  }
}

// The run whose time is the middle one.
async function middleRun<T>(run: () => Promise<T>, secondsOf: (run: T) => number): Promise<T> {
  const runs: T[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await run());
  const middle = runs.toSorted((a, b) => secondsOf(a) - secondsOf(b))[Math.floor(RUNS / 2)];
  if (middle === undefined) throw new Error('nothing was run');
  return middle;
}

function nmapFigures(who: string, targets: number, { seconds, cpuSeconds, closed }: NmapRun): Figure[] {
  return [
    { what: `${who}, ${targets} servers: servers left without a verdict`, value: targets - closed, unit: '' },
    { what: `${who}: servers per second`, value: targets / seconds, unit: '/s' },
    { what: `${who}: CPU per server`, value: (1000 * cpuSeconds) / targets, unit: 'ms' },
    { what: `${who}: CPU per test`, value: (1e6 * cpuSeconds) / targets / NMAP_TESTS, unit: 'µs' },
  ];
}

async function oursBeside(table: Table, targets: readonly string[], fastest: NmapRun): Promise<Figure[]> {
  const audits = () => auditMany(targets, table, Math.floor(SOCKETS / SOCKETS_OF_AN_AUDIT[table]));
  const { fresh: run, warm } = await middleRun(audits, ({ fresh }) => fresh.seconds);
  const wrong = targets.filter((target) => run.verdicts[target] !== 'closed' || warm.verdicts[target] !== 'closed').length;
  const who = `${table} table, ${SOCKETS} sockets`;
  const cpuPerTest = ({ cpuSeconds, tests }: ManyAudits) => (1e6 * cpuSeconds) / tests;
  const cpuPerNmapTest = (1e6 * fastest.cpuSeconds) / targets.length / NMAP_TESTS;
  return [
    { what: `${who}: servers not called closed`, value: wrong, unit: '', limit: 0 },
    { what: `${who}: servers per second`, value: targets.length / run.seconds, unit: '/s' },
    share(`${who}: time`, run.seconds, fastest.seconds, 's', TIME_LIMITS[table]),
    share(`${who}: CPU per server`, (1000 * run.cpuSeconds) / targets.length, (1000 * fastest.cpuSeconds) / targets.length, 'ms'),
    share(`${who}: CPU per test, process just started`, cpuPerTest(run), cpuPerNmapTest, 'µs'),
    share(`${who}: CPU per test, process that has audited as many before`, cpuPerTest(warm), cpuPerNmapTest, 'µs', CPU_LIMITS[table]),
    { what: `${who}: peak memory of both`, value: warm.peakRssBytes / 2 ** 20, unit: 'MiB', limit: 256 },
  ];
}
