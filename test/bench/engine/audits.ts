import { readFileSync } from 'node:fs';
import { type AuditOrder, auditHost } from '../../../functions/probe/audit-host.ts';
import { type Finding, judgementOf } from '../../../functions/probe/finding.ts';
import { ended } from '../../../shared/domain/coverage.ts';
import type { Verdict } from '../../../shared/domain/reason.ts';
import { judgeHost } from '../../../shared/domain/verdict.ts';
import type { ProbeLimits } from '../../../shared/network/leg-session.ts';
import { ANY_TURN, gateTo } from '../../support/gate.ts';
import { sampleHost } from '../../support/samples.ts';
import { peakRssBytes } from './child.ts';

/** Which part of the table of tests an audit goes through. */
export type Table = 'full' | 'core';

/** Audits of many addresses: at most so many at once. */
export type ManyTask = {
  readonly targets: readonly string[];
  readonly table: Table;
  readonly atOnce: number;
  readonly limits: ProbeLimits;
};

/** What they found, by address, and what they took: processor time since the process started or last answered, and its memory at the highest. */
export type ManyAudits = {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Tests that were completed, all audits together. */
  readonly tests: number;
  readonly verdicts: Readonly<Record<string, Verdict>>;
};

let counted = { user: 0, system: 0 };

/** Audits port 25 of each address as a scan of the service would that has one sitting. */
export async function auditAll({ targets, table, atOnce, limits }: ManyTask): Promise<ManyAudits> {
  const verdicts: Record<string, Verdict> = {};
  let tests = 0;
  const left = targets.values();
  const work = async () => {
    for (const address of left) {
      const finding = await audit(address, 25, table, limits);
      const { legs } = finding;
      const judgement = judgementOf(finding, []);
      verdicts[address] = legs.length === 0 ? judgement.verdict : judgeHost(ended(legs, 'sittings-used-up'), []).verdict;
      tests += judgement.completed;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, targets.length) }, work));
  const { user, system } = process.cpuUsage(counted);
  counted = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRssBytes(readFileSync('/proc/self/status', 'latin1')), tests, verdicts };
}

/** One audit, with a cast like that of any registered host. */
export function audit(address: string, port: number, table: Table, limits: ProbeLimits): Promise<Finding> {
  const host = sampleHost({ name: address, servedDomains: ['served.example'], ports: [port] });
  const order: AuditOrder = { scope: table === 'full' ? 'full' : { rotation: 0 }, takeTurn: ANY_TURN, expectCanary: async () => undefined };
  return auditHost(host, order, {
    gate: gateTo([`${address}/32`]),
    families: [4],
    ehloName: 'probe.example',
    canaryDomain: 'canary.example',
    optOutAddress: 'opt-out@probe.example',
    limits,
  });
}
