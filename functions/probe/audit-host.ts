import { type Address, addressLiteral } from '../../shared/domain/address.ts';
import { controlAmong } from '../../shared/domain/control-mailbox.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget } from '../../shared/domain/host-name.ts';
import { type Contact, type LegEvidence, type Transport, transportsAt } from '../../shared/domain/scan.ts';
import { askedOfEveryone, hasBrokenTls, judgeLeg, legName } from '../../shared/domain/verdict.ts';
import { type AskAtDial, connect } from '../../shared/network/connect.ts';
import type { ExpectCanary, OnProgress, ProbeLimits } from '../../shared/network/leg-session.ts';
import { probeLeg, untouchedLeg } from '../../shared/network/probe.ts';
import type { PermittedAddress } from '../../shared/network/target-policy.ts';
import { coreOf } from '../../shared/smtp/core.ts';
import type { Cast } from '../../shared/smtp/envelope-forms.ts';
import type { Scope } from '../../shared/smtp/plan.ts';
import { askingAtDial } from './at-the-dial.ts';
import type { Finding } from './finding.ts';
import { type Gate, permitHost, type TakeTurn } from './permit-host.ts';

/** What an audit needs to know about this deployment. */
export type AuditRules = {
  readonly gate: Gate;
  /** The address families that this deployment can reach. */
  readonly families: readonly (4 | 6)[];
  readonly ehloName: string;
  readonly canaryDomain: string;
  readonly optOutAddress: string;
  /** The address of our pages; left out when there are none. */
  readonly siteUrl?: string | undefined;
  readonly limits: ProbeLimits;
};

/** What one audit is to do. */
export type AuditOrder = {
  /** The id of the scan. An address that has itself asked for this scan consents by it. */
  readonly scanId?: string | undefined;
  /** The full table, or the core and the `rotation`-th of the rotating parts. */
  readonly scope: 'full' | { readonly rotation: number };
  readonly takeTurn: TakeTurn;
  readonly expectCanary?: ExpectCanary | undefined;
  /** For a host that is known to take any local part: the number of this round of messages. It gets only a few each time. */
  readonly round?: number | undefined;
  /** The legs of earlier sittings of the same scan. */
  readonly before?: readonly LegEvidence[] | undefined;
  /** Called after each session with how far the leg has come. */
  readonly onProgress?: OnProgress | undefined;
  /** Ends the sitting early, as if its time were up. */
  readonly signal?: AbortSignal | undefined;
};

/** Audits one host: asks what may be sent to each of its addresses, then probes each leg. */
export async function auditHost(registered: Host, order: AuditOrder, rules: AuditRules): Promise<Finding> {
  const permission = await permitHost(registered, rules.families, order.takeTurn, rules.gate, order.scanId);
  if ('untested' in permission) return permission;
  const { ways, ports, byPresence, servedDomains, paused, askedAt } = permission;
  const host = { ...registered, settings: { ...registered.settings, ports } };
  const askAtDial = askingAtDial(host, askedAt, rules.gate, byPresence ? order.scanId : undefined);
  const deadline = rules.gate.now() + rules.limits.sittingMs;
  const legs = await Promise.all(
    ways.map(({ address, permitted, refused }) => {
      if (refused !== undefined) return untouched(host, address, refused);
      if (!rules.families.includes(address.family)) return untouched(host, address, 'no-ipv6-here');
      return probeAddress({ host, permitted, cast: castFor(host, address, servedDomains, rules), order, rules, deadline, askAtDial });
    }),
  );
  return { legs: legs.flat(), paused };
}

type AddressWork = {
  readonly host: Host;
  readonly permitted: PermittedAddress;
  readonly cast: Cast;
  readonly order: AuditOrder;
  readonly rules: AuditRules;
  readonly deadline: number;
  readonly askAtDial: AskAtDial;
};

// Legs are probed one after the other, so that a server never sees us at two ports at once. Each port may use all the time that is left,
// and the sitting starts where the previous one had to stop.
async function probeAddress(work: AddressWork): Promise<LegEvidence[]> {
  const ports = inOrder(work);
  const knocks = knockLater(work, ports.slice(1));
  const legs: LegEvidence[] = [];
  for (const port of ports) {
    const [transport] = transportsAt(port);
    const scope = scopeOf(work, port, transport);
    const absent = await knocks.absent(port);
    const leg = absent === undefined ? await probeIfPlanned(work, port, transport, scope) : scope.length === 0 ? undefined : absent;
    if (leg !== undefined) legs.push(leg);
    // Only the plain leg shows whether STARTTLS is offered, and the core may have left it out this time.
    if (leg?.offersStarttls !== true) continue;
    // What the plain leg would not answer before STARTTLS is asked after it.
    const own = scopeOf(work, port, 'starttls');
    const moved =
      askedOfEveryone(leg.tests) === 'starttls-first' && own !== 'full' && scope !== 'full' ? [...new Set([...scope, ...own])] : own;
    const inside = await probeIfPlanned(work, port, 'starttls', moved, leg);
    if (inside !== undefined) legs.push(inside);
  }
  knocks.stop();
  return inPortOrder(await withoutBans(legs, work), work.host.settings.ports);
}

// First the ports that we never got to, then those where time ran out: a slow port that uses up every sitting must not starve the others.
function inOrder({ host, order, permitted }: AddressWork): readonly number[] {
  const before = (order.before ?? []).filter(({ address }) => address === permitted.text);
  const late = new Set(before.filter(({ stopped }) => stopped === 'out-of-time').map(({ port }) => port));
  const unreached = new Set(before.filter(({ contact }) => contact === 'out-of-time').map(({ port }) => port));
  const place = (port: number) => (unreached.has(port) ? 0 : late.has(port) ? 1 : 2);
  return host.settings.ports.toSorted((a, b) => place(a) - place(b));
}

function inPortOrder(legs: readonly LegEvidence[], ports: readonly number[]): LegEvidence[] {
  return legs.toSorted((a, b) => ports.indexOf(a.port) - ports.indexOf(b.port));
}

type Knocks = { readonly absent: (port: number) => Promise<LegEvidence | undefined>; readonly stop: () => void };

// Each port that drops our packets costs a time-out. When the first port takes long, we check the others at the same time: we connect,
// and close again without a word.
function knockLater(work: AddressWork, ports: readonly number[]): Knocks {
  const { permitted, rules, order } = work;
  const known = new Set((order.before ?? []).filter(({ address }) => address === permitted.text).map(({ port }) => port));
  const asked = new Map<number, Promise<LegEvidence | undefined>>();
  const reached = new Set<number>();
  const knock = async (port: number): Promise<LegEvidence | undefined> => {
    const connection = await connect(permitted, port, rules.limits.connectMs, work.askAtDial);
    if (connection.kind === 'failed')
      return untouchedLeg({ target: permitted, port, transport: transportsAt(port)[0] }, connection.contact);
    connection.socket.destroy();
    return undefined;
  };
  const timer = setTimeout(() => {
    // Trouble on this machine shows again in the session itself, which reports it.
    for (const port of ports)
      if (!known.has(port) && !reached.has(port))
        asked.set(
          port,
          knock(port).catch(() => undefined),
        );
  }, rules.limits.connectMs);
  const stop = () => clearTimeout(timer);
  if (ports.length === 0) stop();
  return {
    async absent(port) {
      reached.add(port);
      return asked.get(port);
    },
    stop,
  };
}

// Ban tools close several ports at once. If a port is silent after another one refused us, and that other one no longer takes connections
// either, we were banned: the port is there.
async function withoutBans(legs: readonly LegEvidence[], work: AddressWork): Promise<LegEvidence[]> {
  const { permitted, rules } = work;
  const refusing = legs.find(({ contact, costs }) => contact === 'answered' && costs.refusals > 0);
  const silent = legs.filter(
    (leg, index) => BAN_CONTACTS.includes(leg.contact) && refusing !== undefined && index > legs.indexOf(refusing),
  );
  if (refusing === undefined || silent.length === 0) return [...legs];
  const again = await connect(permitted, refusing.port, rules.limits.connectMs, work.askAtDial);
  if (again.kind === 'connected') again.socket.destroy();
  if (again.kind === 'connected' || !BAN_CONTACTS.includes(again.contact)) return [...legs];
  const silentSittings = (leg: LegEvidence) => (work.order.before?.find((each) => legName(each) === legName(leg))?.silentSittings ?? 0) + 1;
  return legs.map((leg) =>
    silent.includes(leg) ? { ...leg, stopped: 'silent-after-refusals', silentSittings: silentSittings(leg) } : leg,
  );
}

const BAN_CONTACTS: readonly Contact[] = ['connection-refused', 'connection-timed-out', 'network-unreachable'];

function scopeOf({ cast, host, order }: AddressWork, port: number, transport: Transport): Scope {
  return order.scope === 'full'
    ? 'full'
    : coreOf(cast, host.settings.ports, { ...order.scope, knownCatchAll: order.round !== undefined }, port, transport);
}

async function probeIfPlanned(
  work: AddressWork,
  port: number,
  transport: Transport,
  scope: Scope,
  beside?: LegEvidence,
): Promise<LegEvidence | undefined> {
  const { permitted, cast, order, rules, deadline } = work;
  if (scope.length === 0) return undefined;
  const name = legName({ address: permitted.text, port, transport });
  const before = order.before?.find((leg) => legName(leg) === name);
  if (before !== undefined && isSettled(before)) return before;
  const { limits, optOutAddress, siteUrl } = rules;
  const { expectCanary, onProgress, round, signal } = order;
  return probeLeg({
    target: permitted,
    port,
    transport,
    cast,
    scope,
    limits,
    deadline,
    clock: rules.gate.now,
    optOutAddress,
    siteUrl,
    askAtDial: work.askAtDial,
    expectCanary,
    round,
    beside,
    before,
    signal,
    onProgress,
  });
}

// The earlier sitting's evidence of a leg that has nothing left to ask.
function isSettled(leg: LegEvidence): boolean {
  const { verdict, reason } = judgeLeg(leg);
  return verdict !== 'inconclusive' || reason === 'awaiting-messages' || hasBrokenTls(leg);
}

function untouched(host: Host, { text }: { readonly text: string }, contact: Contact): LegEvidence[] {
  return host.settings.ports.map((port) => untouchedLeg({ target: { text }, port, transport: transportsAt(port)[0] }, contact));
}

const DAY_MS = 86_400_000;

/** What the envelopes to one address are made of. Served domains and the control mailbox are used only where they are proven. */
export function castFor(host: Host, address: Address, servedDomains: readonly string[], rules: AuditRules): Cast {
  const target = readTarget(host.settings.name);
  return {
    ourDomain: rules.ehloName,
    senderDomain: `bounces.${rules.canaryDomain}`,
    canaryDomain: rules.canaryDomain,
    hostName: target.kind === 'name' ? target.name : undefined,
    addressLiteral: addressLiteral(address),
    servedDomains,
    controlMailbox: controlAmong(host.settings.controlMailbox, servedDomains),
    localPart: `audit-${host.id.slice(0, 8)}`,
    srsDay: Math.floor(rules.gate.now() / DAY_MS),
  };
}

// Contacts that do not show whether our packets left at all, such as a port that we never got to. A refused connection does: somebody
// answered.
const NO_ANSWER: readonly Contact[] = ['connection-timed-out', 'network-unreachable', 'out-of-time'];

/** The ports from which nothing came back. Our own way out may be blocked there. */
export function mutePorts({ legs }: Pick<Finding, 'legs'>): number[] {
  return [...new Set(legs.map((leg) => leg.port))].filter((port) => !answeredPorts({ legs }).includes(port));
}

/** The ports from which anything came back, even a refusal. */
export function answeredPorts({ legs }: Pick<Finding, 'legs'>): number[] {
  return legs.filter((leg) => !NO_ANSWER.includes(leg.contact)).map((leg) => leg.port);
}
