import type { Change } from './change.ts';
import type { Host } from './host.ts';
import type { RelayState } from './reason.ts';
import type { Software } from './remedies.ts';
import type { LegEvidence, Outcome, Scan, TestResult } from './scan.ts';
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
  const evidence = evidenceIn(legs, change.to === 'closed' ? 'refused' : 'accepted');
  return host.settings.alertRecipients.map((recipient, index) => ({
    id: `${host.id}-${change.version}-${index}`,
    accountId: host.accountId,
    hostId: host.id,
    recipient,
    hostName: host.settings.name,
    from: change.from,
    to: change.to,
    acceptsEverything: scan.judgement.reason === 'accepts-everything',
    changedAt: change.at,
    scanId: scan.id,
    scannedAt: scan.startedAt,
    evidence: evidence.slice(0, EVIDENCE_LIMIT),
    envelopes: evidence.length,
    software: legs.find((leg) => scan.openLegs.includes(legName(leg)))?.software,
  }));
}

function evidenceIn(legs: readonly LegEvidence[], outcome: Outcome): NoticeEvidence[] {
  return legs.flatMap((leg) => leg.tests.filter((test) => test.outcome === outcome).map((test) => evidenceLine(leg, test)));
}

function evidenceLine(leg: LegEvidence, test: TestResult): NoticeEvidence {
  return { leg: legName(leg), from: test.from ?? '', to: test.to ?? '', reply: test.reply ?? '' };
}
