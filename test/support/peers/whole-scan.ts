import { type AuditRules, auditHost } from '../../../functions/probe/audit-host.ts';
import type { Finding } from '../../../functions/probe/finding.ts';
import { type Arrival, arrivalOf, type Canary } from '../../../shared/domain/canary.ts';
import { ended, nextSitting, restOf } from '../../../shared/domain/coverage.ts';
import type { Host } from '../../../shared/domain/host.ts';
import type { LegCosts } from '../../../shared/domain/scan.ts';
import { PROBE_LIMITS, type ProbeLimits } from '../../../shared/network/leg-session.ts';
import { ANY_TURN, gateTo } from '../gate.ts';
import { sampleHost } from '../samples.ts';
import type { Taken } from './product.ts';

/** One sitting: how long it took, and what the server saw of it. */
export type Sitting = { readonly seconds: number } & LegCosts;

/** A scan to its end: its sittings, and what it found with the messages that came back. */
export type WholeScan = { readonly sittings: readonly Sitting[]; readonly finding: Finding; readonly arrivals: readonly Arrival[] };

/** Mailboxes of ours: `expect` writes down what is sent, `take` hears of what a server took, and knows what it hands on to us. */
export function openMailbox() {
  const expected = new Map<string, Canary>();
  const arrivals: Arrival[] = [];
  return {
    arrivals,
    sent: expected,
    expect: async ({ leg, test, recipient }: Pick<Canary, 'leg' | 'test' | 'recipient'>) => {
      const id = `canary-${expected.size}`;
      const token = `token-${expected.size}-end`;
      expected.set(token, { id, accountId: 'account1', hostId: 'host1', scanId: 'scan1', leg, test, recipient, sentAt: Date.now() });
      return { id, token };
    },
    take({ text, handsOn }: Taken) {
      if (!handsOn) return;
      for (const [token, canary] of expected) if (text.includes(token)) arrivals.push(arrivalOf(canary, { at: Date.now(), path: [] }));
    },
  };
}

export type ScanOptions = {
  readonly scope?: 'full' | { readonly rotation: number };
  readonly mailbox: ReturnType<typeof openMailbox>;
  readonly round?: number | undefined;
  readonly limits?: ProbeLimits;
};

/** Scans one server, sitting after sitting without the pauses between them, as the service would, to the end of its wait. */
export async function scanWhole(
  address: string,
  port: number,
  { scope = 'full', mailbox, round, limits = PROBE_LIMITS }: ScanOptions,
): Promise<WholeScan> {
  const host: Host = sampleHost({ name: address, servedDomains: ['served.example'], ports: [port] });
  const rules: AuditRules = {
    gate: gateTo([`${address}/32`]),
    families: [4],
    ehloName: 'probe.example',
    canaryDomain: 'canary.example',
    optOutAddress: 'opt-out@probe.example',
    limits,
  };
  const sittings: Sitting[] = [];
  let finding: Finding | undefined;
  let spent: LegCosts = { connections: 0, commands: 0, roundTrips: 0, refusals: 0 };
  for (;;) {
    const began = performance.now();
    finding = await auditHost(host, { scope, takeTurn: ANY_TURN, expectCanary: mailbox.expect, round, before: finding?.legs }, rules);
    const costs = costsOf(finding);
    sittings.push({ seconds: (performance.now() - began) / 1000, ...less(costs, spent) });
    spent = costs;
    if (restOf(finding.legs) !== 'another-sitting' || nextSitting(sittings.length, 1) === undefined) break;
  }
  const { arrivals } = mailbox;
  const used = ended(finding.legs, 'sittings-used-up');
  const legs = ended(used, 'waited');
  return { sittings, finding: { legs, arrivals }, arrivals };
}

function costsOf({ legs }: Finding): LegCosts {
  const sum = (what: keyof LegCosts) => legs.reduce((total, { costs }) => total + costs[what], 0);
  return { connections: sum('connections'), commands: sum('commands'), roundTrips: sum('roundTrips'), refusals: sum('refusals') };
}

function less(a: LegCosts, b: LegCosts): LegCosts {
  return {
    connections: a.connections - b.connections,
    commands: a.commands - b.commands,
    roundTrips: a.roundTrips - b.roundTrips,
    refusals: a.refusals - b.refusals,
  };
}
