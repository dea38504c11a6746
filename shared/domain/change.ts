import { addRecent, type Host, type HostState } from './host.ts';
import { provenState, type RelayState } from './reason.ts';
import { type Scan, scanId } from './scan.ts';

/** A confirmed turn of a host's relay state: a record of its own, numbered by the state version that it made. */
export type Change = {
  readonly accountId: string;
  readonly hostId: string;
  readonly version: number;
  readonly from: RelayState | 'unknown';
  readonly to: RelayState;
  readonly at: number;
  /** The scan that showed it first, and the one that confirmed it. */
  readonly firstScanId: string;
  readonly scanId: string;
};

/** A confirming scan to be made. */
export type Confirmation = { readonly scanId: string; readonly dueAt: number };

/** What a finished scan does to its host. `late` scans are history only: a later one has been counted already. */
export type Effect =
  | { readonly kind: 'late'; readonly owed?: Confirmation | undefined }
  | { readonly kind: 'unchanged'; readonly state: HostState; readonly owed?: Confirmation | undefined }
  | { readonly kind: 'changed'; readonly state: HostState; readonly change: Change };

export type ConfirmationRules = {
  /** How long after a scan its confirmation may start at the earliest. Design: five minutes. */
  readonly confirmDelayMs: number;
};

const CONFIRM_RETRY_MS = 15 * 60_000; // a confirming scan that proved nothing is made again; a host that stays silent is left to its schedule
const CONFIRM_RETRIES_MS = 2 * 60 * 60_000;

/**
 * Decides what a scan that has a result does to its host. Pure: the caller stores it on the condition that the state
 * version is still the one decided upon. Scans that met trouble on our side have no result and never come here.
 */
export function effectOf(host: Host, scan: Scan, rules: ConfirmationRules): Effect {
  const { state } = host;
  if (state.last !== undefined && (scan.id === state.last.id || scan.startedAt <= state.last.startedAt))
    return { kind: 'late', owed: scan.id === state.last.id ? undefined : anotherTry(state, scan) };
  const proven = provenState(scan.judgement.verdict);
  const next: HostState = {
    ...state,
    version: state.version + 1,
    last: { id: scan.id, startedAt: scan.startedAt, verdict: scan.judgement.verdict },
    recent: addRecent(state.recent, scan.judgement.verdict),
    openLegs: stillOpen(state.openLegs, scan),
    evidence: scan.evidence ?? state.evidence,
    putOff: undefined,
  };
  if (proven === undefined) return { kind: 'unchanged', state: next, owed: anotherTry(state, scan) };
  if (proven === state.relay) return { kind: 'unchanged', state: { ...next, pending: undefined } };
  // Nothing has turned when the first thing known of a host is that it is closed.
  if (proven === 'closed' && state.relay === 'unknown')
    return { kind: 'unchanged', state: { ...next, relay: 'closed', since: scan.startedAt, pending: undefined } };
  if (isConfirmed(state, scan, proven)) return confirmed(host, scan, next, proven);
  if (state.pending?.to === proven) return { kind: 'unchanged', state: next, owed: anotherTry(state, scan) };
  const notBefore = scan.finishedAt + rules.confirmDelayMs;
  return {
    kind: 'unchanged',
    state: { ...next, pending: { to: proven, scanId: scan.id, notBefore } },
    owed: { scanId: scanId(notBefore, 'confirming'), dueAt: notBefore },
  };
}

/** Only a different scan that started late enough confirms; a canary needs no second scan. */
function isConfirmed(state: HostState, scan: Scan, proven: RelayState): boolean {
  if (proven === 'open') return true;
  const { pending } = state;
  return pending?.to === proven && pending.scanId !== scan.id && scan.startedAt >= pending.notBefore;
}

// A leg that a scan did not prove closed stays open, whatever another leg showed beside it.
function stillOpen(before: readonly string[], scan: Scan): string[] {
  return [...new Set([...before.filter((leg) => !scan.closedLegs?.includes(leg)), ...scan.openLegs])];
}

function confirmed(host: Host, scan: Scan, next: HostState, to: RelayState): Effect {
  const change: Change = {
    accountId: host.accountId,
    hostId: host.id,
    version: next.version,
    from: host.state.relay,
    to,
    at: scan.finishedAt,
    firstScanId: host.state.pending?.scanId ?? scan.id,
    scanId: scan.id,
  };
  return { kind: 'changed', state: { ...next, relay: to, since: change.at, pending: undefined }, change };
}

function anotherTry(state: HostState, scan: Scan): Confirmation | undefined {
  const { pending } = state;
  if (pending === undefined || scan.kind !== 'confirming') return undefined;
  const dueAt = scan.finishedAt + CONFIRM_RETRY_MS;
  if (dueAt > pending.notBefore + CONFIRM_RETRIES_MS) return undefined;
  return { scanId: scanId(dueAt, 'confirming'), dueAt };
}
