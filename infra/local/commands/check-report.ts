import { backscatterView, bounceView, legView } from '../../../functions/api/views.ts';
import { type Finding, judgementOf } from '../../../functions/probe/finding.ts';
import { holeView } from '../../../shared/contract/hole.ts';
import { backscatterOf } from '../../../shared/domain/backscatter.ts';
import { brokenTlsSentence } from '../../../shared/domain/broken-tls.ts';
import type { Arrival, Returns } from '../../../shared/domain/canary.ts';
import { explanationOf } from '../../../shared/domain/explanation.ts';
import { type Hole, holeIn, holeSentence } from '../../../shared/domain/hole.ts';
import { holeRemedies, otherRemedies } from '../../../shared/domain/hole-remedies.ts';
import type { Host } from '../../../shared/domain/host.ts';
import type { Judgement, Reason } from '../../../shared/domain/reason.ts';
import { LOST_ADDRESSES, softwareSentence } from '../../../shared/domain/remedies.ts';
import type { LegEvidence, TestResult } from '../../../shared/domain/scan.ts';
import { printable } from '../../../shared/domain/transcript.ts';
import { judgeLeg, legName } from '../../../shared/domain/verdict.ts';
import { reasonOf } from '../../../shared/smtp/relay-tests.ts';

/** What cut an audit short: Ctrl-C, or the end of the time that the whole may take. */
export type Cut = 'interrupted' | 'max-time';

/** What an audit showed: its finding, and which of its canaries were bounced. */
export type Report = Pick<Returns, 'bounces'> & {
  readonly host: Host;
  readonly finding: Finding;
  readonly stopped?: Cut | undefined;
  /** How long its canaries were waited for, when none came back in all that time. */
  readonly waitedMs?: number | undefined;
};

/** The report as one object; its shape is in docs/check-host.md. */
export function asJson(report: Report) {
  const { host, finding, bounces, stopped } = report;
  const { legs, arrivals = [] } = finding;
  const judgement = judgementOf(finding, []);
  const { verdict, reason, completed, planned } = judgement;
  const hole = holeIn(legs, arrivals);
  return {
    host: host.settings.name,
    verdict,
    reason,
    explanation: explained(judgement, report),
    stopped,
    testsCompleted: completed,
    testsPlanned: planned,
    hole: hole === undefined ? undefined : holeView(hole, openLegs(legs, arrivals)[0]?.software),
    arrivals: arrivals.map(({ leg, test, sentAt, at, path }) => ({ leg, test, sentAt: iso(sentAt), at: iso(at), path })),
    bounces: bounces.map(bounceView),
    backscatter: backscatterView(bounces, legs),
    legs: legs.map((leg) => ({ ...legView(leg, arrivals), explanation: explained(judgeLeg(leg, arrivals), report) })),
  };
}

// A server is not slow because we were stopped.
function explained(judgement: Judgement, { stopped, waitedMs }: Report): string {
  if (judgement.reason === 'out-of-time' && stopped !== undefined) return 'Stopped before every test was done.';
  return explanationOf({ judgement, waitedMs });
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The report in words. */
export function asText(report: Report, transcript: boolean): string {
  const { host, finding } = report;
  const { legs, arrivals = [] } = finding;
  const judgement = judgementOf(finding, []);
  const { verdict, reason, completed, planned } = judgement;
  const counts = planned === 0 ? '' : ` ${completed} of ${planned} tests were completed.`;
  const hole = holeIn(legs, arrivals);
  return [
    `${host.settings.name}: ${verdict}`,
    `${explained(judgement, report)}${counts}`,
    ...(hole === undefined ? [] : [holeSentence(hole)]),
    ...(reason === 'no-consent' || reason === 'forbidden-address' ? ['If the address is yours, say so: --own ADDRESS/32'] : []),
    ...((verdict === 'suspected' && arrivals.length === 0) || reason === 'any-local-part' ? [HOW_TO_PROVE] : []),
    ...(verdict === 'closed' && host.settings.servedDomains.length === 0 ? [NO_DOMAIN] : []),
    ...arrivals.flatMap(arrivalLines),
    ...legs.flatMap((leg) => [
      '',
      ...legLines(leg, report),
      ...(transcript ? ['', ...leg.transcript.map((line) => `    ${printable(line)}`)] : []),
    ]),
    ...closingLines(openLegs(legs, arrivals), hole),
    ...backscatterLines(report),
  ].join('\n');
}

function openLegs(legs: readonly LegEvidence[], arrivals: readonly Arrival[]): LegEvidence[] {
  return legs.filter((leg) => ['open', 'suspected'].includes(judgeLeg(leg, arrivals).verdict));
}

// The hole before all else, where it has a name; what closes any relay after it.
function closingLines(open: readonly LegEvidence[], hole: Hole | undefined): string[] {
  const [worst] = open;
  if (worst === undefined) return [];
  const { software } = worst;
  const known = software === undefined ? [] : [softwareSentence(software)];
  const lost = hole?.seesUsAs === undefined && open.some(({ seesUsAs }) => seesUsAs !== undefined) ? [LOST_ADDRESSES] : [];
  const items = (lines: readonly string[]) => lines.map((line) => `  - ${line}`);
  if (hole === undefined) return ['', 'What closes it', ...items([...known, ...otherRemedies(undefined, software), ...lost])];
  return [
    '',
    'What closes it',
    ...items([...known, ...holeRemedies(hole, software)]),
    '',
    'What closes any relay',
    ...items([...otherRemedies(hole, software), ...lost]),
  ];
}

function backscatterLines({ bounces, finding }: Report): string[] {
  const backscatter = backscatterOf(bounces, finding.legs);
  if (backscatter === undefined) return [];
  const each = bounces.map(({ leg, test, at, by = 'an unknown server' }) => `  ${leg} (${test}): by ${printable(by)} at ${iso(at)}`);
  return ['', 'Backscatter', backscatter.sentence, 'Bounced to us:', ...each, ...backscatter.settings.map((line) => `  - ${line}`)];
}

const HOW_TO_PROVE =
  'Whether it delivers such mail is shown by a message that comes back: --canary-domain and --canary-listen (docs/check-host.md).';

const NO_DOMAIN =
  'No domain was named, so tests that claim one of yours were left out, and a refusal of us looks like a refusal to relay. Name one: --domain example.org.';

function arrivalLines({ leg, test, at, path }: Arrival): string[] {
  const way = path.map(
    ({ from = 'unknown', address, by = 'unknown' }) => `${by} from ${from}${address === undefined ? '' : ` [${address}]`}`,
  );
  return [`A message sent through ${leg} (${test}) came back at ${iso(at)}.`, ...way.map((hop) => `  ${printable(hop)}`)];
}

function legLines(leg: LegEvidence, report: Report): string[] {
  const judgement = judgeLeg(leg, report.finding.arrivals);
  const { connections, commands, refusals } = leg.costs;
  const broken = brokenTlsSentence(leg);
  return [
    `  ${legName(leg)}: ${judgement.verdict}. ${explained(judgement, report)}`,
    ...(leg.software === undefined ? [] : [`    ${softwareSentence(leg.software)}`]),
    ...(leg.tls === undefined
      ? []
      : [`    ${printable(`${leg.tls.version}, ${leg.tls.cipher}, certificate of ${leg.tls.subject ?? 'nobody'}`)}`]),
    ...(broken === undefined ? [] : [`    ${broken}`]),
    ...(leg.injected === undefined
      ? []
      : ['    Plaintext came behind its answer to STARTTLS, and was dropped: somebody on the way may inject it.']),
    ...(leg.seesUsAs === undefined ? [] : [`    It takes us for ${leg.seesUsAs}.`]),
    ...(connections === 0
      ? []
      : [`    ${counted(connections, 'connection')}, ${counted(commands, 'command')}, ${counted(refusals, 'refusal')}`]),
    ...acceptedIn(leg, judgement.reason),
  ];
}

// Of a server that takes any local part, whose accepted recipients would otherwise read as proof.
const ANY_LOCAL_PART: readonly Reason[] = ['catch-all', 'awaiting-messages', 'any-local-part'];

function acceptedIn({ tests }: LegEvidence, reason: Reason): string[] {
  const accepted = tests.filter(({ outcome }) => outcome === 'accepted');
  if (accepted.length > 0 && ANY_LOCAL_PART.includes(reason))
    return [`    takes any local part (${counted(accepted.length, 'form')}), which proves nothing by itself; --json has all`];
  const shown = accepted.slice(0, ACCEPTED_SHOWN);
  return [
    ...shown.flatMap(acceptedLines),
    ...(accepted.length > shown.length ? [`    and ${accepted.length - shown.length} more; --json has all`] : []),
  ];
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

const ACCEPTED_SHOWN = 8; // envelopes of a leg that are spelled out

function acceptedLines({ test, ehlo, from = '', to = '', reply = '', stage }: TestResult): string[] {
  const hello = ehlo === undefined ? '' : `EHLO ${printable(ehlo)} `;
  return [
    `    ${test}: ${reasonOf(test) ?? ''}`,
    `      ${hello}MAIL FROM:${printable(from)} RCPT TO:${printable(to)}`,
    `      ${stage === 'message' ? 'after the final dot: ' : ''}${printable(reply)}`,
  ];
}
