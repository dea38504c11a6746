import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { judgementOf } from '../../../functions/probe/finding.ts';
import type { Verdict } from '../../../shared/domain/reason.ts';
import { PROBE_LIMITS, type ProbeLimits } from '../../../shared/network/leg-session.ts';
import { audit, type ManyAudits, type ManyTask, type Table } from './audits.ts';
import { startChild } from './child.ts';
import type { Counts } from './delay-process.ts';

/** Many audits by a process that does nothing else, and the time to the last answer, for the first of them from the start of the process. */
export type ManyRun = ManyAudits & { readonly seconds: number };

// As the deployment runs it (infra/constructs/scan-pipeline.ts).
const OPTIONS = ['--max-semi-space-size=8'];

/** Audits one server as a scan of the service would, and says what it cost the server by the audit's own account. */
export async function auditOnce(address: string, port: number, table: Table): Promise<{ readonly verdict: Verdict } & Counts> {
  const finding = await audit(address, port, table, PROBE_LIMITS);
  const sum = (what: keyof Counts) => finding.legs.reduce((total, { costs }) => total + costs[what], 0);
  return {
    verdict: judgementOf(finding, []).verdict,
    connections: sum('connections'),
    commands: sum('commands'),
    roundTrips: sum('roundTrips'),
    refusals: sum('refusals'),
  };
}

/** Audits port 25 of many addresses in a process that does nothing else, at most so many audits at once; then again in the same process. */
export async function auditMany(
  targets: readonly string[],
  table: Table,
  atOnce: number,
  limits: ProbeLimits = PROBE_LIMITS,
): Promise<{ readonly fresh: ManyRun; readonly warm: ManyRun }> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-audit-bench-'));
  const file = bundle(folder);
  const began = performance.now();
  const child = startChild(file, OPTIONS);
  const task: ManyTask = { targets, table, atOnce, limits };
  const fresh = { ...(await child.ask<ManyAudits>(task)), seconds: (performance.now() - began) / 1000 };
  const again = performance.now();
  const warm = { ...(await child.ask<ManyAudits>(task)), seconds: (performance.now() - again) / 1000 };
  await child.stop();
  rmSync(folder, { recursive: true });
  return { fresh, warm };
}

// One file of plain JavaScript, as the stacks bundle the functions.
function bundle(folder: string): URL {
  const outfile = join(folder, 'ours.mjs');
  const entryPoints = [fileURLToPath(new URL('./ours-process.ts', import.meta.url))];
  buildSync({ entryPoints, outfile, bundle: true, minify: true, platform: 'node', format: 'esm', target: 'node24' });
  return pathToFileURL(outfile);
}
