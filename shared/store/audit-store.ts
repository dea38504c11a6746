import type { Arrival, Canary } from '../domain/canary.ts';
import type { Change, Effect } from '../domain/change.ts';
import type { Host, HostSettings } from '../domain/host.ts';
import type { Notice } from '../domain/notice.ts';
import type { Reason, Verdict } from '../domain/reason.ts';
import type { LegEvidence, OwedScan, Scan, ScanRef } from '../domain/scan.ts';
import type { Period } from '../domain/schedule.ts';

export type Account = { readonly id: string; readonly email: string; readonly createdAt: number };

/** An API key as stored: `mac` is the HMAC of the whole key; the key itself is nowhere. */
export type StoredKey = { readonly prefix: string; readonly mac: string; readonly accountId: string; readonly createdAt: number };

/** A page of results; `next` is where the following page starts, when there may be one. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined };

export type ScanQuery = {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

/** How storing a result went. `conflict`: somebody else wrote host or scan since they were read; read them again and decide anew. */
export type Stored = 'stored' | 'conflict';

/** A scan with what it does to its host, to be stored together. */
export type Result = {
  readonly host: Host;
  readonly scan: Scan;
  readonly effect: Effect;
  readonly notices: readonly Notice[];
  /** Whether an owed scan is written for it, which leaves the table with the result. */
  readonly wasOwed: boolean;
};

/** A stored scan as canaries that came back have made it, with what that does to its host. */
export type RaisedResult = {
  /** The host and the scan that were decided upon, as they were read. */
  readonly host: Host;
  readonly before: Scan;
  readonly scan: Scan;
  /** `late`: the host stays as it is. */
  readonly effect: Effect;
  readonly notices: readonly Notice[];
};

/**
 * The only door to the database. Guarantees: every method is atomic on its own; what it returns was committed; two
 * writers that decided on the same state never both win. Times are epoch milliseconds; expired items are never given back.
 */
export type AuditStore = {
  createAccount(account: Account, key: StoredKey): Promise<void>;
  findAccount(accountId: string): Promise<Account | undefined>;
  findKey(prefix: string): Promise<StoredKey | undefined>;

  /** Host, wheel entry and first owed scan appear together or not at all. */
  registerHost(host: Host, first: OwedScan): Promise<void>;
  findHost(accountId: string, hostId: string): Promise<Host | undefined>;
  listHosts(accountId: string, limit: number, after?: string): Promise<Page<Host>>;
  /** Replaces the settings if nobody has since `host` was read; undefined otherwise. Never touches what scans write. */
  changeSettings(host: Host, settings: HostSettings): Promise<Host | undefined>;
  /** Host and wheel entry go together, unless the settings were changed since `host` was read: then false. Its history is out of reach at once and expires in its time. */
  removeHost(host: Host): Promise<boolean>;

  /** The last tick done; undefined before the first. */
  readCursor(): Promise<number | undefined>;
  /** Moves the cursor if it is still `from`; false when another dispatcher moved it. */
  moveCursor(from: number | undefined, to: number): Promise<boolean>;
  /** The hosts of one slot of one wheel, all of them. */
  hostsInSlot(period: Period, slot: number): Promise<{ accountId: string; hostId: string }[]>;

  /** Writes an owed scan; false when it was owed already. */
  owe(owed: OwedScan): Promise<boolean>;
  findOwed(hostId: string, scanId: string): Promise<OwedScan | undefined>;
  /** Every scan owed to the host. */
  owedOf(hostId: string): Promise<OwedScan[]>;
  /** Owed scans due at `now`, oldest first. */
  dueScans(now: number, limit: number): Promise<OwedScan[]>;
  /** After its message was sent: leaves the scan alone until `until`, then it is due again unless its result was stored. */
  leaseScan(ref: ScanRef, until: number): Promise<void>;
  /**
   * Owes a scan that met trouble on our side, for later; false when its result is stored already, or when another that was
   * put off stands for it: a host has one such scan at a time.
   */
  putOff(host: Host, owed: OwedScan, trouble: Reason): Promise<boolean>;
  /**
   * Owes a scan that goes on in a later sitting, with what it found so far; false as for `putOff`, beside which it stands:
   * a host has one scan that waits, whatever for.
   */
  continueScan(host: Host, owed: OwedScan): Promise<boolean>;
  dropOwed(ref: ScanRef): Promise<void>;

  /** Keeps the evidence unless the same is kept already, and gives its hash. */
  keepEvidence(host: Host, legs: readonly LegEvidence[]): Promise<string>;
  /** Keeps the evidence of a scan that goes on, exactly as it is, until the scan is sure to be over; `readEvidence` finds it. */
  keepSoFar(host: Host, legs: readonly LegEvidence[]): Promise<string>;
  readEvidence(hostId: string, hash: string): Promise<LegEvidence[] | undefined>;
  findScan(hostId: string, scanId: string): Promise<Scan | undefined>;
  /** Stores scan and host state, a change and its notices in one transaction; see `Stored`. */
  storeResult(result: Result): Promise<Stored>;
  /** Stores what canaries made of a stored scan and of its host, a change and its notices in one transaction; see `Stored`. */
  storeRaised(raised: RaisedResult): Promise<Stored>;
  /** Newest first. Examines at most 200 scans, so a filtered page may be short or empty and still have a next one. */
  listScans(hostId: string, query: ScanQuery): Promise<Page<Scan>>;
  /** Newest first. */
  listChanges(hostId: string, limit: number, after?: string): Promise<Page<Change>>;

  /** Writes down a canary, which must be done before it is sent. It is known for seven days. */
  expectCanary(canary: Canary): Promise<void>;
  findCanary(canaryId: string): Promise<Canary | undefined>;
  /** Records that a canary came back, and gives its first arrival, which later ones do not change; undefined when it is not known. */
  markCanary(canaryId: string, arrived: Pick<Arrival, 'at' | 'path'>): Promise<Arrival | undefined>;
  /** The arrivals of those canaries that were sent by this scan and came back, in the order they came. */
  readArrivals(ref: ScanRef, canaryIds: readonly string[]): Promise<Arrival[]>;

  /** Unsettled notices due at `now`, oldest first. */
  dueNotices(now: number, limit: number): Promise<string[]>;
  /** Claims a due notice until `until`: of any number of callers at most one gets it. */
  claimNotice(noticeId: string, now: number, until: number): Promise<{ notice: Notice; tries: number } | undefined>;
  /** Settles a claimed notice: it has left. */
  settleNotice(noticeId: string, messageId: string, now: number): Promise<void>;
  /** Gives a claimed notice back, to be tried again at `dueAt`: it certainly has not left. */
  releaseNotice(noticeId: string, dueAt: number): Promise<void>;
};
