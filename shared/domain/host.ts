import type { KnownState, RelayState, Verdict } from './reason.ts';
import type { Period } from './schedule.ts';

/** What the owner decides about a registered mail server. `name` is a DNS name or an address, and never changes. */
export type HostSettings = {
  readonly name: string;
  readonly servedDomains: readonly string[];
  readonly ports: readonly number[];
  readonly period: Period;
  readonly alertRecipients: readonly string[];
  /** The mailbox at a served domain that is the positive control, in the place of its postmaster. */
  readonly controlMailbox?: string | undefined;
  /** Whether reminders are sent while it stays open or suspected. */
  readonly reminders: boolean;
  /** An HTTPS address that is called for every notice. */
  readonly webhook?: string | undefined;
  /** When the owner said that they know the host to be a sink; epoch milliseconds. */
  readonly acknowledgedAt?: number | undefined;
};

/** The settings that an owner may choose and change, in a form or through the API. */
export type OwnSetting = Exclude<keyof HostSettings, 'name' | 'acknowledgedAt'>;

/** Scheduled scans in a row that could not audit a host, since when, and whether its owner was told. */
export type Silence = { readonly scans: number; readonly since: number; readonly told: boolean };

/** A host that turns too often: when that was told last, when the next digest is owed, and how many changes it will tell. */
export type Flapping = { readonly toldAt: number; readonly owedAt?: number | undefined; readonly changes: number };

/** A turn of the relay state that one scan showed and no second scan has confirmed. */
export type PendingChange = { readonly to: RelayState; readonly scanId: string; readonly notBefore: number };

/** The last scan that the state counts. `paused` are the addresses that an opt-out paused then, of those that the account had proven. */
export type LastScan = {
  readonly id: string;
  readonly startedAt: number;
  readonly verdict: Verdict;
  readonly paused?: readonly string[] | undefined;
};

/** What scans have shown of a host. `version` goes up with every write of it, so that two writers cannot both win. */
export type HostState = {
  readonly version: number;
  readonly relay: KnownState;
  /** When the relay state was last confirmed or first known; epoch milliseconds. */
  readonly since?: number | undefined;
  readonly pending?: PendingChange | undefined;
  readonly last?: LastScan | undefined;
  /** Legs that last answered as a relay. */
  readonly openLegs: readonly string[];
  /** Of a host with more served domains than a scan uses: those that a hole was seen with, until it is closed. */
  readonly heldDomains?: readonly string[] | undefined;
  /** One letter per counted scan, newest first, at most 30: the first letter of each verdict (`u` untestable, `x` unreachable). */
  readonly recent: string;
  /** What host and legs showed last, as `timeline.ts` writes it. */
  readonly shown?: string | undefined;
  /** Hash of the evidence stored last. */
  readonly evidence?: string | undefined;
  /** When the scan began that last confirmed, or first showed, the host to be closed; epoch milliseconds. It outlives a later turn. */
  readonly closedAt?: number | undefined;
  /** When the full table was last run to a proven end; epoch milliseconds. */
  readonly lastFull?: number | undefined;
  /** The scan that trouble on our side has put off, when there is one. */
  readonly putOff?: string | undefined;
  /** Whether what is suspected accepts invented local users too. */
  readonly sink?: boolean | undefined;
  /** Whether the last full table showed it to take any local part of its own domains, and nothing came back. */
  readonly catchAll?: boolean | undefined;
  /** Ports at which the last full table showed that no TLS can be set up. */
  readonly brokenTls?: readonly number[] | undefined;
  /** Times of the last changes, newest first: those of a day, at most five. */
  readonly turns?: readonly number[] | undefined;
  readonly flapping?: Flapping | undefined;
  readonly silence?: Silence | undefined;
  /** Since when DNS had failed for it when that was waited for no longer: from then on each scan is one look, until one is answered. */
  readonly dnsLostSince?: number | undefined;
  /** Reminders of the present relay state that were sent, or missed. */
  readonly reminders?: number | undefined;
};

/** A registered mail server. `revision` counts the owner's edits and is the ETag. */
export type Host = {
  readonly accountId: string;
  readonly id: string;
  readonly createdAt: number;
  readonly revision: number;
  readonly settings: HostSettings;
  readonly state: HostState;
};

export const NEW_STATE: HostState = { version: 0, relay: 'unknown', openLegs: [], recent: '' };

const RECENT_LIMIT = 30; // verdicts shown beside a host; the history has the rest
const LETTERS: Record<Verdict, string> = { open: 'o', suspected: 's', inconclusive: 'i', untestable: 'u', unreachable: 'x', closed: 'c' };

/** The letter of a verdict. */
export function letterOf(verdict: Verdict): string {
  return LETTERS[verdict];
}

/** The verdict of a letter; undefined when it is none. */
export function verdictOf(letter: string): Verdict | undefined {
  return (Object.keys(LETTERS) as Verdict[]).find((verdict) => LETTERS[verdict] === letter);
}

/** The recent verdicts with one more in front. */
export function addRecent(recent: string, verdict: Verdict): string {
  return (LETTERS[verdict] + recent).slice(0, RECENT_LIMIT);
}

/** The recent verdicts in words, newest first. */
export function recentVerdicts(recent: string): Verdict[] {
  return [...recent].flatMap((letter) => verdictOf(letter) ?? []);
}
