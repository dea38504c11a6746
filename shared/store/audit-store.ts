import type { Arrival, Bounce, Canary, Returns } from '../domain/canary.ts';
import type { Change, Effect } from '../domain/change.ts';
import type { Host, HostSettings, HostState } from '../domain/host.ts';
import type { KeyScope } from '../domain/key-scope.ts';
import type { MailStop } from '../domain/mail-stop.ts';
import type { MailNotice, Notice, NoticeOutcome, NoticeRecord } from '../domain/notice.ts';
import type { Presence } from '../domain/presence.ts';
import type { Reason, Verdict } from '../domain/reason.ts';
import type { LegEvidence, OwedScan, Scan, ScanRef } from '../domain/scan.ts';
import type { Period } from '../domain/schedule.ts';
import type { Span } from '../domain/timeline.ts';
import type { Turn, TurnGiven } from '../domain/turn-line.ts';

/**
 * An account. `hosts` counts its hosts; `hostQuota` is how many it may have where an operator has said so. `hostsVersion` goes up with
 * each host that is registered and with each port that one is given, and never down.
 */
export type Account = {
  readonly id: string;
  readonly email: string;
  readonly createdAt: number;
  readonly hosts?: number | undefined;
  readonly hostsVersion?: number | undefined;
  readonly hostQuota?: number | undefined;
};

/** An API key as stored: `mac` is the HMAC of the whole key; the key itself is nowhere. `lastUsedAt` is true to the hour. */
export type StoredKey = {
  readonly prefix: string;
  readonly mac: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly scope: KeyScope;
  /** What its owner calls it. */
  readonly label?: string | undefined;
  readonly lastUsedAt?: number | undefined;
};

/** One browser that is signed in to an account, until a time in epoch milliseconds. */
export type Session = {
  readonly id: string;
  readonly accountId: string;
  /** The address of the account. */
  readonly email: string;
  readonly startedAt: number;
  readonly until: number;
};

/** So much of something in a window of time, for one who asks: `what` and `who` name the budget. Windows begin at multiples of their length. */
export type Budget = { readonly what: string; readonly who: string; readonly limit: number; readonly windowMs: number };

/** What came of taking one from a budget: what is left of it, and when its window ends. */
export type Taken = { readonly granted: boolean; readonly remaining: number; readonly resetAt: number };

/** What nobody is probed at any more: an address, a network or a name with all below it. */
export type NeverEntry = { readonly target: string; readonly since: number; readonly why: string };

/** An unproven wish not to be probed. Until `until` nothing is sent to the address. Before `heedAgainAt` no other is heeded. */
export type Pause = { readonly address: string; readonly since: number; readonly until: number; readonly heedAgainAt?: number | undefined };

/** What became of a request that carries an idempotency key: it is new, was answered like this, is still being made, or was another request. */
export type Repeated =
  | { readonly kind: 'new' }
  | { readonly kind: 'answered'; readonly answer: string }
  | { readonly kind: 'running' }
  | { readonly kind: 'different' };

/** A request with an idempotency key of its account; `fingerprint` tells it from another with the same key. */
export type RepeatableRequest = { readonly accountId: string; readonly key: string; readonly fingerprint: string };

/** An owed scan as it is found when it is due. */
export type DueScan = Pick<OwedScan, keyof ScanRef | 'dueAt' | 'tries'>;

/** A wish to alert a recipient of a host at once. */
export type AlertWish = {
  readonly accountId: string;
  readonly recipient: string;
  readonly hostId: string;
  readonly now: number;
  /** How long alerts of other hosts are gathered after it. */
  readonly until: number;
};

/** A page of results; `next` is where the following page starts, when there may be one. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined };

export type ScanQuery = {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

/** How registering a host went. `changed`: the account has other hosts, or hosts with other ports, than the decision knew of. */
export type Registration = 'registered' | 'no-account' | 'changed' | 'too-many-hosts' | 'too-many-registrations' | 'busy';

/**
 * What a registration is held to: the hosts that its account may have, those that it may register in a window of time, and the hosts
 * that it had when the registration was decided upon, by their version.
 */
export type RegistrationLimits = { readonly hosts: number; readonly registrations: Budget; readonly hostsVersion?: number | undefined };

/** How storing a result went. `conflict`: somebody else wrote host or scan since they were read; read them again and decide again. */
export type Stored = 'stored' | 'conflict';

/** A scan with what it does to its host, to be stored together. */
export type Result = {
  readonly host: Host;
  readonly scan: Scan;
  readonly effect: Effect;
  readonly notices: readonly Notice[];
  /** Whether an owed scan is written for it, which leaves the table with the result. */
  readonly wasOwed: boolean;
  /** What begins with it, if it shows something new. */
  readonly span?: Span | undefined;
};

/** A stored scan as canaries that came back or were bounced have made it, with what that does to its host. */
export type RaisedResult = {
  /** The host and the scan that were decided upon, as they were read. */
  readonly host: Host;
  readonly before: Scan;
  readonly scan: Scan;
  /** `late`: the host stays as it is. */
  readonly effect: Effect;
  readonly notices: readonly Notice[];
  readonly span?: Span | undefined;
};

/** Accounts, and whose a mail address is. */
export type Accounts = {
  /**
   * False when the mail address has an account already. Its own address counts as a confirmed recipient. `key` is its first API key, if it
   * has one.
   */
  createAccount(account: Account, key?: StoredKey): Promise<boolean>;
  findAccount(accountId: string): Promise<Account | undefined>;
  findAccountByEmail(email: string): Promise<Account | undefined>;
  /** Lets an account have so many hosts; false when it is gone. */
  setHostQuota(accountId: string, hosts: number): Promise<boolean>;
  /** Account, keys, sessions, confirmed recipients and kept answers go; hosts are removed before, each by itself. */
  removeAccount(account: Account): Promise<void>;
};

/** Who is signed in to the pages, and since when links to sign in by are good. */
export type Sessions = {
  /** False when the account is gone, or was signed out everywhere since the session was to start. */
  startSession(session: Session): Promise<boolean>;
  findSession(accountId: string, sessionId: string, now: number): Promise<Session | undefined>;
  endSession(accountId: string, sessionId: string): Promise<void>;
  /** Signs the account out everywhere. */
  endSessions(accountId: string): Promise<void>;
  /** Links that were mailed to the address before `now` open nothing any more. The removal of an account does it too. */
  endLinks(email: string, now: number): Promise<void>;
  /** When links to the address were ended last. */
  linksEndedAt(email: string): Promise<number | undefined>;
};

/** API keys. */
export type ApiKeys = {
  findKey(prefix: string): Promise<StoredKey | undefined>;
  /** The live keys of an account, oldest first. */
  listKeys(accountId: string): Promise<StoredKey[]>;
  /** Adds a key; false when the account has `most` live ones already, or is gone. */
  addKey(key: StoredKey, most: number): Promise<boolean>;
  /** False when the account has no such key. */
  revokeKey(accountId: string, prefix: string): Promise<boolean>;
  /** Notes that a key was used; does nothing for a key that is gone. */
  touchKey(prefix: string, now: number): Promise<void>;
};

/** Who has confirmed that they want the alerts of an account. */
export type Recipients = {
  /** Those of the mail addresses whose owners have confirmed that they want this account's alerts. */
  confirmedRecipients(accountId: string, emails: readonly string[]): Promise<string[]>;
  confirmRecipient(accountId: string, email: string, now: number): Promise<void>;
};

/** How much of something may be had in a window of time. */
export type Budgets = {
  /** Takes one from a budget: of any number of callers exactly `limit` get one in a window. One conditional update. */
  takeFromBudget(budget: Budget, now: number): Promise<Taken>;
  /** Gives one back that was taken in the window of `takenAt`. */
  giveBack(budget: Budget, takenAt: number): Promise<void>;
  /** True for the first caller with this id, false for every other until `until`. */
  useOnce(id: string, until: number): Promise<boolean>;
};

/** One scan at an address at a time. */
export type Turns = {
  /**
   * Gives an address to one scan at a time by one conditional update, and remembers who scans it: once a week that is a second write. A
   * fresh scan that must wait is given a place in the line, if it books, by another. The accounts that wait have turns by rounds, so that
   * no number of scans of one keeps a scan of another waiting for more than one of them. Whoever has no place comes after the line.
   */
  takeTurn(turn: Turn): Promise<TurnGiven>;
  /** Ends a turn before its lease does, if this attempt still has it. */
  endTurn(address: string, attempt: string, now: number): Promise<void>;
  /**
   * Every host that has had a turn at the address lately, those removed since among them. Only who has shown consent there
   * ever has one.
   */
  hostsAt(address: string): Promise<{ accountId: string; hostId: string }[]>;
};

/** What is never probed. */
export type NeverList = {
  neverList(): Promise<NeverEntry[]>;
  /** Whether this very target stands in it. */
  isNever(target: string): Promise<boolean>;
  addNever(entry: NeverEntry): Promise<void>;
  /** False when there was no such entry. */
  removeNever(target: string): Promise<boolean>;
};

/** What is not probed for a while. */
export type Pauses = {
  /** Pauses an address; false when another pause of it stands, or stood so lately that none is heeded. */
  pause(pause: Pause): Promise<boolean>;
  /** Those of the addresses that are paused at `now`. */
  pausesOf(addresses: readonly string[], now: number): Promise<Pause[]>;
  /** Lifts a pause at once; no other is heeded before `heedAgainAt`. */
  liftPause(address: string, now: number, heedAgainAt: number): Promise<void>;
};

/** Requests that may come twice. */
export type Requests = {
  /** Claims a request for the first who makes it. A claim without an answer lapses at `claimUntil`; an answer is kept until `keepUntil`. */
  claimRequest(request: RepeatableRequest, now: number, claimUntil: number, keepUntil: number): Promise<Repeated>;
  keepAnswer(request: RepeatableRequest, answer: string): Promise<void>;
  /** Gives up a claim whose request failed, so that it may be made again. */
  forgetRequest(request: RepeatableRequest): Promise<void>;
};

/** Registered hosts. */
export type Hosts = {
  /**
   * Host, wheel entry and first owed scan appear together or not at all; and only while the account stands: an account that goes leaves no
   * host behind. They are counted in the same step, so that of any number of callers no more are registered than may be, and of those who
   * decided upon the same hosts of the account one alone. `busy`: too many were at it at once.
   */
  registerHost(host: Host, first: OwedScan, limits: RegistrationLimits): Promise<Registration>;
  findHost(accountId: string, hostId: string): Promise<Host | undefined>;
  /** What was registered before is there. */
  listHosts(accountId: string, limit: number, after?: string): Promise<Page<Host>>;
  /**
   * Replaces the settings if nobody has since `host` was read; undefined otherwise. Never touches what scans write. With `beside`, which is
   * needed for a port more, only if the account has the hosts that it had then, by their version.
   */
  changeSettings(host: Host, settings: HostSettings, beside?: Pick<Account, 'hostsVersion'>): Promise<Host | undefined>;
  /**
   * Host and wheel entry go together, unless the settings were changed since `host` was read: then false. Its history is out of reach at
   * once, and an erasure of it is owed.
   */
  removeHost(host: Host): Promise<boolean>;
};

/** Histories of removed hosts. */
export type Erasures = {
  /** Removed hosts whose history is to be erased, the longest due first. */
  dueErasures(now: number, limit: number): Promise<{ accountId: string; hostId: string }[]>;
  /** Erases up to `most` items of a removed host's history; true when nothing is left of it, and the erasure is owed no more. */
  eraseSome(hostId: string, most: number): Promise<boolean>;
};

/** Which hosts are due by the schedule. */
export type Wheel = {
  /** The last tick done; undefined before the first. */
  readCursor(): Promise<number | undefined>;
  /** Moves the cursor if it is still `from`; false when another dispatcher moved it. */
  moveCursor(from: number | undefined, to: number): Promise<boolean>;
  /** The hosts of one slot of one wheel, all of them. */
  hostsInSlot(period: Period, slot: number): Promise<{ accountId: string; hostId: string }[]>;
};

/** Scans that are yet to be made, or to go on. */
export type OwedScans = {
  /** Writes an owed scan; false when it was owed already. */
  owe(owed: OwedScan): Promise<boolean>;
  findOwed(hostId: string, scanId: string): Promise<OwedScan | undefined>;
  /** Every scan owed to the host. */
  owedOf(hostId: string): Promise<OwedScan[]>;
  /** Owed scans due at `now`, oldest first. */
  dueScans(now: number, limit: number): Promise<DueScan[]>;
  /** Notes how many due scans of an account were left for a later minute. */
  noteWaiting(accountId: string, waiting: number, now: number): Promise<void>;
  /** How many were left for later in the last two minutes. */
  waitingScans(accountId: string, now: number): Promise<number>;
  /** After its message was sent: leaves the scan alone until `until`, then it is due again unless its result was stored. */
  leaseScan(ref: ScanRef, until: number): Promise<void>;
  /**
   * Owes a scan that met trouble on our side, or waits for DNS, for later; false when its result is stored already, when it has had more sittings
   * than this one knows of, or when another that was put off stands for it: a host has one such scan at a time.
   */
  putOff(host: Host, owed: OwedScan, trouble: Reason): Promise<boolean>;
  /**
   * Owes a scan that goes on in a later sitting, with what it found so far; false as for `putOff`, beside which it stands:
   * a host has one scan that waits, whatever for.
   */
  continueScan(host: Host, owed: OwedScan): Promise<boolean>;
  dropOwed(ref: ScanRef): Promise<void>;
  /** Notes that an address has itself asked for a scan of it, to be done before the scan is owed. It goes with the history of the host. */
  notePresence(presence: Presence): Promise<void>;
  findPresence(hostId: string, scanId: string): Promise<Presence | undefined>;
  /** Notes how far an owed scan has come; does nothing when it is owed no more. */
  noteProgress(ref: ScanRef, underWay: NonNullable<OwedScan['underWay']>): Promise<void>;
};

/** What scans have found, and what that does to their hosts. */
export type Results = {
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
};

/** What scans have found, to be read. */
export type History = {
  /** Newest first. Examines at most 200 scans, so a filtered page may be short or empty and still have a next one. */
  listScans(hostId: string, query: ScanQuery): Promise<Page<Scan>>;
  /** The scans due between two times, newest first, at most `most` of them; `more` when there are others. */
  scansBetween(hostId: string, range: { fromMs: number; toMs: number; most: number }): Promise<{ scans: Scan[]; more: boolean }>;
  /** The newest spans, newest first. */
  listSpans(hostId: string, limit: number): Promise<Span[]>;
  /** Newest first. */
  listChanges(hostId: string, limit: number, after?: string): Promise<Page<Change>>;
};

/** Messages that may come back. */
export type Canaries = {
  /** Writes down a canary, which must be done before it is sent. It is known for seven days. */
  expectCanary(canary: Canary): Promise<void>;
  findCanary(canaryId: string): Promise<Canary | undefined>;
  /** Records that a canary came back, and gives its first arrival, which later ones do not change; undefined when it is not known. */
  markCanary(canaryId: string, arrived: Pick<Arrival, 'at' | 'path'>): Promise<Arrival | undefined>;
  /** Records that a canary was bounced, and gives its first bounce, as `markCanary` does with arrivals; neither touches the other. */
  markBounced(canaryId: string, bounced: Pick<Bounce, 'at' | 'by'>): Promise<Bounce | undefined>;
  /** What became of those canaries that were sent by this scan. */
  readReturns(ref: ScanRef, canaryIds: readonly string[]): Promise<Returns>;
};

/** What is told once a day. */
export type Digests = {
  /** Hosts whose owners are owed a digest at `now`, the longest due first. */
  dueDigests(now: number, limit: number): Promise<{ accountId: string; hostId: string }[]>;
  /** Stores the state after a digest with its notices, in one transaction; the digest is owed no more. */
  storeDigest(digest: { host: Host; state: HostState; notices: readonly Notice[] }): Promise<Stored>;
  /** Owes a digest no more that was due at `now`, of a host that is gone or has told everything. */
  dropDigest(hostId: string, now: number): Promise<void>;
};

/** What is told of a host beside any scan of it. */
export type Tellings = {
  /** Stores a state that notes what was told, with the notices of it, in one transaction. */
  storeTold(told: { host: Host; state: HostState; notices: readonly Notice[] }): Promise<Stored>;
};

/** A call of a webhook that is due: the id of its notice, and whose it is. */
export type DueWebhook = { readonly id: string; readonly accountId: string; readonly hostId: string };

/** A claimed notice. `repeatedAt` is when somebody last had it repeated. */
export type NoticeClaim = { readonly notice: Notice; readonly tries: number; readonly repeatedAt?: number | undefined };

/** Mails and calls of webhooks that are owed. */
export type Notices = {
  /** Ids of the unsettled mails due at `now`, oldest first. */
  dueMails(now: number, limit: number): Promise<string[]>;
  /** The unsettled calls of webhooks due at `now`, oldest first. */
  dueWebhooks(now: number, limit: number): Promise<DueWebhook[]>;
  /** Claims a due notice until `until`: of any number of callers at most one gets it. `tries` counts this one. */
  claimNotice(noticeId: string, now: number, until: number): Promise<NoticeClaim | undefined>;
  /** Settles an unsettled notice; false when it is settled already. */
  settleNotice(
    noticeId: string,
    settled: { outcome: NoticeOutcome; messageId?: string | undefined; why?: string | undefined },
    now: number,
  ): Promise<boolean>;
  /** Notes what became of a settled notice later; what says less than is known already changes nothing. */
  noteDelivery(noticeId: string, outcome: NoticeOutcome): Promise<void>;
  /** Gives a claimed notice back, to be tried again at `dueAt`: it certainly has not left. Unless it was `tried`, that claim counts as no try. */
  releaseNotice(noticeId: string, dueAt: number, why: string, tried?: boolean): Promise<void>;
  findNotice(noticeId: string): Promise<NoticeRecord | undefined>;
  /** The notices about one host, newest first. */
  listNotices(hostId: string, limit: number, after?: string): Promise<Page<NoticeRecord>>;
  /** Owes a settled notice again, from the first try; false when it is owed as it is. */
  repeatNotice(notice: Notice, now: number): Promise<boolean>;
};

/** Alerts of several hosts in one mail. */
export type Groups = {
  /** Opens the window of an alert unless one is open; gives the open one, with the host that opened it. */
  openAlertWindow(wish: AlertWish): Promise<{ hostId: string; until: number }>;
  /** Puts a claimed notice into that of a group, due at `dueAt`, and settles it; false when the group is being sent, or the notice is settled. */
  joinGroup(notice: MailNotice, groupId: string, dueAt: number, now: number): Promise<boolean>;
};

/** Addresses that get no mail. */
export type Mailboxes = {
  /**
   * Of the addresses those that get no mail of this account, or of any when none is given, and why. `readerAsks`: who reads the mailbox
   * asks for the mail; what they said of mails that strangers had asked for does not stop it.
   */
  mailStops(accountId: string | undefined, emails: readonly string[], readerAsks?: boolean): Promise<{ email: string; why: MailStop }[]>;
  /** No mail goes to the address any more: of any account; or of this one; or none of an account at all that strangers may cause (`unasked`). */
  stopMail(
    email: string,
    why: Exclude<MailStop, 'unsubscribed'>,
    now: number,
    of?: 'unasked' | { readonly accountId: string },
  ): Promise<void>;
  /** No mail of this account goes to the address, until its reader confirms that they want it again. */
  unsubscribe(accountId: string, email: string, now: number): Promise<void>;
};

/**
 * The only door to the database. Guarantees: every method is atomic on its own; what it returns was committed; two
 * writers that decided on the same state never both win. Times are epoch milliseconds; expired items are never given back.
 */
export type AuditStore = Accounts &
  Sessions &
  ApiKeys &
  Recipients &
  Budgets &
  Turns &
  NeverList &
  Pauses &
  Requests &
  Hosts &
  Erasures &
  Wheel &
  OwedScans &
  Results &
  History &
  Canaries &
  Digests &
  Tellings &
  Notices &
  Groups &
  Mailboxes;
