import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { functionEnvironment } from '../../infra/local/service/environment.ts';
import { SETTINGS } from '../../shared/runtime/config.ts';
import { type Figure, median } from './figure.ts';

const RUNS = 9;
const NOWHERE = 'http://127.0.0.1:9';

/** The bundles that the stacks deploy: size, and the time from nothing to a handler that is ready to be called. */
export async function measureBundles(): Promise<Figure[]> {
  const out = mkdtempSync(join(tmpdir(), 'relay-audit-bench-'));
  const secret = join(out, 'secret');
  writeFileSync(secret, 'x'.repeat(64));
  execFileSync('npx', ['cdk', 'synth', '--quiet', '--output', join(out, 'cdk')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const at = (queue: string) => `${NOWHERE}/${queue}`;
  const queues = { scans: at('scans'), notices: at('notices'), feedback: at('feedback'), canary: at('canary') };
  const env = {
    PATH: process.env.PATH ?? '',
    ...functionEnvironment({ dynamodb: NOWHERE, sqs: NOWHERE, ses: NOWHERE }, queues, {
      secretFile: secret,
      baseUrl: NOWHERE,
      accountId: '',
    }),
  };
  const bundles = readdirSync(join(out, 'cdk')).flatMap((asset) => {
    const file = join(out, 'cdk', asset, 'index.mjs');
    const code = statSync(file, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(file, 'utf8');
    const name = Object.keys(SETTINGS).find((each) => code.includes(`("${each}")`) && new RegExp(`\\("${each}"\\)[,;]`).test(code));
    return name === undefined ? [] : { name, file };
  });
  const figures = bundles.flatMap(({ name, file }): Figure[] => [
    { what: `${name}: minified`, value: statSync(file).size / 1024, unit: 'KiB', limit: 500 },
    {
      what: `${name}: cold import, median of ${RUNS}`,
      value: median(Array.from({ length: RUNS }, () => importTime(file, env))),
      unit: 'ms',
      limit: 150,
    },
  ]);
  rmSync(out, { recursive: true });
  return figures.toSorted((a, b) => a.what.localeCompare(b.what));
}

function importTime(file: string, env: Record<string, string>): number {
  const script = `const t=performance.now();await import(${JSON.stringify(file)});console.log(performance.now()-t)`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' }).trim());
}
