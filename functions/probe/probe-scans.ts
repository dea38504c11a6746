import { brokenTlsPorts } from '../../shared/domain/broken-tls.ts';
import { type Arrival, isAny, type Returns } from '../../shared/domain/canary.ts';
import { awaitsDns, withoutTrouble } from '../../shared/domain/consent-watch.ts';
import { following, isFull, leftIn, rotationOf, roundOf } from '../../shared/domain/coverage.ts';
import type { Host } from '../../shared/domain/host.ts';
import {
  type Begun,
  type Bookings,
  kindOf,
  type LegEvidence,
  type OwedScan,
  type Scan,
  type ScanKind,
  type ScanRef,
} from '../../shared/domain/scan.ts';
import { DOMAINS_A_SCAN, domainsOfScan } from '../../shared/domain/served-domains.ts';
import { closedLegs, judgeHost, judgeLeg, legName } from '../../shared/domain/verdict.ts';
import type { ExpectCanary } from '../../shared/network/leg-session.ts';
import { storeScan } from '../../shared/outcomes/store-scan.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Counter, EventLog } from '../../shared/runtime/logging.ts';
import type { Wake } from '../../shared/runtime/queues.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { type AuditOrder, answeredPorts, mutePorts } from './audit-host.ts';
import { lookForMessages } from './await-messages.ts';
import { type Finding, judgementOf, type Tested } from './finding.ts';
import { progressOf } from './progress.ts';
import { type Interrupted, isPutOff, type PuttingOff } from './put-off.ts';
import type { Turns } from './turns.ts';

export type Services = {
  readonly store: AuditStore;
  readonly audit: (host: Host, order: AuditOrder) => Promise<Finding>;
  /** Takes the addresses of a host, one after the other, for this delivery of a scan. */
  readonly turns: (ref: ScanRef, fresh: boolean, bookings: { readonly before: Bookings; readonly books: boolean }) => Turns;
  /** What writes down the canaries of a scan before they are sent. */
  readonly canaries: (ref: ScanRef) => ExpectCanary;
  /** Makes of a stored scan what canaries that came back or were bounced prove. */
  readonly raise: (ref: ScanRef, returns: Returns) => Promise<void>;
  readonly egressBlocked: (port: number) => Promise<boolean>;
  readonly dnsAnswers: PuttingOff['dnsAnswers'];
  readonly wakeNotices: Wake<string>;
  readonly clock: Clock;
  readonly count: Counter;
  readonly log: EventLog;
  readonly confirmDelayMs: number;
  /** How long a server is left alone before the second sitting of a scan; later ones wait longer. */
  readonly continueMs: number;
  readonly putOffMs: number;
  /** How long the messages are waited for that a server took for local parts of its own. */
  readonly awaitMs: number;
};

const CANARIES_LIMIT = 40; // ids kept with a scan, so that it stays small

// A scan that has been made, with the host it was made of, before anything is stored.
type Made = Interrupted & { readonly finding: Finding };

/**
 * Makes the scans that are referred to, side by side, and stores each as soon as it is done. When nothing came from a port, our own way
 * out to it is checked before that counts; a scan for which it seems blocked waits for the others, since one that the port answered is
 * proof that it is not. Gives the references whose result could not be stored; those must be delivered again.
 */
export async function probeScans(refs: readonly ScanRef[], services: Services): Promise<ScanRef[]> {
  const failed: ScanRef[] = [];
  const guard = async (ref: ScanRef, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      services.log.error('a scan could not be stored', { ...ref, error });
      failed.push(ref);
    }
  };
  const doubtful: Made[] = [];
  const answered = new Set<number>();
  const seeming = new Map<number, Promise<boolean>>();
  const seemsBlocked = (port: number): Promise<boolean> => {
    const asked = seeming.get(port) ?? services.egressBlocked(port);
    seeming.set(port, asked);
    return asked;
  };
  await Promise.all(
    refs.map((ref) =>
      guard(ref, async () => {
        const made = await makeScan(ref, services);
        if (made === undefined) return;
        for (const port of answeredPorts(made.finding)) answered.add(port);
        const unsure = mutePorts(made.finding).filter((port) => !answered.has(port));
        if ((await Promise.all(unsure.map(seemsBlocked))).includes(true)) doubtful.push(made);
        else await conclude(made, made.finding, services);
      }),
    ),
  );
  const isBlocked = await blockedAmong(seeming, answered);
  services.count('EgressBlocked', isBlocked.size > 0 ? 1 : 0);
  await Promise.all(doubtful.map((made) => guard(made.ref, () => conclude(made, withoutBlocked(made.finding, isBlocked), services))));
  return failed;
}

async function blockedAmong(seeming: ReadonlyMap<number, Promise<boolean>>, answered: ReadonlySet<number>): Promise<Set<number>> {
  const asked = await Promise.all([...seeming].map(async ([port, seems]) => ((await seems) && !answered.has(port) ? [port] : [])));
  return new Set(asked.flat());
}

function withoutBlocked(finding: Finding, isBlocked: ReadonlySet<number>): Finding {
  if (!mutePorts(finding).some((port) => isBlocked.has(port))) return finding;
  return { untested: 'egress-blocked', legs: finding.legs.filter(({ port }) => !isBlocked.has(port)) };
}

async function makeScan(ref: ScanRef, services: Services): Promise<Made | undefined> {
  const { store } = services;
  const [host, owed] = await Promise.all([ownedHost(ref, store), store.findOwed(ref.hostId, ref.scanId)]);
  // Only now: a scan that another delivery stores in between is owed no more, and must not be taken for one that was never made.
  const stored = await store.findScan(ref.hostId, ref.scanId);
  if (host === undefined) {
    if (owed !== undefined) await store.dropOwed(ref);
    return undefined;
  }
  if (stored !== undefined) {
    await storeScan({ host, scan: stored, legs: await legsOf(store, stored), wasOwed: owed !== undefined }, services);
    return undefined;
  }
  const begun = owed?.begun;
  const startedAt = begun?.startedAt ?? services.clock();
  const full = begun?.full ?? isFull(kindIn(ref), host.state, startedAt);
  const before = begun === undefined ? undefined : await store.readEvidence(host.id, begun.soFar);
  const other = await otherWaiting(ref, host, store);
  const made = { ref, host, owed, startedAt, full, besideWaiting: other !== undefined && awaitsDns(other) };
  if (owed !== undefined && begun?.awaits !== undefined && before !== undefined) {
    const finding = await lookForMessages(host, owed, begun.awaits, before, services);
    return finding === undefined ? undefined : { ...made, finding };
  }
  const scope = full ? 'full' : { rotation: rotationOf(host.settings.period, startedAt) };
  const isFresh = kindIn(ref) !== 'confirming' && before === undefined;
  if (isFresh && (await comesLater(made, other, services))) return undefined;
  // Of a host one scan waits: another would have a place in the line that nobody comes for.
  const books = host.state.putOff === undefined || host.state.putOff === ref.scanId;
  const turns = services.turns(ref, isFresh, { before: owed?.booked ?? {}, books });
  const progress = owed === undefined ? undefined : progressOf(ref, store, services.clock, !awaitsDns(owed));
  const round = roundOf(kindIn(ref), host.state, startedAt);
  const order = {
    scanId: ref.scanId,
    scope,
    takeTurn: turns.take,
    expectCanary: services.canaries(ref),
    round,
    before,
    onProgress: progress?.note,
  } as const;
  const finding = await auditSafely(withDomains(host, startedAt), order, services);
  await progress?.end().catch((error: unknown) => services.log.error('the progress of a scan could not be noted', { ...ref, error }));
  await turns.end().catch((error: unknown) => services.log.error('a turn could not be ended, and lapses by itself', { ...ref, error }));
  // Of a host that was removed meanwhile, which the dial takes for a veto, nothing is stored.
  if (finding.legs.some(({ contact }) => contact === 'vetoed') && (await ownedHost(ref, store)) === undefined) {
    if (owed !== undefined) await store.dropOwed(ref);
    return undefined;
  }
  return { ...made, finding, booked: turns.booked() };
}

async function otherWaiting({ scanId }: ScanRef, { id, state: { putOff } }: Host, store: AuditStore): Promise<OwedScan | undefined> {
  return putOff === undefined || putOff === scanId ? undefined : store.findOwed(id, putOff);
}

// Whether a scan gives way to another of its host: to one that waits in a line already, behind which it would only wait too, and a scheduled one
// to one that looks at DNS by itself.
async function comesLater(
  { ref, owed, besideWaiting }: Omit<Made, 'finding'>,
  other: OwedScan | undefined,
  { store, clock }: Services,
): Promise<boolean> {
  const isScheduled = kindIn(ref) === 'scheduled';
  const at = Math.max(0, ...Object.values(other?.booked ?? {}).map((place) => place.at));
  if (at <= clock() && !(besideWaiting && isScheduled)) return false;
  // The next scheduled one comes by itself.
  if (owed !== undefined) await (isScheduled ? store.dropOwed(ref) : store.leaseScan(ref, at));
  return true;
}

// A removal of the account that broke off may have left the host behind: nobody owns it any more, and nobody may have it scanned.
async function ownedHost({ accountId, hostId }: ScanRef, store: AuditStore): Promise<Host | undefined> {
  const [host, account] = await Promise.all([store.findHost(accountId, hostId), store.findAccount(accountId)]);
  if (host === undefined || account !== undefined) return host;
  await store.removeHost(host);
  return undefined;
}

function kindIn({ scanId }: ScanRef): ScanKind {
  return kindOf(scanId) ?? 'on-demand';
}

// Of very many served domains a scan uses a few.
function withDomains(host: Host, startedAt: number): Host {
  return { ...host, settings: { ...host.settings, servedDomains: domainsOfScan(host, startedAt) } };
}

async function auditSafely(host: Host, order: AuditOrder, services: Services): Promise<Finding> {
  try {
    return await services.audit(host, order);
  } catch (error) {
    services.log.error('an audit failed', { hostId: host.id, error });
    return { untested: 'internal-error', legs: [] };
  }
}

async function conclude(made: Made, found: Finding, services: Services): Promise<void> {
  const { ref, host, owed, startedAt, full } = made;
  const { openLegs } = host.state;
  if (found.untested !== undefined && (await isPutOff(made, found, services))) return;
  const { reason } = judgementOf(found, openLegs);
  services.count('HostsProbed', 1);
  if (reason === 'policy-against-us') services.count('HostsRefusingUs', 1);
  const { later, legs } = found.untested === undefined ? await goesOn(made, found, services) : { later: 'no', legs: found.legs };
  if (later === 'yes') return;
  const evidence = legs.length === 0 ? undefined : await services.store.keepEvidence(host, legs);
  const { arrivals = [] } = found;
  const shown: Finding = { ...found, legs };
  const broken = brokenTlsPorts(legs);
  const base = {
    hostId: host.id,
    id: ref.scanId,
    kind: kindIn(ref),
    startedAt,
    finishedAt: services.clock(),
    waitedSince: owed?.waits?.since,
    evidence,
    full,
    servedDomains: host.settings.servedDomains.length > DOMAINS_A_SCAN ? domainsOfScan(host, startedAt) : undefined,
    // Who waits for messages alone asks for no address again.
    paused: (owed?.begun?.awaits === undefined ? found : owed.begun).paused,
    brokenTls: broken.length === 0 ? undefined : broken,
    waitedMs: waitedBy(made, arrivals, services.clock()),
  };
  const bare: Scan = { ...base, ...shownBy(legs, host, []), judgement: judgementOf({ ...shown, arrivals: undefined }, openLegs) };
  const whole = () => ({ ...base, ...shownBy(legs, host, arrivals), judgement: judgementOf(shown, openLegs), arrivals });
  const scan: Scan = arrivals.length === 0 ? bare : whole();
  await storeScan({ host, scan, bare, legs, wasOwed: owed !== undefined, historyOnly: later === 'another-waits' }, services);
}

// What a scan notes of its legs, with what came back through them.
function shownBy(
  legs: readonly LegEvidence[],
  host: Host,
  arrivals: readonly Arrival[],
): Pick<Scan, 'openLegs' | 'closedLegs' | 'canaries'> {
  return {
    openLegs: legs.filter((leg) => ['open', 'suspected'].includes(judgeLeg(leg, arrivals).verdict)).map(legName),
    closedLegs: closedLegs(legs).filter((leg) => host.state.openLegs.includes(leg) && !arrivals.some((arrival) => arrival.leg === leg)),
    canaries: legs.flatMap((leg) => leg.canaries ?? []).slice(0, CANARIES_LIMIT),
  };
}

// How long its messages were waited for in vain; one that all were bounced of did not wait so long.
function waitedBy({ owed }: Made, arrivals: readonly Arrival[], now: number): number | undefined {
  const awaits = owed?.begun?.awaits;
  return awaits === undefined || arrivals.length > 0 || now < awaits.until ? undefined : awaits.until - awaits.since;
}

type Going = { readonly legs: readonly LegEvidence[]; readonly later: 'yes' | 'no' | 'another-waits' };

// `another-waits`: this one is history only, or it would overtake the one that is still to be completed.
async function goesOn(made: Made, { legs, arrivals, paused }: Tested, services: Services): Promise<Going> {
  const { owed, full } = made;
  const sittings = (owed?.begun?.sittings ?? 0) + 1;
  const next = following({ legs, arrivals, full, sittings }, services.continueMs);
  if (next.kind === 'result') return { legs: next.legs, later: 'no' };
  const since = services.clock();
  if (next.kind === 'sitting') return goOn(made, legs, { dueAt: since + next.inMs, sittings, paused }, services);
  const until = since + services.awaitMs;
  const going = await goOn(made, next.legs, { dueAt: until, sittings, paused, awaits: { since, until } }, services);
  // What came before this was written was told to a scan that did not wait yet.
  const sent = next.legs.flatMap((leg) => leg.canaries ?? []);
  if (going.later === 'yes' && isAny(await services.store.readReturns(made.ref, sent))) await services.store.leaseScan(made.ref, since);
  return going;
}

type Next = Pick<OwedScan, 'dueAt'> & Pick<Begun, 'sittings' | 'paused' | 'awaits'>;

async function goOn(
  { ref, host, owed, startedAt, full }: Made,
  legs: readonly LegEvidence[],
  { dueAt, ...more }: Next,
  services: Services,
): Promise<Going> {
  const soFar = await services.store.keepSoFar(host, legs);
  const { reason, completed, planned } = judgeHost(legs, host.state.openLegs);
  const left = { reason: leftIn(legs) ?? reason, completed, planned };
  services.log.info('goes on later', { host: host.settings.name, ...ref, ...left });
  const goesOnNow = await services.store.continueScan(host, {
    ...ref,
    dueAt,
    tries: owed?.tries ?? 0,
    waits: withoutTrouble(owed?.waits),
    begun: { startedAt, full, soFar, left, ...more },
  });
  return { legs, later: goesOnNow ? 'yes' : 'another-waits' };
}

async function legsOf(store: AuditStore, scan: Scan): Promise<LegEvidence[]> {
  return (scan.evidence === undefined ? undefined : await store.readEvidence(scan.hostId, scan.evidence)) ?? [];
}
