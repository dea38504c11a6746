import { type Address, addressLiteral, type Network } from '../../shared/domain/address.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget } from '../../shared/domain/host-name.ts';
import { type Judgement, untested } from '../../shared/domain/reason.ts';
import type { Contact, LegEvidence } from '../../shared/domain/scan.ts';
import { judgeHost } from '../../shared/domain/verdict.ts';
import { type OnProgress, type ProbeLimits, probeLeg } from '../../shared/network/probe.ts';
import type { Resolve } from '../../shared/network/resolve.ts';
import { decide, type PermittedAddress } from '../../shared/network/target-policy.ts';
import type { Cast } from '../../shared/smtp/relay-tests.ts';

/** What an audit needs to know of this deployment. */
export type AuditRules = {
  readonly resolve: Resolve;
  readonly operatorNetworks: readonly Network[];
  readonly ehloName: string;
  readonly canaryDomain: string;
  readonly limits: ProbeLimits;
  /** Told after each session how far a leg has come. */
  readonly onProgress?: OnProgress | undefined;
};

/** What an audit found: the judgement, and the legs when packets were sent. */
export type Finding = { readonly judgement: Judgement; readonly legs: readonly LegEvidence[] };

/** One audit of one host: resolve, ask the target policy and consent for every address, then probe each leg. */
export async function auditHost(host: Host, rules: AuditRules): Promise<Finding> {
  const found = await addressesOf(host.settings.name, rules.resolve);
  if ('reason' in found) return { judgement: found, legs: [] };
  const decisions = found.addresses.map((address) => ({ address, decision: decide(address, rules.operatorNetworks) }));
  if (decisions.some(({ decision }) => decision.kind === 'forbidden')) return { judgement: untested('forbidden-address'), legs: [] };
  const targets = decisions.flatMap(({ address, decision }) =>
    decision.kind === 'permitted' ? { address, permitted: decision.address } : [],
  );
  if (targets.length < decisions.length) return { judgement: untested('no-consent'), legs: [] };
  const deadline = Date.now() + rules.limits.sittingMs;
  const legs = await Promise.all(targets.map(({ address, permitted }) => probePorts(host, address, permitted, rules, deadline)));
  return { judgement: judgeHost(legs.flat(), host.state.openLegs), legs: legs.flat() };
}

// One address after the other would be slower; one port after the other keeps a server from seeing two sessions of ours at once.
async function probePorts(
  host: Host,
  address: Address,
  permitted: PermittedAddress,
  rules: AuditRules,
  deadline: number,
): Promise<LegEvidence[]> {
  const legs: LegEvidence[] = [];
  const cast = castFor(host, address, rules);
  for (const [index, port] of host.settings.ports.entries()) {
    const share = (deadline - Date.now()) / (host.settings.ports.length - index); // a slow port leaves the next its time
    legs.push(await probeLeg(permitted, port, cast, rules.limits, Date.now() + share, rules.onProgress));
  }
  return legs;
}

function castFor(host: Host, address: Address, rules: AuditRules): Cast {
  const target = readTarget(host.settings.name);
  return {
    ourDomain: rules.ehloName,
    canaryDomain: rules.canaryDomain,
    hostName: target.kind === 'name' ? target.name : undefined,
    addressLiteral: addressLiteral(address),
    servedDomains: host.settings.servedDomains,
    localPart: `relay-audit-${host.id.slice(0, 8)}`,
  };
}

async function addressesOf(name: string, resolve: Resolve): Promise<{ addresses: readonly Address[] } | Judgement> {
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  if (target.kind === 'address') return { addresses: [target.address] };
  const resolution = await resolve(target.name);
  if (resolution.kind === 'addresses') return { addresses: resolution.addresses };
  return untested(resolution.kind === 'absent' ? 'no-address' : 'dns-trouble');
}

// Contacts that show nothing of whether our packets left at all; a port that was never got to is among them. A refused connection does: somebody answered.
const NO_ANSWER: readonly Contact[] = ['connection-timed-out', 'network-unreachable', 'out-of-time'];

/** The ports from which nothing at all came back: there it may be our own way out that is blocked. */
export function mutePorts({ legs }: Finding): number[] {
  return legs.map((leg) => leg.port).filter((port) => !answeredPorts({ legs }).includes(port));
}

/** The ports from which something came back, if only a refusal. */
export function answeredPorts({ legs }: Pick<Finding, 'legs'>): number[] {
  return legs.filter((leg) => !NO_ANSWER.includes(leg.contact)).map((leg) => leg.port);
}
