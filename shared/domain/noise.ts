import { type DnsFailure, isOfDns } from './consent.ts';
import type { Host, HostSettings, HostState, Silence } from './host.ts';
import type { Occasion } from './notice.ts';
import { type KnownState, provenState, type RelayState } from './reason.ts';
import type { Scan } from './scan.ts';

// What an owner is told, and what is left unsaid: an alert that comes too often is not read. Every rule is pure, over the record.

const DAY_MS = 24 * 60 * 60_000;
const CHANGES_TOLD = 4; // changes in a day that are told one by one
const FIRST_REMINDERS_DAYS = [1, 7]; // after the state was confirmed; then every thirty
const REMINDER_DAYS = 30;
const REMINDERS_LIMIT = 14; // about thirteen months: an owner who has not acted by then will not
const SILENT_SCANS = 3; // scheduled scans in a row that could not audit a host before its owner is told

/** A confirmed turn of the relay state. */
type Turn = { readonly at: number; readonly from: KnownState; readonly to: RelayState };

/** What is told after a scan, if anything, and the host's state with a note of it. */
export type Told = { readonly state: HostState; readonly occasion?: Occasion | undefined };

/** Whether a change at `at` is one too many to be told by itself; `turns` are the times of the changes, this one among them. */
export function isFlapping(turns: readonly number[], at: number): boolean {
  return turns.filter((turn) => turn > at - DAY_MS).length > CHANGES_TOLD;
}

/** When the next reminder of a state is due that stands since `since`, after `sent` of them; undefined when there is no more. */
export function reminderDueAt(since: number, sent: number): number | undefined {
  if (sent >= REMINDERS_LIMIT) return undefined;
  const first = FIRST_REMINDERS_DAYS[sent];
  const last = FIRST_REMINDERS_DAYS.at(-1) ?? 0;
  return since + DAY_MS * (first ?? last + REMINDER_DAYS * (sent - FIRST_REMINDERS_DAYS.length + 1));
}

/** Whether the owner has said that they know of this suspicion: a sink that accepts everything. It holds until something changes. */
export function isAcknowledged({ acknowledgedAt }: HostSettings, { relay, sink, since }: HostState): boolean {
  return relay === 'suspected' && sink === true && acknowledgedAt !== undefined && acknowledgedAt >= (since ?? 0);
}

/**
 * How long a host has been silent after a scan: unreachable, or untestable for reasons of its own. Only scheduled scans make it longer; any
 * answer ends it.
 */
export function silenceAfter(silence: Silence | undefined, { kind, judgement, startedAt }: Scan): Silence | undefined {
  if (judgement.verdict !== 'unreachable' && judgement.verdict !== 'untestable') return undefined;
  if (kind !== 'scheduled') return silence;
  return { scans: (silence?.scans ?? 0) + 1, since: silence?.since ?? startedAt, told: silence?.told ?? false };
}

/** Decides what is told about a scan after which the host's state is `next`, whether or not its relay state changed. */
export function toldAfter(host: Host, next: HostState, scan: Scan, change?: Turn): Told {
  // What comes back of an earlier scan says nothing of whether the host answers by now.
  const silence = scan.startedAt < (host.state.last?.startedAt ?? 0) ? host.state.silence : silenceAfter(host.state.silence, scan);
  const state: HostState = { ...next, silence, sink: sinkAfter(host.state, scan) };
  if (change !== undefined) return toldOfChange({ ...state, reminders: undefined }, change);
  const wait = scan.kind === 'first' && scan.id !== host.state.last?.id ? endOfWait(state, scan) : undefined;
  if (wait !== undefined) return wait;
  if (silence !== undefined && !silence.told && silence.scans >= SILENT_SCANS) {
    const { reason } = scan.judgement;
    return {
      state: { ...state, silence: { ...silence, told: true } },
      occasion: { kind: 'silent', reason, scans: silence.scans, since: silence.since },
    };
  }
  if (silence === undefined && host.state.silence?.told === true)
    return { state, occasion: { kind: 'back', silentSince: host.state.silence.since } };
  if (isAcknowledged(host.settings, host.state) && state.sink !== true)
    return { state, occasion: { kind: 'change', from: 'suspected', to: 'suspected' } };
  return toldAgain(host.settings, state, scan);
}

/** The digest that is owed to a host's owner at `now`, and the state after it; undefined when none is. */
export function digestAt({ state }: Host, now: number): Told | undefined {
  const { flapping } = state;
  if (flapping?.owedAt === undefined || flapping.owedAt > now) return undefined;
  return {
    state: { ...state, version: state.version + 1, flapping: { toldAt: now, changes: 0 } },
    occasion: { kind: 'digest', changes: flapping.changes, from: flapping.toldAt },
  };
}

/** What is told of a host for which DNS fails since `since`; undefined when its owner knows already that it cannot be audited. */
export function troubleTold({ state }: Host, since: number, failure: DnsFailure | undefined): Required<Told> | undefined {
  if (state.silence?.told === true) return undefined;
  return {
    state: { ...state, version: state.version + 1, silence: knownSilence(state, since) },
    occasion: { kind: 'dns-trouble', since, ...(failure === undefined ? {} : { failure }) },
  };
}

// A first scan that waited for DNS is made, or is given up. Whoever made a veto has answered, and knows.
function endOfWait(state: HostState, { judgement: { reason }, waitedSince }: Scan): Told | undefined {
  if (waitedSince === undefined || reason === 'vetoed') return undefined;
  if (!isOfDns(reason)) {
    const silence = state.silence?.told === true ? undefined : state.silence; // its end is told by this
    return { state: { ...state, silence }, occasion: { kind: 'proven', since: waitedSince } };
  }
  return { state: { ...state, silence: knownSilence(state, waitedSince) }, occasion: { kind: 'gave-up', reason, since: waitedSince } };
}

// What was told in other words is not told again as silence, and its end is.
function knownSilence({ silence }: HostState, since: number): Silence {
  return { scans: silence?.scans ?? 0, since: silence?.since ?? since, told: true };
}

function toldOfChange(next: HostState, { at, from, to }: Turn): Told {
  const turns = [at, ...(next.turns ?? []).filter((turn) => turn > at - DAY_MS)].slice(0, CHANGES_TOLD + 1);
  const state = { ...next, turns };
  const { flapping } = next;
  if (flapping?.owedAt !== undefined) return { state: { ...state, flapping: { ...flapping, changes: flapping.changes + 1 } } };
  const digested = flapping !== undefined && at < flapping.toldAt + DAY_MS ? flapping : undefined;
  if (!isFlapping(turns, at)) return { state: { ...state, flapping: digested }, occasion: { kind: 'change', from, to } };
  if (digested !== undefined)
    return { state: { ...state, flapping: { toldAt: digested.toldAt, owedAt: digested.toldAt + DAY_MS, changes: 1 } } };
  return {
    state: { ...state, flapping: { toldAt: at, changes: 0 } },
    occasion: { kind: 'digest', changes: turns.length, from: turns.at(-1) ?? at },
  };
}

// A reminder says what the scan has just seen: a host that cannot be scanned is not reminded of.
function toldAgain(settings: HostSettings, state: HostState, scan: Scan): Told {
  const proven = provenState(scan.judgement.verdict);
  if (!settings.reminders || proven === undefined || proven === 'closed') return { state };
  if (state.relay === 'unknown' || state.relay === 'closed' || state.since === undefined || isAcknowledged(settings, state))
    return { state };
  const sent = state.reminders ?? 0;
  const due = reminderDueAt(state.since, sent);
  if (due === undefined || scan.finishedAt < due) return { state };
  return {
    state: { ...state, reminders: remindersBy(state.since, scan.finishedAt, sent) },
    occasion: { kind: 'reminder', count: sent + 1 },
  };
}

// Of those that came due while nothing was scanned, one is sent.
function remindersBy(since: number, at: number, sent: number): number {
  let count = sent;
  for (let due = reminderDueAt(since, count); due !== undefined && due <= at; due = reminderDueAt(since, count)) count++;
  return count;
}

function sinkAfter({ sink }: HostState, { judgement }: Scan): boolean | undefined {
  if (judgement.verdict === 'suspected') return judgement.reason === 'accepts-everything' ? true : undefined;
  return provenState(judgement.verdict) === undefined ? sink : undefined;
}
