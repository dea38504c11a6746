import type * as z from 'zod';
import { quotasOf } from '../../shared/accounts/quotas.ts';
import type { accountResponse, keyResponse } from '../../shared/contract/accounts.ts';
import { holeView } from '../../shared/contract/hole.ts';
import type { noticeResponse } from '../../shared/contract/notices.ts';
import type { knownHost } from '../../shared/contract/proposals.ts';
import type {
  changesResponse,
  hostResponse,
  owedScanResponse,
  scanResponse,
  scanSummaryResponse,
} from '../../shared/contract/responses.ts';
import { backscatterOf } from '../../shared/domain/backscatter.ts';
import { brokenTlsSentence } from '../../shared/domain/broken-tls.ts';
import type { Arrival, Bounce } from '../../shared/domain/canary.ts';
import type { Change } from '../../shared/domain/change.ts';
import { awaitsDns } from '../../shared/domain/consent-watch.ts';
import { failureSentence } from '../../shared/domain/dns-failure.ts';
import { explanationOf } from '../../shared/domain/explanation.ts';
import { holeIn } from '../../shared/domain/hole.ts';
import { type Host, type LastScan, recentVerdicts } from '../../shared/domain/host.ts';
import type { Known } from '../../shared/domain/known-server.ts';
import type { NoticeRecord } from '../../shared/domain/notice.ts';
import { REASONS } from '../../shared/domain/reason.ts';
import { kindOf, type LegEvidence, type OwedScan, type Scan, type TestResult } from '../../shared/domain/scan.ts';
import { nextDue } from '../../shared/domain/schedule.ts';
import { judgeLeg, legName } from '../../shared/domain/verdict.ts';
import { reasonOf } from '../../shared/smtp/relay-tests.ts';
import type { Account, StoredKey } from '../../shared/store/audit-store.ts';

const iso = (epochMs: number) => new Date(epochMs).toISOString();

/** An account as the API shows it. */
export function accountView(account: Account, waitingScans: number): z.input<typeof accountResponse> {
  const { id, email, createdAt, hosts = 0 } = account;
  return { id, email, createdAt: iso(createdAt), hosts, hostQuota: quotasOf(account).hosts, waitingScans };
}

/** An API key as the API shows it: all but what it opens with. */
export function keyView({ prefix, scope, label, createdAt, lastUsedAt }: StoredKey): z.input<typeof keyResponse> {
  return { prefix, scope, label, createdAt: iso(createdAt), lastUsedAt: lastUsedAt === undefined ? undefined : iso(lastUsedAt) };
}

/** A host that is a server already, with the served domains that it would have with those that it lacks. */
export function knownView({ host: { id, settings }, add }: Known): z.input<typeof knownHost> {
  return { host: id, name: settings.name, ...(add.length === 0 ? {} : { servedDomains: [...settings.servedDomains, ...add] }) };
}

/** A host as the API shows it. */
export function hostView(host: Host, now: number): z.input<typeof hostResponse> {
  const { settings, state } = host;
  const { servedDomains, ports, alertRecipients, acknowledgedAt, ...others } = settings;
  return {
    id: host.id,
    ...others,
    servedDomains: [...servedDomains],
    ports: [...ports],
    alertRecipients: [...alertRecipients],
    acknowledgedAt: acknowledgedAt === undefined ? undefined : iso(acknowledgedAt),
    createdAt: iso(host.createdAt),
    revision: host.revision,
    relayState: state.relay,
    since: state.since === undefined ? undefined : iso(state.since),
    acceptsEverything: state.relay === 'suspected' ? state.sink === true : undefined,
    brokenTls: state.brokenTls === undefined ? undefined : [...state.brokenTls],
    silentSince: state.silence === undefined ? undefined : iso(state.silence.since),
    lastScan: state.last === undefined ? undefined : lastScanView(state.last),
    lastFullTable: state.lastFull === undefined ? undefined : iso(state.lastFull),
    recentVerdicts: recentVerdicts(state.recent),
    pendingChange:
      state.pending === undefined
        ? undefined
        : { to: state.pending.to, scanId: state.pending.scanId, confirmedNotBefore: iso(state.pending.notBefore) },
    nextScheduledScan: iso(nextDue(host.id, settings.period, now)),
  };
}

function lastScanView({ id, startedAt, verdict, paused }: LastScan): NonNullable<z.input<typeof hostResponse>['lastScan']> {
  return { id, startedAt: iso(startedAt), verdict, ...(paused === undefined ? {} : { paused: [...paused] }) };
}

/** A finished scan without its legs. */
export function scanSummaryView(scan: Scan): z.input<typeof scanSummaryResponse> {
  return {
    id: scan.id,
    kind: scan.kind,
    status: 'finished',
    startedAt: iso(scan.startedAt),
    finishedAt: iso(scan.finishedAt),
    verdict: scan.judgement.verdict,
    reason: scan.judgement.reason,
    explanation: explanationOf(scan),
    testsCompleted: scan.judgement.completed,
    testsPlanned: scan.judgement.planned,
    fullTable: scan.full,
  };
}

/** A finished scan with all it saw. */
export function scanView(scan: Scan, legs: readonly LegEvidence[]): z.input<typeof scanResponse> {
  const { arrivals = [], bounces = [] } = scan;
  return {
    ...scanSummaryView(scan),
    hole: holeOf(scan, legs),
    arrivals: arrivals.map(arrivalView),
    bounces: bounces.map(bounceView),
    backscatter: backscatterView(bounces, legs),
    legs: legs.map((leg) => legView(leg, arrivals)),
  };
}

function holeOf({ arrivals, openLegs }: Scan, legs: readonly LegEvidence[]) {
  const hole = holeIn(legs, arrivals);
  const software = legs.find((leg) => openLegs.includes(legName(leg)))?.software;
  return hole === undefined ? undefined : holeView(hole, software);
}

/** What bounces show of a server, if there are any. */
export function backscatterView(bounces: readonly Bounce[], legs: readonly LegEvidence[]): z.input<typeof scanResponse>['backscatter'] {
  const shown = backscatterOf(bounces, legs);
  return shown && { explanation: shown.sentence, settings: [...shown.settings] };
}

/** One of our messages that was bounced. */
export function bounceView({ leg, test, sentAt, at, by }: Bounce): z.input<typeof scanResponse>['bounces'][number] {
  return { leg, test, sentAt: iso(sentAt), at: iso(at), by };
}

function arrivalView({ leg, test, sentAt, at, path }: Arrival) {
  return { leg, test, sentAt: iso(sentAt), at: iso(at), path: path.map((hop) => ({ ...hop })) };
}

/** A scan that is still to be made, or to be finished. */
export function owedScanView(owed: OwedScan): z.input<typeof owedScanResponse> {
  const left = owed.begun?.left;
  return {
    id: owed.scanId,
    kind: kindOf(owed.scanId) ?? 'on-demand',
    status: 'owed',
    dueAt: iso(owed.dueAt),
    trouble: owed.trouble === undefined || awaitsDns(owed) ? undefined : REASONS[owed.trouble].sentence,
    sittings: left === undefined ? undefined : owed.begun?.sittings,
    testsCompleted: left?.completed,
    testsPlanned: left?.planned,
    waitsFor: waitsFor(owed),
  };
}

function waitsFor(owed: OwedScan): z.input<typeof owedScanResponse>['waitsFor'] {
  const { begun, dueAt, trouble, waits } = owed;
  if (trouble !== undefined && awaitsDns(owed))
    return {
      what: 'dns',
      why: waits?.failure === undefined ? REASONS[trouble].sentence : failureSentence(waits.failure),
      until: iso(dueAt),
    };
  if (begun?.left === undefined) return undefined;
  const { awaits, left } = begun;
  const why = REASONS[left.reason].sentence;
  return awaits === undefined ? { what: 'sitting', why, until: iso(dueAt) } : { what: 'messages', why, until: iso(awaits.until) };
}

/** A confirmed change. */
export function changeView(change: Change): z.input<typeof changesResponse>['items'][number] {
  return { from: change.from, to: change.to, at: iso(change.at), firstScanId: change.firstScanId, scanId: change.scanId };
}

/** A mail or webhook call that a host has owed, and what became of it. */
export function noticeView({ notice, tries, outcome, dueAt, settledAt, why }: NoticeRecord): z.input<typeof noticeResponse> {
  if (notice.about === 'hosts') throw new Error('a notice of several hosts among those of one');
  return {
    id: notice.id,
    about: notice.occasion.kind,
    relayState: notice.relay,
    channel: notice.channel,
    recipient: notice.recipient,
    owedAt: iso(notice.owedAt),
    outcome: outcome ?? 'owed',
    tries,
    settledAt: settledAt === undefined ? undefined : iso(settledAt),
    nextTryAt: dueAt === undefined ? undefined : iso(dueAt),
    why,
  };
}

/** One leg with all it showed, judged with the canaries that came back. */
export function legView(leg: LegEvidence, arrivals: readonly Arrival[] = []): z.input<typeof scanResponse>['legs'][number] {
  const { verdict, reason } = judgeLeg(leg, arrivals);
  return {
    address: leg.address,
    port: leg.port,
    transport: leg.transport,
    contact: leg.contact,
    offersStarttls: leg.offersStarttls,
    tls: leg.tls,
    brokenTls: brokenTlsView(leg),
    injected: leg.injected,
    seesUsAs: leg.seesUsAs,
    costs: leg.costs,
    software: leg.software,
    verdict,
    reason,
    explanation: REASONS[reason].sentence,
    tests: leg.tests.map(testView),
    controls: leg.controls.map(testView),
    transcript: [...leg.transcript],
  };
}

function brokenTlsView(leg: LegEvidence) {
  const explanation = brokenTlsSentence(leg);
  return leg.brokenTls === undefined || explanation === undefined ? undefined : { explanation, ...leg.brokenTls };
}

function testView({ test, outcome, stage, ehlo, from, to, reply }: TestResult) {
  return { test, outcome, stage, proves: reasonOf(test), ehlo, mailFrom: from, rcptTo: to, reply };
}
