import { type DnsFailure, isOfDns } from '../../shared/domain/consent.ts';
import { waitAfter, withoutTrouble } from '../../shared/domain/consent-watch.ts';
import type { Host } from '../../shared/domain/host.ts';
import { isOurs, type Reason } from '../../shared/domain/reason.ts';
import { type Begun, type Bookings, kindOf, type OwedScan, type ScanRef } from '../../shared/domain/scan.ts';
import { type Telling, tellDnsTrouble } from '../../shared/outcomes/tell-dns-trouble.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { Untested } from './finding.ts';

export type PuttingOff = Telling & {
  readonly store: Telling['store'] & Pick<AuditStore, 'putOff' | 'leaseScan' | 'keepSoFar'>;
  readonly clock: Clock;
  readonly putOffMs: number;
  /** Whether DNS answers for a name of our own: if it does not, what it fails to say of others is trouble of ours. */
  readonly dnsAnswers: () => Promise<boolean>;
};

/** A scan that came to nothing, as it was begun. */
export type Interrupted = {
  readonly ref: ScanRef;
  readonly host: Host;
  readonly owed: OwedScan | undefined;
  readonly startedAt: number;
  readonly full: boolean;
  readonly booked?: Bookings;
  /** Another scan of the host waits for DNS already. */
  readonly besideWaiting: boolean;
};

/** Puts off a scan that can only be made later, and says whether it did; where not, what was found is its result. */
export async function isPutOff(scan: Interrupted, found: Untested, services: PuttingOff): Promise<boolean> {
  const { untested: reason } = found;
  if (isOfDns(reason) && (reason !== 'dns-trouble' || (await services.dnsAnswers()))) return waitsForDns(scan, found, services);
  if (!isOurs(reason)) return false;
  await putOffByUs(scan, found, services);
  return true;
}

async function putOffByUs(scan: Interrupted, found: Untested, services: PuttingOff): Promise<void> {
  const { untested: reason, retryAt } = found;
  const dueAt = retryAt ?? services.clock() + services.putOffMs;
  if (retryAt === undefined) services.log.error('a scan was put off by trouble on our side', { ...scan.ref, reason });
  else services.log.info('a scan waits for its turn at an address', { ...scan.ref, dueAt });
  await owe(scan, found, { dueAt, waits: withoutTrouble(scan.owed?.waits) }, services);
}

async function waitsForDns(scan: Interrupted, found: Untested, services: PuttingOff): Promise<boolean> {
  const { ref, host, owed, besideWaiting } = scan;
  const look = {
    kind: kindOf(ref.scanId) ?? 'on-demand',
    begun: owed?.begun !== undefined,
    lookOnly: besideWaiting || host.state.dnsLostSince !== undefined,
    waits: owed?.waits,
  };
  const step = waitAfter(look, found.untested, services.clock(), found.failure);
  if (step === undefined) return false;
  services.log.info('a scan waits for DNS', { ...ref, reason: found.untested, dueAt: step.dueAt, failure: step.waits.failure });
  if (isNews(scan, found.untested, step.waits.failure)) await owe(scan, found, step, services);
  else await services.store.leaseScan(ref, step.dueAt);
  const { troubleSince } = step.waits;
  if (step.tells && troubleSince !== undefined) await tellDnsTrouble(ref, troubleSince, step.waits.failure, services);
  return true;
}

// Most looks find what the last one did: then only the time is written, which costs a sixth.
function isNews({ ref, host, owed }: Interrupted, reason: Reason, failure: DnsFailure | undefined): boolean {
  const known = owed?.waits?.failure;
  const same = known?.type === failure?.type && known?.name === failure?.name && known?.said === failure?.said;
  return !same || host.state.putOff !== ref.scanId || owed?.trouble !== reason || owed.waits === undefined;
}

// What was found before is kept: it is not asked again. Where another scan of the host waits, one that is owed comes again all the same.
async function owe(
  { ref, host, owed, startedAt, full, booked = {} }: Interrupted,
  { untested: reason, legs }: Untested,
  { dueAt, waits }: Pick<OwedScan, 'dueAt' | 'waits'>,
  { store }: PuttingOff,
): Promise<void> {
  const before = owed?.begun;
  const soFar = legs.length === 0 ? before?.soFar : await store.keepSoFar(host, legs);
  const begun: Begun | undefined =
    soFar === undefined ? undefined : { startedAt, full, sittings: before?.sittings ?? 0, soFar, left: before?.left };
  const places = Object.keys(booked).length === 0 ? {} : { booked };
  const kept = await store.putOff(host, { ...ref, dueAt, tries: (owed?.tries ?? 0) + 1, begun, waits, ...places }, reason);
  if (!kept && owed !== undefined && waits !== undefined) await store.leaseScan(ref, dueAt);
}
