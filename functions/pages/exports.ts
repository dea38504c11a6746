import { findHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { explanationOf } from '../../shared/domain/explanation.ts';
import type { Host } from '../../shared/domain/host.ts';
import { kindOf, type LegEvidence, type Scan, type TestResult } from '../../shared/domain/scan.ts';
import { type Answer, answer, pathOf, queryOf, type SignedCall, type SignedVerb } from './call.ts';
import { csv } from './csv.ts';
import { readDays } from './days.ts';

/** Most scans of one file: some 2 MB. */
export const FILE_LIMIT = 5_000;
const FILE_BYTES = 4 * 1024 * 1024; // of a file of scans, which are longer the more legs were open; an answer of a function may hold 6 MB
const SCAN_BYTES = 5 * 1024 * 1024; // of the file of one scan, as the answer holds it: what servers said grows when it is escaped
const LAST_MOMENT = Date.UTC(9999, 11, 31);

const HEADINGS = [
  'scan',
  'kind',
  'started (UTC)',
  'finished (UTC)',
  'verdict',
  'reason',
  'explanation',
  'tests completed',
  'tests planned',
  'full table',
  'open legs',
];

/** `GET /hosts/{id}/scans.csv?from=…&to=…` */
export const exportCsv: SignedVerb = async (call) => {
  const { host, rows, next } = await chosen(call, 'csv', (scan) => csv([cellsOf(scan)]));
  return file('text/csv; charset=utf-8; header=present', csv([HEADINGS]) + rows.join(''), `${nameOf(host)}-scans.csv`, next);
};

function cellsOf(scan: Scan): (string | number)[] {
  const { id, kind, startedAt, finishedAt, judgement, full, openLegs } = scan;
  const { verdict, reason, completed, planned } = judgement;
  const why = [verdict, reason, explanationOf(scan)];
  return [id, kind, iso(startedAt), iso(finishedAt), ...why, completed, planned, full ? 'yes' : 'no', openLegs.join(' ')];
}

/** `GET /hosts/{id}/scans.json?from=…&to=…`: one scan a line. */
export const exportJson: SignedVerb = async (call) => {
  const { host, rows, next } = await chosen(call, 'json', (scan) => `${JSON.stringify(itemOf(scan))}\n`);
  const rest = next === undefined ? '' : `,"next":${JSON.stringify(next)}`;
  const body = `{"host":${JSON.stringify({ id: host.id, name: host.settings.name })},"items":[\n${rows.join(',')}]${rest}}\n`;
  return file('application/json', body, `${nameOf(host)}-scans.json`, next);
};

function itemOf(scan: Scan) {
  const { id, kind, startedAt, finishedAt, judgement, full, openLegs } = scan;
  const { verdict, reason, completed, planned } = judgement;
  return {
    id,
    kind,
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    verdict,
    reason,
    explanation: explanationOf(scan),
    testsCompleted: completed,
    testsPlanned: planned,
    fullTable: full,
    openLegs,
  };
}

/** `GET /hosts/{id}/scans/{scanId}.json`: a scan with all it saw. */
export const exportScan: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const scanId = pathOf(call, 'scanId');
  const scan = kindOf(scanId) === undefined ? undefined : await call.store.findScan(host.id, scanId);
  if (scan === undefined) throw new Problem(404, 'There is no such finished scan of this host.');
  const legs = scan.evidence === undefined ? [] : ((await call.store.readEvidence(host.id, scan.evidence)) ?? []);
  const { hostId, evidence, canaries, ...shown } = scan;
  const body = (all: readonly LegEvidence[]) => {
    const times = { startedAt: iso(scan.startedAt), finishedAt: iso(scan.finishedAt) };
    return JSON.stringify({ host: { id: host.id, name: host.settings.name }, ...shown, ...times, legs: all }, undefined, 1);
  };
  const whole = body(legs);
  const text = sizeOf(whole) <= SCAN_BYTES ? whole : body(legs.map((leg) => shortened(leg, SCAN_BYTES / legs.length)));
  return file('application/json', text, `${nameOf(host)}-${scan.id}.json`, undefined);
};

const LEFT_OUT = '-- left out: it would make this file too long';

// A leg with as much of the server's words as its share of the file has room for, transcripts left out first.
function shortened(leg: LegEvidence, bytes: number): LegEvidence {
  const silent = (each: TestResult) => ({ ...each, reply: LEFT_OUT });
  const bare = { ...leg, transcript: [LEFT_OUT] };
  const least = { ...bare, injected: undefined, tests: leg.tests.map(silent), controls: leg.controls.map(silent) };
  return [leg, bare].find((each) => sizeOf(JSON.stringify(each, undefined, 1)) <= bytes) ?? least;
}

// The bytes of a text within an answer, which is JSON itself.
function sizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

// The newest come first; what does not fit in begins at `next`, the same days up to the day of the last that did.
async function chosen(
  call: SignedCall,
  type: 'csv' | 'json',
  write: (scan: Scan) => string,
): Promise<{ host: Host; rows: readonly string[]; next: string | undefined }> {
  const host = await findHost(call, pathOf(call, 'id'));
  const [from, to] = [queryOf(call, 'from'), queryOf(call, 'to')];
  const days = readDays(from, to);
  if ('wrong' in days) throw new Problem(422, days.wrong);
  const range = { fromMs: days.fromMs ?? 0, toMs: days.toMs ?? LAST_MOMENT, most: FILE_LIMIT };
  const { scans, more } = await call.store.scansBetween(host.id, range);
  const rows: string[] = [];
  let bytes = 0;
  for (const scan of scans) {
    const row = write(scan);
    bytes += row.length + 1; // rows are ASCII
    if (bytes > FILE_BYTES) break;
    rows.push(row);
  }
  const last = scans[rows.length - 1];
  const next =
    (more || rows.length < scans.length) && last !== undefined
      ? `${call.siteUrl}/hosts/${host.id}/scans.${type}?from=${from}&to=${iso(last.startedAt).slice(0, 10)}`
      : undefined;
  return { host, rows, next };
}

function file(type: string, body: string, name: string, next: string | undefined): Answer {
  return answer(200, type, body, {
    'content-disposition': `attachment; filename="${name}"`,
    ...(next === undefined ? {} : { link: `<${next}>; rel="next"` }),
  });
}

// A registered name is letters, digits, dots, hyphens and colons; a colon is no part of a file's name.
function nameOf({ settings }: Host): string {
  return settings.name.replaceAll(':', '-');
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
