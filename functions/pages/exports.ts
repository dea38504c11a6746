import { findHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import type { Host } from '../../shared/domain/host.ts';
import { REASONS } from '../../shared/domain/reason.ts';
import { kindOf, type Scan } from '../../shared/domain/scan.ts';
import { type Answer, answer, pathOf, queryOf, type SignedCall, type SignedVerb } from './call.ts';
import { csv } from './csv.ts';
import { readDays } from './days.ts';

/** Most scans of one file: some 2 MB, a third of what one answer of a function may hold. */
export const FILE_LIMIT = 5_000;
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
  const { host, scans, next } = await chosen(call, 'csv');
  const rows = scans.map((scan) => {
    const { verdict, reason, completed, planned } = scan.judgement;
    const times = [iso(scan.startedAt), iso(scan.finishedAt)];
    return [
      scan.id,
      scan.kind,
      ...times,
      verdict,
      reason,
      REASONS[reason].sentence,
      completed,
      planned,
      scan.full ? 'yes' : 'no',
      scan.openLegs.join(' '),
    ];
  });
  return file('text/csv; charset=utf-8; header=present', csv([HEADINGS, ...rows]), `${nameOf(host)}-scans.csv`, next);
};

/** `GET /hosts/{id}/scans.json?from=…&to=…` */
export const exportJson: SignedVerb = async (call) => {
  const { host, scans, next } = await chosen(call, 'json');
  const items = scans.map(({ id, kind, startedAt, finishedAt, judgement, full, openLegs }) => {
    const { verdict, reason, completed, planned } = judgement;
    return {
      id,
      kind,
      startedAt: iso(startedAt),
      finishedAt: iso(finishedAt),
      verdict,
      reason,
      explanation: REASONS[reason].sentence,
      testsCompleted: completed,
      testsPlanned: planned,
      fullTable: full,
      openLegs,
    };
  });
  const body = { host: { id: host.id, name: host.settings.name }, items, ...(next === undefined ? {} : { next }) };
  return file('application/json', JSON.stringify(body, undefined, 1), `${nameOf(host)}-scans.json`, next);
};

/** `GET /hosts/{id}/scans/{scanId}.json`: a scan with all it saw. */
export const exportScan: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const scanId = pathOf(call, 'scanId');
  const scan = kindOf(scanId) === undefined ? undefined : await call.store.findScan(host.id, scanId);
  if (scan === undefined) throw new Problem(404, 'There is no such finished scan of this host.');
  const legs = scan.evidence === undefined ? [] : ((await call.store.readEvidence(host.id, scan.evidence)) ?? []);
  const { hostId, evidence, canaries, ...shown } = scan;
  const body = {
    host: { id: host.id, name: host.settings.name },
    ...shown,
    startedAt: iso(scan.startedAt),
    finishedAt: iso(scan.finishedAt),
    legs,
  };
  return file('application/json', JSON.stringify(body, undefined, 1), `${nameOf(host)}-${scan.id}.json`, undefined);
};

// The newest come first; what does not fit in begins at `next`, the same days up to the day of the last that did.
async function chosen(call: SignedCall, type: 'csv' | 'json'): Promise<{ host: Host; scans: readonly Scan[]; next: string | undefined }> {
  const host = await findHost(call, pathOf(call, 'id'));
  const [from, to] = [queryOf(call, 'from'), queryOf(call, 'to')];
  const days = readDays(from, to);
  if ('wrong' in days) throw new Problem(422, days.wrong);
  const range = { fromMs: days.fromMs ?? 0, toMs: days.toMs ?? LAST_MOMENT, most: FILE_LIMIT };
  const { scans, more } = await call.store.scansBetween(host.id, range);
  const last = scans.at(-1);
  const next =
    more && last !== undefined
      ? `${call.siteUrl}/hosts/${host.id}/scans.${type}?from=${from}&to=${iso(last.startedAt).slice(0, 10)}`
      : undefined;
  return { host, scans, next };
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
