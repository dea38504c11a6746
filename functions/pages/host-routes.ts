import { acknowledgeHost, findHost } from '../../shared/accounts/hosts.ts';
import { recipientsOf } from '../../shared/accounts/recipients.ts';
import { requestScan } from '../../shared/accounts/scans.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { LegEvidence, Scan } from '../../shared/domain/scan.ts';
import { changesPage } from '../../shared/pages/changes.ts';
import { hostPage } from '../../shared/pages/host.ts';
import { RANGES } from '../../shared/pages/timeline.ts';
import { acted } from './acted.ts';
import { page, pathOf, queryOf, type SignedCall, type SignedRoute, type SignedVerb } from './call.ts';
import { exportCsv, exportJson, exportScan } from './exports.ts';
import { showScan, showScans } from './scans.ts';

const SPANS_LIMIT = 500; // a host that turned more often shows the newest
const SCANS_SHOWN = 10;
const CHANGES_A_PAGE = 50;

/** `GET /hosts/{id}?days=…` */
const showHost: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const { store, visitor } = call;
  const [last, spans, scans, owed, recipients] = await Promise.all([
    lastScan(call, host),
    store.listSpans(host.id, SPANS_LIMIT),
    store.listScans(host.id, { limit: SCANS_SHOWN }),
    store.owedOf(host.id),
    recipientsOf(call, host),
  ]);
  const days = RANGES.find((each) => String(each) === queryOf(call, 'days')) ?? RANGES[0];
  return page(200, hostPage({ visitor, host, now: call.clock(), days, last, spans, scans: scans.items, owed, ...recipients }));
};

async function lastScan({ store }: SignedCall, { id, state }: Host): Promise<{ scan: Scan; legs: LegEvidence[] } | undefined> {
  const scan = state.last === undefined ? undefined : await store.findScan(id, state.last.id);
  if (scan === undefined) return undefined;
  return { scan, legs: scan.evidence === undefined ? [] : ((await store.readEvidence(id, scan.evidence)) ?? []) };
}

/** `GET /hosts/{id}/changes?after=…` */
const showChanges: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const after = queryOf(call, 'after');
  const { items, next } = await call.store.listChanges(host.id, CHANGES_A_PAGE, /^\d{1,10}$/.test(after) ? after : undefined);
  const following = next === undefined ? undefined : `/hosts/${host.id}/changes?after=${next}`;
  return page(200, changesPage({ visitor: call.visitor, host, changes: items, next: following, now: call.clock() }));
};

/** `POST /hosts/{id}/scans` */
const scanAgain: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  return acted(call, host, () => requestScan(call, host));
};

/** `POST /hosts/{id}/acknowledge` */
const acknowledge: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  return acted(call, host, () => acknowledgeHost(call, host.id));
};

export const HOST_ROUTES: readonly SignedRoute[] = [
  ['GET', '/hosts/{id}', showHost],
  ['GET', '/hosts/{id}/changes', showChanges],
  ['POST', '/hosts/{id}/scans', scanAgain],
  ['POST', '/hosts/{id}/acknowledge', acknowledge],
  ['GET', '/hosts/{id}/scans', showScans],
  ['GET', '/hosts/{id}/scans.csv', exportCsv],
  ['GET', '/hosts/{id}/scans.json', exportJson],
  ['GET', '/hosts/{id}/scans/{scanId}.json', exportScan],
  ['GET', '/hosts/{id}/scans/{scanId}', showScan],
];
