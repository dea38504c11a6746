// `npm run bench [-- NAME…]`: measures and prints; docs/benchmarks.md has the figures of a run. Limits are those the project holds itself to; a
// figure beyond its limit is marked, and ends the run with code 1.
import { measureAccuracy } from './accuracy.ts';
import { measureAdversary } from './adversary.ts';
import { measureApi } from './api.ts';
import { measureBundles } from './bundles.ts';
import { measureEngine } from './engine.ts';
import type { Figure } from './figure.ts';
import { measureFuzz } from './fuzz.ts';
import { measureHistory } from './history.ts';
import { measureIdle } from './idle.ts';
import { measurePages } from './pages.ts';
import { measureSimulation } from './simulation.ts';
import { measureStart } from './start.ts';
import { measureTargets } from './targets.ts';

const BENCHES: Record<string, () => Promise<Figure[]>> = {
  bundles: measureBundles,
  start: measureStart,
  idle: measureIdle,
  history: measureHistory,
  pages: measurePages,
  api: measureApi,
  engine: measureEngine,
  fuzz: measureFuzz,
  adversary: measureAdversary,
  targets: measureTargets,
  simulation: measureSimulation,
  accuracy: measureAccuracy,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
for (const [name, measure] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n## ${name}\n`);
  const figures = await measure();
  console.log('| what | figure | limit |\n|---|---|---|');
  for (const { what, value, unit, limit } of figures) {
    const beyond = limit !== undefined && value > limit;
    if (beyond) process.exitCode = 1;
    const shown = value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
    console.log(`| ${what} | ${shown} ${unit}${beyond ? ' (beyond the limit)' : ''} | ${limit === undefined ? '' : `${limit} ${unit}`} |`);
  }
}
