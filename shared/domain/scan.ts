import type { Arrival, Bounce } from './canary.ts';
import type { Cause } from './cause.ts';
import type { DnsFailure } from './consent.ts';
import type { Judgement, Reason } from './reason.ts';
import type { Software } from './remedies.ts';

export const SCAN_KINDS = ['scheduled', 'first', 'on-demand', 'confirming'] as const;

/** Why a scan is made. */
export type ScanKind = (typeof SCAN_KINDS)[number];

export const TRANSPORTS = ['plain', 'starttls', 'tls'] as const;

/** How a leg speaks SMTP: in the clear, after STARTTLS (RFC 3207), or inside TLS from the first byte (RFC 8314). */
export type Transport = (typeof TRANSPORTS)[number];

const IMPLICIT_TLS_PORT = 465; // RFC 8314 §3.3

/** The transports at a port, the one that needs no other first. */
export function transportsAt(port: number): readonly [Transport, ...Transport[]] {
  return port === IMPLICIT_TLS_PORT ? ['tls'] : ['plain', 'starttls'];
}

export const STAGES = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'message'] as const;

/** The furthest point of the SMTP dialogue that a test got to; `message` is the answer after the final dot. */
export type Stage = (typeof STAGES)[number];

export const OUTCOMES = [
  'accepted',
  'refused',
  'greylisted',
  'deferred',
  'about-us',
  'authentication-required',
  'starttls-first',
  'not-run',
] as const;

/** What a server's answer to a test means. `about-us` is a refusal of our address or name, which says nothing of relaying. */
export type Outcome = (typeof OUTCOMES)[number];

/** One relay test or control as it went: `from` and `to` are the envelope as sent, `reply` the server's deciding answer. */
export type TestResult = {
  readonly test: string;
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly reply?: string | undefined;
  /** The name that EHLO gave, when it was not our own. */
  readonly ehlo?: string | undefined;
  /** Id of the canary that was sent with this envelope. */
  readonly canary?: string | undefined;
  /**
   * Of a test whose recipient reads as a local part of the server's own: the id of the negative control in the same form. Left out
   * where the recipient is at a foreign domain.
   */
  readonly negative?: string | undefined;
  /** What a refusal says for itself, by its wording: that there is no such user, or that it does not relay. */
  readonly says?: Says | undefined;
  /** How often the server closed the connection at this envelope, instead of an answer. */
  readonly closings?: number | undefined;
  /** Of a test that was accepted, or whose message was sent: the hole that it shows, and the name that it claimed there. */
  readonly shows?: { readonly cause: Cause; readonly name?: string | undefined } | undefined;
};

export const SAYS = ['unknown-user', 'no-relaying'] as const;

/** What a refusal says for itself. */
export type Says = (typeof SAYS)[number];

export const SILENCES = [
  'connection-refused',
  'connection-timed-out',
  'network-unreachable',
  'no-greeting',
  'not-smtp',
  'closed-early',
  'tls-failed',
] as const;

export const CONTACTS = ['answered', 'out-of-time', 'no-ipv6-here', 'unproven', 'too-many-lookups', 'vetoed', ...SILENCES] as const;

/**
 * Whether SMTP answered at all, or how it did not. `out-of-time`: we never got to it, or stopped waiting too early to tell.
 * `unproven`: nothing showed that the address is the account's; `too-many-lookups`: DNS said so much that not all of it was asked;
 * `vetoed`: somebody has forbidden probes of it.
 */
export type Contact = (typeof CONTACTS)[number];

export const STOPS = ['silent-after-refusals', 'out-of-time'] as const;

/**
 * Why a leg was left with tests undone, when it was not the server's word. `silent-after-refusals`: after our own
 * refused tests no answer came any more. `out-of-time`: the sitting was over.
 */
export type Stop = (typeof STOPS)[number];

/** What TLS showed on an audit connection. Nothing is verified: old versions and any certificate are taken, and written down. */
export type TlsFacts = {
  readonly version: string;
  readonly cipher: string;
  /** Common name and issuer of the certificate, its end, and why a browser would not trust it. */
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  readonly validTo?: string | undefined;
  readonly distrust?: string | undefined;
};

/** What a leg cost the server: connections, commands, round trips (times we waited for an answer) and refusals that it counts against us. */
export type LegCosts = { readonly connections: number; readonly commands: number; readonly roundTrips: number; readonly refusals: number };

/** Why a scan has no further sitting: it used them all, its messages were waited for, or somebody gave up waiting. */
export const ENDS = ['sittings-used-up', 'waited', 'given-up'] as const;

/** Everything one address, port and transport showed. Server text holds one character per byte (ISO 8859-1): escape it before showing it. */
export type LegEvidence = {
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
  readonly contact: Contact;
  /** Whether EHLO offered STARTTLS. */
  readonly offersStarttls?: boolean | undefined;
  readonly tls?: TlsFacts | undefined;
  /** Plaintext that came behind the answer to STARTTLS, which somebody may have injected; it was dropped (RFC 3207 §6). */
  readonly injected?: string | undefined;
  /** The private address that the server takes us for, when it names one: then it has lost its clients' addresses on the way. */
  readonly seesUsAs?: string | undefined;
  readonly costs: LegCosts;
  /** What the server is, when its words tell. */
  readonly software?: Software | undefined;
  readonly tests: readonly TestResult[];
  readonly controls: readonly TestResult[];
  readonly stopped?: Stop | undefined;
  /** The name in its greeting, which tests were made with. */
  readonly greetingName?: string | undefined;
  /** Ids of the canaries that went out, in this sitting and the earlier ones. */
  readonly canaries?: readonly string[] | undefined;
  /** How many accepted envelopes are still to be carried through to the final dot before they are judged. */
  readonly toCarry?: number | undefined;
  /** Nothing was carried further than RCPT, since there is no mailbox that a message could come back to. */
  readonly noMailbox?: boolean | undefined;
  /** A limit of the server's kept something from being asked or carried through. */
  readonly limited?: boolean | undefined;
  /** How long it kept us waiting for its greeting, and for a refusal on average; milliseconds. */
  readonly pace?: { readonly greetMs: number; readonly refusalMs: number } | undefined;
  /** Sittings in a row, this one the last, in which it was silent in one connection after another. */
  readonly silentSittings?: number | undefined;
  /** Sittings in which no TLS could be set up, by today's settings and by the most permissive, and what went wrong. */
  readonly brokenTls?: { readonly sittings: number; readonly why: string } | undefined;
  /** Why no further sitting of this scan follows: it has had as many as there are, or its messages have been waited for. */
  readonly ended?: (typeof ENDS)[number] | undefined;
  /** Lines as they went over the wire: `S: ` the server's, `C: ` ours, `-- ` what happened to the connection. */
  readonly transcript: readonly string[];
};

/** A reference to a scan to be made, small enough to travel fifty to a message. */
export type ScanRef = { readonly accountId: string; readonly hostId: string; readonly scanId: string };

/** A place in the line at an address: which turn of its account it is, and when that may be asked for. */
export type Booking = { readonly round: number; readonly at: number };

/** The places of a scan in lines, by address. */
export type Bookings = Readonly<Record<string, Booking>>;

/**
 * Since when a scan has waited for what DNS says, before anything was sent; since when DNS has failed at every look, and at which question
 * last. Epoch milliseconds.
 */
export type DnsWait = { readonly since: number; readonly troubleSince?: number | undefined; readonly failure?: DnsFailure | undefined };

/** A scan that stays written in the table until its result is stored. `trouble` says what put it off: trouble on our side, or what DNS said. */
export type OwedScan = ScanRef & {
  readonly dueAt: number;
  /** How often it has been put off. */
  readonly tries: number;
  readonly trouble?: Reason | undefined;
  /** How it has waited for DNS; kept until it has a result. */
  readonly waits?: DnsWait | undefined;
  /** What it goes on from, once it has asked something. */
  readonly begun?: Begun | undefined;
  /** Its places in the lines at addresses that were not free. */
  readonly booked?: Bookings | undefined;
  /** Since when a sitting is under way, and how far its legs have come. */
  readonly underWay?: { readonly since: number; readonly legs: readonly LegProgress[] } | undefined;
};

/** A scan of which a part is done, as its next sitting finds it. */
export type Begun = {
  /** When the first sitting began. */
  readonly startedAt: number;
  /** Whether it is of the full table: it keeps its scope over its sittings, whatever other scans have shown in between. */
  readonly full: boolean;
  /** How many sittings it has had, without those that trouble on our side cut short. */
  readonly sittings: number;
  /** Hash of the evidence of its sittings so far. */
  readonly soFar: string;
  /** Why it goes on after its last sitting, and how many of its tests have an answer that counts. */
  readonly left?: { readonly reason: Reason; readonly completed: number; readonly planned: number } | undefined;
  /** The addresses that its last sitting found paused. */
  readonly paused?: readonly string[] | undefined;
  /** Since when its messages are waited for, and until when at the latest. */
  readonly awaits?: { readonly since: number; readonly until: number } | undefined;
};

/** How many of a leg's relay tests have an answer. */
export type LegProgress = { readonly leg: string; readonly answered: number; readonly planned: number };

/** A finished scan as the history keeps it; its evidence is stored apart and found by its hash. Times are epoch milliseconds. */
export type Scan = {
  readonly hostId: string;
  readonly id: string;
  readonly kind: ScanKind;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly judgement: Judgement;
  /** Since when it had waited for DNS, if it had to; epoch milliseconds. */
  readonly waitedSince?: number | undefined;
  /** Legs whose verdict is open or suspected. */
  readonly openLegs: readonly string[];
  /** The served domains that it used, of a host that has more of them than a scan uses. */
  readonly servedDomains?: readonly string[] | undefined;
  /** The addresses that an opt-out paused, of those that the account had proven. */
  readonly paused?: readonly string[] | undefined;
  /** Legs that were open in the state this scan was judged against, and are closed now. */
  readonly closedLegs?: readonly string[] | undefined;
  readonly evidence?: string | undefined;
  /** Whether every test of the table was planned, or only the core and a rotating part. */
  readonly full: boolean;
  /** Ports at which no TLS can be set up, as its sittings have shown. */
  readonly brokenTls?: readonly number[] | undefined;
  /** Ids of the canaries that went past the final dot. */
  readonly canaries?: readonly string[] | undefined;
  /** How long they were waited for, when the scan waited to the end of its time and none came back. */
  readonly waitedMs?: number | undefined;
  /** Those of them that came back. */
  readonly arrivals?: readonly Arrival[] | undefined;
  /** Those of them that were bounced to the sender that we gave. */
  readonly bounces?: readonly Bounce[] | undefined;
};

/**
 * The id of a scan: when it was due, to the second, then its kind. It sorts by time within a host, and the same due
 * scan has the same id however often its message is delivered, which is what makes a second delivery harmless.
 */
export function scanId(dueAt: number, kind: ScanKind): string {
  return `${compactTime(dueAt)}-${kind}`;
}

/** A time as scan ids begin with it, such as `20261124T103100Z`. */
export function compactTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** The kind that a scan id names, or undefined when the text is no scan id. */
export function kindOf(scanIdText: string): ScanKind | undefined {
  const kind = /^\d{8}T\d{6}Z-(.*)$/.exec(scanIdText)?.[1];
  return SCAN_KINDS.find((each) => each === kind);
}
