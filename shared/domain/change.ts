import type { Arrival, Returns } from './canary.ts';
import { isOfDns } from './consent.ts';
import { addRecent, type Host, type HostState } from './host.ts';
import { toldAfter } from './noise.ts';
import type { Occasion } from './notice.ts';
import { judged, type KnownState, provenState, type RelayState } from './reason.ts';
import { type Scan, scanId } from './scan.ts';
import { heldAfter } from './served-domains.ts';

/** A confirmed turn of a host's relay state: a record of its own, numbered by the state version that it made. */
export type Change = {
  readonly accountId: string;
  readonly hostId: string;
  readonly version: number;
  readonly from: KnownState;
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
  | {
      readonly kind: 'unchanged';
      readonly state: HostState;
      readonly owed?: Confirmation | undefined;
      /** What its owner is told all the same. */
      readonly occasion?: Occasion | undefined;
    }
  | { readonly kind: 'changed'; readonly state: HostState; readonly change: Change; readonly occasion?: Occasion | undefined };

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
  return withNews(host, scan, turnOf(host, scan, rules));
}

function turnOf(host: Host, scan: Scan, rules: ConfirmationRules): Effect {
  const { state } = host;
  if (state.last !== undefined && (scan.id === state.last.id || scan.startedAt <= state.last.startedAt))
    return { kind: 'late', owed: scan.id === state.last.id ? undefined : anotherTry(state, scan) };
  const proven = provenState(scan.judgement.verdict);
  const next: HostState = {
    ...state,
    version: state.version + 1,
    last: { id: scan.id, startedAt: scan.startedAt, verdict: scan.judgement.verdict, paused: scan.paused },
    recent: addRecent(state.recent, scan.judgement.verdict),
    openLegs: stillOpen(state.openLegs, scan),
    evidence: scan.evidence ?? state.evidence,
    catchAll: scan.full && proven === 'closed' ? (scan.judgement.reason === 'catch-all' ? true : undefined) : state.catchAll,
    brokenTls: scan.full && (proven !== undefined || scan.brokenTls !== undefined) ? scan.brokenTls : state.brokenTls,
    lastFull: scan.full && proven !== undefined ? scan.startedAt : state.lastFull,
    // One that ends for what DNS said leaves another that waits for DNS where it stands.
    putOff: isOfDns(scan.judgement.reason) && state.putOff !== scan.id ? state.putOff : undefined,
    dnsLostSince: scan.judgement.reason === 'dns-trouble' ? (scan.waitedSince ?? state.dnsLostSince) : undefined,
  };
  if (proven === undefined) return { kind: 'unchanged', state: next, owed: anotherTry(state, scan) };
  // A canary that has not come back proves nothing: what was seen to relay and still answers as if it did is open as before.
  if (proven === state.relay || (proven === 'suspected' && state.relay === 'open'))
    return { kind: 'unchanged', state: { ...next, closedAt: stillClosed(state, scan, proven), pending: undefined } };
  // Nothing has turned when the first thing known of a host is that it is closed.
  if (proven === 'closed' && state.relay === 'unknown')
    return { kind: 'unchanged', state: { ...next, relay: 'closed', since: scan.startedAt, closedAt: scan.startedAt, pending: undefined } };
  if (isConfirmed(state, scan, proven)) return confirmed(host, scan, next, proven);
  if (state.pending?.to === proven) return { kind: 'unchanged', state: next, owed: anotherTry(state, scan) };
  const notBefore = scan.finishedAt + rules.confirmDelayMs;
  return {
    kind: 'unchanged',
    state: { ...next, pending: { to: proven, scanId: scan.id, notBefore } },
    owed: { scanId: scanId(notBefore, 'confirming'), dueAt: notBefore },
  };
}

// A closed host that the full table shows closed again: what was sent before is of the past.
function stillClosed({ closedAt }: HostState, scan: Scan, proven: RelayState): number | undefined {
  return proven === 'closed' && scan.full ? scan.startedAt : closedAt;
}

/** Only a different scan of the full table that started late enough confirms; a canary needs no second scan. */
function isConfirmed(state: HostState, scan: Scan, proven: RelayState): boolean {
  if (proven === 'open') return true;
  const { pending } = state;
  return scan.full && pending?.to === proven && pending.scanId !== scan.id && scan.startedAt >= pending.notBefore;
}

// A leg that a scan did not prove closed stays open, whatever another leg showed beside it.
function stillOpen(before: readonly string[], scan: Scan): string[] {
  return union(
    before.filter((leg) => !scan.closedLegs?.includes(leg)),
    scan.openLegs,
  );
}

function confirmed(host: Host, scan: Scan, next: HostState, to: RelayState, at: number = scan.finishedAt): Effect {
  const { pending } = host.state;
  const change: Change = {
    accountId: host.accountId,
    hostId: host.id,
    version: next.version,
    from: host.state.relay,
    to,
    at,
    firstScanId: pending?.to === to ? pending.scanId : scan.id,
    scanId: scan.id,
  };
  const closedAt = to === 'closed' ? scan.startedAt : next.closedAt;
  return { kind: 'changed', state: { ...next, relay: to, since: change.at, closedAt, pending: undefined }, change };
}

function withNews(host: Host, scan: Scan, effect: Effect): Effect {
  if (effect.kind === 'late') return effect;
  const counted = { ...effect.state, heldDomains: heldAfter(host.state, effect.state, scan) };
  const { state, occasion } = toldAfter(host, counted, scan, effect.kind === 'changed' ? effect.change : undefined);
  return { ...effect, state, occasion };
}

function anotherTry(state: HostState, scan: Scan): Confirmation | undefined {
  const { pending } = state;
  if (pending === undefined || scan.kind !== 'confirming') return undefined;
  const dueAt = scan.finishedAt + CONFIRM_RETRY_MS;
  if (dueAt > pending.notBefore + CONFIRM_RETRIES_MS) return undefined;
  return { scanId: scanId(dueAt, 'confirming'), dueAt };
}

/** A stored scan after its canaries came back, with what that does to its host. */
export type Raised = { readonly scan: Scan; readonly effect: Effect };

const ARRIVALS_LIMIT = 50; // kept with a scan; each is a proof by itself, and a scan must stay readable
const BOUNCES_LIMIT = 20; // kept with a scan: one shows the fault, the others by which forms

/**
 * Decides what canaries that came back make of the scan that sent them, which is stored, and of its host. Pure, as is
 * `effectOf`. A canary counts only when its scan started after the last confirmed closure: an older one, delayed on its
 * way, shows what the server was, and is only noted beside its scan. What tells is when the canary was sent. A bounce is noted beside its
 * scan and does no more. What the scan has already changes nothing. An effect of `late` leaves the host as it is.
 */
export function raise(host: Host, before: Scan, { arrivals, bounces }: Returns): Raised {
  const scan = withBounces(before, bounces);
  const known = scan.arrivals ?? [];
  const fresh = arrivals.filter(({ canary }) => !known.some((each) => each.canary === canary));
  if (fresh.length === 0) return { scan, effect: { kind: 'late' } };
  const noted: Scan = { ...scan, arrivals: [...known, ...fresh].slice(0, ARRIVALS_LIMIT) };
  const counting = fresh.filter(({ sentAt }) => sentAt >= (host.state.closedAt ?? 0));
  if (counting.length === 0) return { scan: noted, effect: { kind: 'late' } };
  const legs = [...new Set(counting.map(({ leg }) => leg))];
  const open: Scan = {
    ...noted,
    judgement: judged('canary-arrived', scan.judgement),
    openLegs: union(scan.openLegs, legs),
    closedLegs: scan.closedLegs?.filter((leg) => !legs.includes(leg)),
  };
  return { scan: open, effect: withNews(host, open, effectOfRaised(host, open, legs, counting)) };
}

function withBounces(scan: Scan, bounces: Returns['bounces']): Scan {
  const known = scan.bounces ?? [];
  const fresh = bounces.filter(({ canary }) => !known.some((each) => each.canary === canary)).slice(0, BOUNCES_LIMIT - known.length);
  return fresh.length === 0 ? scan : { ...scan, bounces: [...known, ...fresh] };
}

// Late is not too late here: whatever scans were made since, none of them has confirmed that the server is closed.
function effectOfRaised(host: Host, scan: Scan, legs: readonly string[], arrivals: readonly Arrival[]): Effect {
  const { state } = host;
  const last = state.last?.id === scan.id ? state.last : undefined;
  const next: HostState = {
    ...state,
    version: state.version + 1,
    last: last === undefined ? state.last : { ...last, verdict: 'open' },
    recent: last === undefined ? state.recent : addRecent(state.recent.slice(1), 'open'),
  };
  if (state.relay === 'open') return last !== undefined && last.verdict !== 'open' ? { kind: 'unchanged', state: next } : { kind: 'late' };
  const at = Math.max(scan.finishedAt, state.since ?? 0, Math.min(...arrivals.map((arrival) => arrival.at)));
  return confirmed(host, scan, { ...next, openLegs: union(state.openLegs, legs) }, 'open', at);
}

function union(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])];
}
