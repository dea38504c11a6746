import { findHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { VERDICTS } from '../../shared/domain/reason.ts';
import { kindOf } from '../../shared/domain/scan.ts';
import { owedScanPage, scanPage } from '../../shared/pages/scan.ts';
import { scansPage } from '../../shared/pages/scans.ts';
import { reasonOf } from '../../shared/smtp/relay-tests.ts';
import { page, pathOf, queryOf, type SignedVerb } from './call.ts';
import { readDays } from './days.ts';
import { FILE_LIMIT } from './exports.ts';

const SCANS_A_PAGE = 50;

/** `GET /hosts/{id}/scans?verdict=…&from=…&to=…&after=…` */
export const showScans: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const verdict = VERDICTS.find((each) => each === queryOf(call, 'verdict'));
  const [from, to, after] = [queryOf(call, 'from'), queryOf(call, 'to'), queryOf(call, 'after')];
  const days = readDays(from, to);
  const common = { visitor: call.visitor, host, filter: { verdict, from, to }, fileLimit: FILE_LIMIT, now: call.clock() };
  if ('wrong' in days) return page(422, scansPage({ ...common, scans: [], error: days.wrong, next: undefined }));
  const { items, next } = await call.store.listScans(host.id, {
    limit: SCANS_A_PAGE,
    ...days,
    verdicts: verdict === undefined ? undefined : [verdict],
    after: kindOf(after) === undefined ? undefined : after,
  });
  const query = new URLSearchParams({ verdict: verdict ?? '', from, to, after: next ?? '' });
  const following = next === undefined ? undefined : `/hosts/${host.id}/scans?${query}`;
  return page(200, scansPage({ ...common, scans: items, next: following }));
};

/** `GET /hosts/{id}/scans/{scanId}?leg=…` */
export const showScan: SignedVerb = async (call) => {
  const { store, visitor } = call;
  const host = await findHost(call, pathOf(call, 'id'));
  const scanId = pathOf(call, 'scanId');
  if (kindOf(scanId) === undefined) throw noSuchScan();
  const scan = await store.findScan(host.id, scanId);
  if (scan !== undefined) {
    const legs = scan.evidence === undefined ? [] : ((await store.readEvidence(host.id, scan.evidence)) ?? []);
    return page(200, scanPage({ visitor, host, scan, legs, leg: queryOf(call, 'leg'), provesOf: reasonOf, now: call.clock() }));
  }
  const owed = await store.findOwed(host.id, scanId);
  if (owed === undefined) throw noSuchScan();
  return page(200, owedScanPage(visitor, host, owed, call.clock()));
};

/** That a host has no scan of this id. */
function noSuchScan(): Problem {
  return new Problem(404, 'There is no such scan of this host.');
}
