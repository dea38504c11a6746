import type { Arrival } from './canary.ts';
import type { Change } from './change.ts';
import type { Host } from './host.ts';
import type { RelayState } from './reason.ts';
import type { Software } from './remedies.ts';
import type { LegEvidence, Scan, TestResult } from './scan.ts';
import { legName } from './verdict.ts';

/** One envelope with its answer, as the owner can find it in the server's log. */
export type NoticeEvidence = {
  readonly leg: string;
  readonly from: string;
  readonly to: string;
  readonly reply: string;
};

/** One mail owed to one recipient because of a change. It carries all that the mail says, so that sending needs no second read. */
export type Notice = {
  readonly id: string;
  readonly accountId: string;
  readonly hostId: string;
  readonly recipient: string;
  readonly hostName: string;
  readonly from: RelayState | 'unknown';
  readonly to: RelayState;
  readonly acceptsEverything: boolean;
  /** Whether it took a whole message, to the final dot, and not only a recipient. */
  readonly messageAccepted: boolean;
  /** The canary that came back first, when one did. */
  readonly arrival?: Arrival | undefined;
  readonly changedAt: number;
  readonly scanId: string;
  readonly scannedAt: number;
  readonly evidence: readonly NoticeEvidence[];
  /** How many envelopes went that way; `evidence` shows the first of them. */
  readonly envelopes: number;
  /** What the server is, when its words tell. */
  readonly software?: Software | undefined;
};

const EVIDENCE_LIMIT = 5; // envelopes in a mail; the history has the rest

/** The notices that a change owes: one for each alert recipient, with ids that a second try would make again. */
export function noticesOf(host: Host, change: Change, scan: Scan, legs: readonly LegEvidence[]): Notice[] {
  const envelopes = envelopesOf(change, scan, legs);
  const arrivals = change.to === 'open' ? (scan.arrivals ?? []) : [];
  return host.settings.alertRecipients.map((recipient, index) => ({
    id: `${host.id}-${change.version}-${index}`,
    accountId: host.accountId,
    hostId: host.id,
    recipient,
    hostName: host.settings.name,
    from: change.from,
    to: change.to,
    acceptsEverything: scan.judgement.reason === 'accepts-everything',
    messageAccepted: envelopes.some(({ test }) => isMessageAccepted(test)),
    arrival: arrivals.toSorted((a, b) => a.at - b.at)[0],
    changedAt: change.at,
    scanId: scan.id,
    scannedAt: scan.startedAt,
    evidence: envelopes.slice(0, EVIDENCE_LIMIT).map(evidenceLine),
    envelopes: envelopes.length,
    software: legs.find((leg) => scan.openLegs.includes(legName(leg)))?.software,
  }));
}

type Sent = { readonly leg: LegEvidence; readonly test: TestResult };

// What shows the change: the envelopes whose canaries came back, those that were accepted, the furthest first, or refused.
function envelopesOf({ to }: Change, { arrivals = [] }: Scan, legs: readonly LegEvidence[]): Sent[] {
  const all = legs.flatMap((leg) => leg.tests.map((test) => ({ leg, test })));
  if (to === 'closed') return all.filter(({ test }) => test.outcome === 'refused');
  const accepted = all
    .filter(({ test }) => test.outcome === 'accepted')
    .toSorted((a, b) => Number(isMessageAccepted(b.test)) - Number(isMessageAccepted(a.test)));
  if (to === 'suspected') return accepted;
  return arrivals.flatMap((arrival) => accepted.find(({ leg, test }) => arrival.leg === legName(leg) && arrival.test === test.test) ?? []);
}

function isMessageAccepted({ outcome, stage }: TestResult): boolean {
  return outcome === 'accepted' && stage === 'message';
}

function evidenceLine({ leg, test }: Sent): NoticeEvidence {
  return { leg: legName(leg), from: test.from ?? '', to: test.to ?? '', reply: test.reply ?? '' };
}
