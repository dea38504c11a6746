import type { Arrival } from './canary.ts';
import type { DnsFailure } from './consent.ts';
import { type Hole, holeIn } from './hole.ts';
import type { Host, HostState } from './host.ts';
import type { KnownState, Reason, RelayState } from './reason.ts';
import type { Software } from './remedies.ts';
import type { LegEvidence, Scan, TestResult } from './scan.ts';
import { legName } from './verdict.ts';

export const CHANNELS = ['mail', 'webhook'] as const;

/** How a notice goes out: to a mail address, or to an HTTPS address of the owner's. */
export type Channel = (typeof CHANNELS)[number];

/** What a notice tells. Times are epoch milliseconds. */
export type Occasion =
  /** The relay state was confirmed to have turned; or, from and to `suspected`, an acknowledged host has become more than a sink. */
  | { readonly kind: 'change'; readonly from: KnownState; readonly to: RelayState }
  /** It turned so often that turns are told together, once a day. `changes` since `from`. */
  | { readonly kind: 'digest'; readonly changes: number; readonly from: number }
  /** It still answers as it did; `count` is 1 for the first reminder. */
  | { readonly kind: 'reminder'; readonly count: number }
  /** Scheduled scans in a row could not audit it. */
  | { readonly kind: 'silent'; readonly reason: Reason; readonly scans: number; readonly since: number }
  /** It can be audited again, after it was told to be silent. */
  | { readonly kind: 'back'; readonly silentSince: number }
  /** Its first scan, which had waited for DNS since `since`, has been made: consent is there. */
  | { readonly kind: 'proven'; readonly since: number }
  /** Its first scan has waited for DNS since `since`, in vain, and waits no longer. */
  | { readonly kind: 'gave-up'; readonly reason: Reason; readonly since: number }
  /** DNS has failed for it since `since`, at every look. */
  | { readonly kind: 'dns-trouble'; readonly since: number; readonly failure?: DnsFailure | undefined };

/** One envelope with its answer, as the owner can find it in the server's log. */
export type NoticeEvidence = {
  readonly leg: string;
  readonly from: string;
  readonly to: string;
  readonly reply: string;
};

/** What the scan has shown that a notice is about. */
export type Seen = {
  readonly scanId: string;
  readonly scannedAt: number;
  readonly reason: Reason;
  /** Whether it took a whole message, to the final dot, and not only a recipient. */
  readonly messageAccepted: boolean;
  /** The canary that came back first, when one did. */
  readonly arrival?: Arrival | undefined;
  readonly evidence: readonly NoticeEvidence[];
  /** How many envelopes went that way; `evidence` shows the first of them. */
  readonly envelopes: number;
  /** What the server is, when its words tell. */
  readonly software?: Software | undefined;
  /** The cause of what it let through, when that tells one. */
  readonly hole?: Hole | undefined;
};

type Owed = {
  readonly id: string;
  readonly accountId: string;
  /** A mail address, or the address of a webhook. */
  readonly recipient: string;
  readonly owedAt: number;
};

/** The news of one host. */
export type NewsOfHost = {
  readonly hostId: string;
  readonly hostName: string;
  readonly occasion: Occasion;
  /** The relay state of the host, and since when. */
  readonly relay: KnownState;
  readonly since?: number | undefined;
  /** What the scan has shown that it is about; of several hosts only the first that joined has it, which may remain the only one. */
  readonly seen?: Seen | undefined;
};

type OfHost = Owed & NewsOfHost & { readonly about: 'host' };

/** A mail about one host. It carries everything it says, so sending needs no second read. */
export type MailNotice = OfHost & { readonly channel: 'mail' };

/** A call of a webhook, about one host. */
export type WebhookNotice = OfHost & { readonly channel: 'webhook' };

/** A notice about one host. */
export type HostNotice = MailNotice | WebhookNotice;

/** A mail about several hosts of an account, whose alerts came within minutes. */
export type GroupNotice = Owed & { readonly channel: 'mail'; readonly about: 'hosts'; readonly hosts: readonly NewsOfHost[] };

/** One mail or webhook call owed to one recipient. */
export type Notice = MailNotice | WebhookNotice | GroupNotice;

export const OUTCOMES_OF_NOTICES = ['sent', 'delivered', 'bounced', 'complained', 'rejected', 'withheld', 'grouped', 'given-up'] as const;

/**
 * What became of a notice. `sent`: SES, or the webhook, has taken it. `rejected`: SES took it and did not send it.
 * `withheld`: its recipient gets no mail, or its host is gone. `grouped`: it went into another. `given-up`: the webhook did not
 * take it in 24 calls or two days.
 */
export type NoticeOutcome = (typeof OUTCOMES_OF_NOTICES)[number];

/** A notice as it stands: still to go, or settled. `why` is what was said last against it. */
export type NoticeRecord<N extends Notice = Notice> = {
  readonly notice: N;
  readonly tries: number;
  readonly why?: string | undefined;
} & (Unsettled | Settled);

type Unsettled = {
  readonly dueAt: number;
  readonly outcome?: undefined;
  readonly settledAt?: undefined;
  readonly messageId?: undefined;
};

type Settled = {
  readonly outcome: NoticeOutcome;
  readonly settledAt: number;
  readonly messageId?: string | undefined;
  readonly dueAt?: undefined;
};

const EVIDENCE_LIMIT = 5; // envelopes in a mail; the history has the rest
const VERSION_DIGITS = 10;

/** The id of a notice that a state version of a host owes: a second try makes the same. Ids sort by version; `to` tells one from another. */
export function noticeId(hostId: string, version: number, to: string): string {
  return `${hostId}-${String(version).padStart(VERSION_DIGITS, '0')}-${to}`;
}

/** The notices of an occasion: one for each alert recipient, and one for the webhook. `state` is the host's after it. */
export function noticesOf(host: Host, state: HostState, occasion: Occasion, at: number, seen?: Seen): HostNotice[] {
  const { alertRecipients, webhook, name } = host.settings;
  const notice = (channel: Channel, recipient: string, to: string): HostNotice => ({
    id: noticeId(host.id, state.version, to),
    accountId: host.accountId,
    channel,
    recipient,
    owedAt: at,
    about: 'host',
    hostId: host.id,
    hostName: name,
    occasion,
    relay: state.relay,
    since: state.since,
    seen,
  });
  return [
    ...alertRecipients.map((recipient, index) => notice('mail', recipient, String(index))),
    ...(webhook === undefined ? [] : [notice('webhook', webhook, 'webhook')]),
  ];
}

/** What a notice says of its host in one about several. */
export function newsOf({ hostId, hostName, occasion, relay, since }: MailNotice): NewsOfHost {
  return { hostId, hostName, occasion, relay, since };
}

/** The notice of a group that begins with this one; further hosts join it by their news. */
export function groupOf(first: MailNotice, id: string, owedAt: number): GroupNotice {
  const { accountId, recipient, seen } = first;
  return { id, accountId, channel: 'mail', recipient, owedAt, about: 'hosts', hosts: [{ ...newsOf(first), seen }] };
}

/** A notice without what it tells of other hosts than these; undefined when nothing is left. */
export function ofHosts<N extends Notice>(notice: N, hostIds: ReadonlySet<string>): N | undefined {
  if (notice.about === 'host') return hostIds.has(notice.hostId) ? notice : undefined;
  const hosts = notice.hosts.filter(({ hostId }) => hostIds.has(hostId));
  return hosts.length === 0 ? undefined : { ...notice, hosts };
}

/** What a scan has shown, as a notice tells it: of a host that is, or is now, `relay`. */
export function seenIn(scan: Scan, legs: readonly LegEvidence[], relay: KnownState): Seen {
  const envelopes = envelopesOf(relay, scan, legs);
  const arrivals = relay === 'open' ? (scan.arrivals ?? []) : [];
  return {
    scanId: scan.id,
    scannedAt: scan.startedAt,
    reason: scan.judgement.reason,
    messageAccepted: envelopes.some(({ test }) => isMessageAccepted(test)),
    arrival: arrivals.toSorted((a, b) => a.at - b.at)[0],
    evidence: envelopes.slice(0, EVIDENCE_LIMIT).map(evidenceLine),
    envelopes: envelopes.length,
    software: legs.find((leg) => scan.openLegs.includes(legName(leg)))?.software,
    hole: relay === 'open' || relay === 'suspected' ? holeIn(legs, scan.arrivals) : undefined,
  };
}

type Sent = { readonly leg: LegEvidence; readonly test: TestResult };

// What shows the state: the envelopes whose canaries came back, those that were accepted, the furthest first, or refused.
function envelopesOf(relay: KnownState, { arrivals = [] }: Scan, legs: readonly LegEvidence[]): Sent[] {
  const all = legs.flatMap((leg) => leg.tests.map((test) => ({ leg, test })));
  if (relay === 'unknown') return [];
  if (relay === 'closed') return all.filter(({ test }) => test.outcome === 'refused');
  const accepted = all
    .filter(({ test }) => test.outcome === 'accepted')
    .toSorted((a, b) => Number(isMessageAccepted(b.test)) - Number(isMessageAccepted(a.test)));
  if (relay === 'suspected' || arrivals.length === 0) return accepted;
  return arrivals.flatMap((arrival) => accepted.find(({ leg, test }) => arrival.leg === legName(leg) && arrival.test === test.test) ?? []);
}

function isMessageAccepted({ outcome, stage }: TestResult): boolean {
  return outcome === 'accepted' && stage === 'message';
}

function evidenceLine({ leg, test }: Sent): NoticeEvidence {
  return { leg: legName(leg), from: test.from ?? '', to: test.to ?? '', reply: test.reply ?? '' };
}
