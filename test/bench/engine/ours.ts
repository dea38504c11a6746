import { readFileSync } from 'node:fs';
import { type AuditOrder, auditHost, type Finding } from '../../../functions/probe/audit-host.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import type { Verdict } from '../../../shared/domain/reason.ts';
import { PROBE_LIMITS, type ProbeLimits } from '../../../shared/network/leg-session.ts';
import { sampleHost } from '../../support/samples.ts';
import { peakRssBytes, startChild } from './child.ts';
import type { Counts } from './delay-process.ts';

/** Which part of the table of tests an audit goes through. */
export type Table = 'full' | 'core';

/** What many audits found, by address, and what they took: the whole process from its start, with its memory at the highest. */
export type ManyRun = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Tests that were completed, all audits together. */
  readonly tests: number;
  readonly verdicts: Readonly<Record<string, Verdict>>;
};

// As the deployment runs it (infra/constructs/scan-pipeline.ts).
const OPTIONS = ['--max-semi-space-size=8'];

/** The work of one process of ours; see `auditMany`. */
export type ManyTask = {
  readonly targets: readonly string[];
  readonly table: Table;
  readonly atOnce: number;
  readonly limits: ProbeLimits;
};

/** Audits one server as a scan of the service would, and says what it cost the server by the audit's own account. */
export async function auditOnce(address: string, port: number, table: Table): Promise<{ readonly verdict: Verdict } & Counts> {
  const { judgement, legs } = await audit(address, port, table, PROBE_LIMITS);
  const sum = (what: keyof Counts) => legs.reduce((total, { costs }) => total + costs[what], 0);
  return {
    verdict: judgement.verdict,
    connections: sum('connections'),
    commands: sum('commands'),
    roundTrips: sum('roundTrips'),
    refusals: sum('refusals'),
  };
}

/** Audits port 25 of many addresses in a process that does nothing else, at most so many audits at once. */
export async function auditMany(
  targets: readonly string[],
  table: Table,
  atOnce: number,
  limits: ProbeLimits = PROBE_LIMITS,
): Promise<ManyRun> {
  const began = performance.now();
  const child = startChild(new URL('./ours-process.ts', import.meta.url), OPTIONS);
  const task: ManyTask = { targets, table, atOnce, limits };
  const run = await child.ask<Omit<ManyRun, 'seconds'>>(task);
  const seconds = (performance.now() - began) / 1000;
  await child.stop();
  return { ...run, seconds };
}

/** What that process does. */
export async function auditAll({ targets, table, atOnce, limits }: ManyTask): Promise<Omit<ManyRun, 'seconds'>> {
  const verdicts: Record<string, Verdict> = {};
  let tests = 0;
  const left = targets.values();
  const work = async () => {
    for (const address of left) {
      const { judgement } = await audit(address, 25, table, limits);
      verdicts[address] = judgement.verdict;
      tests += judgement.completed;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, targets.length) }, work));
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRssBytes(readFileSync('/proc/self/status', 'latin1')), tests, verdicts };
}

function audit(address: string, port: number, table: Table, limits: ProbeLimits): Promise<Finding> {
  const own = parseNetwork(`${address}/32`);
  if (own === undefined) throw new Error(`${address} is no address`);
  const host = sampleHost({ name: address, servedDomains: ['served.example'], ports: [port] });
  const order: AuditOrder = { scope: table === 'full' ? 'full' : { rotation: 0 }, expectCanary: async () => undefined };
  return auditHost(host, order, {
    resolve: async () => ({ kind: 'absent' }),
    operatorNetworks: [own],
    families: [4],
    ehloName: 'probe.example',
    canaryDomain: 'canary.example',
    optOutAddress: 'opt-out@probe.example',
    limits,
  });
}
